"""The 3D encoder of exported models, signature `encode_pose`: which network it is, and the gate that it must pass."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from export.detections import TestViews
from vvipe_tf.apps.lite_model import ENCODE_POSE, LiteModel
from vvipe_tf.evaluation.neighbours import drop_own_frame, nearest_neighbours
from vvipe_tf.evaluation.protocol import evaluate_cross_retrieval
from vvipe_tf.models.run_folder import TrainedModel


@dataclass(frozen=True)
class PoseGate:
    """What `encode_pose` must keep to, beyond the gate of its variant.

    Args:
        neighbour_share: Largest mean distance to the embeddings of the trained encoder, as a share of the distance
            between nearest neighbours. Below a half, a pose stays nearest to itself; at 1, it is off by a neighbour.
        hit_points: Points of Hit@1 that 3D poses searching among views may lose on top of the variant's.
        growth: How many times as large the file may be.
    """

    neighbour_share: float
    hit_points: float
    growth: float


NO_ENCODER, DISTILLED, FULL = ENCODERS = ("none", "distilled", "full")
POSE_GATES: Mapping[str, PoseGate] = {DISTILLED: PoseGate(1.0, 3.0, 1.1), FULL: PoseGate(0.5, 0.0, 1.5)}


def choose_encoder(trained: TrainedModel, compact: TrainedModel | None, kind: str) -> TrainedModel | None:
    """The model whose 3D encoder is exported.

    Args:
        trained: The model that is exported.
        compact: A smaller model, if any.
        kind: One of ENCODERS: `"none"`, `"distilled"` for that of `compact`, or `"full"` for that of `trained`.

    Returns:
        One of the two models, or None.

    Raises:
        ValueError: If there is no compact model that was distilled from this one.
    """
    if kind != DISTILLED:
        return trained if kind == FULL else None
    if compact is None:
        raise ValueError("Expected a compact run to take the distilled 3D encoder from. Received: none")
    wanted, found = trained.config["weights_sha256"], compact.config.get("distilled_from")
    if found != wanted:
        raise ValueError(f"Expected a compact run distilled from the weights {wanted}. Received: one from {found}")
    return compact


@dataclass(frozen=True)
class EncoderReference:
    """What the trained 3D encoder says of a test split.

    Args:
        embeddings: Embeddings of the true 3D poses (poses, embedding_dim).
        neighbour_distance: Median distance of these to their nearest neighbour.
        hit_at_1: Of the 3D poses searching among the views, in percent.
    """

    embeddings: np.ndarray
    neighbour_distance: float
    hit_at_1: float


def measure_trained_encoder(model: TrainedModel, view_embeddings: np.ndarray, views: TestViews) -> EncoderReference:
    """Runs the trained 3D encoder on a test split; `view_embeddings` is (cameras, poses, embedding_dim)."""
    embeddings = model.embed_poses(views.canonical)
    neighbours = drop_own_frame(nearest_neighbours(embeddings, embeddings, 2), np.arange(len(embeddings)))[:, 0]
    distance = np.median(np.linalg.norm(embeddings - embeddings[neighbours], axis=-1))
    return EncoderReference(embeddings, float(distance), _hit_at_1(embeddings, view_embeddings, views))


def measure_encoder(
    lite: LiteModel, view_embeddings: np.ndarray, views: TestViews, reference: EncoderReference
) -> dict[str, float]:
    """Compares `encode_pose` of an exported model with the trained 3D encoder.

    Args:
        lite: Exported model with this signature.
        view_embeddings: Its embeddings of the views (cameras, poses, embedding_dim).
        views: The split.
        reference: What the trained encoder says.

    Returns:
        JSON-ready: the mean distance as `neighbour_share` of the distance between nearest neighbours, and `hit_at_1`
        of 3D poses searching among the views with its `hit_at_1_change` in points.

    Raises:
        ValueError: If an output is not finite.
    """
    embeddings = lite.encode_pose(views.canonical)
    if not np.isfinite(embeddings).all():
        raise ValueError(f"Expected finite outputs of {ENCODE_POSE}. Received: others")
    distance = np.linalg.norm(embeddings - reference.embeddings, axis=-1).mean()
    hits = _hit_at_1(embeddings, view_embeddings, views)
    return {
        "neighbour_share": float(distance / reference.neighbour_distance),
        "hit_at_1": hits,
        "hit_at_1_change": hits - reference.hit_at_1,
    }


def failed_pose_gate(gate: PoseGate, result: Mapping[str, float], hit_points: float) -> Iterator[str]:
    """What keeps a 3D encoder from passing.

    Args:
        gate: The gate.
        result: Result of `measure_encoder`.
        hit_points: Points of Hit@1 that the variant may lose anyway.

    Yields:
        One phrase for each failure.
    """
    share, change, points = result["neighbour_share"], result["hit_at_1_change"], hit_points + gate.hit_points
    if not share <= gate.neighbour_share:
        yield f"{share:.3f} neighbour distances from the trained encoder, allowed are {gate.neighbour_share:g}"
    if not change >= -points:
        yield f"{-change:.2f} points of Hit@1 lost, allowed are {points:g}"


def _hit_at_1(embeddings, view_embeddings, views):
    return 100.0 * evaluate_cross_retrieval(embeddings, view_embeddings, views.pose_errors, (1,)).hit_at_k[1]
