"""How far a lifted pose may be from the truth."""

import numpy as np
import pytest

from tests.small_models import STANDING_POSE
from vvipe_tf.apps.uncertainty import UncertaintyWeights, fit_uncertainty, uncertainty_signs
from vvipe_tf.geometry.camera import view_rotation
from vvipe_tf.keypoints import COCO_13


def seen(poses):
    return 100 * (poses @ view_rotation(0.4, 0.2, 0.0).T)[..., :2] + 300


def steady(poses):
    """A model that answers with the same poses whatever is withheld."""
    return lambda keypoints, visible: poses


def bodies(count):
    return STANDING_POSE + np.random.default_rng(1).normal(size=(count, 13, 3)) * 0.1


def test_a_pose_that_fits_and_stays_has_no_sign_against_it():
    poses = bodies(5)
    signs = uncertainty_signs(steady(poses), seen(poses), np.ones((5, 13), bool), poses)
    np.testing.assert_allclose(signs, [[1, 0, 0, 0]] * 5, atol=1e-6)


def test_the_misfit_is_told_in_torso_lengths():
    poses = bodies(4)
    rng = np.random.default_rng(2)
    noisy = seen(poses) + rng.normal(size=(4, 13, 2)) * 8
    small, large = (uncertainty_signs(steady(poses), size * noisy, np.ones((4, 13), bool), poses) for size in (1, 50))
    np.testing.assert_allclose(small[:, 1], large[:, 1], rtol=1e-4)
    assert (0.03 < small[:, 1]).all()
    assert (small[:, 1] < 0.16).all()


def test_the_spread_is_how_far_the_joints_move_when_some_are_withheld():
    poses = bodies(3)
    signs = uncertainty_signs(lambda *_: poses + [[[0.3, 0, -0.4]]], seen(poses), np.ones((3, 13), bool), poses)
    np.testing.assert_allclose(signs[:, 2], 0.5)


def test_elbows_and_knees_are_withheld_in_one_run_of_the_model():
    poses = bodies(2)
    masks = []

    def record(keypoints, visible):
        masks.append(visible)
        return poses

    uncertainty_signs(record, seen(poses), np.ones((2, 13), bool), poses)
    (mask,) = masks
    withheld = [COCO_13.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("elbow", "knee")]
    assert sorted(np.flatnonzero(~mask[0])) == sorted(withheld)
    np.testing.assert_array_equal(mask[1], mask[0])


def test_what_is_hardly_enough_is_left_whole():
    poses = bodies(1)
    visible = np.zeros((1, 13), bool)
    visible[0, [1, 2, 3, 5, 7, 8]] = True
    masks = []

    def record(keypoints, mask):
        masks.append(mask)
        return poses

    signs = uncertainty_signs(record, seen(poses), visible, poses)
    np.testing.assert_array_equal(masks, [visible])
    assert signs[0, 3] == pytest.approx(7 / 13)


def test_the_weights_are_found_again():
    rng = np.random.default_rng(0)
    signs = np.column_stack([np.ones(200), rng.uniform(size=(200, 3))])
    truth = UncertaintyWeights(0.1, 0.8, 0.0, 0.3)
    np.testing.assert_allclose(fit_uncertainty(signs, signs @ np.array(truth)), truth, atol=1e-9)


def test_no_weight_is_negative():
    rng = np.random.default_rng(0)
    signs = np.column_stack([np.ones(200), rng.uniform(size=(200, 3))])
    assert min(fit_uncertainty(signs, signs @ [0.5, -1.0, 0.2, 0.3])) >= 0


def test_signs_and_errors_belong_together():
    with pytest.raises(ValueError, match=r"Expected signs of shape \(poses, 4\)"):
        fit_uncertainty(np.ones((5, 4)), np.ones(6))
