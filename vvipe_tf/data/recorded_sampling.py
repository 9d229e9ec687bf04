"""Recorded views in training: which cameras of a pose are taken, and how what they saw becomes the model's input.

Plain functions of arrays: NumPy, or in the graph with `xp=keras.ops`. The random numbers come from outside.
"""

import numpy as np

from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.views import ViewDraw
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13


def recorded_table(recorded: RecordedKeypoints, use_mask: bool) -> tuple[np.ndarray, np.ndarray]:
    """Brings recorded keypoints into the form that batches are gathered from.

    Args:
        recorded: Keypoints of N poses.
        use_mask: Whether the model takes views with missing joints.

    Returns:
        Normalised keypoints with visibility as third channel (N, cameras, 13, 3) float32, and which views are usable
        (N, cameras).

    Raises:
        ValueError: If a pose has no usable view.
    """
    usable = recorded.usable(all_joints=not use_mask).T
    if not usable.any(axis=1).all():
        raise ValueError(
            "Expected a usable recorded view of each pose; leave the others out. "
            f"Received: {int((~usable.any(axis=1)).sum())} of {len(usable)} poses without"
        )
    visible = recorded.visible.swapaxes(0, 1)
    normalised, _ = normalise_keypoints(recorded.keypoints_2d.swapaxes(0, 1), visible)
    return np.concatenate([normalised, visible[..., None]], axis=-1).astype(np.float32), usable


def pick_cameras(usable, chance, num_views: int, xp=np):
    """Draws cameras of each pose without repetition; a pose that fewer cameras saw shows them again.

    Args:
        usable: Which views there are (poses, cameras), at least one of each pose.
        chance: Uniform random numbers in [0, 1) (poses, cameras).
        num_views: Cameras wanted of each pose.
        xp: NumPy or keras.ops.

    Returns:
        Camera indices (poses, num_views).
    """
    order = xp.argsort(xp.where(usable, chance, chance + 1.0), axis=-1)
    count = xp.sum(xp.where(usable, 1, 0), axis=-1)
    place = xp.arange(num_views)[None] % count[:, None]
    return xp.take_along_axis(order, place, axis=-1)


def render_recorded(views, mirrored, draw: ViewDraw, use_mask: bool, xp=np):
    """Mirrors recorded views, disturbs them like virtual ones, and normalises them.

    Args:
        views: Views as `recorded_table` gives them (poses, views, 13, 3).
        mirrored: Which poses are mirrored (poses, 1, 1), or None: left and right change places, x changes its sign.
        draw: Random numbers of the views; noise and visibility are used.
        use_mask: Whether the visibility is added as a third channel.
        xp: NumPy or keras.ops.

    Returns:
        Normalised keypoints (poses, views, 13, 3 with the mask or 2 without).
    """
    if mirrored is not None:
        flipped = xp.take(views, COCO_13.flip_indices, axis=-2) * np.array([-1, 1, 1], np.float32)
        views = xp.where(mirrored[..., None], flipped, views)
    visible = views[..., 2] * draw.visible
    keypoints, _ = normalise_keypoints(views[..., :2] + draw.noise, visible, xp=xp)
    return xp.concatenate([keypoints, visible[..., None]], axis=-1) if use_mask else keypoints
