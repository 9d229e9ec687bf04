"""What a gallery gives away for nothing: Hit@k of a random order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vvipe_tf.evaluation.hit_at_k import HIT_RANKS, HIT_THRESHOLD, PosePairErrors, by_rank, check_ranks
from vvipe_tf.geometry.pose_error import paired_p_mpjpe

MAX_ALIGNMENTS = 2500 * 2500
_BLOCK_ALIGNMENTS = 1 << 18


@dataclass(frozen=True)
class ChanceResult:
    """What a gallery gives away for nothing.

    Args:
        hit_at_k: Expected Hit@k of a gallery in random order, in [0, 1].
        mean_matches: Mean number of gallery poses that match a query, its own frame among them.
        only_own_frame: Share of the queries that nothing but their own frame matches.
        gallery_size: Gallery items.
        queries: Queries counted; all of them when equal to `gallery_size`.
        threshold: Largest NP-MPJPE of a match in torso units.
    """

    hit_at_k: dict[int, float]
    mean_matches: float
    only_own_frame: float
    gallery_size: int
    queries: int
    threshold: float

    def to_dict(self) -> dict:
        """The result as JSON-ready values; ranks become strings."""
        return {
            "hit_at_k": by_rank(self.hit_at_k),
            "mean_matches": self.mean_matches,
            "only_own_frame": self.only_own_frame,
            "gallery_size": self.gallery_size,
            "queries": self.queries,
            "threshold": self.threshold,
        }


def evaluate_chance(
    metric_poses: np.ndarray,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
    max_alignments: int = MAX_ALIGNMENTS,
    seed: int = 0,
) -> ChanceResult:
    """Expected Hit@k of a random gallery order, from how many gallery poses match each query.

    A query with m matches among n gallery poses hits at k with probability 1 - C(n - m, k) / C(n, k)
    (hypergeometric). Every query is counted when N^2 alignments are allowed, else a random sample of the queries, each
    against the whole gallery.

    Args:
        metric_poses: Poses (N, joints, 3) in torso units: queries and gallery alike.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.
        max_alignments: Alignments to spend.
        seed: Seed of the sample.

    Returns:
        Chance, and how many queries it was counted on.

    Raises:
        ValueError: If the shape is wrong or a rank exceeds the gallery.
    """
    poses = PosePairErrors(metric_poses).poses
    size = len(poses)
    check_ranks(ks, size)
    queries = np.arange(size)
    if size * size > max_alignments:
        count = max(1, max_alignments // size)
        queries = np.sort(np.random.default_rng(seed).choice(size, count, replace=False))
    matches = _count_matches(poses, queries, threshold)
    # 1 - C(n - m, k) / C(n, k) = 1 - prod_{t < k} (n - m - t) / (n - t); the product is 0 once it runs out of misses.
    drawn = np.arange(max(ks))
    miss = np.cumprod(np.maximum(size - matches[:, None] - drawn, 0) / (size - drawn), axis=1)
    return ChanceResult(
        hit_at_k={k: float(1 - miss[:, k - 1].mean()) for k in ks},
        mean_matches=float(matches.mean()),
        only_own_frame=float(np.mean(matches == 1)),
        gallery_size=size,
        queries=len(queries),
        threshold=threshold,
    )


def _count_matches(poses: np.ndarray, queries: np.ndarray, threshold: float) -> np.ndarray:
    size = len(poses)
    matches = np.empty(len(queries), dtype=np.int64)
    rows = max(1, _BLOCK_ALIGNMENTS // size)
    for start in range(0, len(queries), rows):
        block = queries[start : start + rows]
        answer = np.tile(np.arange(size), len(block))
        query = np.repeat(block, size)
        # A frame matches itself by definition, whatever rounding leaves of its error.
        within = (paired_p_mpjpe(poses, answer, poses, query) <= threshold) | (query == answer)
        matches[start : start + rows] = within.reshape(len(block), size).sum(axis=1)
    return matches
