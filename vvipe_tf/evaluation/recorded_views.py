"""Retrieval and lifting on the views of real cameras, which do not all see every frame.

For an ordered camera pair the queries and the gallery are the frames that both cameras saw. In an unthinned recording
the frames just before and after the query's are the same pose again: those of a `FrameNeighbourhood` are no answers.
The query's own frame, seen by the other camera, is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vvipe_tf.evaluation.chance import MAX_ALIGNMENTS
from vvipe_tf.evaluation.frame_neighbourhood import FrameNeighbourhood
from vvipe_tf.evaluation.hit_at_k import HIT_RANKS, HIT_THRESHOLD, PosePairErrors, by_rank, first_hit_ranks
from vvipe_tf.evaluation.neighbours import nearest_neighbours
from vvipe_tf.evaluation.protocol import FindNeighbours
from vvipe_tf.geometry.pose_error import paired_p_mpjpe

Pairs = Sequence[tuple[int, int]]


class TooFewCandidatesError(ValueError):
    """Too few frames were seen by two cameras for a query to have candidates to choose from."""


@dataclass(frozen=True, eq=False)
class RecordedRetrieval:
    """Hit@k between recorded cameras.

    Args:
        ks: Ranks.
        pairs: Ordered (query, gallery) camera indices, one per row of `hits`.
        hits: Hit@k in [0, 1] (pairs, ranks).
        queries: Queries of each pair (pairs,).
        gallery_sizes: Mean number of candidates of a query (pairs,).
        threshold: Largest NP-MPJPE of a match in torso units.
        first_errors: Mean NP-MPJPE of the first neighbour in torso units (pairs,); None for chance.
    """

    ks: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    hits: np.ndarray
    queries: np.ndarray
    gallery_sizes: np.ndarray
    threshold: float
    first_errors: np.ndarray | None = None

    def over(self, pairs: Pairs) -> "RecordedRetrieval":
        """The same for some of the pairs; those that were not measured are left out.

        Raises:
            ValueError: If none of them was measured.
        """
        rows = [row for row, pair in enumerate(self.pairs) if pair in set(pairs)]
        if not rows:
            raise ValueError("Expected a camera pair with frames that both cameras saw. Received: none")
        return replace(
            self,
            pairs=tuple(self.pairs[row] for row in rows),
            hits=self.hits[rows],
            queries=self.queries[rows],
            gallery_sizes=self.gallery_sizes[rows],
            first_errors=None if self.first_errors is None else self.first_errors[rows],
        )

    def to_dict(self) -> dict:
        """Means over the pairs as JSON-ready values; ranks become strings."""
        means = {
            "hit_at_k": by_rank(dict(zip(self.ks, self.hits.mean(axis=0), strict=True))),
            "pairs": len(self.pairs),
            "queries": float(self.queries.mean()),
            "gallery_size": float(self.gallery_sizes.mean()),
            "threshold": self.threshold,
        }
        if self.first_errors is not None:
            means["first_neighbour_np_mpjpe"] = float(self.first_errors.mean())
        return means


def usable_ranks(seen: np.ndarray, pairs: Pairs, nearby: FrameNeighbourhood) -> tuple[int, ...]:
    """Ranks of Hit@k below the number of candidates in at least half of the pairs.

    Args:
        seen: Which views there are (cameras, N).
        pairs: Ordered (query, gallery) camera indices.
        nearby: Frames that are no answers.

    Raises:
        TooFewCandidatesError: If there is no such rank.
    """
    sizes = [_candidates(seen[a] & seen[b], nearby)[1] for a, b in pairs]
    least = np.median([each.min() if len(each) else 0 for each in sizes])
    ks = tuple(k for k in HIT_RANKS if k < least)
    if not ks:
        raise TooFewCandidatesError(
            "Expected at least 2 candidates a query in half of the camera pairs. "
            f"Received: {len(pairs)} pairs, {int(seen.any(axis=0).sum())} frames"
        )
    return ks


def evaluate_recorded_retrieval(
    embeddings: np.ndarray,
    seen: np.ndarray,
    pairs: Pairs,
    metric_poses: PosePairErrors,
    nearby: FrameNeighbourhood,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
    find_neighbours: FindNeighbours = nearest_neighbours,
) -> RecordedRetrieval:
    """Hit@k between cameras over the frames that both saw.

    Args:
        embeddings: Embeddings (cameras, N, ...); anything where there is no view.
        seen: Which views there are (cameras, N).
        pairs: Ordered (query, gallery) camera indices; those with a query of fewer candidates than the largest rank
            are left out of the result.
        metric_poses: Errors between the N poses.
        nearby: Frames that are no answers.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.
        find_neighbours: Gallery indices (queries, k) of the nearest of a gallery, nearest first.

    Returns:
        One row for each pair measured.

    Raises:
        ValueError: If no pair has enough candidates, or an embedding of a view is not finite.
    """
    measured = []
    for a, b in pairs:
        frames, sizes = _candidates(seen[a] & seen[b], nearby)
        if sizes.min(initial=len(frames)) < max(ks):
            continue
        # With so many neighbours enough remain, however many of them lie in the neighbourhood.
        asked = max(ks) + len(frames) - int(sizes.min())
        answers = frames[find_neighbours(embeddings[a, frames], embeddings[b, frames], asked)]
        order = np.argsort(nearby.holds(frames[:, None], answers), axis=1, kind="stable")
        answers = np.take_along_axis(answers, order[:, : max(ks)], axis=1)
        ranks = first_hit_ranks(frames, answers, metric_poses, threshold)
        hits = [np.mean(ranks < k) for k in ks]
        measured.append(((a, b), hits, len(frames), sizes.mean(), metric_poses(frames, answers[:, 0]).mean()))
    return _gathered(measured, ks, threshold)


def evaluate_recorded_oracle(
    pose_embeddings: np.ndarray,
    metric_poses: PosePairErrors,
    nearby: FrameNeighbourhood,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
) -> RecordedRetrieval:
    """Hit@k of true 3D poses searching among the other true 3D poses, their own frame being no answer.

    Args:
        pose_embeddings: Embeddings of the 3D poses (N, embedding_dim).
        metric_poses: Errors between the N poses.
        nearby: Frames that are no answers.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.

    Returns:
        One row, pair (0, 0).

    Raises:
        ValueError: If a pose has fewer candidates than the largest rank.
    """
    everywhere = np.ones((1, len(pose_embeddings)), dtype=bool)
    others = replace(nearby, with_own=True)
    return evaluate_recorded_retrieval(
        np.asarray(pose_embeddings)[None], everywhere, [(0, 0)], metric_poses, others, ks, threshold
    )


def evaluate_recorded_chance(
    seen: np.ndarray,
    pairs: Pairs,
    metric_poses: PosePairErrors,
    nearby: FrameNeighbourhood,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
    max_alignments: int = MAX_ALIGNMENTS,
    seed: int = 0,
) -> RecordedRetrieval:
    """Expected Hit@k of each pair's gallery in random order.

    A query with m matches among its n candidates hits at k with probability 1 - C(n - m, k) / C(n, k). Every frame is
    a query when N^2 alignments are allowed, else a random sample.

    Args:
        seen: Which views there are (cameras, N).
        pairs: Ordered (query, gallery) camera indices.
        metric_poses: Errors between the N poses.
        nearby: Frames that are no answers.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.
        max_alignments: Alignments to spend.
        seed: Seed of the sample.

    Returns:
        One row for each pair that `evaluate_recorded_retrieval` measures; `queries` are those counted.

    Raises:
        ValueError: If no pair has enough candidates.
    """
    poses = metric_poses.poses
    sample = np.arange(len(poses))
    if len(poses) ** 2 > max_alignments:
        count = max(1, max_alignments // len(poses))
        sample = np.sort(np.random.default_rng(seed).choice(len(poses), count, replace=False))
    matches = np.stack([_matches(poses, query, threshold) for query in sample])
    measured = []
    for a, b in pairs:
        both = seen[a] & seen[b]
        frames, sizes = _candidates(both, nearby)
        counted = both[sample]
        if sizes.min(initial=len(frames)) < max(ks) or not counted.any():
            continue
        answers = ~nearby.holds(sample[counted, None], frames)
        found = (matches[counted][:, frames] & answers).sum(axis=1)
        hits = _random_hits(found, answers.sum(axis=1), ks)
        measured.append(((a, b), hits, len(found), sizes.mean(), np.nan))
    return replace(_gathered(measured, ks, threshold), first_errors=None)


def _candidates(both: np.ndarray, nearby: FrameNeighbourhood) -> tuple[np.ndarray, np.ndarray]:
    """Pose indices that both cameras saw, and for each of them how many of them may answer it."""
    frames = np.flatnonzero(both)
    return frames, len(frames) - nearby.sizes(frames)


def _matches(poses: np.ndarray, query: int, threshold: float) -> np.ndarray:
    """Which poses (N,) match the query; it matches itself, whatever rounding leaves of its error."""
    everything = np.arange(len(poses))
    errors = paired_p_mpjpe(poses, everything, poses, np.full(len(poses), query))
    return (errors <= threshold) | (everything == query)


def _random_hits(matches: np.ndarray, candidates: np.ndarray, ks: Sequence[int]) -> list[float]:
    """Expected Hit@k of queries (q,) with so many matches among so many candidates, in random order."""
    # C(n - m, k) / C(n, k) = prod_{t < k} (n - m - t) / (n - t); the product is 0 once it runs out of misses.
    drawn = np.arange(max(ks))
    misses = np.maximum((candidates - matches)[:, None] - drawn, 0)
    miss = np.cumprod(misses / (candidates[:, None] - drawn), axis=1)
    return [1 - miss[:, k - 1].mean() for k in ks]


def _gathered(measured: list[tuple], ks: Sequence[int], threshold: float) -> RecordedRetrieval:
    if not measured:
        raise TooFewCandidatesError(
            f"Expected a camera pair with more than {max(ks)} frames that both cameras saw and that may answer each "
            "other. Received: none"
        )
    pairs, hits, queries, sizes, errors = zip(*measured, strict=True)
    return RecordedRetrieval(
        tuple(ks), pairs, np.array(hits), np.array(queries), np.array(sizes), threshold, np.array(errors)
    )
