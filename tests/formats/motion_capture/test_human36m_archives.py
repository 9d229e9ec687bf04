"""VideoPose3D's archives of Human3.6M: poses and keypoints joined by name, never unpickled freely."""

import os

import numpy as np
import pytest

from tests.formats.motion_capture.official_files import H36M_CAMERAS, H36M_SUBJECTS, write_archives, write_metadata
from vvipe_tf.formats.motion_capture.human36m_archives import (
    find_archive_recordings,
    keypoint_archives,
    read_archive_recording,
)
from vvipe_tf.keypoints import COCO_17, H36M_17, H36M_32


def test_true_projections_reproject_with_the_cameras_of_the_metadata(tmp_path):
    poses, views, rig = write_archives(tmp_path, {"S11": {"Directions 1": 6, "Photo": 4}})
    recording = read_archive_recording(tmp_path, "S11", "Directions 1")
    assert recording.calibration is None
    write_metadata(tmp_path / "metadata.xml", dict.fromkeys(H36M_SUBJECTS, rig))
    recording = read_archive_recording(tmp_path, "S11", "Directions 1")
    assert (recording.kind, recording.scores, recording.cameras) == ("ground_truth", None, H36M_CAMERAS)
    assert recording.capture.profile is H36M_32
    assert recording.profile_2d is H36M_17
    np.testing.assert_array_equal(recording.capture.poses, poses["S11"]["Directions 1"])
    np.testing.assert_array_equal(recording.keypoints_2d, views["S11"]["Directions 1"])
    rows = [H36M_32.index(name) for name in H36M_17.keypoint_names]
    for camera, pixels in zip(recording.calibration, recording.keypoints_2d, strict=True):
        np.testing.assert_allclose(camera.project(recording.capture.poses[:, rows]), pixels, atol=2e-3)


def test_detections_with_a_few_frames_more_are_cut_and_noted(tmp_path):
    metadata = {"layout_name": "coco"}
    poses, views, _ = write_archives(tmp_path, {"S1": {"Waiting": 5}}, 3, "cpn_ft_h36m_dbb", metadata)
    recording = read_archive_recording(tmp_path, "S1", "Waiting", "cpn_ft_h36m_dbb")
    assert recording.kind == "cpn_ft_h36m_dbb"
    assert recording.profile_2d is COCO_17
    assert len(poses["S1"]["Waiting"]) == len(recording) == 5
    np.testing.assert_array_equal(recording.keypoints_2d, [view[:5] for view in views["S1"]["Waiting"]])
    assert recording.notes[0].startswith("cut to the first 5 frames: 3D 5, 54138969 8")


def test_poses_of_17_joints_are_read_as_such(tmp_path):
    write_archives(tmp_path, {"S1": {"Eating": 3}}, joints=17)
    assert read_archive_recording(tmp_path, "S1", "Eating").capture.profile is H36M_17


def test_only_what_has_poses_and_keypoints_is_found_and_the_rest_counted(tmp_path):
    write_archives(tmp_path, {"S1": {"Eating": 2, "Posing": 3}, "S9": {"Photo": 2}})
    content = write_archives(tmp_path / "other", {"S1": {"Posing": 3}, "S2": {"Photo": 2, "Eating": 4}})[1]
    metadata = {"layout_name": "h36m", "num_joints": 17}
    np.savez(tmp_path / "data_2d_h36m_mine.npz", positions_2d=content, metadata=metadata)
    both, notes = find_archive_recordings(tmp_path, "mine")
    assert both == [("S1", "Posing")]
    assert notes == [
        "S1: 1 actions without keypoints, the first 'Eating'",
        "S2: 2 actions without poses, the first 'Eating'",
        "S9: 1 actions without keypoints, the first 'Photo'",
    ]
    assert keypoint_archives(tmp_path) == ["gt", "mine"]
    with pytest.raises(ValueError, match=r"Expected S1/Eating in .*data_2d_h36m_mine\.npz. Received: S1 with"):
        read_archive_recording(tmp_path, "S1", "Eating", "mine")
    with pytest.raises(FileNotFoundError, match="data_2d_h36m_yours.npz"):
        read_archive_recording(tmp_path, "S1", "Posing", "yours")


def test_an_archive_is_read_again_when_it_changed(tmp_path):
    write_archives(tmp_path, {"S1": {"Eating": 2}})
    assert len(read_archive_recording(tmp_path, "S1", "Eating")) == 2
    write_archives(tmp_path, {"S1": {"Eating": 9}})
    assert len(read_archive_recording(tmp_path, "S1", "Eating")) == 9


class _Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm-was-done",)


def test_a_foreign_class_is_named_and_not_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_archives(tmp_path, {"S1": {"Eating": 2}})
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d={"S1": {"Eating": _Harmful()}})
    with pytest.raises(ValueError, match=r"data_3d_h36m\.npz, positions_3d.* foreign class (posix|nt)\.mkdir"):
        read_archive_recording(tmp_path, "S1", "Eating")
    assert not (tmp_path / "harm-was-done").exists()


@pytest.mark.parametrize(
    ("poses", "views", "message"),
    [
        (np.zeros((2, 16, 3)), None, r"\(frames, 17 or 32, 3\) in .*data_3d_h36m\.npz, S1/Eating"),
        (np.zeros((2, 32, 2)), None, r"Received: float64 of shape \(2, 32, 2\)"),
        ("text", None, "in .*data_3d_h36m"),
        (None, [np.zeros((2, 16, 2))] * 4, r"\(frames, 17, 2\) in .*data_2d_h36m_gt\.npz"),
        (None, [np.zeros((2, 17, 2))] * 3, "Expected 4 cameras .* Received: 3"),
        (None, 7, "Expected 4 cameras .* Received: 1"),
    ],
)
def test_shapes_that_do_not_fit_are_named(tmp_path, poses, views, message):
    all_poses, all_views, _ = write_archives(tmp_path, {"S1": {"Eating": 2}})
    metadata = {"layout_name": "h36m", "num_joints": 17}
    if poses is not None:
        all_poses["S1"]["Eating"] = poses
    if views is not None:
        all_views["S1"]["Eating"] = views
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d=all_poses)
    np.savez(tmp_path / "data_2d_h36m_gt.npz", positions_2d=all_views, metadata=metadata)
    with pytest.raises(ValueError, match=message):
        read_archive_recording(tmp_path, "S1", "Eating")


def test_a_subject_without_cameras_and_an_unknown_layout_are_named(tmp_path):
    _, views, rig = write_archives(tmp_path, {"S7": {"Eating": 2}})
    write_metadata(tmp_path / "metadata.xml", {"S1": rig})
    with pytest.raises(ValueError, match=r"cameras of S7 in .*metadata\.xml. Received: those of S1"):
        read_archive_recording(tmp_path, "S7", "Eating")
    (tmp_path / "metadata.xml").unlink()
    for metadata in ({"num_joints": 17}, {"num_joints": 17, "keypoints_symmetry": [[1, 2], [3, 4]]}, {}):
        np.savez(tmp_path / "data_2d_h36m_gt.npz", positions_2d=views, metadata=metadata)
        with pytest.raises(ValueError, match="known layout"):
            read_archive_recording(tmp_path, "S7", "Eating")
