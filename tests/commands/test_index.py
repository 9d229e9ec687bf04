"""`index` and `search` from file to answer, in process, with a model of a few lines."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vvipe_tf.apps.embedding_file import EmbeddingFile, write_embedding_file
from vvipe_tf.cli import run_command
from vvipe_tf.commands import embedded_files, index, search
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.pose_files.pose_json import write_pose_json
from vvipe_tf.formats.pose_files.pose_npz import write_pose_npz
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17, map_keypoints

ROOT = Path(__file__).resolve().parents[2]


class DirectionEmbedder:
    """Stands in for the model: x and z of limbs, in units of their own, from 2D (x, -y) or from 3D alike."""

    model_id = "directions"
    embedding_dim = 6

    def embed(self, table):
        points = map_keypoints(table.keypoints_2d.astype(float), table.profile, COCO_13) * [1, -1]
        embeddings = self._directions(points)
        embeddings[(table.scores == 0).any(axis=1)] = np.nan
        return embeddings

    def encode_pose(self, poses, profile, canonical=False):
        return self._directions(map_keypoints(np.asarray(poses, dtype=float), profile, COCO_13)[..., [0, 2]])

    def _directions(self, points):
        limbs = points[:, [5, 6, 11]] - points[:, [3, 4, 9]]
        return (limbs / np.linalg.norm(limbs, axis=-1, keepdims=True)).reshape(len(points), 6).astype(np.float32)


@pytest.fixture(autouse=True)
def embedder(monkeypatch):
    monkeypatch.setattr(embedded_files, "load_embedder", lambda model: DirectionEmbedder())


@pytest.fixture
def poses():
    """Poses (24, 17, 3) H36M_17 in torso units."""
    generator = np.random.default_rng(8)
    standing = generator.normal(size=(17, 3))
    standing[[0, 7, 8]] = [[0, 0, 0], [0, 0, 0.5], [0, 0, 1]]
    moved = standing + 0.6 * generator.normal(size=(24, 17, 3))
    moved[:, [0, 7, 8]] = standing[[0, 7, 8]]
    return moved


def command(module, *argv):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    arguments = parser.parse_args([str(argument) for argument in argv])
    return run_command(lambda: module.run(arguments))


def dataset_of(poses, subject="anna"):
    count = len(poses)
    return PoseDataset(
        H36M_17,
        poses,
        np.full(count, 500),
        [subject] * count,
        ["walk"] * count,
        ["lab"] * count,
        np.arange(count),
        25.0,
        {"lab": "CC0"},
    )


def write_keypoints(path, poses):
    """AlphaPose, each pose one frame, seen along y at 100 pixels a unit."""
    points = map_keypoints(poses, H36M_17, COCO_13)[..., [0, 2]] * [100, -100] + 500
    faces = np.repeat(points[:, :1], 4, axis=1)
    points = np.concatenate([points[:, :1], faces, points[:, 1:]], axis=1)
    rows = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)
    records = [
        {"image_id": f"{frame}.jpg", "category_id": 1, "keypoints": row.ravel().tolist(), "score": 2.5, "idx": 1}
        for frame, row in enumerate(rows)
    ]
    assert len(rows[0]) == COCO_17.num_joints
    path.write_text(json.dumps(records))


def test_2d_keypoints_find_the_3d_poses_they_show(tmp_path, poses, capsys):
    dataset_of(poses).save(tmp_path / "lab.poses.npz")
    write_keypoints(tmp_path / "people.json", poses[5:8])
    assert command(index, "build", tmp_path / "index", tmp_path / "lab.poses.npz") == 0
    assert "24 items, flat" in capsys.readouterr().out
    assert (
        command(search, tmp_path / "index", tmp_path / "people.json", "--k", 3, "--ignore-layout", "--format", "json")
        == 0
    )
    answers = json.loads(capsys.readouterr().out)
    assert [len(answer["answers"]) for answer in answers] == [3, 3, 3]
    for frame, answer in enumerate(answers):
        first = answer["answers"][0]
        assert answer["query"].endswith(f"people.json:{frame}:1")
        assert (first["id"], first["frame"], first["rank"]) == (f"lab/anna/walk/{5 + frame}", 5 + frame, 1)
        assert first["distance"] < 1e-5
        assert first["content"] == "3d"


def test_3d_poses_find_2d_keypoints_and_files_can_be_added(tmp_path, poses, capsys):
    write_keypoints(tmp_path / "people.json", poses[:9])
    write_pose_npz(tmp_path / "lifted.npz", PoseSequence(poses[9:13] * 400, H36M_17, "world", "mm"))
    write_pose_json(tmp_path / "one.json", PoseSequence(poses[[4]], H36M_17))
    dataset_of(poses[13:]).save(tmp_path / "lab.poses.npz")
    assert (
        command(
            index, "build", tmp_path / "index", tmp_path / "people.json", tmp_path / "lifted.npz", "--ignore-layout"
        )
        == 0
    )
    assert command(index, "add", tmp_path / "index", tmp_path / "lab.poses.npz") == 0
    assert "11 items added, 24 in all" in capsys.readouterr().out
    assert command(search, tmp_path / "index", tmp_path / "one.json", "--k", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split("|")[4].strip().endswith("people.json:4:1")
    assert command(index, "info", tmp_path / "index", "--format", "json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["count"], facts["poses"], facts["kind"], facts["model_id"]) == (24, 15, "flat", "directions")
    assert command(index, "info", tmp_path / "index") == 0
    assert "model id" in capsys.readouterr().out


def test_items_are_found_by_text_id_and_by_column(tmp_path, poses, capsys):
    dataset_of(poses[:10]).save(tmp_path / "a.poses.npz")
    dataset_of(poses[[3, 20]], "berta").save(tmp_path / "b.poses.npz")
    command(index, "build", tmp_path / "index", tmp_path / "a.poses.npz", tmp_path / "b.poses.npz")
    capsys.readouterr()
    arguments = ("--id", "lab/anna/walk/3", "--where", "subject=berta", "--format", "json")
    assert command(search, tmp_path / "index", *arguments) == 0
    output = capsys.readouterr()
    (answer,) = json.loads(output.out)
    assert answer["answers"][0]["id"] == "lab/berta/walk/0"
    assert answer["answers"][0]["distance"] == 0
    assert len(answer["answers"]) == 2
    assert "fewer than --k 10" in output.err
    assert command(search, tmp_path / "index", "--id", "lab/anna/walk/3", "--where", "frame=1", "--k", "1") == 0
    assert "lab/" in capsys.readouterr().out


def test_evaluate_prints_hit_at_k(tmp_path, poses, capsys):
    dataset_of(poses).save(tmp_path / "a.poses.npz")
    dataset_of(poses[:6], "berta").save(tmp_path / "b.poses.npz")
    command(index, "build", tmp_path / "index", tmp_path / "a.poses.npz", tmp_path / "b.poses.npz")
    capsys.readouterr()
    assert command(search, tmp_path / "index", "--evaluate", "--format", "json") == 0
    score = json.loads(capsys.readouterr().out)
    # Six poses are there twice; each of the twelve finds its double, no other pose has one.
    assert score == {"hit_at": dict.fromkeys(("1", "5", "10", "20"), 12 / 30), "queries": 30, "items": 30}
    write_pose_npz(tmp_path / "lifted.npz", PoseSequence(poses[9:13] * 0.4, H36M_17, "world", "m"))
    assert command(search, tmp_path / "index", tmp_path / "lifted.npz", "--evaluate") == 0
    assert "| share | 1.0000" in capsys.readouterr().out
    arguments = ("--queries-where", "subject=berta", "--where", "subject=anna", "--format", "json")
    assert command(search, tmp_path / "index", "--evaluate", *arguments) == 0
    assert json.loads(capsys.readouterr().out)["hit_at"]["1"] == 1


def test_embeddings_are_taken_as_they_are(tmp_path, capsys):
    embeddings = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float32)
    columns = {"id": [f"e{number}" for number in range(40)], "take": np.arange(40) // 8}
    write_embedding_file(tmp_path / "e.npz", EmbeddingFile(embeddings, "m", columns))
    write_embedding_file(tmp_path / "q.npz", EmbeddingFile(embeddings[[17]], "m", {}))
    write_embedding_file(tmp_path / "other.npz", EmbeddingFile(embeddings[[17]], "another", {}))
    assert command(index, "build", tmp_path / "index", tmp_path / "e.npz", "--kind", "ivf") == 0
    assert command(search, tmp_path / "index", tmp_path / "q.npz", "--k", 1, "--format", "json") == 0
    output = capsys.readouterr().out
    assert json.loads(output[output.index("[{") :])[0]["answers"][0]["id"] == "e17"
    assert command(search, tmp_path / "index", tmp_path / "other.npz") == 2
    assert "model m, as in the index. Received: another" in capsys.readouterr().err
    assert command(index, "build", tmp_path / "mixed", tmp_path / "e.npz", tmp_path / "other.npz") == 2
    assert "one model" in capsys.readouterr().err


def test_people_whom_the_model_refuses_are_left_out_and_counted(tmp_path, poses, capsys):
    write_keypoints(tmp_path / "people.json", poses[:5])
    records = json.loads((tmp_path / "people.json").read_text())
    records[2]["keypoints"][3 * 9 : 3 * 10] = [0, 0, 0]
    (tmp_path / "people.json").write_text(json.dumps(records))
    assert command(index, "build", tmp_path / "index", tmp_path / "people.json", "--ignore-layout") == 0
    output = capsys.readouterr()
    assert "4 items" in output.out
    assert "people.json: 1 left out" in output.err


def test_bad_input_ends_in_one_line(tmp_path, poses, capsys):
    dataset_of(poses).save(tmp_path / "a.poses.npz")
    command(index, "build", tmp_path / "index", tmp_path / "a.poses.npz")
    capsys.readouterr()
    folder = tmp_path / "index"
    (tmp_path / "bad.npz").write_bytes((tmp_path / "a.poses.npz").read_bytes().replace(b"PK\x01\x02", b"PK\x01\x00"))
    for module, argv, message in (
        (index, ("build", folder, tmp_path / "none.json"), "--overwrite replaces it"),
        (index, ("build", tmp_path / "new", tmp_path / "bad.npz"), "bad.npz: expected an undamaged"),
        (index, ("add", folder, tmp_path / "a.poses.npz"), "'lab/anna/walk/0'"),
        (index, ("add", tmp_path / "none", tmp_path / "a.poses.npz"), "folder of an index"),
        (index, ("build", tmp_path / "new", tmp_path / "missing.json"), "missing.json"),
        (index, ("info", tmp_path), "folder of an index"),
        (search, (folder,), "Received: neither"),
        (search, (folder, tmp_path / "a.poses.npz", "--id", "x"), "Received: both"),
        (search, (folder, "--id", "nobody"), "'nobody'"),
        (search, (folder, "--id", "lab/anna/walk/0", "--k", "0"), "k=0"),
        (search, (folder, "--id", "lab/anna/walk/0", "--where", "colour=red"), "COLUMN=VALUE"),
        (search, (folder, "--id", "lab/anna/walk/0", "--where", "frame=one"), "Expected a number for column 'frame'"),
        (search, (folder, "--id", "lab/anna/walk/0", "--where", "frame=99"), "Received: none"),
    ):
        assert command(module, *argv) == 2, argv
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == 1, argv
        assert message in errors[0]
    (folder / "manifest.json").write_text("{")
    assert command(index, "build", folder, tmp_path / "a.poses.npz", "--overwrite") == 0
    assert command(index, "info", folder) == 0


def test_build_and_add_tell_the_facts_as_json(tmp_path, poses, capsys):
    for name, part in (("a", poses[:9]), ("b", poses[9:])):
        dataset_of(part, name).save(tmp_path / f"{name}.poses.npz")
    assert command(index, "build", tmp_path / "index", tmp_path / "a.poses.npz", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["count"] == 9
    assert command(index, "add", tmp_path / "index", tmp_path / "b.poses.npz", "--format", "json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["added"], facts["count"], facts["kind"]) == (15, 24, "flat")


def test_the_benchmark_measures_what_it_says(tmp_path, capsys):
    arguments = ("--count", 3000, "--queries", 700, "--kind", "ivf", "--format", "json")
    assert command(index, "benchmark", *arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["vectors"], facts["queries_in_batch"], facts["kind"]) == (3000, 700, "ivf")
    assert facts["recall_at_1"] > 0.95
    assert facts["loaded_answers_identical"] is True
    assert "made up" in facts["data"]
    embeddings = np.random.default_rng(0).normal(size=(90, 4))
    write_embedding_file(tmp_path / "e.npz", EmbeddingFile(embeddings, "m", {}))
    assert command(index, "benchmark", "--embeddings", tmp_path / "e.npz", "--queries", 30) == 0
    assert "| vectors " in capsys.readouterr().out
    assert command(index, "benchmark", "--count", 1) == 2


def test_help_does_not_wait_for_faiss():
    code = (
        "import sys, argparse; from vvipe_tf.commands import index, search\n"
        "for module in (index, search): module.add_arguments(argparse.ArgumentParser())\n"
        "print(sorted({'faiss', 'tensorflow', 'ai_edge_litert', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
