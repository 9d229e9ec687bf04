"""Embeddings that need no training: what a model must beat, and what it is up against."""

import numpy as np

from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13


def embed_normalised_keypoints(keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """The paper's 2D baseline: normalised keypoints as they are. It knows nothing of viewpoints.

    Args:
        keypoints_2d: 2D keypoints (..., 13, 2) in COCO_13 order, any scale.
        mask: Visible joints (..., 13), or None where all are.

    Returns:
        Embeddings (..., 26).

    Raises:
        ValueError: If the shape is wrong.
    """
    keypoints_2d = _checked_joints(keypoints_2d, "keypoints_2d", 2)
    normalised, _ = normalise_keypoints(keypoints_2d, mask, COCO_13)
    return normalised.reshape(*normalised.shape[:-2], -1)


def embed_canonical_poses(canonical_pose: np.ndarray) -> np.ndarray:
    """True canonical poses as they are: the best that distance between canonical poses can do.

    Args:
        canonical_pose: Canonical poses (..., 13, 3) in COCO_13 order, torso units.

    Returns:
        Embeddings (..., 39).

    Raises:
        ValueError: If the shape is wrong.
    """
    canonical_pose = _checked_joints(canonical_pose, "canonical_pose", 3)
    return canonical_pose.reshape(*canonical_pose.shape[:-2], -1)


def _checked_joints(points: np.ndarray, name: str, dims: int) -> np.ndarray:
    points = np.asarray(points)
    if points.ndim < 3 or points.shape[-2:] != (COCO_13.num_joints, dims):
        raise ValueError(
            f"Expected {name} of shape (..., {COCO_13.num_joints}, {dims}) with a batch. Received: shape={points.shape}"
        )
    return points
