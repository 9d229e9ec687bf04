"""tf.data pipelines: batches in an order and with random views that depend on the seed and the step alone.

Step n of a run is the same whether the run was interrupted or not, and however many replicas share the batch.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from keras import ops

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.recorded_sampling import pick_cameras, recorded_table, render_recorded
from vvipe_tf.data.views import BONE_GROUPS, ViewConfig, ViewDraw, mirror_pose, render_views, scale_bones
from vvipe_tf.geometry.camera import view_rotation
from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.keypoints import COCO_13, KeypointProfile

# Joints that are hidden together when a view misses joints: never the hips and shoulders, which carry the frame.
_HIDEABLE = np.array([not name.endswith(("hip", "shoulder")) for name in COCO_13.keypoint_names], np.float32)
_HIDE_CHANCE = 0.25


class _RenderedPoses(NamedTuple):
    """A batch of poses and their views: all that the pipelines choose from."""

    keypoints_2d: tf.Tensor
    pose: tf.Tensor
    world_pose: tf.Tensor
    mirrored: tf.Tensor
    draw: ViewDraw


def pose_batches(
    dataset: PoseDataset,
    batch_size: int,
    seed: int,
    start_step: int,
    stop_step: int,
    views: ViewConfig,
    canonical: bool = True,
) -> tf.data.Dataset:
    """Batches for stage one.

    Args:
        dataset: Poses.
        batch_size: Poses in a batch.
        seed: Seed of the order and of the augmentation.
        start_step: First step.
        stop_step: Step after the last.
        views: What it says of the pose itself, its mirroring and its proportions, counts here too.
        canonical: Whether poses are canonical; False (an ablation) keeps the orientation of the world.

    Returns:
        Data set of canonical COCO_13 poses (batch, 13, 3) float32, torso units.

    Raises:
        ValueError: If the data set holds fewer poses than a batch.
    """
    poses = tf.constant(dataset.canonical(COCO_13) if canonical else dataset.centred(COCO_13))

    def fetch(index, step_seed):
        pose = _reshape_bodies(tf.gather(poses, index), views.pose_shape_sigma, step_seed)
        return _mirror_half(pose, _mirrored(step_seed, batch_size) if views.mirror else None)

    return _batches(fetch, len(dataset), batch_size, seed, start_step, stop_step)


def view_batches(
    dataset: PoseDataset,
    batch_size: int,
    seed: int,
    start_step: int,
    stop_step: int,
    views: ViewConfig,
    use_mask: bool = True,
    canonical: bool = True,
    recorded: RecordedKeypoints | None = None,
) -> tf.data.Dataset:
    """Batches for stage two: each pose in `views.views_per_pose` views, side by side.

    Args:
        dataset: Poses.
        batch_size: Examples in a batch, i.e. poses times views.
        seed: Seed of the order and of the views.
        start_step: First step.
        stop_step: Step after the last.
        views: Which views are drawn.
        use_mask: Whether the keypoints have a third channel that says which are visible.
        canonical: Whether the target is the canonical pose; False (an ablation) keeps the orientation of the world.
        recorded: Keypoints that real cameras recorded of the same poses. They take the place of the views at chest
            height, so none is virtual with `views.augmented_fraction` 0; proportions of poses must stay as they are.

    Returns:
        Data set of (keypoints_2d (batch, 13, 3 or 2), pose (batch, 13, 3)), float32.

    Raises:
        ValueError: If the batch is no multiple of the views, the data set holds fewer poses than a batch, or a pose has
            no usable recorded view.
    """
    num_views = views.views_per_pose
    if batch_size % num_views:
        raise ValueError(f"Expected a batch size that is a multiple of {num_views} views. Received: {batch_size}")
    num_poses = batch_size // num_views
    render = _renderer(dataset, num_poses, views, use_mask, recorded)

    def fetch(index, step_seed):
        rendered = render(index, step_seed)
        pose = rendered.pose if canonical else rendered.world_pose
        keypoints = tf.reshape(rendered.keypoints_2d, (batch_size, *rendered.keypoints_2d.shape[2:]))
        return keypoints, tf.repeat(pose, num_views, axis=0)

    return _batches(fetch, len(dataset), num_poses, seed, start_step, stop_step)


def pair_batches(
    dataset: PoseDataset,
    batch_size: int,
    seed: int,
    start_step: int,
    stop_step: int,
    views: ViewConfig,
    use_mask: bool,
    profile: KeypointProfile,
    recorded: RecordedKeypoints | None = None,
) -> tf.data.Dataset:
    """Batches for PR-VIPE: the views of each pose, and the pose itself for telling poses apart.

    Args:
        dataset: Poses.
        batch_size: Examples in a batch, i.e. poses times views.
        seed: Seed of the order and of the views.
        start_step: First step.
        stop_step: Step after the last.
        views: Which views are drawn, two of each pose or more.
        use_mask: Whether the keypoints have a third channel that says which are visible.
        profile: Joints of the pose. Where proportions of poses are changed it is COCO_13 whatever is asked for.
        recorded: Keypoints that real cameras recorded of the same poses, as for `view_batches`.

    Returns:
        Data set of (keypoints_2d (poses, views, 13, 3 or 2), pose (poses, joints, 3) in the world), float32.

    Raises:
        ValueError: If there are fewer than two views, the batch is no multiple of the views, or the data set holds
            fewer poses than a batch.
    """
    num_views = views.views_per_pose
    if num_views < 2 or batch_size % num_views:
        raise ValueError(
            "Expected at least 2 views of each pose and a batch size that is a multiple of them. "
            f"Received: {num_views} views, batch size {batch_size}"
        )
    render = _renderer(dataset, batch_size // num_views, views, use_mask, recorded)
    poses = None if views.pose_shape_sigma else tf.constant(dataset.centred(profile))

    def fetch(index, step_seed):
        rendered = render(index, step_seed)
        if poses is None:
            return rendered.keypoints_2d, rendered.world_pose
        return rendered.keypoints_2d, _mirror_half(tf.gather(poses, index), rendered.mirrored, profile)

    return _batches(fetch, len(dataset), batch_size // num_views, seed, start_step, stop_step)


def camera_batches(
    dataset: PoseDataset,
    batch_size: int,
    seed: int,
    start_step: int,
    stop_step: int,
    views: ViewConfig,
    use_mask: bool,
    profile: KeypointProfile,
) -> tf.data.Dataset:
    """Batches for a lifter: one view of each pose, and the pose in the axes of its camera.

    Args:
        dataset: Poses.
        batch_size: Examples in a batch.
        seed: Seed of the order and of the views.
        start_step: First step.
        stop_step: Step after the last.
        views: Which views are drawn, one of each pose; proportions stay as they are.
        use_mask: Whether the keypoints have a third channel that says which are visible.
        profile: Joints of the pose.

    Returns:
        Data set of (keypoints_2d (batch, 13, 3 or 2), pose (batch, joints, 3), x right, y down, z forward, pelvis at
        the origin, torso units), float32.

    Raises:
        ValueError: If poses have several views or other proportions, or the data set holds fewer poses than a batch.
    """
    if views.views_per_pose != 1 or views.body_shape_sigma or views.pose_shape_sigma:
        raise ValueError(
            "Expected one view of each pose and no change of proportions for a lifter. Received: "
            f"{views.views_per_pose} views, sigmas {views.body_shape_sigma} and {views.pose_shape_sigma}"
        )
    render = _renderer(dataset, batch_size, views, use_mask)
    poses = tf.constant(dataset.centred(profile))

    def fetch(index, step_seed):
        rendered = render(index, step_seed)
        pose = _mirror_half(tf.gather(poses, index), rendered.mirrored, profile)
        rotation = view_rotation(*(angle[:, 0] for angle in rendered.draw[:3]), xp=ops)
        return rendered.keypoints_2d[:, 0], tf.matmul(pose, rotation, transpose_b=True)

    return _batches(fetch, len(dataset), batch_size, seed, start_step, stop_step)


def _renderer(dataset, num_poses, views, use_mask, recorded=None):
    poses = tf.constant(dataset.canonical(COCO_13))
    # Rows of `pose @ to_world` are the pose as it stands in the world, pelvis at the origin.
    _, frame = canonicalise(dataset.poses.astype(np.float64), dataset.profile)
    to_world = tf.constant(frame.rotation.swapaxes(-1, -2).astype(np.float32))
    replace_views = None if recorded is None else _recorded_views(dataset, num_poses, views, use_mask, recorded)

    def render(index, step_seed):
        pose = _reshape_bodies(tf.gather(poses, index), views.pose_shape_sigma, step_seed)
        world_pose = tf.matmul(pose, tf.gather(to_world, index))
        mirrored = None
        if views.mirror:
            mirrored = _mirrored(step_seed, num_poses)
            pose, world_pose = _mirror_half(pose, mirrored), _mirror_half(world_pose, mirrored)
        draw = draw_views(views, num_poses, step_seed)
        keypoints = render_views(world_pose, draw, use_mask, xp=ops)
        if replace_views is not None:
            keypoints = replace_views(keypoints, index, mirrored, draw, step_seed)
        return _RenderedPoses(keypoints, pose, world_pose, mirrored, draw)

    return render


def _recorded_views(dataset, num_poses, views, use_mask, recorded):
    """Function that puts recorded views in the place of virtual ones at chest height."""
    num_cameras, num_recorded = recorded.scores.shape[:2]
    if num_recorded != len(dataset) or views.pose_shape_sigma:
        raise ValueError(
            "Expected recorded views of each pose, and poses of the proportions recorded (pose_shape_sigma 0). "
            f"Received: views of {num_recorded} of {len(dataset)} poses, sigma {views.pose_shape_sigma}"
        )
    table, usable = map(tf.constant, recorded_table(recorded, use_mask))

    def replace_views(keypoints, index, mirrored, draw, step_seed):
        chance = tf.random.stateless_uniform(
            (num_poses, num_cameras), tf.random.experimental.stateless_fold_in(step_seed, 3)
        )
        cameras = pick_cameras(tf.gather(usable, index), chance, views.views_per_pose, xp=ops)
        taken = tf.gather(tf.gather(table, index), cameras, batch_dims=1)
        free = _free_views(views, cameras.shape, _view_seeds(step_seed)[-1])
        return tf.where(free[..., None, None], keypoints, render_recorded(taken, mirrored, draw, use_mask, xp=ops))

    return replace_views


def draw_views(views: ViewConfig, num_poses: int, seed: tf.Tensor) -> ViewDraw:
    """Draws the random numbers of a batch of views, in the graph.

    Args:
        views: Which views are drawn.
        num_poses: Poses in the batch.
        seed: int32 (2,); the same seed gives the same views.

    Returns:
        ViewDraw of float32 tensors.
    """
    shape = (num_poses, views.views_per_pose)
    seeds = _view_seeds(seed)

    def uniform(low, high, of=shape):
        return tf.random.stateless_uniform(of, seeds.pop(), low, high)

    free = tf.cast(_free_views(views, shape, seeds.pop()), tf.float32)
    azimuth = uniform(-np.pi, np.pi)
    elevation = free * uniform(-views.max_elevation, views.max_elevation) + (1 - free) * views.chest_elevation
    roll = free * uniform(-views.max_roll, views.max_roll)
    distance = uniform(views.min_distance, views.max_distance)
    if views.free_distance:
        distance = free * views.free_distance + (1 - free) * distance
    factors = _bone_factors(shape, views.body_shape_sigma, seeds.pop())
    joints = (*shape, COCO_13.num_joints)
    noise = views.keypoint_noise * tf.random.stateless_normal((*joints, 2), seeds.pop())
    if views.keypoint_dropout:
        chance = uniform(0.0, 1.0, of=(*joints, 2))
        misses = chance[..., :1, 0] < views.keypoint_dropout
        hidden = tf.cast(misses & (chance[..., 1] < _HIDE_CHANCE), tf.float32) * _HIDEABLE
    else:
        hidden = tf.zeros(joints)
    return ViewDraw(azimuth, elevation, roll, distance, factors, noise, 1.0 - hidden)


def _view_seeds(seed):
    return tf.unstack(tf.random.experimental.stateless_split(seed, 8))


def _free_views(views, shape, seed):
    return tf.random.stateless_uniform(shape, seed, 0.0, 1.0) < views.augmented_fraction


def _mirrored(seed, num_poses):
    return tf.random.stateless_uniform((num_poses, 1, 1), tf.random.experimental.stateless_fold_in(seed, 1)) < 0.5


def _mirror_half(pose, mirrored, profile=COCO_13):
    # The hips of a canonical pose lie along y; in the world y is as good as any horizontal axis.
    return pose if mirrored is None else tf.where(mirrored, mirror_pose(pose, 1, profile, xp=ops), pose)


def _reshape_bodies(pose, sigma, seed):
    if not sigma:
        return pose
    factors = _bone_factors((pose.shape[0],), sigma, tf.random.experimental.stateless_fold_in(seed, 2))
    return scale_bones(pose, factors, xp=ops)


def _bone_factors(shape, sigma, seed):
    trunk = np.array([group == "trunk" for group in BONE_GROUPS])
    return tf.where(trunk, 1.0, tf.exp(sigma * tf.random.stateless_normal((*shape, len(BONE_GROUPS)), seed)))


def _batches(fetch: Callable, num_poses, poses_per_batch, seed, start_step, stop_step):
    if num_poses < poses_per_batch:
        raise ValueError(f"Expected at least {poses_per_batch} poses for one batch. Received: {num_poses}")

    def at_step(step):
        position = step * poses_per_batch + tf.range(poses_per_batch, dtype=tf.int64)
        epoch = position // num_poses
        # Each epoch is a permutation of all poses that needs no memory and no state. A batch touches two at most.
        first, second = (
            tf.random.experimental.index_shuffle(
                position % num_poses, tf.stack([seed, tf.cast(each, tf.int32)]), num_poses - 1
            )
            for each in (epoch[0], epoch[0] + 1)
        )
        index = tf.where(epoch == epoch[0], first, second)
        return fetch(index, tf.stack([seed, tf.cast(step, tf.int32)]))

    steps = tf.data.Dataset.range(start_step, stop_step)
    return steps.map(at_step, num_parallel_calls=1, deterministic=True).prefetch(8)
