"""What the command `generate` reports: plausibility, and variety beside that of real poses."""

import argparse
from typing import TYPE_CHECKING

import numpy as np

from vvipe_tf.apps.diversity import ReferenceClusters, mean_pairwise_distance, nearest_distances
from vvipe_tf.apps.embedding_statistics import EmbeddingStatistics
from vvipe_tf.apps.generate import GeneratedPoses
from vvipe_tf.apps.plausibility import PlausibilityReport

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder


def summarise(
    arguments: argparse.Namespace,
    embedder: "PoseEmbedder",
    generated: GeneratedPoses,
    labels: list[str],
    report: PlausibilityReport,
    statistics: EmbeddingStatistics | None,
    reference: np.ndarray | None,
) -> dict:
    """What there is to say about generated poses, JSON-ready.

    Args:
        arguments: Arguments of the command.
        embedder: Model.
        generated: The poses.
        labels: What each was made with.
        report: How plausible they are.
        statistics: How the embeddings of real poses are spread, where that is known.
        reference: Embeddings of real poses (n, embedding_dim), or None.

    Returns:
        The summary, with a row for each pose.
    """
    summary = {
        "action": arguments.action,
        "poses": len(generated.poses),
        "refused": generated.num_drawn - len(generated.poses),
        "plausible": float(report.plausible.mean()),
        "failures": {name: int(failed.sum()) for name, failed in report.failures.items()},
        "mean_pairwise_distance": mean_pairwise_distance(generated.embeddings),
        "noise": None
        if arguments.action == "interpolate"
        else "standard normal"
        if statistics is None
        else "covariance",
        "model": embedder.model_id,
    }
    columns = {"label": labels, "plausible": report.plausible.tolist()}
    if statistics is not None:
        distances = statistics.mahalanobis(generated.embeddings)
        summary["mahalanobis"] = {"median": float(np.median(distances)), "max": float(distances.max())}
        columns["mahalanobis"] = distances.tolist()
    if reference is not None:
        nearest = nearest_distances(generated.embeddings, reference)
        clusters = ReferenceClusters(reference)
        summary["nearest_reference"] = {"median": float(np.median(nearest)), "max": float(nearest.max())}
        summary["coverage"] = clusters.measure(generated.embeddings)._asdict()
        summary["coverage_of_reference"] = clusters.measure_reference(len(nearest))._asdict()
        columns["nearest_reference"] = nearest.tolist()
    summary["rows"] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return summary


def describe_summary(summary: dict) -> str:
    """The summary in lines of text."""
    failures = ", ".join(f"{name} {count}" for name, count in summary["failures"].items() if count)
    lines = [
        f"{summary['poses']} poses, {100 * summary['plausible']:.1f} % plausible"
        + (f" ({failures})" if failures else ""),
        f"{summary['refused']} implausible draws were replaced" if summary["refused"] else "",
        f"mean distance between two of them {summary['mean_pairwise_distance']:.2f}",
    ]
    if summary["noise"] == "standard normal" and summary["action"] == "neighbours":
        lines.append(
            "noise: standard normal; the model does not know the spread of its embeddings, nor is there --reference"
        )
    if "mahalanobis" in summary:
        lines.append(
            f"Mahalanobis distance {summary['mahalanobis']['median']:.1f} in the middle, "
            f"{summary['mahalanobis']['max']:.1f} at most"
        )
    if "nearest_reference" in summary:
        nearest, own, other = (summary[name] for name in ("nearest_reference", "coverage", "coverage_of_reference"))
        lines += [
            f"distance to the nearest pose of reference {nearest['median']:.2f} in the middle, "
            f"{nearest['max']:.2f} at most",
            f"{100 * own['covered']:.0f} % of {own['clusters']} kinds of poses covered, "
            f"{100 * own['largest_share']:.0f} % in the fullest; as many poses of reference: "
            f"{100 * other['covered']:.0f} %, "
            f"{100 * other['largest_share']:.0f} %, mean distance {other['mean_distance']:.2f}",
        ]
    lines += [summary[name] for name in ("output", "picture") if name in summary]
    return "\n".join(line for line in lines if line)
