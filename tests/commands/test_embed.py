"""`python -m vvipe_tf embed`, from keypoints and from poses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.commands.keypoint_files import HIPS, detected_people, write_alphapose
from vvipe_tf.__main__ import main
from vvipe_tf.apps.embedder import PoseEmbedder
from vvipe_tf.apps.embedding_file import read_embedding_file
from vvipe_tf.formats.pose_files.pose_json import write_pose_json
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17


@pytest.fixture(scope="module")
def people():
    people = detected_people(frames=9)
    people[0, 2, HIPS, 2] = 0.0
    return people


@pytest.fixture
def keypoint_file(people, tmp_path):
    return write_alphapose(tmp_path / "alphapose.json", people)


@pytest.fixture
def embed(small_model, capsys):
    def run(*arguments):
        code = main(["embed", "--model", str(small_model), *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_embeddings_of_keypoints_are_written_with_their_origin(embed, keypoint_file, people, small_model, tmp_path):
    code, out, _ = embed(keypoint_file, "--output", tmp_path / "e.npz")
    assert code == 0
    assert "17 embeddings of 5 numbers; 1 refused" in out
    content = read_embedding_file(tmp_path / "e.npz")
    embedder = PoseEmbedder.from_tflite(small_model)
    assert content.model_id == embedder.model_id
    assert content.columns["person"].tolist() == [4, 9, 4, 9, 9, *[4, 9] * 6]
    assert content.columns["id"][0] == f"{keypoint_file}:0:4"
    expected = embedder.embed(people[1], profile=COCO_17)
    np.testing.assert_allclose(content.embeddings[content.columns["person"] == 9], expected, atol=1e-4)


def test_csv_and_json_hold_the_same_numbers(embed, keypoint_file, tmp_path):
    embed(keypoint_file, "--output", tmp_path / "e.csv")
    _, out, _ = embed(keypoint_file, "--format", "json")
    with open(tmp_path / "e.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    document = json.loads(out)
    assert [row["id"] for row in rows] == [item["id"] for item in document["embeddings"]]
    written = [[float(row[f"z{number}"]) for number in range(5)] for row in rows]
    np.testing.assert_allclose(written, [item["embedding"] for item in document["embeddings"]], rtol=1e-6)


def test_people_of_one_frame_without_ids_get_ids_of_their_own(embed, people, tmp_path):
    path = write_alphapose(tmp_path / "a.json", people, ids=None)
    _, out, _ = embed(path, "--format", "json")
    ids = [item["id"] for item in json.loads(out)["embeddings"]]
    assert ids[:2] == [f"{path}:0:-1", f"{path}:0:-1#2"]
    assert len(set(ids)) == 17


def test_lifted_poses_are_embedded_as_they_are(embed, small_model, keypoint_file, tmp_path):
    main(["lift", keypoint_file, "--model", str(small_model), "--output", str(tmp_path / "p.npz")])
    code, _, _ = embed(tmp_path / "p.npz", "--output", tmp_path / "e.npz")
    assert code == 0
    embedder = PoseEmbedder.from_tflite(small_model)
    poses = embedder.lift(detected_people(frames=9)[1], profile=COCO_17).poses
    content = read_embedding_file(tmp_path / "e.npz")
    expected = embedder.encode_pose(poses, canonical=True)
    np.testing.assert_allclose(content.embeddings[content.columns["person"] == 9], expected, atol=1e-4)


def test_poses_in_metres_are_made_canonical(embed, small_model, tmp_path):
    poses = np.random.default_rng(0).normal(size=(3, 17, 3))
    write_pose_json(tmp_path / "p.json", PoseSequence(poses, H36M_17, "world", "m"))
    _, out, _ = embed(tmp_path / "p.json", "--format", "json")
    expected = PoseEmbedder.from_tflite(small_model).encode_pose(poses, H36M_17)
    np.testing.assert_allclose([item["embedding"] for item in json.loads(out)["embeddings"]], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Expected --output FILE, or --format json"),
        (("--output", "e.parquet"), "ends in .npz or .csv"),
        (("--output", "e.npz", "--person", "7"), "among [4, 9]"),
    ],
)
def test_bad_arguments_end_in_one_line(embed, keypoint_file, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = embed(keypoint_file, *arguments)
    assert code == 2
    assert message in err


def test_nobody_to_embed_ends_in_one_line(embed, people, tmp_path):
    people = people.copy()
    people[..., HIPS, 2] = 0.0
    code, _, err = embed(write_alphapose(tmp_path / "a.json", people), "--output", tmp_path / "e.npz")
    assert code == 2
    assert "Received: none of 18" in err
    assert not (tmp_path / "e.npz").exists()


def test_degenerate_poses_end_in_one_line(embed, tmp_path):
    write_pose_json(tmp_path / "p.json", PoseSequence(np.zeros((2, 13, 3)), COCO_13, "world", "m"))
    code, _, err = embed(tmp_path / "p.json", "--format", "json")
    assert code == 2
    assert "2 degenerate of 2" in err


def test_sides_that_could_not_be_checked_are_told_in_one_line(embed, people, tmp_path):
    people = people.copy()
    people[..., 2] = 0.9
    path = write_alphapose(tmp_path / "a.json", people)
    code, _, err = embed(path, "--output", tmp_path / "e.npz")
    assert code == 0
    assert err == (
        f"warning: {path}: left and right could not be checked: no scores tell a face from the back of a head.\n"
    )


def test_the_likely_permutation_is_printed_in_joint_names(embed, tmp_path):
    people = np.tile(detected_people(frames=12), (1, 2, 1, 1))
    legs = [COCO_17.index(f"{side}_{part}") for part in ("hip", "knee", "ankle") for side in ("left", "right")]
    people[:, :, legs] = people[:, :, COCO_17.flip_indices[legs]]
    path = write_alphapose(tmp_path / "a.json", people)
    code, _, err = embed(path, "--output", tmp_path / "e.npz")
    assert code == 2
    assert "Likely permutation: left_hip exchanged with right_hip, left_knee exchanged with right_knee" in err
    assert err.count("\n") == 1
    code, _, err = embed(path, "--output", tmp_path / "e.npz", "--ignore-layout")
    assert code == 0
    assert all(line.startswith("warning: ") for line in err.splitlines())


def test_a_frame_that_is_doubled_in_a_track_is_told(embed, people, tmp_path):
    path = write_alphapose(tmp_path / "a.json", people, frames=[0, 1, 2, 3, 4, 5, 6, 7, 7])
    code, _, err = embed(path, "--output", tmp_path / "e.npz")
    assert code == 0
    assert "expected each frame once in a track. Received: frame 7 doubled, of 1." in err


def test_normalised_coordinates_need_the_pictures_size(embed, people, tmp_path):
    size = np.array([2000.0, 3000.0])
    normalised = people.copy()
    normalised[..., :2] /= size
    records = json.loads(Path(write_alphapose(tmp_path / "a.json", people)).read_text())
    for record, joints in zip(records, normalised.swapaxes(0, 1).reshape(-1, 17, 3), strict=True):
        record["keypoints"] = joints.ravel().tolist()
    path = tmp_path / "n.json"
    path.write_text(json.dumps(records))
    code, _, err = embed(path, "--output", tmp_path / "n.npz")
    assert code == 2
    assert "the picture's size for normalised coordinates (--image-size WIDTH HEIGHT)" in err
    assert embed(path, "--output", tmp_path / "n.npz", "--image-size", "2000", "3000")[0] == 0
    embed(tmp_path / "a.json", "--output", tmp_path / "p.npz")
    found, expected = (read_embedding_file(tmp_path / name).embeddings for name in ("n.npz", "p.npz"))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_folder_that_is_no_run_ends_in_one_line(keypoint_file, tmp_path, capsys):
    assert main(["embed", keypoint_file, "--model", str(tmp_path), "--format", "json"]) == 2
    assert f"error: Expected a run folder with a config.json. Received: {tmp_path}" in capsys.readouterr().err
