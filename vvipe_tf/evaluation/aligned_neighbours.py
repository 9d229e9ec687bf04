"""Exact nearest neighbours of 3D poses by NP-MPJPE: retrieval by lifted poses (protocol of Epipolar Pose)."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from vvipe_tf.evaluation.alignment_screen import TOLERANCE, screen_alignments, screening_table
from vvipe_tf.geometry.pose_error import paired_p_mpjpe

_QUERIES_PER_BLOCK = 128
# Poses whose table stays in the cache while a query is compared with them.
_GALLERY_PER_BLOCK = 2048
_MAX_THREADS = 8


def nearest_aligned_poses(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """Nearest neighbours by the mean joint distance after the similarity alignment of the answer onto the query.

    Every pair is aligned in float32, since no bound of this distance is tight enough to spare many of them; those that
    may be among the k nearest, whatever rounding did, are aligned again in float64.

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
    paired_p_mpjpe(gallery, [], queries, [])  # Checks both.
    tables = [
        screening_table(gallery[start : start + _GALLERY_PER_BLOCK])
        for start in range(0, len(gallery), _GALLERY_PER_BLOCK)
    ]
    neighbours = np.empty((len(queries), k), dtype=np.int64)

    def fill(start):
        block = queries[start : start + _QUERIES_PER_BLOCK]
        screened = np.hstack([screen_alignments(block, table) for table in tables])
        # NaN, where float32 says nothing, counts as far among the limits and as near among the candidates.
        limits = np.partition(np.where(np.isnan(screened), np.inf, screened), k - 1, axis=1)[:, k - 1]
        query, answer = np.nonzero(~(screened > limits[:, None] + 2 * TOLERANCE))
        errors = paired_p_mpjpe(gallery, answer, block, query, num_threads=1)
        order = np.lexsort((answer, errors, query))
        first = np.searchsorted(query, np.arange(len(block)))
        neighbours[start : start + len(block)] = answer[order[first[:, None] + np.arange(k)]]

    # A thread a block, BLAS on one: products this small are slower on several.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        for _ in pool.map(fill, range(0, len(queries), _QUERIES_PER_BLOCK)):  # Raises here what a block raised.
            pass
    return neighbours
