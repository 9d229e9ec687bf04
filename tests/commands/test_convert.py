"""`python -m vvipe_tf convert`: keypoints to keypoints, poses to poses."""

import json

import numpy as np
import pytest

from tests.commands.keypoint_files import detected_people, write_alphapose
from tests.small_models import STANDING_POSE
from vvipe_tf.__main__ import main
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.formats.motion_capture.bvh import read_bvh
from vvipe_tf.formats.pose_files.pose_bvh import write_bvh
from vvipe_tf.formats.pose_files.pose_json import write_pose_json
from vvipe_tf.formats.pose_files.pose_npz import read_pose_npz
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17


@pytest.fixture
def keypoint_file(tmp_path):
    return write_alphapose(tmp_path / "alphapose.json", detected_people(frames=8))


@pytest.fixture
def pose_file(tmp_path):
    poses = STANDING_POSE + 0.01 * np.random.default_rng(0).normal(size=(7, 13, 3))
    frame, person = np.array([0, 1, 1, 2, 5, 6, 6]), np.array([3, 3, 8, 3, 3, 3, 8])
    sequence = PoseSequence(poses, COCO_13, fps=25.0, frame=frame, person=person, torso_length_mm=500.0)
    write_pose_json(tmp_path / "poses.json", sequence)
    return str(tmp_path / "poses.json")


@pytest.mark.parametrize("name", ["k.npz", "k.csv", "k.json"])
def test_keypoints_keep_their_numbers(keypoint_file, tmp_path, name):
    assert main(["convert", keypoint_file, "--output", str(tmp_path / name)]) == 0
    before, after = read_detections(keypoint_file), read_detections(tmp_path / name)
    assert after.profile is COCO_17
    np.testing.assert_allclose(after.keypoints_2d, before.keypoints_2d, atol=1e-3)
    np.testing.assert_array_equal(after.person, before.person)


def test_keypoints_take_another_profile_and_one_person_is_chosen(keypoint_file, tmp_path, capsys):
    target = tmp_path / "k.npz"
    flags = ["--to-profile", "coco_13", "--person", "9", "--format", "json"]
    assert main(["convert", keypoint_file, "--output", str(target), *flags]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["profile"], summary["rows"], summary["source_format"]) == ("COCO_13", 8, "alphapose")
    assert read_detections(target).profile is COCO_13


def test_poses_of_one_person_become_a_bvh_without_gaps(pose_file, tmp_path, capsys):
    assert main(["convert", pose_file, "--output", str(tmp_path / "m.bvh"), "--format", "json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["interpolated"] == 2
    assert summary["bone_fit_mm"] < 20
    motion = read_bvh(tmp_path / "m.bvh")
    assert (motion.num_frames, round(motion.fps)) == (7, 25)


def test_a_bvh_becomes_poses_in_metres(tmp_path, capsys):
    clip = generate_synthetic(num_poses=420, seed=2, num_subjects=3).select(np.arange(6))
    metres = clip.poses * clip.torso_lengths_mm[:, None, None] / 1000
    write_bvh(tmp_path / "m.bvh", PoseSequence(metres, H36M_17, "world", "m", fps=10.0))
    assert (
        main(["convert", str(tmp_path / "m.bvh"), "--output", str(tmp_path / "p.npz"), "--to-profile", "COCO_13"]) == 0
    )
    assert capsys.readouterr().out == f"{tmp_path / 'p.npz'}: 6 rows of COCO_13\n"
    back = read_pose_npz(tmp_path / "p.npz")
    assert (back.coordinate_frame, back.unit, back.profile, round(back.fps)) == ("world", "m", COCO_13, 10)
    limbs = [name for name in COCO_13.keypoint_names if name != "nose"]
    there, here = [COCO_13.index(name) for name in limbs], [H36M_17.index(name) for name in limbs]
    assert np.linalg.norm(back.poses[:, there] - metres[:, here], axis=-1).mean() < 0.01


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--output", "k.txt"], "ends in .npz, .csv, .json"),
        (["--output", "k.npz", "--to-profile", "H36M_17"], "Expected a profile that maps to H36M_17"),
        (["--output", "k.npz", "--person", "1"], "among [4, 9]"),
    ],
)
def test_what_keypoints_cannot_become_ends_in_one_line(keypoint_file, monkeypatch, tmp_path, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", keypoint_file, *flags]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--output", "p.glb"], "ends in .json, .csv, .npz, .bvh, .trc"),
        (["--output", "p.trc", "--person", "all"], "Expected one person"),
        (["--output", "p.trc", "--person", "5"], "Expected a person among [3, 8]"),
        (["--output", "p.json", "--fps", "0"], "Expected fps above 0"),
    ],
)
def test_what_poses_cannot_become_ends_in_one_line(pose_file, monkeypatch, tmp_path, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    assert main(["convert", pose_file, *flags]) == 2
    assert message in capsys.readouterr().err


def test_a_damaged_archive_ends_in_one_line(tmp_path, capsys):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 and no more")
    assert main(["convert", str(tmp_path / "x.npz"), "--output", str(tmp_path / "y.csv")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
