"""tf.data pipelines: batches in an order and with random views that depend on the seed and the step alone.

Step n of a run is the same whether the run was interrupted or not, and however many replicas share the batch.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import ops

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.views import BONE_GROUPS, ViewConfig, ViewDraw, mirror_pose, render_views, scale_bones
from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.keypoints import COCO_13

# Joints that are hidden together when a view misses joints: never the hips and shoulders, which carry the frame.
_HIDEABLE = np.array([not name.endswith(("hip", "shoulder")) for name in COCO_13.keypoint_names], np.float32)
_HIDE_CHANCE = 0.25


def pose_batches(
    dataset: PoseDataset, batch_size: int, seed: int, start_step: int, stop_step: int, views: ViewConfig
) -> tf.data.Dataset:
    """Batches for stage one.

    Args:
        dataset: Poses.
        batch_size: Poses in a batch.
        seed: Seed of the order and of the augmentation.
        start_step: First step.
        stop_step: Step after the last.
        views: What it says of the pose itself, its mirroring and its proportions, counts here too.

    Returns:
        Data set of canonical COCO_13 poses (batch, 13, 3) float32, torso units.

    Raises:
        ValueError: If the data set holds fewer poses than a batch.
    """
    canonical = tf.constant(dataset.canonical(COCO_13))

    def fetch(index, step_seed):
        pose = _reshape_bodies(tf.gather(canonical, index), views.pose_shape_sigma, step_seed)
        return _mirror_half(pose, _mirrored(step_seed, batch_size)) if views.mirror else pose

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

    Returns:
        Data set of (keypoints_2d (batch, 13, 3 or 2), pose (batch, 13, 3)), float32.

    Raises:
        ValueError: If the batch is no multiple of the views, or the data set holds fewer poses than a batch.
    """
    num_views = views.views_per_pose
    if batch_size % num_views:
        raise ValueError(f"Expected a batch size that is a multiple of {num_views} views. Received: {batch_size}")
    num_poses = batch_size // num_views
    poses = tf.constant(dataset.canonical(COCO_13))
    # Rows of `pose @ to_world` are the pose as it stands in the world, pelvis at the origin.
    _, frame = canonicalise(dataset.poses.astype(np.float64), dataset.profile)
    to_world = tf.constant(frame.rotation.swapaxes(-1, -2).astype(np.float32))

    def fetch(index, step_seed):
        pose = _reshape_bodies(tf.gather(poses, index), views.pose_shape_sigma, step_seed)
        world_pose = tf.matmul(pose, tf.gather(to_world, index))
        if views.mirror:
            mirrored = _mirrored(step_seed, num_poses)
            pose, world_pose = _mirror_half(pose, mirrored), _mirror_half(world_pose, mirrored)
        pose = pose if canonical else world_pose
        keypoints = render_views(world_pose, draw_views(views, num_poses, step_seed), use_mask, xp=ops)
        keypoints = tf.reshape(keypoints, (batch_size, *keypoints.shape[2:]))
        return keypoints, tf.repeat(pose, num_views, axis=0)

    return _batches(fetch, len(dataset), num_poses, seed, start_step, stop_step)


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
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 8))

    def uniform(low, high, of=shape):
        return tf.random.stateless_uniform(of, seeds.pop(), low, high)

    free = tf.cast(uniform(0.0, 1.0) < views.augmented_fraction, tf.float32)
    azimuth = uniform(-np.pi, np.pi)
    elevation = free * uniform(-views.max_elevation, views.max_elevation) + (1 - free) * views.chest_elevation
    roll = free * uniform(-views.max_roll, views.max_roll)
    distance = uniform(views.min_distance, views.max_distance)
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


def _mirrored(seed, num_poses):
    return tf.random.stateless_uniform((num_poses, 1, 1), tf.random.experimental.stateless_fold_in(seed, 1)) < 0.5


def _mirror_half(pose, mirrored):
    # The hips of a canonical pose lie along y; in the world y is as good as any horizontal axis.
    return tf.where(mirrored, mirror_pose(pose, 1, xp=ops), pose)


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
