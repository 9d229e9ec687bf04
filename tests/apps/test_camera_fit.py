"""From a pose and its keypoints back to the camera."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from vvipe_tf.apps.camera_fit import fit_perspective_camera, fit_weak_camera
from vvipe_tf.geometry.camera import view_rotation

FOCAL, CENTRE = 900.0, (320.0, 240.0)


def bodies(count, seed=0, joints=11, depth=0.2):
    rng = np.random.default_rng(seed)
    poses = rng.normal(size=(count, joints, 3)) * [depth, 0.4, 0.9]
    angles = rng.uniform([-3, -1, -1], [3, 1, 1], (count, 3)).T
    return poses, view_rotation(*angles), rng


def weakly_seen(poses, rotation, scale, translation):
    return scale[:, None, None] * (poses @ np.swapaxes(rotation, 1, 2))[..., :2] + translation[:, None]


def pinhole(poses, rotation, translation):
    placed = poses @ np.swapaxes(rotation, 1, 2) + translation[:, None]
    return FOCAL * placed[..., :2] / placed[..., 2:] + CENTRE


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_weak_camera_is_found_again(seed):
    poses, rotation, rng = bodies(3, seed)
    scale, translation = rng.uniform(40, 200, 3), rng.uniform(0, 1000, (3, 2))
    camera = fit_weak_camera(poses, weakly_seen(poses, rotation, scale, translation))
    np.testing.assert_allclose(camera.rotation, rotation, atol=1e-6)
    np.testing.assert_allclose(camera.scale, scale, rtol=1e-6)
    np.testing.assert_allclose(camera.translation, translation, atol=1e-4)
    assert camera.error.max() < 1e-4


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_perspective_camera_is_found_again(seed):
    poses, rotation, rng = bodies(4, seed)
    translation = np.stack([rng.uniform(-1, 1, 4), rng.uniform(-1, 1, 4), rng.uniform(6, 12, 4)], axis=1)
    camera = fit_perspective_camera(poses, pinhole(poses, rotation, translation), FOCAL, CENTRE)
    np.testing.assert_allclose(camera.rotation, rotation, atol=1e-6)
    np.testing.assert_allclose(camera.translation, translation, atol=1e-5)
    np.testing.assert_allclose(camera.project(poses), pinhole(poses, rotation, translation), atol=1e-4)
    assert (camera.place(poses)[..., 2] > 0).all()


def test_the_minimum_is_the_one_that_scipy_finds():
    poses, rotation, rng = bodies(5, seed=8)
    translation = np.array([[0.3, -0.2, 7.0]] * 5)
    seen = pinhole(poses, rotation, translation) + rng.normal(size=(5, 11, 2)) * 6
    camera = fit_perspective_camera(poses, seen, FOCAL, CENTRE)
    for row in range(5):

        def residuals(parameters, row=row):
            turned = Rotation.from_rotvec(parameters[:3]).as_matrix() @ rotation[row]
            return (pinhole(poses[row, None], turned[None], parameters[None, 3:])[0] - seen[row]).ravel()

        oracle = least_squares(residuals, [0, 0, 0, *translation[row]], xtol=1e-12)
        assert np.square(camera.error[row]) * 11 == pytest.approx(2 * oracle.cost, rel=1e-5)


def test_a_flat_body_is_explained_although_its_tilt_has_two_answers():
    poses, rotation, _ = bodies(6, seed=2, depth=0.0)
    seen = weakly_seen(poses, rotation, np.full(6, 90.0), np.zeros((6, 2)))
    assert fit_weak_camera(poses, seen).error.max() < 1e-4


def test_perspective_tells_the_two_tilts_of_a_flat_body_apart():
    poses, rotation, _ = bodies(6, seed=3, depth=0.0)
    translation = np.array([[0.0, 0.0, 4.0]] * 6)
    camera = fit_perspective_camera(poses, pinhole(poses, rotation, translation), FOCAL, CENTRE)
    np.testing.assert_allclose(camera.rotation, rotation, atol=1e-5)


def test_missing_joints_may_hold_anything():
    poses, rotation, rng = bodies(4, seed=5)
    seen = weakly_seen(poses, rotation, np.full(4, 70.0), np.full((4, 2), 300.0))
    mask = np.ones((4, 11), bool)
    mask[:, [2, 9]] = False
    seen[:, 2], seen[:, 9] = np.nan, 1e9
    camera = fit_weak_camera(poses, seen, mask)
    np.testing.assert_allclose(camera.rotation, rotation, atol=1e-6)


def test_a_mirror_image_does_not_fit_in_perspective():
    poses, rotation, _ = bodies(4, seed=6, depth=0.7)
    seen = pinhole(poses * [1, -1, 1], rotation, np.array([[0.2, 0.1, 5.0]] * 4))
    camera = fit_perspective_camera(poses, seen, FOCAL, CENTRE)
    np.testing.assert_allclose(np.linalg.det(camera.rotation), 1.0, atol=1e-9)
    assert camera.error.min() > 3.0


def test_a_mirror_image_fits_a_camera_far_away_which_sees_no_depth_and_the_rotation_stays_one():
    poses, rotation, _ = bodies(4, seed=6, depth=0.7)
    camera = fit_weak_camera(poses, weakly_seen(poses * [1, -1, 1], rotation, np.full(4, 70.0), np.zeros((4, 2))))
    np.testing.assert_allclose(np.linalg.det(camera.rotation), 1.0, atol=1e-9)
    assert camera.error.max() < 1e-4


def test_a_single_pose_needs_no_batch():
    poses, rotation, _ = bodies(1, seed=7)
    seen = weakly_seen(poses, rotation, np.array([50.0]), np.array([[10.0, 20.0]]))
    camera = fit_weak_camera(poses[0], seen[0])
    assert camera.rotation.shape == (3, 3)
    assert camera.scale.shape == ()
    np.testing.assert_allclose(camera.project(poses[0]), seen[0], atol=1e-4)


def test_no_poses_give_no_cameras():
    assert fit_weak_camera(np.zeros((0, 9, 3)), np.zeros((0, 9, 2))).rotation.shape == (0, 3, 3)


@pytest.mark.parametrize(
    ("poses", "keypoints", "mask", "message"),
    [
        (np.zeros((2, 5, 2)), np.zeros((2, 5, 2)), None, "Expected poses of shape"),
        (np.zeros((2, 5, 3)), np.zeros((2, 4, 2)), None, r"shapes=\(2, 5, 3\) and \(2, 4, 2\)"),
        (np.zeros((2, 5, 3)), np.zeros((2, 5, 2)), np.ones((2, 4)), "Expected a mask"),
        (np.zeros((2, 3, 3)), np.zeros((2, 3, 2)), None, "at least 4 visible joints"),
        (np.full((2, 5, 3), np.nan), np.zeros((2, 5, 2)), None, "Expected finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(poses, keypoints, mask, message):
    with pytest.raises(ValueError, match=message):
        fit_weak_camera(poses, keypoints, mask)


def test_a_focal_length_is_positive():
    with pytest.raises(ValueError, match="focal length above 0"):
        fit_perspective_camera(np.zeros((2, 5, 3)), np.zeros((2, 5, 2)), 0.0, CENTRE)
