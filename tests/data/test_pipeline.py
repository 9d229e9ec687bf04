import dataclasses

import numpy as np
import pytest

from vvipe_tf.data.pipeline import camera_batches, draw_views, pair_batches, pose_batches, view_batches
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.data.views import ViewConfig
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13, H36M_17, map_keypoints

VIEWS = ViewConfig(keypoint_dropout=0.5, keypoint_noise=0.01)
AS_RECORDED = ViewConfig(mirror=False, pose_shape_sigma=0.0, body_shape_sigma=0.0)


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(150, seed=1, num_subjects=3)


def as_numpy(batches):
    return [tuple(part.numpy() for part in batch) for batch in batches]


def test_steps_are_the_same_wherever_one_starts(dataset):
    whole = as_numpy(view_batches(dataset, 32, 5, 0, 12, VIEWS))
    rest = as_numpy(view_batches(dataset, 32, 5, 9, 12, VIEWS))
    for expected, found in zip(whole[9:], rest, strict=True):
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_pose_comes_once_in_each_epoch_and_in_another_order_in_the_next(dataset):
    dataset = dataset.select(np.arange(144))
    canonical = dataset.canonical(COCO_13)
    batches = [batch.numpy() for batch in pose_batches(dataset, 16, 2, 0, 18, AS_RECORDED)]
    order = [np.abs(canonical - pose).sum(axis=(1, 2)).argmin() for batch in batches for pose in batch]
    assert sorted(order[:144]) == sorted(order[144:]) == list(range(144))
    assert order[:144] != order[144:]


def test_the_views_of_a_pose_lie_side_by_side_and_differ(dataset):
    keypoints, pose = as_numpy(view_batches(dataset, 36, 0, 0, 1, ViewConfig(views_per_pose=3)))[0]
    assert keypoints.shape == (36, 13, 3)
    np.testing.assert_array_equal(pose[0::3], pose[1::3])
    np.testing.assert_array_equal(pose[0::3], pose[2::3])
    assert np.abs(keypoints[0::3] - keypoints[1::3]).max(axis=(1, 2)).min() > 1e-3


def test_half_of_the_poses_are_mirrored(dataset):
    canonical = dataset.canonical(COCO_13)
    views = dataclasses.replace(AS_RECORDED, mirror=True)
    batches = [batch.numpy() for batch in pose_batches(dataset, 50, 0, 0, 12, views)]
    as_is = [np.abs(canonical - pose).sum(axis=(1, 2)).min() < 1e-5 for batch in batches for pose in batch]
    assert 0.4 < np.mean(as_is) < 0.6


def test_targets_can_keep_the_orientation_of_the_world(dataset):
    world = dataset.centred(COCO_13)
    _, pose = as_numpy(view_batches(dataset, 8, 0, 0, 1, AS_RECORDED, canonical=False))[0]
    assert all(np.abs(world - each).sum(axis=(1, 2)).min() < 1e-4 for each in pose)


def test_drawn_views_keep_their_limits():
    views = ViewConfig(augmented_fraction=0.5, max_elevation=0.4, max_roll=0.2, min_distance=6, max_distance=7)
    draw = [part.numpy() for part in draw_views(views, 2000, np.array([1, 2], np.int32))]
    azimuth, elevation, roll, distance, factors, noise, visible = draw
    at_chest = np.isclose(elevation, views.chest_elevation) & (roll == 0)
    assert 0.45 < at_chest.mean() < 0.55
    assert -0.4 <= elevation.min() < -0.35
    assert 0.35 < elevation.max() <= 0.4
    assert np.abs(roll).max() <= 0.2
    assert azimuth.min() < -3.1
    assert azimuth.max() > 3.1
    assert 6 <= distance.min() < distance.max() <= 7
    np.testing.assert_array_equal(factors[..., 0], 1.0)
    assert np.log(factors[..., 1:]).std() == pytest.approx(views.body_shape_sigma, rel=0.05)
    assert not noise.any()
    assert visible.all()


def test_hips_and_shoulders_are_never_hidden():
    visible = draw_views(VIEWS, 500, np.array([0, 1], np.int32)).visible.numpy()
    hidden = 1 - visible.mean(axis=(0, 1))
    for name, share in zip(COCO_13.keypoint_names, hidden, strict=True):
        expected = 0.0 if name.endswith(("hip", "shoulder")) else 0.5 * 0.25
        assert share == pytest.approx(expected, abs=0.04)


def test_a_batch_that_views_do_not_divide_is_refused(dataset):
    with pytest.raises(ValueError, match="multiple of 2 views. Received: 31"):
        view_batches(dataset, 31, 0, 0, 1, VIEWS)


def test_too_few_poses_for_a_batch_are_refused(dataset):
    with pytest.raises(ValueError, match="at least 256 poses for one batch. Received: 150"):
        pose_batches(dataset, 256, 0, 0, 1, VIEWS)


def test_proportions_change_with_the_pose_and_its_target_together(dataset):
    views = dataclasses.replace(AS_RECORDED, pose_shape_sigma=0.2)
    recorded = next(iter(pose_batches(dataset, 16, 2, 0, 1, AS_RECORDED))).numpy()
    _, target = as_numpy(view_batches(dataset, 32, 2, 0, 1, views))[0]
    varied = next(iter(pose_batches(dataset, 16, 2, 0, 1, views))).numpy()
    for pose in (varied, target[::2]):
        shins = [np.linalg.norm(each[:, COCO_13.index("left_knee")] - each[:, COCO_13.index("left_ankle")], axis=-1)
                 for each in (recorded, pose)]  # fmt: skip
        assert np.std(np.log(shins[1] / shins[0])) > 0.1


def test_poses_of_stage_one_can_keep_the_orientation_of_the_world(dataset):
    world = dataset.centred(COCO_13)
    pose = next(iter(pose_batches(dataset, 8, 0, 0, 1, AS_RECORDED, canonical=False))).numpy()
    assert all(np.abs(world - each).sum(axis=(1, 2)).min() < 1e-4 for each in pose)


def test_pairs_hold_the_views_of_a_pose_and_the_pose_with_the_joints_asked_for(dataset):
    world = dataset.centred(H36M_17)
    keypoints, pose = as_numpy(pair_batches(dataset, 24, 0, 0, 1, AS_RECORDED, False, H36M_17))[0]
    assert keypoints.shape == (12, 2, 13, 2)
    assert pose.shape == (12, 17, 3)
    assert all(np.abs(world - each).sum(axis=(1, 2)).min() < 1e-4 for each in pose)
    same, _ = as_numpy(view_batches(dataset, 24, 0, 0, 1, AS_RECORDED, False))[0]
    np.testing.assert_array_equal(keypoints.reshape(24, 13, 2), same)


def test_pairs_of_poses_with_other_proportions_have_the_joints_that_were_changed(dataset):
    views = dataclasses.replace(AS_RECORDED, pose_shape_sigma=0.3)
    _, pose = as_numpy(pair_batches(dataset, 24, 0, 0, 1, views, False, H36M_17))[0]
    _, canonical = as_numpy(view_batches(dataset, 24, 0, 0, 1, views, False, canonical=False))[0]
    np.testing.assert_array_equal(pose, canonical[::2])


def test_poses_of_a_lifter_project_onto_their_keypoints(dataset):
    """By a camera far enough away the view is the x and y of the pose in the camera's axes."""
    views = dataclasses.replace(
        AS_RECORDED, views_per_pose=1, mirror=True, augmented_fraction=0.7, min_distance=1e4, max_distance=1e4
    )
    keypoints, pose = as_numpy(camera_batches(dataset, 40, 1, 0, 1, views, False, H36M_17))[0]
    assert pose.shape == (40, 17, 3)
    np.testing.assert_allclose(pose[:, 0], 0, atol=1e-6)
    seen, _ = normalise_keypoints(map_keypoints(pose, H36M_17, COCO_13)[..., :2])
    np.testing.assert_allclose(seen, keypoints, atol=2e-3)


def test_free_views_can_have_a_distance_of_their_own():
    views = dataclasses.replace(VIEWS, free_distance=2.0)
    distance = draw_views(views, 200, np.array([3, 4])).distance.numpy()
    assert 0.4 < (distance == 2.0).mean() < 0.6
    assert distance[distance != 2.0].min() >= 5.0
    with pytest.raises(ValueError, match="free_distance"):
        dataclasses.replace(VIEWS, free_distance=1.0)


def test_batches_of_the_baselines_refuse_what_they_cannot_give(dataset):
    one_view = dataclasses.replace(AS_RECORDED, views_per_pose=1)
    with pytest.raises(ValueError, match="at least 2 views"):
        pair_batches(dataset, 8, 0, 0, 1, one_view, False, H36M_17)
    with pytest.raises(ValueError, match="one view of each pose"):
        camera_batches(dataset, 8, 0, 0, 1, AS_RECORDED, False, H36M_17)
    with pytest.raises(ValueError, match="no change of proportions"):
        camera_batches(dataset, 8, 0, 0, 1, dataclasses.replace(one_view, body_shape_sigma=0.1), False, H36M_17)
