"""Pose2Sim recordings: joints by name, gaps, calibration, damaged files."""

import numpy as np
import pytest

from vvipe_tf.formats.motion_capture.pose2sim import (
    POSE2SIM_21,
    is_pose2sim_recording,
    read_pose2sim_recording,
)
from vvipe_tf.keypoints import COCO_13, OPENPOSE_BODY_25B, map_keypoints

NAMES = ["RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle", "LBigToe", "LSmallToe",
         "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"]  # fmt: skip


def write_recording(path, **replaced):
    rng = np.random.default_rng(0)
    arrays = {
        "xyz_trc": rng.normal(size=(5, 21, 3)).astype(np.float32),
        "trc_names": np.array(NAMES),
        "kp2d": rng.uniform(0.1, 0.9, (5, 3, 25, 3)).astype(np.float32),
        "R": np.stack([np.eye(3)] * 3),
        "C": rng.normal(size=(3, 3)),
        "K": np.stack([np.diag([900.0, 910, 1])] * 3),
        "dist": rng.normal(size=(3, 5)) * 0.01,
        "wh": np.array([[640, 480]] * 3),
        "fps": np.array(60.0),
    } | replaced
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return arrays


def test_joints_cameras_and_gaps_are_read(tmp_path):
    path = tmp_path / "beam.npz"
    detected = np.random.default_rng(1).uniform(0.1, 0.9, (5, 3, 25, 3))
    detected[4, 2, 7] = 0
    arrays = write_recording(path, kp2d=detected)
    recording = read_pose2sim_recording(path)
    assert (len(recording), recording.cameras, recording.kind) == (5, ("cam1", "cam2", "cam3"), "openpose")
    assert (recording.capture.subject[0], recording.capture.sequence[0]) == ("S1", "beam")
    assert recording.capture.frame.tolist() == [0, 1, 2, 3, 4]
    left_knee = recording.capture.poses[:, POSE2SIM_21.index("left_knee")]
    np.testing.assert_array_equal(left_knee, arrays["xyz_trc"][:, NAMES.index("LKnee")])
    top = recording.capture.poses[:, POSE2SIM_21.index("head_top")]
    np.testing.assert_array_equal(top, arrays["xyz_trc"][:, NAMES.index("Head")])
    np.testing.assert_allclose(recording.keypoints_2d[1, 3], detected[3, 1, :, :2], rtol=1e-6)
    assert np.argwhere(np.isnan(recording.keypoints_2d).any(axis=-1)).tolist() == [[2, 4, 7]]
    np.testing.assert_array_equal(recording.calibration[2].centre, arrays["C"][2])
    assert recording.calibration[0].image_size == (640, 480)


def test_joints_are_taken_by_name_whatever_their_order(tmp_path):
    arrays = write_recording(tmp_path / "plain.npz")
    order = np.random.default_rng(2).permutation(21)
    shuffled = {"xyz_trc": arrays["xyz_trc"][:, order], "trc_names": arrays["trc_names"][order]}
    write_recording(tmp_path / "shuffled.npz", **shuffled)
    plain, other = (read_pose2sim_recording(tmp_path / f"{name}.npz") for name in ("plain", "shuffled"))
    np.testing.assert_array_equal(plain.capture.poses, other.capture.poses)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"trc_names": np.array([*NAMES[:-1], "Tail"])}, "no left_wrist"),
        ({"trc_names": np.array(NAMES[:-1])}, "no left_wrist"),
        ({"xyz_trc": np.zeros((5, 20, 3))}, "xyz_trc"),
        ({"xyz_trc": np.zeros((4, 21, 3))}, r"keypoints of shape \(3, 4, 25, 2\)"),
        ({"kp2d": np.zeros((5, 3, 25))}, "'kp2d' with 4 axes"),
        ({"kp2d": np.zeros((5, 3, 25, 2))}, "kp2d"),
        ({"dist": np.zeros((2, 5))}, "one calibration for each camera"),
        ({"R": np.zeros((3, 3, 3))}, "rotation matrix"),
        ({"fps": np.array(0.0)}, "positive frame rate"),
        ({"C": None}, r"without \['C'\]"),
    ],
)
def test_a_file_that_does_not_fit_is_named_in_one_error(tmp_path, replaced, message):
    write_recording(tmp_path / "wrong.npz", **replaced)
    with pytest.raises(ValueError, match=message) as error:
        read_pose2sim_recording(tmp_path / "wrong.npz")
    assert "wrong.npz" in str(error.value)


def test_recordings_are_told_from_other_files(tmp_path):
    write_recording(tmp_path / "beam.npz")
    write_recording(tmp_path / "other.npz", R=None)
    (tmp_path / "text.npz").write_text("no archive")
    assert [is_pose2sim_recording(tmp_path / f"{name}.npz") for name in ("beam", "other", "text")] == [
        True,
        False,
        False,
    ]
    assert not is_pose2sim_recording(tmp_path / "beam.json")


@pytest.mark.real_data
def test_real_detections_lie_near_the_projected_poses(shared_data):
    recording = read_pose2sim_recording(shared_data / "pose2sim_balancing" / "balancing.npz")
    poses = map_keypoints(recording.capture.poses, POSE2SIM_21, COCO_13)
    detected = map_keypoints(recording.keypoints_2d, OPENPOSE_BODY_25B, COCO_13)
    projected = np.stack([camera.project(poses) for camera in recording.calibration])
    medians = np.nanmedian(np.linalg.norm(projected - detected, axis=-1), axis=(1, 2))
    np.testing.assert_allclose(medians, [12.6, 7.5, 21.4, 8.4], rtol=0.1)
