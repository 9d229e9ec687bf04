"""Similarity Procrustes: the rotation, scale and translation that bring one pose closest to another. No reflections.

Row vectors: `aligned = scale * source @ rotation + translation`.
"""

from typing import NamedTuple

import numpy as np

# Lower bound of (s1 + s2)(s2 + s3)(s3 + s1) for a covariance of norm 1. The closed form's rounding error grows with its
# inverse squared; at this bound it is 1e-11, and below it the SVD takes over.
_MIN_SEPARATION = 1e-2
_MIN_NORM = 1e-140  # The squares of a smaller covariance lose digits or vanish.
_MAX_NEWTON_STEPS = 20
_CONVERGED_STEP = 1e-9  # Convergence is quadratic: the error left after such a step is below rounding.


class Similarity(NamedTuple):
    """A similarity transform: `aligned = scale * source @ rotation + translation`.

    Args:
        rotation: Proper rotation (..., 3, 3) for row vectors.
        scale: Factor (...), at least 0.
        translation: Translation (..., 3), unit of the target.
    """

    rotation: np.ndarray
    scale: np.ndarray
    translation: np.ndarray


def procrustes(
    source: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None, with_scale: bool = True
) -> Similarity:
    """Similarity that minimises the squared distance of `source` to `target`.

    Args:
        source: Poses (..., joints, 3), any unit.
        target: Poses (..., joints, 3); the leading dimensions broadcast against those of `source`.
        mask: Visibility (..., joints), boolean or {0, 1}. Joints that are missing do not count and may hold anything,
            NaN included. None when every joint is there.
        with_scale: Whether the scale is free; otherwise it is 1.

    Returns:
        `Similarity` in float64. Where several rotations are optimal, as for collinear poses, it holds one of them; a
        source without extent keeps scale 1.

    Raises:
        ValueError: If the shapes do not fit, a pose has no visible joint, or a visible joint is not finite.
    """
    source, target, mask = checked_poses(source, target, mask)
    source, target = source.astype(np.float64, copy=False), target.astype(np.float64, copy=False)
    weights = _mean_weights(mask, source.shape[-2])
    source_mean, target_mean = np.matmul(weights, source), np.matmul(weights, target)
    source, target = source - source_mean, target - target_mean
    if mask is not None:
        source = np.where(mask[..., None], source, 0.0)
    rotation, alignment = optimal_rotation(np.matmul(np.swapaxes(source, -1, -2), target))
    scale = np.ones(alignment.shape)
    if with_scale:
        extent = np.broadcast_to(np.einsum("...jd,...jd->...", source, source), alignment.shape)
        np.divide(alignment, extent, out=scale, where=extent > 0)
    translation = target_mean - scale[..., None, None] * np.matmul(source_mean, rotation)
    return Similarity(rotation, scale, translation[..., 0, :])


def apply_similarity(source: np.ndarray, similarity: Similarity) -> np.ndarray:
    """Applies `scale * source @ rotation + translation` to poses (..., joints, 3) of any joint count."""
    scaled = similarity.rotation * similarity.scale[..., None, None]
    return np.matmul(source, scaled) + similarity.translation[..., None, :]


def checked_poses(a, b, mask=None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Checks two batches of poses and their mask against each other.

    Args:
        a: Poses (..., joints, 3).
        b: Poses (..., joints, 3) whose leading dimensions broadcast against those of `a`.
        mask: Visibility (..., joints), boolean or {0, 1}, or None.

    Returns:
        Both as floating arrays with 0 at missing joints, and the mask as booleans or None.

    Raises:
        ValueError: If the shapes do not fit, a pose has no visible joint, or a visible joint is not finite.
    """
    a, b = (_floating(poses) for poses in (a, b))
    if min(a.ndim, b.ndim) < 2 or a.shape[-2:] != b.shape[-2:] or a.shape[-1] != 3 or a.shape[-2] < 1:
        raise ValueError(f"Expected two poses of shape (..., joints, 3). Received: shapes={a.shape} and {b.shape}")
    if mask is not None:
        mask = np.asarray(mask) != 0
        if mask.ndim < 1 or mask.shape[-1] != a.shape[-2]:
            raise ValueError(f"Expected a mask of shape (..., {a.shape[-2]}). Received: shape={mask.shape}")
        if not mask.any(axis=-1).all():
            raise ValueError(
                "Expected at least one visible joint in every pose. "
                f"Received: {int((~mask.any(axis=-1)).sum())} poses without any of {mask.any(axis=-1).size}"
            )
        a, b = (np.where(mask[..., None], poses, 0) for poses in (a, b))
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError as error:
        raise ValueError(f"Expected poses whose shapes broadcast. Received: {a.shape} and {b.shape}") from error
    for poses in (a, b):
        if not np.isfinite(poses).all():
            count = int((~np.isfinite(poses).all(axis=(-2, -1))).sum())
            raise ValueError(f"Expected finite poses. Received: {count} with NaN or infinite coordinates")
    return a, b, mask


def optimal_rotation(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Proper rotation R that maximises trace(R^T covariance), and that maximum.

    With singular values s1 >= s2 >= |s3| (s3 has the sign of the determinant) the maximum is L = s1 + s2 + s3, the
    largest root of Horn's quartic, found by Newton's method from above; then R is Markley's closed form (FOAM, Journal
    of the Astronautical Sciences 41, 1993). Both lose digits where (s1 + s2)(s2 + s3)(s3 + s1) is small, that is where
    the rotation is hardly determined: there the SVD takes over.

    Args:
        covariance: Matrices (..., 3, 3), float64.

    Returns:
        Rotations (..., 3, 3) and maxima (...).
    """
    batch_shape = covariance.shape[:-2]
    flat = covariance.reshape(-1, 9)
    norm = np.sqrt(np.einsum("nk,nk->n", flat, flat))
    # One contiguous row for each entry: everything below is element-wise over the batch.
    entries = np.divide(flat.T, norm, out=np.zeros((9, len(flat))), where=norm > 0).reshape(3, 3, -1)
    first, second, third = entries
    cofactors = np.stack([_cross(second, third), _cross(third, first), _cross(first, second)])
    determinant = np.einsum("kn,kn->n", first, cofactors[0])
    root, last_step = _largest_root(np.einsum("ijn,ijn->n", cofactors, cofactors), determinant)
    kappa = 0.5 * (root * root - 1.0)
    separation = kappa * root - determinant
    gram = np.einsum("ikn,jkn->ijn", entries, entries)
    rotation = (kappa + 1.0) * entries + root * cofactors - np.einsum("ijn,jkn->ikn", gram, entries)
    hard = np.flatnonzero((separation < _MIN_SEPARATION) | (np.abs(last_step) > _CONVERGED_STEP) | (norm < _MIN_NORM))
    with np.errstate(divide="ignore", invalid="ignore"):
        rotation = np.ascontiguousarray((rotation / separation).reshape(9, -1).T).reshape(-1, 3, 3)
    maximum = root * norm
    if len(hard):
        rotation[hard], maximum[hard] = _rotation_by_svd(flat[hard].reshape(-1, 3, 3))
    return rotation.reshape(*batch_shape, 3, 3), maximum.reshape(batch_shape)


def _floating(poses):
    poses = np.asarray(poses)
    return poses if np.issubdtype(poses.dtype, np.floating) else poses.astype(np.float64)


def _mean_weights(mask, num_joints):
    if mask is None:
        return np.full((1, num_joints), 1.0 / num_joints)
    return (mask / mask.sum(axis=-1, keepdims=True))[..., None, :]


def _largest_root(cofactors_sq, determinant):
    """Largest root of (L^2 - 1)^2 - 8 L determinant - 4 cofactors_sq, and the last Newton step."""
    # An upper bound (L is at most sqrt(3)), exact for planar and for isotropic covariances; from above the largest
    # root Newton's method descends monotonically.
    root = np.sqrt(1.0 + 2.0 * np.sqrt(cofactors_sq + 2.0 * np.sqrt(3.0) * np.maximum(determinant, 0.0)))
    for _ in range(_MAX_NEWTON_STEPS):
        excess = root * root - 1.0
        value = excess * excess - 8.0 * root * determinant - 4.0 * cofactors_sq
        slope = 4.0 * (root * excess - 2.0 * determinant)
        step = np.divide(value, slope, out=np.zeros_like(value), where=slope > 0)
        root -= step
        if np.abs(step).max(initial=0.0) <= _CONVERGED_STEP:
            break
    return root, step


def _rotation_by_svd(covariance):
    left, singular, right = np.linalg.svd(covariance)
    handedness = np.sign(np.linalg.det(left) * np.linalg.det(right))
    singular[:, 2] *= handedness
    left[:, :, 2] *= handedness[:, None]
    return np.matmul(left, right), singular.sum(axis=-1)


def _cross(u, v):
    return np.stack([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]])
