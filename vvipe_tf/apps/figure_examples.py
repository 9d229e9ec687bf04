"""Chooses what Figures 5 to 7 show, by rule and not by hand: the same inputs and seed give the same examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vvipe_tf.apps.generate import ALPHAS, perturb, random_directions
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.rigs import CHEST, UNSEEN, Rig
from vvipe_tf.evaluation.hit_at_k import HIT_THRESHOLD
from vvipe_tf.evaluation.neighbours import nearest_neighbours
from vvipe_tf.geometry.pose_error import mpjpe, p_mpjpe, pairwise_mpjpe
from vvipe_tf.keypoints import COCO_13

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import TrainedModel

# Examples stand for a quantile when their error lies within this share of the data around it.
_QUANTILE_WINDOW = 0.02
_LARGEST_POOL = 60
LIFT_QUANTILES = (0.1, 0.4, 0.7, 0.95)
RETRIEVAL_QUANTILES = (0.02, 0.3, 0.5, 0.7, 0.85, 0.98)
_STARTING_QUANTILE = 0.8


@dataclass(frozen=True)
class LiftExamples:
    """Figure 5: poses lifted from the 2D keypoints of several cameras.

    Args:
        poses: True canonical poses (examples, 13, 3), torso units.
        keypoints_2d: Input keypoints (examples, cameras, 13, 2), y down.
        lifted: Decoded canonical poses (examples, cameras, 13, 3), torso units.
        errors_mm: MPJPE (examples, cameras) in millimetres.
        quantiles: Share of all poses that are easier (examples,).
    """

    poses: np.ndarray
    keypoints_2d: np.ndarray
    lifted: np.ndarray
    errors_mm: np.ndarray
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class RetrievalExamples:
    """Figure 6: queries and the nearest gallery item in another camera, from easy to hard.

    Args:
        query_keypoints: What the query's camera sees (examples, 13, 2), y down.
        query_poses: True canonical poses of the queries (examples, 13, 3), torso units.
        found_keypoints: What the gallery's camera sees (examples, 13, 2), y down.
        found_poses: True canonical poses of the answers (examples, 13, 3), torso units.
        np_mpjpe: Error after a similarity alignment (examples,), torso units; the metric of Hit@k.
        mpjpe_mm: Error between the canonical poses (examples,), millimetres of the query's body.
        same_frame: Whether the answer is the query's own moment (examples,).
        cameras: Names of the query's and the gallery's camera.
        threshold: Largest `np_mpjpe` of a hit.
    """

    query_keypoints: np.ndarray
    query_poses: np.ndarray
    found_keypoints: np.ndarray
    found_poses: np.ndarray
    np_mpjpe: np.ndarray
    mpjpe_mm: np.ndarray
    same_frame: np.ndarray
    cameras: tuple[tuple[str, str], ...]
    threshold: float


@dataclass(frozen=True)
class GenerationExample:
    """Figure 7: a pose, and what lies around it in the embedding space.

    Args:
        start: Decoded pose (13, 3) at the starting embedding, torso units.
        generated: Decoded poses (directions, alphas, 13, 3), torso units.
        alphas: Magnitudes of the noise (alphas,).
        moved: MPJPE between `start` and `generated` (directions, alphas), torso units.
    """

    start: np.ndarray
    generated: np.ndarray
    alphas: tuple[float, ...]
    moved: np.ndarray


def lift_examples(
    model: "TrainedModel",
    dataset: PoseDataset,
    seed: int,
    rig: Rig = CHEST,
    quantiles: Sequence[float] = LIFT_QUANTILES,
) -> LiftExamples:
    """Lifts every pose from every camera and takes examples at quantiles of the error, mean over cameras.

    Args:
        model: Trained model.
        dataset: Poses to choose from, at least one a quantile.
        seed: Seed of the cameras.
        rig: Cameras.
        quantiles: Share of easier poses at each example.

    Returns:
        One example a quantile.

    Raises:
        ValueError: If there are fewer poses than examples.
    """
    poses, views = dataset.canonical(COCO_13), rig.project(dataset, seed)
    lifted = model.decode(model.embed_keypoints(views.reshape(-1, *views.shape[2:]))).reshape(*views.shape[:2], -1, 3)
    errors_mm = mpjpe(lifted, poses) * dataset.torso_lengths_mm
    chosen = spread_over_errors(errors_mm.mean(axis=0), poses, quantiles)
    return LiftExamples(
        poses[chosen],
        views[:, chosen].swapaxes(0, 1),
        lifted[:, chosen].swapaxes(0, 1),
        errors_mm[:, chosen].T,
        tuple(quantiles),
    )


def retrieval_examples(
    model: "TrainedModel",
    dataset: PoseDataset,
    seed: int,
    rig: Rig = UNSEEN,
    quantiles: Sequence[float] = RETRIEVAL_QUANTILES,
) -> RetrievalExamples:
    """Lets every pose search for itself in another camera and takes examples at quantiles of the error.

    Each pose is a query once, between a pair of cameras drawn at random. As in Hit@k, all poses are in the gallery, the
    query's own moment too.

    Args:
        model: Trained model.
        dataset: Poses of query and gallery, at least one a quantile.
        seed: Seed of the cameras and of the pairs.
        rig: Cameras and pairs.
        quantiles: Share of easier queries at each example.

    Returns:
        One example a quantile.

    Raises:
        ValueError: If there are fewer poses than examples.
    """
    poses, metric_poses, views = dataset.canonical(COCO_13), dataset.canonical(), rig.project(dataset, seed)
    embeddings = model.embed_keypoints(views.reshape(-1, *views.shape[2:])).reshape(*views.shape[:2], -1)
    pair_of = np.random.default_rng(seed).integers(len(rig.pairs), size=len(dataset))
    answers = np.empty(len(dataset), dtype=np.intp)
    for number in np.unique(pair_of):
        (query_camera, gallery_camera), mine = rig.pairs[number], pair_of == number
        answers[mine] = nearest_neighbours(embeddings[query_camera, mine], embeddings[gallery_camera], 1)[:, 0]
    errors = p_mpjpe(metric_poses[answers], metric_poses)
    chosen = spread_over_errors(errors, poses, quantiles)
    found = answers[chosen]
    cameras = np.array(rig.pairs)[pair_of[chosen]]
    return RetrievalExamples(
        query_keypoints=views[cameras[:, 0], chosen],
        query_poses=poses[chosen],
        found_keypoints=views[cameras[:, 1], found],
        found_poses=poses[found],
        np_mpjpe=errors[chosen],
        mpjpe_mm=mpjpe(poses[found], poses[chosen]) * dataset.torso_lengths_mm[chosen],
        same_frame=found == chosen,
        cameras=tuple((rig.camera_names[query], rig.camera_names[gallery]) for query, gallery in cameras),
        threshold=HIT_THRESHOLD,
    )


def generation_example(
    model: "TrainedModel", dataset: PoseDataset, seed: int, num_directions: int = 2, alphas: Sequence[float] = ALPHAS
) -> GenerationExample:
    """Adds noise to the embedding of a pose that is neither the usual one nor an oddity.

    The noise has the covariance of the embeddings: with a KL weight below 1 they are not spread like the prior.

    Args:
        model: Trained model.
        dataset: Poses to choose from.
        seed: Seed of the directions.
        num_directions: Number of directions.
        alphas: Magnitudes of the noise.

    Returns:
        The pose as the model decodes it, and its neighbours.

    Raises:
        ValueError: If there are no poses.
    """
    poses = dataset.canonical(COCO_13)
    (chosen,) = spread_over_errors(mpjpe(poses, poses.mean(axis=0)), poses, (_STARTING_QUANTILE,))
    embeddings = model.embed_poses(poses)
    spread = (embeddings - embeddings.mean(axis=0)) / np.sqrt(len(embeddings))
    directions = random_directions(num_directions, len(embeddings), seed) @ spread
    start = model.decode(embeddings[chosen : chosen + 1])[0]
    generated = perturb(model, embeddings[chosen], directions, alphas)
    return GenerationExample(start, generated, tuple(alphas), mpjpe(generated, start))


def spread_over_errors(errors: np.ndarray, poses: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """Chooses one pose for each quantile of the error, each as unlike those before it as it can be.

    Args:
        errors: Error of each pose (n,).
        poses: Poses (n, joints, 3).
        quantiles: Quantiles in [0, 1]; the first choice is the one most unlike the mean pose.

    Returns:
        Indices (quantiles,), all different.

    Raises:
        ValueError: If there are fewer poses than quantiles.
    """
    if len(poses) < len(quantiles):
        raise ValueError(f"Expected at least {len(quantiles)} poses to choose from. Received: {len(poses)}")
    order = np.argsort(errors, kind="stable")
    reach = min(_LARGEST_POOL / 2, _QUANTILE_WINDOW * len(order))
    chosen: list[int] = []
    seen = poses.mean(axis=0, keepdims=True)
    for quantile in quantiles:
        ranks = np.flatnonzero(~np.isin(order, chosen))
        away = np.abs(ranks - quantile * (len(order) - 1))
        pool = order[ranks[away <= max(reach, away.min())]]
        unlike = pairwise_mpjpe(poses[pool], seen).min(axis=1)
        chosen.append(int(pool[np.argmax(unlike)]))
        seen = poses[chosen]
    return np.array(chosen)
