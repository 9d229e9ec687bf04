"""Keypoints written, and read back by the readers."""

import numpy as np
import pytest

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.keypoint_writing import write_keypoint_file
from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.keypoints import COCO_17, HALPE_26, OPENPOSE_BODY_25


def table(profile, box=None):
    rng = np.random.default_rng(0)
    points = rng.uniform(10, 900, (7, profile.num_joints, 2)).astype(np.float32)
    scores = rng.uniform(0.2, 1, (7, profile.num_joints)).astype(np.float32)
    points[2, 4], scores[2, 4] = 0, 0
    frame, person = np.array([0, 0, 1, 2, 2, 5, 6]), np.array([3, 8, 3, 3, 8, 8, 8])
    return DetectionTable(points, scores, profile, frame, person, "test", box=box)


@pytest.mark.parametrize(
    ("name", "profile", "tolerance"),
    [
        ("k.npz", OPENPOSE_BODY_25, 0),
        ("k.csv", OPENPOSE_BODY_25, 6e-4),
        ("k.json", COCO_17, 6e-4),
        ("k.json", HALPE_26, 6e-4),
    ],
)
def test_what_is_written_is_read_back(tmp_path, name, profile, tolerance):
    original = table(profile)
    write_keypoint_file(tmp_path / name, original)
    back = read_detections(tmp_path / name)
    assert back.profile is profile
    np.testing.assert_allclose(back.keypoints_2d, original.keypoints_2d, atol=tolerance)
    np.testing.assert_allclose(back.scores, original.scores, atol=tolerance)
    np.testing.assert_array_equal(back.frame, original.frame)
    np.testing.assert_array_equal(back.person, original.person)


def test_boxes_go_into_alphapose_s_form(tmp_path):
    boxes = np.random.default_rng(1).uniform(5, 300, (7, 4)).astype(np.float32)
    write_keypoint_file(tmp_path / "k.json", table(COCO_17, boxes))
    np.testing.assert_allclose(read_detections(tmp_path / "k.json").box, boxes, atol=6e-4)


@pytest.mark.parametrize(
    ("name", "message"),
    [("k.xml", "ends in .npz, .csv, .json"), ("k.json", "Expected keypoints of COCO_17 or HALPE_26")],
)
def test_a_form_that_cannot_hold_them_is_refused(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        write_keypoint_file(tmp_path / name, table(OPENPOSE_BODY_25))
    assert not list(tmp_path.iterdir())
