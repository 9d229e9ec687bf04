"""Official Human3.6M files: the same world for measured and universal poses, cameras that reproject, faults named."""

import numpy as np
import pytest

from tests.formats.motion_capture.official_files import (
    H36M_CAMERAS,
    H36M_SUBJECTS,
    cameras,
    walk,
    write_cdf,
    write_human36m,
    write_metadata,
)
from vvipe_tf.formats.motion_capture.human36m_cameras import read_human36m_cameras
from vvipe_tf.formats.motion_capture.human36m_cdf import (
    find_human36m_recordings,
    read_cdf_poses,
    read_human36m_recording,
)
from vvipe_tf.keypoints import COCO_13, H36M_17, H36M_32, map_keypoints


def test_measured_poses_are_in_metres_with_z_up_and_reproject_on_the_pixels(tmp_path):
    measured, _, _ = write_human36m(tmp_path, frames=6)
    recording = read_human36m_recording(tmp_path, "S1", "Directions 1", universal=False)
    np.testing.assert_allclose(recording.capture.poses, measured, atol=1e-6)
    assert recording.capture.poses[0, H36M_32.index("head_top"), 2] > 1.6
    assert recording.capture.fps == 50
    assert recording.capture.subject.tolist() == ["S1"] * 6
    assert recording.capture.sequence.tolist() == ["Directions 1"] * 6
    assert recording.capture.frame.tolist() == [0, 1, 2, 3, 4, 5]
    assert (recording.kind, recording.cameras, recording.notes) == ("ground_truth", H36M_CAMERAS, ())
    for camera, pixels in zip(recording.calibration, recording.keypoints_2d, strict=True):
        np.testing.assert_allclose(camera.project(recording.capture.poses), pixels, atol=2e-3)


def test_universal_poses_come_from_the_camera_to_the_world_and_keep_the_vertical(tmp_path):
    measured, universal, _ = write_human36m(tmp_path, frames=5)
    recording = read_human36m_recording(tmp_path, "S1", "Directions 1")
    np.testing.assert_allclose(recording.capture.poses, universal, atol=2e-6)
    # Only the scale differs from the measured poses here, so the axes must be parallel.
    trunk = recording.capture.poses[:, H36M_32.index("neck")] - recording.capture.poses[:, H36M_32.index("pelvis")]
    measured_trunk = measured[:, H36M_32.index("neck")] - measured[:, H36M_32.index("pelvis")]
    np.testing.assert_allclose(trunk, 0.9 * measured_trunk, atol=4e-6)


def test_the_32_joints_reduce_to_17_and_13_by_name(tmp_path):
    measured, _, _ = write_human36m(tmp_path)
    poses = read_human36m_recording(tmp_path, "S1", "Directions 1", universal=False).capture.poses
    joints = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
    np.testing.assert_allclose(map_keypoints(poses, H36M_32, H36M_17), measured[:, joints], atol=1e-6)
    coco = map_keypoints(poses, H36M_32, COCO_13)
    assert (coco[0, [1, 3, 5, 7, 9, 11], 1] > 0.05).all()  # Left joints are on the made-up body's left.
    assert (coco[0, [2, 4, 6, 8, 10, 12], 1] < -0.05).all()


def test_without_metadata_poses_are_measured_and_cameras_uncalibrated(tmp_path):
    measured, _, _ = write_human36m(tmp_path, with_metadata=False)
    recording = read_human36m_recording(tmp_path, "S1", "Directions 1")
    assert recording.calibration is None
    assert recording.cameras == H36M_CAMERAS
    np.testing.assert_allclose(recording.capture.poses, measured, atol=1e-6)
    assert recording.notes == ("measured poses: no D3_Positions_mono_universal with a calibrated camera",)


def test_recordings_are_found_with_one_spelling_in_either_kind_of_folder(tmp_path):
    for subject, action in (("S11", "Photo 1"), ("S1", "TakingPhoto 1"), ("S1", "WalkingDog"), ("S1", "_ALL 1")):
        write_human36m(tmp_path, subject, action, frames=2, with_metadata=False)
    write_cdf(tmp_path / "S5" / "Poses_D3_Positions" / "Waiting 2.cdf", walk(H36M_32, 3) * 1000)
    (tmp_path / "Seminar").mkdir()
    expected = [("S1", "Photo 1"), ("S1", "WalkDog"), ("S5", "Waiting 2"), ("S11", "Photo 1")]
    assert find_human36m_recordings(tmp_path) == expected
    recording = read_human36m_recording(tmp_path, "S1", "Photo 1")
    assert set(recording.capture.sequence) == {"Photo 1"}
    assert np.isfinite(recording.keypoints_2d).all()
    without_pixels = read_human36m_recording(tmp_path, "S5", "Waiting 2", universal=False)
    assert np.isnan(without_pixels.keypoints_2d).all()
    assert len(without_pixels.notes) == 4
    assert find_human36m_recordings(tmp_path / "Seminar") == []


def test_a_missing_camera_is_nan_and_noted_and_lengths_are_cut_to_the_shortest(tmp_path):
    measured, _, rig = write_human36m(tmp_path, "S9", "Greeting", frames=7)
    pixels = tmp_path / "S9" / "MyPoseFeatures" / "D2_Positions"
    (pixels / "Greeting.58860488.cdf").unlink()
    write_cdf(pixels / "Greeting.60457274.cdf", rig[3].project(measured[:5]))
    recording = read_human36m_recording(tmp_path, "S9", "Greeting")
    assert len(recording) == 5
    assert np.isnan(recording.keypoints_2d).all(axis=(1, 2, 3)).tolist() == [False, False, True, False]
    shift, cut, missing = recording.notes
    assert "200 mm" in shift
    assert cut.startswith("cut to the first 5 frames: 3D 7")
    assert missing == "no D2_Positions of camera 58860488"


def test_the_corrupt_video_of_s11_is_noted(tmp_path):
    write_human36m(tmp_path, "S11", "Directions", frames=2)
    assert "54138969 is corrupt" in read_human36m_recording(tmp_path, "S11", "Directions").notes[0]


@pytest.mark.parametrize("keep", [0, 40, 500, -200])
def test_a_truncated_cdf_is_one_clear_error(tmp_path, keep):
    write_human36m(tmp_path, frames=9)
    path = tmp_path / "S1" / "MyPoseFeatures" / "D3_Positions" / "Directions 1.cdf"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"Expected .*Directions 1\.cdf"):
        read_human36m_recording(tmp_path, "S1", "Directions 1", universal=False)


def test_a_wrong_joint_count_an_unknown_camera_and_absent_poses_are_named(tmp_path):
    write_human36m(tmp_path, frames=4)
    features = tmp_path / "S1" / "MyPoseFeatures"
    write_cdf(features / "D3_Positions" / "Eating.cdf", np.zeros((4, 25, 3)))
    with pytest.raises(ValueError, match=r"shape \(1, frames, 96\) .*Eating\.cdf. Received: shape=\(1, 4, 75\)"):
        read_human36m_recording(tmp_path, "S1", "Eating")
    with pytest.raises(ValueError, match=r"shape \(1, frames, 64\)"):
        read_cdf_poses(features / "D3_Positions" / "Directions 1.cdf", 2)
    with pytest.raises(ValueError, match=r"Expected D3_Positions/Smoking\.cdf of S1"):
        read_human36m_recording(tmp_path, "S1", "Smoking")
    write_cdf(features / "D2_Positions" / "Directions 1.11111111.cdf", np.zeros((4, 32, 2)))
    with pytest.raises(ValueError, match="Received: 11111111"):
        read_human36m_recording(tmp_path, "S1", "Directions 1")


def test_a_subject_without_cameras_is_named(tmp_path):
    write_human36m(tmp_path, "S11", "Posing", frames=3)
    write_metadata(tmp_path / "Release-v1.2" / "metadata.xml", {name: cameras(H36M_CAMERAS) for name in ("S1", "S5")})
    with pytest.raises(ValueError, match=r"Expected cameras of S11 .* those of S1, S5"):
        read_human36m_recording(tmp_path, "S11", "Posing")


def test_every_subject_and_camera_gets_its_own_numbers_of_the_vector(tmp_path):
    rigs = {}
    for place, subject in enumerate(H36M_SUBJECTS):
        rigs[subject] = tuple(
            type(camera)(camera.name, camera.rotation, camera.centre + place, camera.intrinsics, camera.distortion)
            for camera in cameras(H36M_CAMERAS)
        )
    write_metadata(tmp_path / "metadata.xml", rigs)
    read = read_human36m_cameras(tmp_path / "metadata.xml")
    assert list(read) == list(H36M_SUBJECTS)
    for subject in H36M_SUBJECTS:
        for mine, written in zip(read[subject], rigs[subject], strict=True):
            assert mine.name == written.name
            for field in ("rotation", "centre", "intrinsics", "distortion"):
                np.testing.assert_allclose(getattr(mine, field), getattr(written, field), atol=1e-9)


def test_angles_turn_about_x_then_y_then_z_worked_by_hand(tmp_path):
    # Rx(90 degrees) alone takes the world's up (0, 0, 1) to (0, -1, 0): up in a picture whose y points down.
    angles, centre, lens = "1.5707963267948966 0 0", "1000 2000 3000", "1145 1143 512 515 1 2 3 4 5"
    (tmp_path / "metadata.xml").write_text(
        "<r><mapping><tr><td/><td/><td>S1</td></tr></mapping><dbcameras><index2id><i>7</i></index2id></dbcameras>"
        f"<w0>[{angles} {centre} {lens}]</w0></r>"
    )
    (camera,) = read_human36m_cameras(tmp_path / "metadata.xml")["S1"]
    np.testing.assert_allclose(camera.world_to_camera([1, 2, 4]), [0, -1, 0], atol=1e-12)
    np.testing.assert_array_equal(camera.centre, [1, 2, 3])
    np.testing.assert_array_equal(camera.distortion, [1, 2, 4, 5, 3])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</w0>", "", "mismatched tag"),
        ("]</w0>", " 5]</w0>", "Expected 300 numbers .* Received: 301"),
        ("<w0>[", "<w0>[x ", "Expected numbers in w0"),
        ("<td>S", "<td>T", "at least one of each"),
        ("<w0>", "<w1/><w0>", None),
    ],
)
def test_a_metadata_file_that_does_not_fit_is_named(tmp_path, old, new, message):
    path = tmp_path / "metadata.xml"
    write_metadata(path, {name: cameras(H36M_CAMERAS) for name in H36M_SUBJECTS})
    path.write_text(path.read_text().replace(old, new))
    if message is None:
        assert len(read_human36m_cameras(path)) == 11
        return
    with pytest.raises(ValueError, match=message) as error:
        read_human36m_cameras(path)
    assert "metadata.xml" in str(error.value)


def test_a_cdf_cut_anywhere_is_refused_or_still_whole(tmp_path):
    path = tmp_path / "Pose.cdf"
    write_cdf(path, walk(H36M_32, 9))
    content, whole = path.read_bytes(), read_cdf_poses(path, 3)
    refused = 0
    for keep in range(0, len(content), 61):
        path.write_bytes(content[:keep])
        try:
            np.testing.assert_array_equal(read_cdf_poses(path, 3), whole)
        except ValueError:
            refused += 1
    assert refused > 60
