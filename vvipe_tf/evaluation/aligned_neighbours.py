"""Exact nearest neighbours of 3D poses by NP-MPJPE: retrieval by lifted poses (protocol of Epipolar Pose)."""

import numpy as np

from vvipe_tf.geometry.pose_error import paired_p_mpjpe

_PAIRS_PER_BLOCK = 1 << 20


def nearest_aligned_poses(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """Nearest neighbours by the mean joint distance after the similarity alignment of the answer onto the query.

    Every pair is aligned: no bound of this distance is tight enough to spare many of them.

    Args:
        queries: Poses (queries, joints, 3).
        gallery: Poses (gallery, joints, 3).
        k: Number of neighbours, at most the size of the gallery.

    Returns:
        Gallery indices (queries, k) int64, nearest first; equal distances are ordered by gallery index.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or k is out of range.
    """
    queries, gallery = np.asarray(queries, np.float64), np.asarray(gallery, np.float64)
    if not 1 <= k <= len(gallery):
        raise ValueError(f"Expected 1 <= k <= gallery size {len(gallery)}. Received: k={k}")
    neighbours = np.empty((len(queries), k), dtype=np.int64)
    rows = max(1, _PAIRS_PER_BLOCK // len(gallery))
    for start in range(0, len(queries), rows):
        block = queries[start : start + rows]
        query, answer = (index.ravel() for index in np.indices((len(block), len(gallery))))
        errors = paired_p_mpjpe(gallery, answer, block, query).reshape(len(block), -1)
        neighbours[start : start + rows] = np.argsort(errors, axis=1, kind="stable")[:, :k]
    return neighbours
