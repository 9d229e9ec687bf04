"""The gates that an exported model must pass, measured on test poses through the interpreter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from export.detections import RIGS, TestViews, hostile_keypoints
from export.pose_encoder import (
    EncoderReference,
    PoseGate,
    failed_pose_gate,
    measure_encoder,
    measure_trained_encoder,
)
from vvipe_tf.apps.lite_model import ENCODE_POSE, LiteModel
from vvipe_tf.evaluation.neighbours import nearest_neighbours
from vvipe_tf.evaluation.protocol import evaluate_retrieval
from vvipe_tf.models.run_folder import TrainedModel

_SINGLE_POSES = 16


@dataclass(frozen=True)
class Gate:
    """What a variant must keep to.

    Args:
        mean_mm: Largest mean joint distance to Keras, millimetres; None where another network was trained.
        hit_points: Most points of Hit@1 lost on any rig of any split.
        max_bytes: Largest file without `encode_pose`.
        runtimes: Runtimes that must be able to run it.
    """

    mean_mm: float | None
    hit_points: float
    max_bytes: int
    runtimes: tuple[str, ...]


_EVERYWHERE = ("TFLite 2.14.0", "TFLite 2.16.1", "LiteRT 1.0.1", "LiteRT 2.3.0")
COMPACT = "compact"
GATES: Mapping[str, Gate] = {
    "float32": Gate(0.01, 0.1, 50_000_000, _EVERYWHERE),
    "float16": Gate(0.5, 0.5, 25_000_000, _EVERYWHERE),
    "dynamic_range": Gate(3.0, 0.5, 9_000_000, _EVERYWHERE),
    "int8": Gate(8.0, 2.0, 15_000_000, _EVERYWHERE),
    "int16x8": Gate(3.0, 0.5, 15_000_000, _EVERYWHERE),
    COMPACT: Gate(None, 5.0, 1_500_000, _EVERYWHERE),
}


@dataclass(frozen=True)
class SplitReference:
    """What Keras says of a test split.

    Args:
        views: The split.
        embeddings: (cameras, poses, embedding_dim).
        poses: (cameras, poses, 13, 3).
        hit_at_1: In percent, by rig.
        neighbours: First neighbour of each pose between the chest cameras (pairs, poses).
        encoder: What the 3D encoder says.
    """

    views: TestViews
    embeddings: np.ndarray
    poses: np.ndarray
    hit_at_1: Mapping[str, float]
    neighbours: np.ndarray
    encoder: EncoderReference


def measure_reference(model: TrainedModel, views: TestViews) -> SplitReference:
    """Runs the Keras model on a test split."""
    detections = views.detections
    embeddings = np.stack(
        [model.embed_keypoints(*each) for each in zip(detections.keypoints_2d, detections.visible, strict=True)]
    )
    poses = model.decode(embeddings.reshape(-1, embeddings.shape[-1]))
    return SplitReference(
        views,
        embeddings,
        poses.reshape(*embeddings.shape[:2], *poses.shape[1:]),
        _hit_at_1(embeddings, views),
        _first_neighbours(embeddings),
        measure_trained_encoder(model, embeddings, views),
    )


def measure_split(lite: LiteModel, reference: SplitReference) -> dict:
    """Compares an exported model with Keras on one split.

    Args:
        lite: Exported model.
        reference: What Keras says.

    Returns:
        JSON-ready: `mean_mm` and `max_mm` of the mean joint distance of each pose, `hit_at_1` and its `change` in
        points by rig, `neighbour_agreement` in [0, 1], `valid` in [0, 1]; where the model has that signature,
        `encode_pose` with what `measure_encoder` returns.

    Raises:
        ValueError: If an output is not finite, or `embed` or `decode` do not say what `lift` says.
    """
    keypoints = reference.views.detections.keypoints
    flat = keypoints.reshape(-1, *keypoints.shape[2:])
    lifted = lite.lift(flat)
    _check_finite(lifted.embedding, lifted.pose)
    _check_consistent(lite, flat, lifted)
    embeddings = lifted.embedding.reshape(reference.embeddings.shape)
    distances = np.linalg.norm(lifted.pose.reshape(reference.poses.shape) - reference.poses, axis=-1).mean(axis=-1)
    distances_mm = distances * reference.views.torso_lengths_mm
    hits = _hit_at_1(embeddings, reference.views)
    measured = {
        "poses": keypoints.shape[1],
        "views": len(flat),
        "mean_mm": float(distances_mm.mean()),
        "max_mm": float(distances_mm.max()),
        "hit_at_1": hits,
        "hit_at_1_change": {rig: hits[rig] - reference.hit_at_1[rig] for rig in hits},
        "neighbour_agreement": float(np.mean(_first_neighbours(embeddings) == reference.neighbours)),
        "valid": float(lifted.valid.mean()),
    }
    if ENCODE_POSE in lite.signatures:
        measured[ENCODE_POSE] = measure_encoder(lite, embeddings, reference.views, reference.encoder)
    return measured


def check_hostile(lite: LiteModel) -> None:
    """Feeds detections that cannot be used.

    Raises:
        ValueError: If an output is not finite or one of them counts as valid.
    """
    hostile = hostile_keypoints()
    lifted = lite.lift(hostile)
    _check_finite(lifted.embedding, lifted.pose)
    if lifted.valid.any():
        raise ValueError(f"Expected no valid detection among unusable ones. Received: {np.flatnonzero(lifted.valid)}")


def failed_gates(
    gate: Gate,
    splits: Mapping[str, Mapping],
    num_bytes: int,
    runtimes: Sequence[str],
    pose_gate: PoseGate | None = None,
) -> list[str]:
    """What keeps a model from passing.

    Args:
        gate: Gate of the variant.
        splits: Result of `measure_split` by name of the split.
        num_bytes: Size of the file.
        runtimes: Runtimes that can run it.
        pose_gate: Gate of `encode_pose`, if the model has it.

    Returns:
        One phrase for each failure; empty if it passes.
    """
    failures = []
    for split, result in splits.items():
        if gate.mean_mm is not None and not result["mean_mm"] <= gate.mean_mm:
            failures.append(f"{split}: {result['mean_mm']:.3f} mm from Keras, allowed are {gate.mean_mm:g}")
        for rig, change in result["hit_at_1_change"].items():
            if not change >= -gate.hit_points:
                failures.append(f"{split}, {rig}: {-change:.2f} points of Hit@1 lost, allowed are {gate.hit_points:g}")
        if result["valid"] < 1:
            failures.append(f"{split}: {1 - result['valid']:.1%} of good detections marked invalid")
        if pose_gate is not None:
            broken = failed_pose_gate(pose_gate, result[ENCODE_POSE], gate.hit_points)
            failures += [f"{split}, {ENCODE_POSE}: {phrase}" for phrase in broken]
    max_bytes = gate.max_bytes if pose_gate is None else round(gate.max_bytes * pose_gate.growth)
    if num_bytes > max_bytes:
        failures.append(f"{num_bytes} bytes, allowed are {max_bytes}")
    missing = [name for name in gate.runtimes if name not in runtimes]
    if missing:
        failures.append(f"needs ops that these runtimes do not have: {', '.join(missing)}")
    return failures


def _hit_at_1(embeddings, views):
    return {
        rig.name: 100.0 * evaluate_retrieval(embeddings, rig.pairs, views.pose_errors, (1,)).hit_at_k[1] for rig in RIGS
    }


def _first_neighbours(embeddings):
    return np.stack([nearest_neighbours(embeddings[a], embeddings[b], 1)[:, 0] for a, b in RIGS[0].pairs])


def _check_finite(*outputs):
    broken = [int((~np.isfinite(output)).sum()) for output in outputs]
    if any(broken):
        raise ValueError(f"Expected finite outputs. Received: {sum(broken)} values that are not")


def _check_consistent(lite, keypoints, lifted):
    """`embed`, `decode` and single poses agree with `lift` of a batch, up to the rounding of activations."""
    some = np.linspace(0, len(keypoints) - 1, _SINGLE_POSES).astype(int)
    embedding, valid = lite.embed(keypoints[some])
    decoded = lite.decode(lifted.embedding[some])
    singles = [lite.lift(keypoints[index : index + 1]) for index in some]
    pairs = {
        "embed": (embedding, lifted.embedding[some]),
        "decode": (decoded, lifted.pose[some]),
        "lift of one": (np.concatenate([each.pose for each in singles]), lifted.pose[some]),
    }
    for name, (found, wanted) in pairs.items():
        error = np.abs(found - wanted).mean()
        if not error <= 0.01 * max(np.abs(wanted).mean(), 1.0):
            raise ValueError(f"Expected {name} to agree with lift. Received: a mean difference of {error:.3g}")
    if not np.array_equal(valid, lifted.valid[some]):
        raise ValueError("Expected embed and lift to agree on what is valid. Received: a difference")
