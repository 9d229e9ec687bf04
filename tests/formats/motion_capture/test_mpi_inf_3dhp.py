"""MPI-INF-3DHP: metres with Z up, cameras that reproject, and the known faults of the official files repaired."""

import numpy as np
import pytest

from tests.formats.motion_capture.official_files import (
    cameras,
    walk,
    write_3dhp,
    write_3dhp_test,
    write_calibration,
    write_matlab,
)
from vvipe_tf.formats.matlab_arrays import read_matlab_arrays
from vvipe_tf.formats.motion_capture.mpi_inf_3dhp import (
    CHEST_CAMERAS,
    WALL_CAMERAS,
    find_training_recordings,
    read_training_recording,
)
from vvipe_tf.formats.motion_capture.mpi_inf_3dhp_test_set import (
    MPI_INF_3DHP_17,
    find_test_recordings,
    read_test_recording,
)
from vvipe_tf.formats.motion_capture.skeletool_cameras import read_training_cameras
from vvipe_tf.keypoints import COCO_13, H36M_17, MPI_INF_3DHP_28, map_keypoints

NAMES = ("annot2", "annot3", "univ_annot3", "cameras", "frames")


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_measured_poses_are_in_metres_with_z_up_and_reproject_on_the_pixels(tmp_path, version):
    poses, _ = write_3dhp(tmp_path, frames=5, version=version)
    recording = read_training_recording(tmp_path / "S1" / "Seq1", universal=False)
    np.testing.assert_allclose(recording.capture.poses, poses, atol=1e-6)
    assert recording.capture.poses[0, MPI_INF_3DHP_28.index("head_top"), 2] > 1.6
    assert recording.cameras == ("C0", "C3", "C10")  # C12 hangs from the ceiling.
    assert set(recording.capture.subject), set(recording.capture.sequence) == ({"S1"}, {"Seq1"})
    assert (recording.capture.fps, recording.kind, recording.notes) == (25.0, "ground_truth", ())
    for camera, pixels in zip(recording.calibration, recording.keypoints_2d, strict=True):
        np.testing.assert_allclose(camera.project(recording.capture.poses), pixels, atol=2e-3)


def test_universal_poses_have_the_same_axes_but_do_not_stand_where_the_person_stood(tmp_path):
    poses, _ = write_3dhp(tmp_path, "S2/Seq2", frames=4)
    recording = read_training_recording(tmp_path / "S2" / "Seq2")
    root = [MPI_INF_3DHP_28.index("pelvis")]
    universal = recording.capture.poses - recording.capture.poses[:, root]
    np.testing.assert_allclose(universal, 0.92 * (poses - poses[:, root]), atol=2e-6)
    assert np.linalg.norm(recording.capture.poses - poses, axis=-1).min() > 0.1


def test_the_28_joints_reduce_to_13_and_17_by_name(tmp_path):
    poses, _ = write_3dhp(tmp_path)
    read = read_training_recording(tmp_path / "S1" / "Seq1", universal=False).capture.poses
    coco = [6, 9, 14, 10, 15, 11, 16, 18, 23, 19, 24, 20, 25]
    h36m = [4, 23, 24, 25, 18, 19, 20, 3, 5, 6, 7, 9, 10, 11, 14, 15, 16]
    np.testing.assert_allclose(map_keypoints(read, MPI_INF_3DHP_28, COCO_13), poses[:, coco], atol=1e-6)
    np.testing.assert_allclose(map_keypoints(read, MPI_INF_3DHP_28, H36M_17), poses[:, h36m], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "fps"), [("S1/Seq2", 50), ("S3/Seq2", 50), ("S5/Seq1", 50), ("S4/Seq1", 25), ("S8/Seq2", 25)]
)
def test_the_frame_rate_is_that_of_the_sequence(tmp_path, name, fps):
    write_3dhp(tmp_path, name, frames=2)
    assert read_training_recording(tmp_path / name).capture.fps == fps


def test_the_annotation_too_many_of_s3_seq1_is_left_out(tmp_path):
    write_3dhp(tmp_path, "S3/Seq1", frames=12489, numbers=(7,))
    recording = read_training_recording(tmp_path / "S3" / "Seq1")
    assert len(recording) == 12488
    assert recording.capture.frame[-1] == 12487
    assert recording.notes == ("1 annotations left out: the videos have 12488 frames",)


@pytest.mark.parametrize("swapped", [slice(3759, 5853), slice(0, 0)])
def test_left_and_right_of_s4_seq2_are_exchanged_back_only_where_they_are_exchanged(tmp_path, swapped):
    poses, numbered = write_3dhp(tmp_path, "S4/Seq2", frames=5900, numbers=(2,), swapped=swapped)
    recording = read_training_recording(tmp_path / "S4" / "Seq2", universal=False)
    np.testing.assert_allclose(recording.capture.poses, poses, atol=1e-6)
    np.testing.assert_allclose(recording.keypoints_2d[0], numbered[2].project(poses), atol=2e-3)
    done = "exchanged back in" if swapped.stop else "not exchanged in"
    assert f"{done} frames 3759 to 5852" in recording.notes[0]


def test_the_short_video_of_s6_seq2_is_noted_and_its_annotations_kept(tmp_path):
    write_3dhp(tmp_path, "S6/Seq2", frames=3, numbers=(1, 2))
    recording = read_training_recording(tmp_path / "S6" / "Seq2")
    assert "C2 ends at frame 3911" in recording.notes[0]
    assert np.isfinite(recording.keypoints_2d).all()


def test_the_chest_cameras_are_five_of_the_eleven_on_the_walls():
    assert set(CHEST_CAMERAS) == {0, 2, 4, 7, 8} < set(WALL_CAMERAS) == set(range(11))


def rewritten(root, **replaced):
    """The sequence with some of its arrays replaced."""
    write_3dhp(root, frames=6)
    arrays = read_matlab_arrays(root / "S1" / "Seq1" / "annot.mat", NAMES)
    write_matlab(root / "S1" / "Seq1" / "annot.mat", arrays | replaced, "5")
    return root / "S1" / "Seq1"


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"annot2": [np.zeros((6, 34))] * 4}, r"annot2 in .* shape \(6, 56\). Received: shape=\(6, 34\)"),
        ({"univ_annot3": [np.zeros((5, 84))] * 4}, r"univ_annot3 in .* shape \(6, 84\)"),
        ({"univ_annot3": np.zeros((6, 84))}, "univ_annot3 in .* Received: shape=None"),
        ({"frames": np.array([[0, 1, 2, 2, 4, 5]])}, "rising order"),
        ({"frames": np.array([[-1, 1, 2, 3, 4, 5]])}, "from 0"),
        ({"frames": np.zeros((0, 1))}, "from 0"),
        ({"cameras": np.array([[11, 12, 13, 14]])}, r"cameras 0 to 10 .* Received: \[11, 12, 13, 14\]"),
        ({"cameras": np.array([[0, 3, 10, 12, 5]])}, None),
    ],
)
def test_annotations_that_do_not_fit_are_named(tmp_path, replaced, message):
    folder = rewritten(tmp_path, **replaced)
    if message is None:  # A camera without a calibration is not used.
        assert read_training_recording(folder).cameras == ("C0", "C3", "C10")
        return
    with pytest.raises(ValueError, match=message):
        read_training_recording(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Skeletool", "Other", "Expected 'Skeletool Camera Calibration File'"),
        ("  extrinsic ", "  other ", "16 numbers as 'extrinsic' .* Received: none"),
        ("  intrinsic   1145", "  intrinsic   x", "16 numbers as 'intrinsic'"),
        ("name          0", "name", "1 numbers as 'name'"),
        ("  intrinsic   1145 ", "  intrinsic   -1145 ", "fx, fy > 0 for camera 'C0'"),
    ],
)
def test_a_calibration_that_does_not_fit_is_named(tmp_path, old, new, message):
    path = tmp_path / "camera.calibration"
    write_calibration(path, {0: cameras(["C0"], np.zeros(5), (9, 9))[0]})
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_training_cameras(path)


def test_absent_files_and_other_folders_are_named(tmp_path):
    write_3dhp(tmp_path, frames=2)
    (tmp_path / "S1" / "Seq1" / "camera.calibration").unlink()
    with pytest.raises(FileNotFoundError, match=r"camera\.calibration"):
        read_training_recording(tmp_path / "S1" / "Seq1")
    with pytest.raises(ValueError, match="S1/Seq1 to S8/Seq2"):
        read_training_recording(tmp_path)
    with pytest.raises(ValueError, match="TS1 to TS6"):
        read_test_recording(tmp_path)
    assert find_training_recordings(tmp_path) == [tmp_path / "S1" / "Seq1"]


@pytest.mark.parametrize(("name", "version"), [("TS1", "5"), ("TS5", "7.3")])
def test_valid_frames_of_the_test_set_reproject_in_their_own_order_of_joints(tmp_path, name, version):
    root = tmp_path / "mpi_inf_3dhp_test_set"
    poses, _ = write_3dhp_test(root, name, (1, 1, 0, 1, 1), version)
    assert find_test_recordings(tmp_path) == find_test_recordings(root) == [root / name]
    recording = read_test_recording(root / name, universal=False)
    np.testing.assert_allclose(recording.capture.poses, poses[[0, 1, 3, 4]], atol=1e-6)
    assert recording.capture.frame.tolist() == [0, 1, 3, 4]
    assert recording.capture.profile is MPI_INF_3DHP_17
    (camera,) = recording.calibration
    np.testing.assert_allclose(camera.project(recording.capture.poses), recording.keypoints_2d[0], atol=2e-3)
    assert any("1 of 5 frames left out" in note for note in recording.notes)
    universal = read_test_recording(root / name).capture.poses
    pelvis = [MPI_INF_3DHP_17.index("pelvis")]
    expected = 0.92 * (recording.capture.poses - recording.capture.poses[:, pelvis])
    np.testing.assert_allclose(universal - universal[:, pelvis], expected, atol=2e-6)


def test_the_order_of_the_test_set_is_that_of_its_joint_set_relevant():
    # Numbers of mpii_get_joint_set('relevant'), counted from 1 in the order of the 28 joints.
    relevant = [8, 6, 15, 16, 17, 10, 11, 12, 24, 25, 26, 19, 20, 21, 5, 4, 7]
    assert MPI_INF_3DHP_17.keypoint_names == tuple(MPI_INF_3DHP_28.keypoint_names[number - 1] for number in relevant)
    pose = walk(MPI_INF_3DHP_17, 1)
    np.testing.assert_array_equal(map_keypoints(pose, MPI_INF_3DHP_17, COCO_13)[0, 0], pose[0, 16])


def test_a_test_sequence_with_other_joints_or_without_its_camera_is_named(tmp_path):
    write_3dhp_test(tmp_path, "TS2", joints=16)
    with pytest.raises(ValueError, match=r"univ_annot3 of shape \(3, 17, 1, 5\) in .* shape=\(3, 16, 1, 5\)"):
        read_test_recording(tmp_path / "TS2")
    calibration = tmp_path / "test_util" / "camera_calibration" / "ts1-4cameras.calib"
    calibration.write_text(calibration.read_text().replace("focalLength", "focal"))
    with pytest.raises(ValueError, match="1 numbers as 'focalLength'"):
        read_test_recording(tmp_path / "TS2")
    calibration.unlink()
    with pytest.raises(FileNotFoundError, match=r"ts1-4cameras\.calib"):
        read_test_recording(tmp_path / "TS2")
