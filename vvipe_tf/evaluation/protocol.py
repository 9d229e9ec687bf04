"""Retrieval between cameras, between 3D and 2D, and among 3D poses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vvipe_tf.evaluation.hit_at_k import HIT_RANKS, HIT_THRESHOLD, PosePairErrors, by_rank, check_ranks, first_hit_ranks
from vvipe_tf.evaluation.neighbours import drop_own_frame, nearest_neighbours
from vvipe_tf.keypoints import COCO_13, H36M_17, KeypointProfile

# (queries, gallery, k) -> gallery indices (queries, k), nearest first.
FindNeighbours = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class RetrievalResult:
    """Hit@k of one embedding on one gallery.

    Args:
        ks: Ranks.
        comparisons: What was compared, one label per row of `hits`: `"0->1"` is camera 0 searching in camera 1.
        hits: Hit@k in [0, 1] (comparisons, ranks).
        first_errors: Mean NP-MPJPE of the first neighbour in torso units (comparisons,).
        gallery_size: Gallery items that a query is compared with.
        threshold: Largest NP-MPJPE of a match in torso units.
    """

    ks: tuple[int, ...]
    comparisons: tuple[str, ...]
    hits: np.ndarray
    first_errors: np.ndarray
    gallery_size: int
    threshold: float

    @property
    def hit_at_k(self) -> dict[int, float]:
        """Mean Hit@k over the comparisons."""
        return dict(zip(self.ks, self.hits.mean(axis=0).tolist(), strict=True))

    @property
    def first_neighbour_error(self) -> float:
        """Mean NP-MPJPE of the first neighbour in torso units."""
        return float(self.first_errors.mean())

    def to_dict(self) -> dict:
        """The result as JSON-ready values; ranks become strings."""
        return {
            "hit_at_k": by_rank(self.hit_at_k),
            "first_neighbour_np_mpjpe": self.first_neighbour_error,
            "gallery_size": self.gallery_size,
            "threshold": self.threshold,
            "comparisons": {
                label: {"hit_at_k": by_rank(dict(zip(self.ks, row, strict=True))), "first_neighbour_np_mpjpe": error}
                for label, row, error in zip(
                    self.comparisons, self.hits.tolist(), self.first_errors.tolist(), strict=True
                )
            },
        }


def metric_profiles(profile: KeypointProfile) -> tuple[KeypointProfile, ...]:
    """Joints that NP-MPJPE is taken over, the one to publish first: 17 where the data have them, and 13.

    Raises:
        ValueError: If the profile does not even map to COCO_13.
    """
    profile.sources_to(COCO_13)
    try:
        profile.sources_to(H36M_17)
    except ValueError:
        return (COCO_13,)
    return (H36M_17, COCO_13)


def evaluate_retrieval(
    embeddings: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    metric_poses: np.ndarray | PosePairErrors,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
    find_neighbours: FindNeighbours = nearest_neighbours,
) -> RetrievalResult:
    """Hit@k between cameras: every frame of the first camera searches in all frames of the second.

    Args:
        embeddings: Embeddings (cameras, N, ...) of the same N poses in every camera; (cameras, N, embedding_dim) for
            the neighbours by L2.
        pairs: Ordered (query, gallery) camera indices.
        metric_poses: Poses (N, joints, 3) in torso units, or errors between them to share with other calls.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.
        find_neighbours: Nearest neighbours among embeddings; those by L2 unless the model has a distance of its own.

    Returns:
        One comparison per pair, `"query->gallery"`.

    Raises:
        ValueError: If shapes do not fit, a camera does not exist, or a rank exceeds the gallery.
    """
    pose_errors = _shared_errors(metric_poses)
    check_ranks(ks, len(pose_errors.poses))
    if np.ndim(embeddings) < 3 or np.shape(embeddings)[1] != len(pose_errors.poses):
        raise ValueError(
            f"Expected embeddings of shape (cameras, {len(pose_errors.poses)}, embedding_dim), one per metric pose and "
            f"camera. Received: shape={np.shape(embeddings)}"
        )
    return score_answers(find_answers(embeddings, pairs, max(ks), find_neighbours), pairs, pose_errors, ks, threshold)


def find_answers(
    embeddings: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    k: int,
    find_neighbours: FindNeighbours = nearest_neighbours,
) -> np.ndarray:
    """The search of `evaluate_retrieval` alone, for those who score the same answers by several metrics.

    Args:
        embeddings: Embeddings (cameras, N, ...) of the same N poses in every camera.
        pairs: Ordered (query, gallery) camera indices.
        k: Answers to each query.
        find_neighbours: Nearest neighbours among embeddings.

    Returns:
        Frames (pairs, N, k) int32, nearest first.

    Raises:
        ValueError: If a camera does not exist, or what `find_neighbours` raises.
    """
    embeddings = np.asarray(embeddings)
    unknown = [tuple(pair) for pair in pairs if not all(0 <= camera < len(embeddings) for camera in pair)]
    if unknown or not len(pairs):
        raise ValueError(f"Expected pairs among {len(embeddings)} cameras. Received: {unknown or 'no pair'}")
    return np.stack([find_neighbours(embeddings[a], embeddings[b], k).astype(np.int32) for a, b in pairs])


def score_answers(
    answers: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    metric_poses: np.ndarray | PosePairErrors,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
) -> RetrievalResult:
    """Hit@k of answers that are already found.

    Args:
        answers: Frames (pairs, N, k), as `find_answers` gives them.
        pairs: Ordered (query, gallery) camera indices.
        metric_poses: Poses (N, joints, 3) in torso units, or errors between them to share with other calls.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.

    Returns:
        One comparison per pair, `"query->gallery"`.

    Raises:
        ValueError: If a rank exceeds the answers.
    """
    check_ranks(ks, answers.shape[-1])
    labels = [f"{a}->{b}" for a, b in pairs]
    return _score(labels, answers, _shared_errors(metric_poses), ks, threshold, answers.shape[1])


def evaluate_cross_retrieval(
    pose_embeddings: np.ndarray,
    embeddings: np.ndarray,
    metric_poses: np.ndarray | PosePairErrors,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
) -> RetrievalResult:
    """Hit@k of true 3D poses searching among the 2D views of each camera; the own frame is in the gallery.

    Args:
        pose_embeddings: Embeddings of the 3D poses (N, embedding_dim).
        embeddings: Embeddings of the 2D views (cameras, N, embedding_dim).
        metric_poses: Poses (N, joints, 3) in torso units, or errors between them to share with other calls.
        ks: Ranks to report.
        threshold: Largest NP-MPJPE of a match in torso units.

    Returns:
        One comparison per camera, `"3d->camera"`.

    Raises:
        ValueError: As `evaluate_retrieval`.
    """
    stacked = np.concatenate([np.asarray(pose_embeddings)[None], np.asarray(embeddings)])
    pairs = [(0, camera) for camera in range(1, len(stacked))]
    result = evaluate_retrieval(stacked, pairs, metric_poses, ks, threshold)
    labels = tuple(f"3d->{camera}" for camera in range(len(stacked) - 1))
    return RetrievalResult(result.ks, labels, result.hits, result.first_errors, result.gallery_size, result.threshold)


def evaluate_pose_oracle(
    pose_embeddings: np.ndarray,
    metric_poses: np.ndarray | PosePairErrors,
    ks: Sequence[int] = HIT_RANKS,
    threshold: float = HIT_THRESHOLD,
) -> RetrievalResult:
    """Hit@k of true 3D poses searching among true 3D poses, without their own frame.

    With the own frame in the gallery the answer would always be right. Without it the result tells how well distance
    in this space ranks *other* poses; it cannot exceed `1 - ChanceResult.only_own_frame`.

    Args:
        pose_embeddings: Embeddings of the 3D poses (N, embedding_dim).
        metric_poses: Poses (N, joints, 3) in torso units, or errors between them to share with other calls.
        ks: Ranks to report, at most N - 1.
        threshold: Largest NP-MPJPE of a match in torso units.

    Returns:
        One comparison, `"3d->3d"`.

    Raises:
        ValueError: If shapes do not fit or a rank exceeds the gallery.
    """
    pose_embeddings = np.asarray(pose_embeddings)
    pose_errors = _shared_errors(metric_poses)
    frames = len(pose_errors.poses)
    if pose_embeddings.ndim != 2 or len(pose_embeddings) != frames:
        raise ValueError(
            f"Expected embeddings of shape ({frames}, embedding_dim), one per metric pose. "
            f"Received: shape={pose_embeddings.shape}"
        )
    check_ranks(ks, frames - 1)
    neighbours = nearest_neighbours(pose_embeddings, pose_embeddings, max(ks) + 1)
    answers = drop_own_frame(neighbours, np.arange(frames))[None]
    return _score(["3d->3d"], answers, pose_errors, ks, threshold, frames - 1)


def _shared_errors(metric_poses: np.ndarray | PosePairErrors) -> PosePairErrors:
    return metric_poses if isinstance(metric_poses, PosePairErrors) else PosePairErrors(metric_poses)


def _score(
    labels: list[str],
    answers: np.ndarray,
    pose_errors: PosePairErrors,
    ks: Sequence[int],
    threshold: float,
    gallery_size: int,
) -> RetrievalResult:
    """Scores answers (comparisons, N, k); all comparisons together, so that a pair of frames is aligned once."""
    queries = np.broadcast_to(np.arange(answers.shape[1]), answers.shape[:2])
    ranks = first_hit_ranks(queries, answers, pose_errors, threshold)
    return RetrievalResult(
        ks=tuple(ks),
        comparisons=tuple(labels),
        hits=np.stack([(ranks < k).mean(axis=1) for k in ks], axis=1),
        first_errors=pose_errors(queries, answers[..., 0]).mean(axis=1),
        gallery_size=gallery_size,
        threshold=threshold,
    )
