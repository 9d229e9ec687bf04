"""Keypoints of any profile on their way into the model."""

import numpy as np
import pytest

from vvipe_tf.apps.keypoint_input import prepare_keypoints
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17, OPENPOSE_BODY_25, PROFILES, map_keypoints

STANDING = {
    "nose": (100, 20),
    "shoulder": (25, 60),
    "elbow": (32, 105),
    "wrist": (35, 150),
    "hip": (15, 150),
    "knee": (16, 220),
    "ankle": (16, 290),
    "eye": (5, 14),
    "ear": (9, 17),
    "neck": (100, 60),
    "pelvis": (100, 150),
    "spine": (100, 105),
    "head": (100, 20),
    "head_top": (100, 0),
    "heel": (15, 300),
    "big_toe": (20, 305),
    "small_toe": (26, 303),
}


def person(profile, frames=6):
    """Somebody who faces the camera, moving a little: his left is to the right of the picture."""
    points = np.zeros((frames, profile.num_joints, 2))
    for row, name in enumerate(profile.keypoint_names):
        side, _, part = name.partition("_")
        if side in ("left", "right"):
            x, y = STANDING[part]
            points[:, row] = (100 + x if side == "left" else 100 - x), y
        else:
            points[:, row] = STANDING[name]
    return points + np.arange(frames)[:, None, None]


@pytest.mark.parametrize("name", ["COCO_13", "COCO_17", "H36M_17", "OPENPOSE_BODY_25", "OPENPOSE_BODY_25B", "HALPE_26"])
def test_the_profile_is_told_from_the_joints(name):
    profile = PROFILES[name]
    found = prepare_keypoints(person(profile))
    np.testing.assert_allclose(found.keypoints_2d, map_keypoints(person(profile), profile, COCO_13))
    assert found.visible.all()
    assert found.valid.all()


def test_a_profile_may_be_named():
    named = prepare_keypoints(person(H36M_17), profile="h36m-17")
    np.testing.assert_allclose(named.keypoints_2d, map_keypoints(person(H36M_17), H36M_17, COCO_13))


def test_layouts_with_hands_and_a_face_begin_with_the_body():
    whole = np.concatenate([person(COCO_17), np.full((6, 116, 2), 7.0)], axis=1)
    np.testing.assert_allclose(prepare_keypoints(whole).keypoints_2d, prepare_keypoints(person(COCO_17)).keypoints_2d)


def test_too_little_of_a_body_leaves_the_profile_open():
    points = np.zeros((3, 25, 2))
    points[:, :2] = 5.0
    with pytest.raises(ValueError, match="OPENPOSE_BODY_25 or OPENPOSE_BODY_25B"):
        prepare_keypoints(points)
    with pytest.raises(ValueError, match="Expected a named profile: 17 keypoints may be COCO_17 or H36M_17"):
        prepare_keypoints(np.zeros((4, 17, 2)))


def test_a_low_score_is_a_missing_joint():
    scores = np.full((6, 13), 0.9)
    scores[2, COCO_13.index("left_wrist")] = 0.29
    found = prepare_keypoints(person(COCO_13), scores, score_threshold=0.3)
    assert (~found.visible).sum() == 1
    assert not found.visible[2, COCO_13.index("left_wrist")]
    assert (found.keypoints_2d[2, COCO_13.index("left_wrist")] == 0).all()


def test_a_third_column_is_the_score():
    scores = np.random.default_rng(0).uniform(size=(6, 13))
    together = np.concatenate([person(COCO_13), scores[..., None]], axis=-1)
    found = prepare_keypoints(together, score_threshold=0.4)
    assert np.array_equal(found.visible, scores >= 0.4)


def test_a_mask_of_booleans_counts_as_scores():
    mask = np.ones((6, 13), bool)
    mask[:, 3] = False
    assert np.array_equal(prepare_keypoints(person(COCO_13), mask, score_threshold=0.5).visible, mask)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e7, 0.0])
def test_without_scores_a_joint_that_is_nowhere_is_missing(value):
    points = person(COCO_13)
    points[1, 4] = value
    visible = prepare_keypoints(points).visible
    assert not visible[1, 4]
    assert visible.sum() == 6 * 13 - 1


def test_with_a_score_the_corner_of_the_picture_is_a_place():
    points = person(COCO_13)
    points[1, 4] = 0.0
    assert prepare_keypoints(points, np.ones((6, 13))).visible.all()


def test_a_derived_joint_is_missing_with_either_of_its_parents():
    points = person(OPENPOSE_BODY_25)
    points[0, OPENPOSE_BODY_25.index("left_hip")] = np.nan
    found = prepare_keypoints(points, profile=OPENPOSE_BODY_25)
    assert found.valid.tolist() == [False, *[True] * 5]


def test_the_joint_order_is_checked_on_request():
    points = person(COCO_17)
    assert prepare_keypoints(points, profile=COCO_17, check=True).findings == ()
    exchanged = points[:, np.random.default_rng(3).permutation(17)]
    assert prepare_keypoints(exchanged, profile=COCO_17).findings == ()
    assert [each.kind for each in prepare_keypoints(exchanged, profile=COCO_17, check=True).findings] == ["joint_order"]


def test_people_on_a_line_are_not_valid():
    points = person(COCO_13)
    points[2, :, 0] = 77
    assert prepare_keypoints(points).valid.tolist() == [True, True, False, True, True, True]


def test_one_detection_needs_no_batch():
    found = prepare_keypoints(person(COCO_13)[0], np.full(13, 0.8))
    assert found.keypoints_2d.shape == (1, 13, 2)


def test_no_detections_stay_none():
    assert prepare_keypoints(np.zeros((0, 13, 2))).valid.shape == (0,)


@pytest.mark.parametrize(
    ("keypoints", "scores", "profile", "message"),
    [
        (np.zeros((2, 17, 4)), None, None, r"Expected keypoints of shape \(detections, joints, 2\)"),
        (np.zeros(17), None, None, r"Received: shape=\(17,\)"),
        (np.zeros((2, 17, 3)), np.zeros((2, 17)), None, "Expected scores once"),
        (np.zeros((2, 17, 2)), np.zeros((2, 16)), None, r"Expected scores of shape \(2, 17\)"),
        (np.zeros((2, 17, 2)), np.full((2, 17), 1.5), None, "Expected scores between 0 and 1"),
        (np.full((2, 17, 3), -0.4), None, None, "3D poses go to encode_pose"),
        (np.zeros((2, 19, 2)), None, None, "Received: 19"),
        (np.zeros((2, 17, 2)), None, "COCO_13", "expected 13 keypoints for COCO_13"),
        (np.zeros((2, 17, 2)), None, "COCO_99", "Expected a keypoint profile among"),
        ([[[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]], None, None, "same number of joints"),
        (np.array([[["a", "b"]] * 17]), None, None, "as numbers"),
    ],
)
def test_what_is_no_detection_is_refused(keypoints, scores, profile, message):
    with pytest.raises(ValueError, match=message):
        prepare_keypoints(keypoints, scores, profile)
