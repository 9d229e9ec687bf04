import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vvipe_tf.geometry.keypoints_2d import have_breadth, normalise_keypoints, restore_keypoints, valid_keypoints
from vvipe_tf.keypoints import COCO_13, COCO_17

LEFT_SHOULDER, RIGHT_SHOULDER = COCO_13.index("left_shoulder"), COCO_13.index("right_shoulder")
LEFT_HIP, RIGHT_HIP = COCO_13.index("left_hip"), COCO_13.index("right_hip")


def random_keypoints(*batch, seed=3):
    return np.random.default_rng(seed).normal(size=(*batch, 13, 2))


def torso_keypoints():
    """Shoulders 30 px wide at y = 100, hips 20 px wide at y = 140; the longest distance is a diagonal of sqrt(2225)."""
    keypoints = np.full((13, 2), 120.0)
    keypoints[[LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]] = [(215, 100), (185, 100), (210, 140), (190, 140)]
    return keypoints


def test_mid_hip_goes_to_zero_and_the_longest_torso_distance_to_one_half():
    normalised, frame = normalise_keypoints(torso_keypoints())
    diagonal = np.hypot(25, 40)
    np.testing.assert_allclose(frame.offset, (200, 140))
    np.testing.assert_allclose(frame.scale, 0.5 / diagonal)
    np.testing.assert_allclose(normalised[LEFT_SHOULDER], np.array([15, -40]) * 0.5 / diagonal)
    assert np.linalg.norm(normalised[LEFT_SHOULDER] - normalised[RIGHT_HIP]) == pytest.approx(0.5)


def test_only_distances_between_visible_joints_count():
    mask = np.ones(13, dtype=bool)
    mask[RIGHT_SHOULDER] = False
    keypoints = torso_keypoints()
    keypoints[RIGHT_SHOULDER] = (9000, -9000)
    _, frame = normalise_keypoints(keypoints, mask)
    np.testing.assert_allclose(frame.scale, 0.5 / np.hypot(25, 40))
    mask[[LEFT_SHOULDER, RIGHT_SHOULDER]] = False
    _, frame = normalise_keypoints(keypoints, mask)
    np.testing.assert_allclose(frame.scale, 0.5 / 20)


def test_missing_joints_become_zero_and_never_touch_the_others():
    keypoints, mask = random_keypoints(5), np.ones((5, 13))
    mask[:, [0, 9, 11]] = 0
    garbage = np.where(mask[..., None] == 0, np.nan, keypoints)
    normalised, _ = normalise_keypoints(garbage, mask)
    np.testing.assert_array_equal(normalised[:, [0, 9, 11]], 0)
    visible = mask[0] == 1
    np.testing.assert_array_equal(normalised[:, visible], normalise_keypoints(keypoints)[0][:, visible])


def test_keypoints_without_extent_or_hip_become_zeros_with_scale_zero():
    keypoints, mask = random_keypoints(4), np.ones((4, 13))
    keypoints[1] = 7.25
    mask[2, LEFT_HIP] = 0
    mask[3] = 0
    normalised, frame = normalise_keypoints(keypoints, mask)
    np.testing.assert_array_equal(normalised[1:], 0)
    np.testing.assert_array_equal(frame.scale[1:], 0)
    np.testing.assert_array_equal(frame.offset[2:], 0)
    assert frame.scale[0] > 0
    np.testing.assert_array_equal(restore_keypoints(normalised, frame)[1], keypoints[1])


def test_other_profiles_and_integers_are_normalised_by_name():
    keypoints = np.random.default_rng(1).integers(0, 1900, size=(6, 17, 2))
    names = [COCO_17.index(name) for name in COCO_13.keypoint_names]
    normalised, _ = normalise_keypoints(keypoints, profile=COCO_17)
    np.testing.assert_allclose(normalised[:, names], normalise_keypoints(keypoints[:, names])[0])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shift=st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)),
    scale=st.floats(0.01, 1000),
)
def test_normalised_keypoints_do_not_know_shift_and_scale_and_restore_brings_them_back(seed, shift, scale):
    keypoints = random_keypoints(2, seed=seed)
    moved = scale * keypoints + shift
    normalised, frame = normalise_keypoints(moved)
    np.testing.assert_allclose(normalised, normalise_keypoints(keypoints)[0], atol=1e-7)
    np.testing.assert_allclose(restore_keypoints(normalised, frame), moved, atol=1e-8)


def test_a_detection_is_valid_with_both_hips_a_shoulder_and_six_joints():
    mask = np.zeros((7, 13))
    six = [LEFT_HIP, RIGHT_HIP, LEFT_SHOULDER, 0, 9, 10]
    mask[:, six] = 1
    mask[1, 0] = 0  # five joints
    mask[2, [LEFT_HIP, 11]] = 0, 1  # no left hip
    mask[3, [LEFT_SHOULDER, 11]] = 0, 1  # no shoulder
    mask[4, [LEFT_SHOULDER, RIGHT_SHOULDER]] = 0, 1  # the other shoulder will do
    keypoints = random_keypoints(7)
    keypoints[5] = 4.0  # no extent
    keypoints[6, 9, 1] = np.nan  # visible, yet not a number
    keypoints[0, 12] = np.nan  # missing, so it may hold anything
    expected = [True, False, False, False, True, False, False]
    np.testing.assert_array_equal(valid_keypoints(keypoints, mask), expected)
    np.testing.assert_array_equal(valid_keypoints(keypoints, mask.astype(bool)), expected)
    assert valid_keypoints(keypoints[1], None)


def test_joints_on_a_line_are_no_body_and_a_body_seen_from_the_side_is_one():
    keypoints = np.stack([np.full(13, 300.0), np.linspace(100, 900, 13)], axis=-1)
    slanted = keypoints @ [[0.8, 0.6], [-0.6, 0.8]]
    narrow = keypoints + np.random.default_rng(0).normal(size=(13, 2)) * [12, 0]
    jittered = keypoints + np.random.default_rng(0).normal(size=(13, 2)) * [0.5, 0]
    detections = np.stack([keypoints, slanted, jittered, narrow])
    np.testing.assert_array_equal(have_breadth(detections, np.ones((4, 13))), [False, False, False, True])
    mask = np.ones(13)
    mask[0] = 0
    keypoints[0] = 0  # what is missing gives no breadth
    assert not have_breadth(keypoints, mask)


@pytest.mark.parametrize("size", [1e-4, 1e9])
def test_neither_tiny_nor_huge_coordinates_overflow(size):
    assert have_breadth((random_keypoints(3) * size).astype(np.float32), np.ones((3, 13))).all()


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(\.\.\., 13, 2\) for COCO_13. Received: shape=\(4, 17, 2\)"):
        normalise_keypoints(np.zeros((4, 17, 2)))
    with pytest.raises(ValueError, match=r"mask of shape \(\.\.\., 13\) for COCO_13. Received: shape=\(4, 12\)"):
        normalise_keypoints(np.zeros((4, 13, 2)), np.ones((4, 12)))


@tf.function(input_signature=[tf.TensorSpec((None, 13, 2)), tf.TensorSpec((None, 13))])
def normalise_in_graph(keypoints, mask):
    with tf.GradientTape() as tape:
        tape.watch(keypoints)
        normalised, frame = normalise_keypoints(keypoints, mask, xp=keras.ops)
        loss = tf.reduce_sum(normalised**2)
    restored = restore_keypoints(normalised, frame, xp=keras.ops)
    return normalised, restored, valid_keypoints(keypoints, mask, xp=keras.ops), tape.gradient(loss, keypoints)


def test_the_graph_computes_what_numpy_computes_even_for_degenerate_input():
    keypoints = random_keypoints(60).astype(np.float32)
    mask = (np.random.default_rng(8).random((60, 13)) > 0.2).astype(np.float32)
    keypoints[7] = 0
    mask[8] = 0
    keypoints = np.where(mask[..., None] == 0, np.float32(np.nan), keypoints)
    normalised, restored, valid, gradient = normalise_in_graph(keypoints, mask)
    expected, frame = normalise_keypoints(keypoints, mask)
    assert expected.dtype == frame.scale.dtype == np.float32
    np.testing.assert_allclose(normalised, expected, atol=1e-6)
    np.testing.assert_allclose(restored, restore_keypoints(expected, frame), atol=1e-5)
    np.testing.assert_array_equal(valid, valid_keypoints(keypoints, mask))
    assert 5 < np.sum(valid) < 55
    assert np.isfinite(gradient).all()
