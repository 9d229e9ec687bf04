"""Hit@k: how often one of the k nearest embeddings shows a pose that matches the query's.

Protocol of PR-VIPE (Sun et al., ECCV 2020), section 4.2 of the V-VIPE paper. Two poses match when their NP-MPJPE is at
most 0.1 torso units: similarity Procrustes (rotation, scale, translation, no reflection) of the answer onto the query,
then the mean joint distance. The alignment minimises squared distances and the scale belongs to the answer, so
NP-MPJPE(a, b) and NP-MPJPE(b, a) differ slightly: the query is always the target.

Query and gallery are seen by different cameras, so the query's own frame in the gallery is a legitimate answer and
stays in. Where both come from one source (3D against 3D), drop it with `neighbours.drop_own_frame`: cutting off rank 0
instead is wrong as soon as the gallery holds a duplicate, which may come first.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from vvipe_tf.geometry.pose_error import paired_p_mpjpe

HIT_RANKS = (1, 5, 10, 20)
HIT_THRESHOLD = 0.1


class PosePairErrors:
    """NP-MPJPE between poses, each ordered (query, answer) pair aligned once and remembered.

    The same pairs of frames recur between camera pairs; a pose against itself costs nothing. The memory is 16 bytes a
    pair.

    Args:
        poses: Metric poses (poses, joints, 3) in torso units, any orientation.

    Raises:
        ValueError: If the shape is wrong.
    """

    def __init__(self, poses: np.ndarray):
        """Starts with no pair known."""
        poses = np.asarray(poses, dtype=np.float64)
        if poses.ndim != 3 or poses.shape[-1] != 3:
            raise ValueError(f"Expected poses of shape (poses, joints, 3). Received: shape={poses.shape}")
        self.poses = poses
        self._pairs = np.empty(0, dtype=np.int64)
        self._errors = np.empty(0, dtype=np.float64)

    def __len__(self) -> int:
        """Number of pairs aligned so far."""
        return len(self._pairs)

    def __call__(self, queries: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """NP-MPJPE of each answer, aligned onto its query.

        Args:
            queries: Pose indices, any shape.
            answers: Pose indices of the same shape.

        Returns:
            Errors of that shape in torso units.
        """
        queries, answers = np.broadcast_arrays(queries, answers)
        errors = np.zeros(queries.shape)
        different = queries != answers
        codes = queries[different].astype(np.int64) * len(self.poses) + answers[different]
        pairs, inverse = np.unique(codes, return_inverse=True)
        errors[different] = self._recall(pairs)[inverse]
        return errors

    def _recall(self, pairs: np.ndarray) -> np.ndarray:
        """Errors of ascending pairs (pairs,); those not known yet are aligned and kept."""
        places = np.searchsorted(self._pairs, pairs)
        known = places < len(self._pairs)
        known[known] = self._pairs[places[known]] == pairs[known]
        errors = np.empty(len(pairs))
        errors[known] = self._errors[places[known]]
        new = ~known
        if new.any():
            query, answer = np.divmod(pairs[new], len(self.poses))
            errors[new] = paired_p_mpjpe(self.poses, answer, self.poses, query)
            self._pairs = np.insert(self._pairs, places[new], pairs[new])
            self._errors = np.insert(self._errors, places[new], errors[new])
        return errors


def first_hit_ranks(
    queries: np.ndarray, answers: np.ndarray, pose_errors: PosePairErrors, threshold: float = HIT_THRESHOLD
) -> np.ndarray:
    """Rank of the first answer that matches its query; a query that has its hit needs no further alignment.

    Args:
        queries: Pose index of each query (...).
        answers: Pose indices of its answers (..., k), nearest first.
        pose_errors: Errors between the poses.
        threshold: Largest NP-MPJPE of a match in torso units.

    Returns:
        Rank (...) int64 counted from 0; k where no answer matches.

    Raises:
        ValueError: If the shapes do not fit.
    """
    queries, answers = np.asarray(queries), np.asarray(answers)
    if answers.shape[:-1] != queries.shape:
        raise ValueError(f"Expected answers of shape {queries.shape} + (k,). Received: shape={answers.shape}")
    k = answers.shape[-1]
    flat_queries, flat_answers = queries.reshape(-1), answers.reshape(-1, k)
    ranks = np.full(flat_queries.shape, k, dtype=np.int64)
    unanswered = np.arange(len(ranks))
    for rank in range(k):
        hit = pose_errors(flat_queries[unanswered], flat_answers[unanswered, rank]) <= threshold
        ranks[unanswered[hit]] = rank
        unanswered = unanswered[~hit]
    return ranks.reshape(queries.shape)


def hit_at_k(
    neighbours: np.ndarray,
    query_ids: np.ndarray,
    gallery_ids: np.ndarray,
    poses: np.ndarray | PosePairErrors,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
) -> dict[int, float]:
    """Share of queries with a match among their k nearest gallery items.

    Args:
        neighbours: Gallery indices (queries, k), nearest first, as `neighbours.nearest_neighbours` gives them.
        query_ids: Pose index of each query (queries,).
        gallery_ids: Pose index of each gallery item (gallery,).
        poses: Metric poses (poses, joints, 3) in torso units, or errors between them to share with other calls.
        ks: Ranks to report; none larger than the number of neighbours.
        threshold: Largest NP-MPJPE of a match in torso units.

    Returns:
        Hit@k in [0, 1] for every k of `ks`.

    Raises:
        ValueError: If the shapes do not fit or a rank is out of range.
    """
    neighbours = np.asarray(neighbours)
    check_ranks(ks, neighbours.shape[-1])
    pose_errors = poses if isinstance(poses, PosePairErrors) else PosePairErrors(poses)
    ranks = first_hit_ranks(query_ids, np.asarray(gallery_ids)[neighbours], pose_errors, threshold)
    return {k: float(np.mean(ranks < k)) for k in ks}


def check_ranks(ks: Sequence[int], largest: int) -> None:
    """Raises `ValueError` unless every rank of `ks` lies in 1 ... `largest`."""
    if not ks or not all(1 <= k <= largest for k in ks):
        raise ValueError(f"Expected ranks between 1 and {largest}, the number of answers. Received: {tuple(ks)}")


def by_rank(hits: Mapping[int, float]) -> dict[str, float]:
    """Hit@k with ranks as strings, the keys that JSON allows."""
    return {str(k): float(value) for k, value in hits.items()}
