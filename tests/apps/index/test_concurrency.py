"""Processes that read an index while another one writes it see whole versions only."""

import subprocess
import sys
from pathlib import Path

import pytest

from vvipe_tf.apps.index import PoseIndex

ROOT = Path(__file__).resolve().parents[3]
# Version g holds 40 g items; the vector, the text and the frame of each follow from its number.
SHARED = """
import sys
import numpy as np
from vvipe_tf.apps.index import PoseIndex
STEP = 40
def vectors(start, stop):
    return np.stack([np.sin(np.arange(start, stop) * f) for f in (1, 1.7, 2.3, 3.1, 0.4)], axis=1).astype(np.float32)
def metadata(start, stop):
    return {"id": [f"item-{n}" for n in range(start, stop)], "frame": list(range(start, stop))}
folder, kind, versions = sys.argv[1], sys.argv[2], int(sys.argv[3])
"""
WRITER = """
for version in range(2, versions + 1):
    index = PoseIndex.load(folder)
    start = len(index)
    index.add(vectors(start, start + STEP), metadata(start, start + STEP))
    assert index.save(folder) == version
"""
READER = """
seen = []
while not seen or seen[-1] < versions:
    index = PoseIndex.load(folder)
    count = len(index)
    assert count % STEP == 0
    found = index.search(vectors(0, count), 1)
    assert (found.distances == 0).all()
    assert (found.items[:, 0] == np.arange(count)).all()
    rows = index.describe(found.items[:, 0])
    assert [row["frame"] for row in rows] == list(range(count))
    assert [row["id"] for row in rows] == metadata(0, count)["id"]
    assert not seen or count // STEP >= seen[-1]
    seen.append(count // STEP)
print(len(set(seen)))
"""


def start(script, *arguments):
    command = [sys.executable, "-c", SHARED + script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_two_readers_and_a_writer(tmp_path, kind):
    names = {}
    exec(SHARED.replace("sys.argv[1], sys.argv[2], int(sys.argv[3])", "None, None, None"), names)  # noqa: S102
    index = PoseIndex.build(names["vectors"](0, 40), names["metadata"](0, 40), "model", kind=kind)
    index.save(tmp_path)
    processes = [start(script, tmp_path, kind, 15) for script in (READER, READER, WRITER)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    for _, errors, code in ended:
        assert code == 0, errors
    # At least the first or a middle version and the last one.
    assert all(int(output) >= 2 for output, _, _ in ended[:2])
    assert len(list(tmp_path.glob("vectors-*"))) == len(list(tmp_path.glob("items-*"))) == 1


def test_an_index_in_use_outlives_its_files(tmp_path):
    names = {}
    exec(SHARED.replace("sys.argv[1], sys.argv[2], int(sys.argv[3])", "None, None, None"), names)  # noqa: S102
    PoseIndex.build(names["vectors"](0, 40), names["metadata"](0, 40), "model").save(tmp_path)
    held, other = PoseIndex.load(tmp_path), PoseIndex.load(tmp_path)
    other.add(names["vectors"](40, 90), names["metadata"](40, 90))
    other.save(tmp_path)
    assert not list(tmp_path.glob("*-00000001-*"))
    assert len(held) == 40
    assert held.describe([39])[0]["id"] == "item-39"
    assert held.search(names["vectors"](7, 8), 1).items.tolist() == [[7]]
