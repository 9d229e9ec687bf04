"""330 mutated keypoint files through `lift`: a clear error or a right answer each, or a warning with a wrong one."""

import json

import numpy as np
import pytest

from tests.commands.keypoint_files import detected_people, write_alphapose
from vvipe_tf.__main__ import main
from vvipe_tf.keypoints import COCO_17

_TRIALS = 30
# Mean joint distance within which an answer is right, torso units; a skeleton with sides exchanged is 0.6 away.
_TOLERANCE = 0.25
_SIDES = [
    COCO_17.index(name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right"))
    for name in COCO_17.keypoint_names
]


def wrong_count(records, rng):
    keypoints = some(records, rng)["keypoints"]
    if rng.random() < 0.5:
        del keypoints[rng.integers(len(keypoints))]
    else:
        keypoints.insert(rng.integers(len(keypoints)), 1.0)


def odd_number(*odd):
    def mutate(records, rng):
        keypoints = some(records, rng)["keypoints"]
        keypoints[rng.integers(len(keypoints))] = odd[rng.integers(len(odd))]

    return mutate


def truncated(records, rng):
    text = json.dumps(records)
    return text[: rng.integers(1, len(text))]


def second_person(records, rng):
    """Somebody else in the picture: the same detection elsewhere, with or without an id."""
    record = dict(some(records, rng))
    shift = np.tile([rng.uniform(-900, 900), 40.0, 0.0], 17)
    record["keypoints"] = (np.asarray(record["keypoints"]) + shift).tolist()
    record["idx"] = 77
    if rng.random() < 0.5:
        del record["idx"]
    records.append(record)


def empty_list(records, rng):
    if rng.random() < 0.3:
        records.clear()
    else:
        some(records, rng)["keypoints"] = []


def swapped_sides(records, rng):
    reorder(records, _SIDES)


def other_order(records, rng):
    reorder(records, rng.permutation(17))


def upside_down(records, rng):
    for record in records:
        joints = np.reshape(record["keypoints"], (17, 3))
        joints[:, 1] = 1080.0 - joints[:, 1]
        record["keypoints"] = joints.ravel().tolist()


def some(records, rng):
    return records[rng.integers(len(records))]


def reorder(records, order):
    for record in records:
        record["keypoints"] = np.reshape(record["keypoints"], (17, 3))[order].ravel().tolist()


MUTATIONS = {
    "wrong_count": wrong_count,
    "nan": odd_number(float("nan"), float("inf")),
    "string": odd_number("12", "left", ""),
    "null": odd_number(None, [], {}, True),
    "huge": odd_number(1e30, -1e12, 1e300, 10**400),
    "truncated": truncated,
    "second_person": second_person,
    "empty_list": empty_list,
    "swapped_sides": swapped_sides,
    "other_order": other_order,
    "upside_down": upside_down,
}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Detections of one person in 12 frames, and what they are lifted to."""
    folder = tmp_path_factory.mktemp("right")
    records = write_alphapose(folder / "right.json", detected_people()[:1])
    assert main(["lift", records, "--output", str(folder / "poses.json")]) == 0
    return json.loads((folder / "right.json").read_text()), poses_of(folder / "poses.json")


def poses_of(path):
    return {
        (pose["frame"], pose["person"]): np.array(pose["keypoints_3d"])
        for pose in json.loads(path.read_text())["poses"]
    }


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_file_is_an_error_a_warning_or_a_right_answer(name, right, tmp_path, capsys):
    content, expected = right
    ends = []
    for trial in range(_TRIALS):
        rng = np.random.default_rng([trial, list(MUTATIONS).index(name)])
        records = json.loads(json.dumps(content))
        text = MUTATIONS[name](records, rng)
        source, output = tmp_path / f"{trial}.json", tmp_path / f"{trial}.poses.json"
        source.write_text(json.dumps(records) if text is None else text)
        code = main(["lift", str(source), "--output", str(output)])
        printed, error = capsys.readouterr()
        if code == 0:
            poses = poses_of(output)
            errors = [
                np.linalg.norm(poses[key] - expected[key], axis=1).mean() for key in poses.keys() & expected.keys()
            ]
            # A number that says nothing is a missing joint, of which the summary tells.
            is_announced = "warning: " in error or "; 0 joints unseen" not in printed
            assert max(errors, default=0.0) < _TOLERANCE or is_announced, f"trial {trial}: {error}"
        else:
            assert code == 2, f"trial {trial}: {error}"
            assert error.splitlines()[-1].startswith("error: "), f"trial {trial}: {error}"
            assert not output.exists()
        ends.append(code)
    # The mutations reach what they are made for.
    if name in ("other_order", "wrong_count"):
        assert 2 in ends
    if name == "second_person":
        assert 0 in ends
