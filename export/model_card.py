"""The model card: what a model was trained on, what it can do, what it cannot."""

from collections.abc import Mapping, Sequence

from vvipe_tf.apps.lite_model import ENCODE_POSE
from vvipe_tf.evaluation.report import format_table

CARD_FILE = "MODEL_CARD.md"
BENCHMARK_TITLE = "## Speed"


def format_card(content: Mapping) -> str:
    """Renders a model card.

    Args:
        content: Content of model.json.

    Returns:
        Markdown, ending in a newline.
    """
    training = content["training"]
    data = training["data"]
    sizes = ", ".join(f"{name} {size:,}" for name, size in data.get("splits", {}).items())
    parts = [
        f"# {content['name']} {content['model_version']}",
        content["description"],
        "## Files",
        format_files(content),
        "Measured through ai-edge-litert on poses that were not trained on, seen by virtual cameras, joints missing in "
        "some views. Error: mean joint distance to the Keras model, not to the truth. Each file is listed with its "
        "SHA-256 in `model.json`; `vvipe_tf.apps.lite_model.LiteModel` loads none that differs.",
        "## Input and output",
        "\n".join(f"- `{name}`: {text}" for name, text in content["signatures"]["lift"].items()),
        f"Keypoints with a score below {content['input']['score_threshold']:g} count as missing. One torso unit was "
        f"{content['pose']['mm_per_unit']:g} mm on average in the training data.",
        *_pose_encoder_parts(content),
        "## Training data",
        "\n".join(f"- {source}: {text}" for source, text in sorted(data.get("licenses", {}).items())),
        f"Poses by split: {sizes or 'unknown'}." + (" The poses are SYNTHETIC." if data.get("synthetic") else ""),
        "## Limits",
        "- One person at a time; a person is found and tracked by the detector, not here.\n"
        "- The heading of the person in the room is not part of the canonical pose, and its scale is relative.\n"
        "- Actions and camera angles far from the training data lift worse; the validity says nothing about that.\n"
        "- Keep the arithmetic in float32: pixel distances overflow where a delegate computes in float16.",
        "## Origin",
        f"Weights: {content['license']}. Commit {training.get('commit') or 'unknown'}, seed {training.get('seed')}, "
        f"preset {training.get('train', {}).get('preset', 'unknown')}, "
        f"weights SHA-256 `{training.get('weights_sha256')}`. Command: `{training['command']}`.",
    ]
    return "\n\n".join(parts) + "\n"


def format_files(content: Mapping) -> str:
    """Table of the files: size, runtimes, error and Hit@1."""
    splits = sorted({split for about in content["files"].values() for split in about["verification"]})
    header = ["file", "KB", "oldest runtime"]
    for split in splits:
        header += [f"{split} mm", f"{split} Hit@1", "change"]
    rows = []
    for name, about in content["files"].items():
        row = [name, f"{about['bytes'] / 1000:,.0f}", (about["runtimes"] or ["none"])[0]]
        for split in splits:
            row += _split_cells(about["verification"].get(split))
        rows.append(row)
    return format_table(header, rows)


def _pose_encoder_parts(content: Mapping) -> Sequence[str]:
    """What `encode_pose` is, with a table of what it costs; nothing without it."""
    encoder = content.get("pose_encoder")
    if encoder is None:
        return []
    origin = {
        "full": "the encoder that was trained",
        "distilled": f"a smaller encoder (width {encoder['width']}) that learnt from the one that was trained",
    }[encoder["kind"]]
    rows = [
        (name, split, f"{found['neighbour_share']:.3f}", f"{found['hit_at_1']:.1f}", f"{found['hit_at_1_change']:+.2f}")
        for name, about in content["files"].items()
        for split, result in sorted(about["verification"].items())
        if (found := result.get(ENCODE_POSE)) is not None
    ]
    return [
        "## 3D poses",
        f"`{ENCODE_POSE}` embeds canonical 3D poses into the same space; it is {origin}.",
        format_table(("file", "poses", "distance", "Hit@1", "change"), rows),
        "Distance: mean distance to the embeddings of the trained encoder, in distances between nearest neighbours. "
        "Hit@1: 3D poses searching among the views.",
    ]


def with_benchmark(card: str, table: str, machine: str) -> str:
    """The card with its table of speeds, in place of an older one."""
    head, _, _ = card.partition(f"\n{BENCHMARK_TITLE}\n")
    return f"{head.rstrip()}\n\n{BENCHMARK_TITLE}\n\n{table}\n\n{machine}\n"


def _split_cells(result: Mapping | None) -> Sequence[str]:
    if result is None:
        return ["not run"] * 3
    hits, changes = result["hit_at_1"], result["hit_at_1_change"]
    return [
        f"{result['mean_mm']:.3f}",
        " / ".join(f"{hits[rig]:.1f}" for rig in hits),
        " / ".join(f"{changes[rig]:+.2f}" for rig in changes),
    ]
