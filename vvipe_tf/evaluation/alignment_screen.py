"""NP-MPJPE of all pairs in float32, fast and a little wrong: a screen before the exact alignment of a few.

The same mathematics as `geometry.alignment.optimal_rotation` (Newton's method on Horn's quartic, then Markley's closed
form), laid out for one query against many poses: covariances and turned queries by matrix products, all else
element-wise over the pairs.
"""

from typing import NamedTuple

import numpy as np

# Largest error of what is not NaN, for poses of norm 1; the tests find a twentieth of it.
TOLERANCE = 1e-4
# Where a rotation is determined too poorly for float32 to stay within the tolerance.
_MIN_SEPARATION = 0.03
_MIN_NORM = 0.1
_NEWTON_STEPS = 6
_CONVERGED_STEP = 1e-5
_PAIRS_PER_CHUNK = 8192


class ScreeningTable(NamedTuple):
    """Poses, centred and of norm 1, float32, in the layouts that the screen reads.

    Attributes:
        by_joint: (joints, 3 poses), coordinate after coordinate.
        by_coordinate: (joints, 3, poses).
    """

    by_joint: np.ndarray
    by_coordinate: np.ndarray


def screening_table(poses: np.ndarray) -> ScreeningTable:
    """Prepares poses (n, joints, 3) as answers."""
    by_coordinate = np.ascontiguousarray(_normalised(poses).transpose(1, 2, 0))
    return ScreeningTable(by_coordinate.reshape(len(by_coordinate), -1), by_coordinate)


def screen_alignments(queries: np.ndarray, table: ScreeningTable) -> np.ndarray:
    """Mean joint distance of each answer, aligned onto each query, in units of the query's norm.

    Args:
        queries: Poses (queries, joints, 3), finite.
        table: Answers.

    Returns:
        (queries, answers) float32, at most TOLERANCE wrong; NaN where float32 does not determine the rotation.
    """
    queries, num_answers = _normalised(queries), table.by_coordinate.shape[2]
    rows = max(1, _PAIRS_PER_CHUNK // num_answers)
    screened = np.empty((len(queries), num_answers), np.float32)
    turned = np.empty_like(table.by_joint)
    for start in range(0, len(queries), rows):
        block = queries[start : start + rows]
        covariance = block.transpose(0, 2, 1).reshape(-1, block.shape[1]) @ table.by_joint
        # Rows by the coordinate of the query, columns by that of the answer: (3, 3, block, answers).
        covariance = np.ascontiguousarray(covariance.reshape(len(block), 3, 3, -1).transpose(1, 2, 0, 3))
        rotation, scale = _best_similarities(covariance)
        # The query is brought onto the answers, which stay where they are, and the distance is scaled back.
        rotation /= scale
        for row, query in enumerate(block):
            np.matmul(query, rotation[:, :, row].reshape(3, -1), out=turned)
            screened[start + row] = _mean_distances(turned.reshape(table.by_coordinate.shape), table.by_coordinate)
        screened[start : start + len(block)] *= scale
    return screened


def _best_similarities(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (3, 3, ...) of the rows' pose onto the columns', NaN where poorly determined, and scales (...)."""
    norm = np.sqrt(_dot(covariance.reshape(9, *covariance.shape[2:])))
    entries = covariance / np.where(norm < _MIN_NORM, np.float32(np.inf), norm)
    first, second, third = entries
    cofactors = np.stack([_cross(second, third), _cross(third, first), _cross(first, second)])
    determinant = _dot(first, cofactors[0])
    cofactors_sq = _dot(cofactors.reshape(9, *norm.shape))
    root = np.sqrt(1.0 + 2.0 * np.sqrt(cofactors_sq + np.float32(2 * np.sqrt(3)) * np.maximum(determinant, 0.0)))
    for _ in range(_NEWTON_STEPS):
        excess = root * root - 1.0
        slope = 4.0 * (root * excess - 2.0 * determinant)
        step = (excess * excess - 8.0 * root * determinant - 4.0 * cofactors_sq) / np.maximum(slope, _MIN_SEPARATION)
        root -= step
    kappa = 0.5 * (root * root - 1.0)
    separation = kappa * root - determinant
    hard = (separation < _MIN_SEPARATION) | (np.abs(step) > _CONVERGED_STEP) | (norm < _MIN_NORM)
    gram = np.einsum("ik...,jk...->ij...", entries, entries)
    cofactors *= root
    cofactors -= np.einsum("ij...,jk...->ik...", gram, entries)
    entries *= kappa + 1.0
    entries += cofactors
    scale = root * norm
    entries /= np.where(hard, np.float32(np.nan), separation)
    return entries, scale


def _mean_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean distances (n,) of joints (joints, 3, n); overwrites `a`."""
    a -= b
    np.square(a, out=a)
    squared = a[:, 0]
    squared += a[:, 1]
    squared += a[:, 2]
    return np.sqrt(squared, out=squared).mean(axis=0)


def _normalised(poses: np.ndarray) -> np.ndarray:
    """Centred poses of norm 1 in float32; a pose without extent is 0."""
    poses = poses - poses.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(poses, axis=(1, 2), keepdims=True)
    return np.divide(poses, norms, out=np.zeros_like(poses), where=norms > 0).astype(np.float32)


def _dot(u: np.ndarray, v: np.ndarray | None = None) -> np.ndarray:
    """Inner product over the first axis."""
    product = u * (u if v is None else v)
    return product.sum(axis=0)


def _cross(u, v):
    return np.stack([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]])
