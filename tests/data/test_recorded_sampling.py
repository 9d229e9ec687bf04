"""Training on recorded views: which cameras, what is mirrored, and that the virtual path is left alone."""

import dataclasses

import numpy as np
import pytest

from tests.filmed_poses import make_views
from vvipe_tf.data.pipeline import pair_batches, view_batches
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.recorded_sampling import pick_cameras
from vvipe_tf.data.views import ViewConfig
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13

RECORDED = ViewConfig(augmented_fraction=0.0, mirror=False, pose_shape_sigma=0.0)
MIXED = dataclasses.replace(RECORDED, augmented_fraction=0.5)


@pytest.fixture(scope="module")
def views():
    """80 poses; the first camera misses the wrist of some, the last does not see others at all."""
    views = make_views(80, names=("a", "b", "c", "d"))
    recorded = views.of_kind("ground_truth")
    seen = np.ones(recorded.scores.shape, dtype=bool)
    seen[0, ::3, COCO_13.index("left_wrist")] = False
    seen[3, ::2] = False
    return views.with_kind("openpose", recorded.keep(seen))


def batches_of(views, config, recorded, start=0, stop=3, **options):
    batches = view_batches(views.poses, 20, 4, start, stop, config, recorded=recorded, **options)
    return [tuple(part.numpy() for part in batch) for batch in batches]


def sources_of(views, recorded, keypoints, pose):
    """Row and camera of each example, found by what it shows."""
    normalised, _ = normalise_keypoints(recorded.keypoints_2d, recorded.visible)
    canonical = views.poses.canonical(COCO_13)
    for seen, target in zip(keypoints, pose, strict=True):
        row = int(np.abs(canonical - target).sum(axis=(1, 2)).argmin())
        errors = np.abs(normalised[:, row] - seen[..., :2]).max(axis=(1, 2))
        camera = int(errors.argmin())
        yield row, camera if errors[camera] < 1e-4 else None


def test_without_free_views_every_view_is_a_recorded_one_of_its_pose(views):
    recorded = views.of_kind("openpose")
    for keypoints, pose in batches_of(views, RECORDED, recorded):
        sources = list(sources_of(views, recorded, keypoints, pose))
        for (row, first), (same, second) in zip(sources[::2], sources[1::2], strict=True):
            assert row == same
            assert first != second
            assert {first, second} <= set(np.flatnonzero(recorded.usable()[:, row]).tolist())
        visible = np.stack([recorded.visible[camera, row] for row, camera in sources])
        np.testing.assert_array_equal(keypoints[..., 2], visible)


def test_free_views_stay_virtual_and_exactly_as_they_were(views):
    recorded = views.of_kind("ground_truth")
    is_recorded = []
    virtual = batches_of(views, MIXED, None, stop=8)
    for (keypoints, pose), (plain, same) in zip(batches_of(views, MIXED, recorded, stop=8), virtual, strict=True):
        np.testing.assert_array_equal(pose, same)
        free = np.array([camera is None for _, camera in sources_of(views, recorded, keypoints, pose)])
        np.testing.assert_array_equal(keypoints[free], plain[free])
        is_recorded += (~free).tolist()
    assert 0.35 < np.mean(is_recorded) < 0.65


def test_steps_are_the_same_wherever_one_starts(views):
    config = dataclasses.replace(MIXED, mirror=True, keypoint_dropout=0.5, keypoint_noise=0.01)
    recorded = views.of_kind("openpose")
    whole, rest = batches_of(views, config, recorded, 0, 9), batches_of(views, config, recorded, 6, 9)
    for expected, found in zip(whole[6:], rest, strict=True):
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_mirrored_pose_comes_with_mirrored_views(views):
    recorded = views.of_kind("openpose")
    flip = COCO_13.flip_indices
    keypoints_2d = np.where(recorded.visible[..., None], [1000.0, 0] + [-1, 1] * recorded.keypoints_2d, 0)[:, :, flip]
    both = {
        False: (views.poses.canonical(COCO_13), recorded),
        True: (
            views.poses.canonical(COCO_13)[:, flip] * np.float32([1, -1, 1]),
            RecordedKeypoints(keypoints_2d, recorded.scores[..., flip]),
        ),
    }
    normalised = {side: normalise_keypoints(each.keypoints_2d, each.visible)[0] for side, (_, each) in both.items()}
    sides = []
    for keypoints, pose in batches_of(views, dataclasses.replace(RECORDED, mirror=True), recorded):
        for seen, target in zip(keypoints, pose, strict=True):
            errors = {side: np.abs(poses - target).sum(axis=(1, 2)) for side, (poses, _) in both.items()}
            side = min(errors, key=lambda each: errors[each].min())
            row = errors[side].argmin()
            assert np.abs(normalised[side][:, row] - seen[..., :2]).max(axis=(1, 2)).min() < 1e-4
            sides.append(side)
    assert 0.2 < np.mean(sides) < 0.8


def test_a_model_without_a_mask_sees_whole_views_only(views):
    recorded = views.of_kind("openpose")
    for keypoints, pose in batches_of(views, RECORDED, recorded, use_mask=False):
        assert keypoints.shape == (20, 13, 2)
        for row, camera in sources_of(views, recorded, keypoints, pose):
            assert recorded.visible[camera, row].all()


def test_pairs_for_pr_vipe_are_recorded_too(views):
    recorded = views.of_kind("ground_truth")
    batches = pair_batches(views.poses, 20, 4, 0, 2, RECORDED, True, COCO_13, recorded)
    expected = batches_of(views, RECORDED, recorded, stop=2)
    for (keypoints, _), (plain, _) in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(keypoints.numpy().reshape(20, 13, 3), plain)


def test_cameras_repeat_only_where_there_are_too_few():
    usable = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 0]], dtype=bool)
    counts = np.zeros((3, 4))
    for seed in range(200):
        cameras = pick_cameras(usable, np.random.default_rng(seed).random((3, 4)), 3)
        assert usable[np.arange(3)[:, None], cameras].all()
        assert [len(set(row)) for row in cameras.tolist()] == [3, 2, 1]
        np.add.at(counts, (np.arange(3), cameras[:, 0]), 1)
    assert counts[0].min() > 25
    assert counts[1, [1, 3]].min() > 60


def test_what_cannot_be_trained_on_is_refused(views):
    recorded = views.of_kind("ground_truth")
    with pytest.raises(ValueError, match="sigma 0.12"):
        batches_of(views, dataclasses.replace(RECORDED, pose_shape_sigma=0.12), recorded)
    with pytest.raises(ValueError, match="views of 40 of 80 poses"):
        batches_of(views, RECORDED, recorded.select(slice(None), slice(40)))
    blind = np.ones((4, 80, 1), dtype=bool)
    blind[:, [3, 70]] = False
    with pytest.raises(ValueError, match="2 of 80 poses without"):
        batches_of(views, RECORDED, recorded.keep(blind))
