"""Errors between poses: MPJPE and its aligned forms, PCK and AUC, for one, for all, and for chosen pairs."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vvipe_tf.geometry.alignment import apply_similarity, checked_poses, optimal_rotation, procrustes

# Temporaries of up to 1 MB a chunk: larger ones cost fresh pages each time, smaller ones Python's overhead.
_PAIRS_PER_CHUNK = 2048
_CACHED_ELEMENTS = 2**15


def mpjpe(a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Mean per-joint position error, without any alignment.

    Args:
        a: Poses (..., joints, 3), any unit.
        b: Poses (..., joints, 3), same unit; leading dimensions broadcast.
        mask: Visibility (..., joints), boolean or {0, 1}; missing joints do not count. None for all.

    Returns:
        Errors (...) in the unit of the poses.

    Raises:
        ValueError: If the shapes do not fit, a pose has no visible joint, or a visible joint is not finite.
    """
    a, b, mask = checked_poses(a, b, mask)
    return _masked_mean(_joint_distances(a, b), mask)


def n_mpjpe(a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """MPJPE after the optimal scale of `a`; both poses are root-centred by the caller.

    The scale minimises the squared distance and is never negative, since that would mirror the pose. A pose without
    extent keeps scale 1.

    Args:
        a: Root-centred poses (..., joints, 3), any unit.
        b: Root-centred poses (..., joints, 3); leading dimensions broadcast.
        mask: Visibility (..., joints), boolean or {0, 1}; missing joints do not count. None for all.

    Returns:
        Errors (...) in the unit of `b`.

    Raises:
        ValueError: If the shapes do not fit, a pose has no visible joint, or a visible joint is not finite.
    """
    a, b, mask = checked_poses(a, b, mask)
    overlap = np.maximum(np.einsum("...jd,...jd->...", a, b), 0)
    extent = np.broadcast_to(np.einsum("...jd,...jd->...", a, a), overlap.shape)
    scale = np.divide(overlap, extent, out=np.ones_like(overlap), where=extent > 0)
    return _masked_mean(_joint_distances(scale[..., None, None] * a, b), mask)


def p_mpjpe(a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """MPJPE after the similarity Procrustes alignment of `a` onto `b` (no reflection).

    With poses in torso units this is the NP-MPJPE of PR-VIPE.

    Args:
        a: Poses (..., joints, 3), any unit.
        b: Poses (..., joints, 3); leading dimensions broadcast.
        mask: Visibility (..., joints), boolean or {0, 1}; missing joints do not count. None for all.

    Returns:
        Errors (...) in the unit of `b`, float64.

    Raises:
        ValueError: If the shapes do not fit, a pose has no visible joint, or a visible joint is not finite.
    """
    a, b, mask = checked_poses(a, b, mask)
    return _masked_mean(_joint_distances(apply_similarity(a, procrustes(a, b, mask)), b), mask)


def paired_p_mpjpe(poses_a: np.ndarray, index_a, poses_b: np.ndarray, index_b, num_threads: int | None = None):
    """`p_mpjpe(poses_a[index_a], poses_b[index_b])` for many pairs: in chunks, on several threads.

    Args:
        poses_a: Poses (n, joints, 3).
        index_a: Indices into `poses_a` (pairs,).
        poses_b: Poses (m, joints, 3).
        index_b: Indices into `poses_b` (pairs,).
        num_threads: Threads; None for one each processor, at most 8.

    Returns:
        Errors (pairs,) in the unit of `poses_b`, float64.

    Raises:
        ValueError: If the shapes do not fit, an index is out of range, or a pose of a pair is not finite.
    """
    centred_a, centred_b = _centred_poses(poses_a), _centred_poses(poses_b)
    if centred_a.shape[1] != centred_b.shape[1]:
        raise ValueError(f"Expected as many joints in a as in b. Received: {centred_a.shape} and {centred_b.shape}")
    index_a, index_b = _checked_index(index_a, len(centred_a)), _checked_index(index_b, len(centred_b))
    if index_a.shape != index_b.shape:
        raise ValueError(f"Expected as many indices in a as in b. Received: {len(index_a)} and {len(index_b)}")
    extent = np.einsum("njd,njd->n", centred_a, centred_a)
    extent[extent == 0] = 1.0
    errors = np.empty(len(index_a))

    def fill(start):
        pairs = slice(start, start + _PAIRS_PER_CHUNK)
        chosen = index_a[pairs]
        a, b = centred_a.take(chosen, axis=0), centred_b.take(index_b[pairs], axis=0)
        rotation, alignment = optimal_rotation(np.matmul(np.swapaxes(a, 1, 2), b))
        rotation *= (alignment / extent[chosen])[:, None, None]
        errors[pairs] = _joint_distances(np.matmul(a, rotation), b).mean(axis=-1)

    with ThreadPoolExecutor(num_threads or min(os.cpu_count() or 1, 8)) as pool:
        for _ in pool.map(fill, range(0, len(errors), _PAIRS_PER_CHUNK)):  # Raises here what a chunk raised.
            pass
    return errors


def pairwise_mpjpe(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MPJPE between every pose of `a` and every pose of `b`; memory (n, m), accumulated over joints.

    Args:
        a: Poses (n, joints, 3), any unit.
        b: Poses (m, joints, 3), same unit.

    Returns:
        Errors (n, m) in the unit of the poses, of their floating dtype.

    Raises:
        ValueError: If the shapes do not fit or a pose is not finite.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 3 or b.ndim != 3:
        raise ValueError(f"Expected poses of shape (n, joints, 3). Received: shapes={a.shape} and {b.shape}")
    a, b, _ = checked_poses(a[:, None], b[None])
    a, b = a[:, 0], b[0]
    # One contiguous row of b for each coordinate, and blocks of a whose temporaries stay in the cache.
    columns = np.ascontiguousarray(b.transpose(1, 2, 0))
    errors = np.zeros((len(a), len(b)), dtype=np.result_type(a, b))
    rows = max(1, _CACHED_ELEMENTS // max(1, len(b)))
    for start in range(0, len(a), rows):
        block = a[start : start + rows, :, :, None]
        for joint in range(a.shape[1]):
            squared = np.square(block[:, joint, 0] - columns[joint, 0])
            for axis in (1, 2):
                difference = block[:, joint, axis] - columns[joint, axis]
                squared += np.square(difference, out=difference)
            errors[start : start + rows] += np.sqrt(squared, out=squared)
    errors /= a.shape[1]
    return errors


def pck(a: np.ndarray, b: np.ndarray, threshold: float, mask: np.ndarray | None = None) -> np.ndarray:
    """Share of joints that lie within `threshold` of their true place.

    Args:
        a: Poses (..., joints, 3), any unit.
        b: Poses (..., joints, 3), same unit; leading dimensions broadcast.
        threshold: Largest distance that counts (150 mm for MPI-INF-3DHP), unit of the poses.
        mask: Visibility (..., joints), boolean or {0, 1}; missing joints do not count. None for all.

    Returns:
        Shares (...) in [0, 1].

    Raises:
        ValueError: If the shapes do not fit, a pose has no visible joint, or a visible joint is not finite.
    """
    return auc(a, b, (threshold,), mask)


def auc(a: np.ndarray, b: np.ndarray, thresholds, mask: np.ndarray | None = None) -> np.ndarray:
    """Mean of `pck` over thresholds (0 to 150 mm in steps of 5 for MPI-INF-3DHP).

    Args:
        a: Poses (..., joints, 3), any unit.
        b: Poses (..., joints, 3), same unit; leading dimensions broadcast.
        thresholds: Largest distances that count (thresholds,), unit of the poses.
        mask: Visibility (..., joints), boolean or {0, 1}; missing joints do not count. None for all.

    Returns:
        Areas (...) in [0, 1].

    Raises:
        ValueError: If there is no threshold, the shapes do not fit, a pose has no visible joint, or a visible joint is
            not finite.
    """
    thresholds = np.sort(np.asarray(thresholds, dtype=np.float64))
    if thresholds.ndim != 1 or not len(thresholds) or not np.isfinite(thresholds).all():
        raise ValueError(f"Expected one or more finite thresholds (thresholds,). Received: {thresholds}")
    a, b, mask = checked_poses(a, b, mask)
    # A joint at distance d is within all thresholds from the first one >= d on.
    within = len(thresholds) - np.searchsorted(thresholds, _joint_distances(a, b), side="left")
    return _masked_mean(within / len(thresholds), mask)


def _centred_poses(poses):
    poses = np.asarray(poses, dtype=np.float64)
    if poses.ndim != 3 or poses.shape[1] < 1 or poses.shape[2] != 3:
        raise ValueError(f"Expected poses of shape (n, joints, 3). Received: shape={poses.shape}")
    if not np.isfinite(poses).all():
        count = int((~np.isfinite(poses).all(axis=(1, 2))).sum())
        raise ValueError(f"Expected finite poses. Received: {count} with NaN or infinite coordinates")
    return poses - poses.mean(axis=1, keepdims=True)


def _checked_index(index, size):
    index = np.asarray(index)
    if index.ndim != 1 or (len(index) and not np.issubdtype(index.dtype, np.integer)):
        raise ValueError(f"Expected integer indices of shape (pairs,). Received: {index.dtype}, shape={index.shape}")
    if len(index) and not 0 <= index.min() <= index.max() < size:
        raise ValueError(f"Expected indices from 0 to {size - 1}. Received: {index.min()} to {index.max()}")
    return index.astype(np.intp)


def _joint_distances(a, b):
    difference = a - b
    # By component: a reduction over an axis of length 3 is several times slower.
    x, y, z = difference[..., 0], difference[..., 1], difference[..., 2]
    return np.sqrt(x * x + y * y + z * z)


def _masked_mean(distances, mask):
    if mask is None:
        return distances.mean(axis=-1)
    return np.where(mask, distances, 0).sum(axis=-1) / mask.sum(axis=-1)
