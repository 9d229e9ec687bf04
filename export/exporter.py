"""Builds, describes and verifies the files of a model; nothing is written unless all of them pass."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from export.conversion import VARIANTS, VariantBuilder
from export.detections import make_test_views, sample_detections
from export.flatbuffer_model import op_versions, read_model
from export.lift_module import SCORE_THRESHOLD, LiftConfig
from export.model_card import CARD_FILE, format_card
from export.model_description import describe_lite_model, describe_pose_encoder
from export.pose_encoder import ENCODERS, NO_ENCODER, POSE_GATES, PoseGate, choose_encoder
from export.runtime_support import supporting_runtimes
from export.tensor_metadata import check_with_displayer, describe_model
from export.verification import (
    COMPACT,
    GATES,
    Gate,
    SplitReference,
    check_hostile,
    failed_gates,
    measure_reference,
    measure_split,
)
from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest
from vvipe_tf.apps.lite_model import LiteModel
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.models.run_folder import TrainedModel

COMPACT_VARIANT = "dynamic_range"
_SAMPLES = 4000
_MISSING = 0.1


@dataclass(frozen=True)
class ExportConfig:
    """What to export.

    Args:
        name: Name of the model; files start with it.
        model_version: Version of the model.
        license_text: Licence of the weights.
        variants: Variants of VARIANTS.
        batch_sizes: One file for each: None takes any batch, 1 only single poses.
        encode_pose: Which 3D encoder is the signature `encode_pose` of all files but the compact one, one of ENCODERS:
            `"none"`, `"distilled"` (that of the compact model) or `"full"` (the one that was trained).
        score_threshold: Least score of a visible keypoint.
        gallery_size: Poses of each test split that the gates are measured on.
        seed: Seed of samples and views.
    """

    name: str = "vvipe"
    model_version: str = "1.0.0"
    license_text: str = "Apache-2.0"
    variants: tuple[str, ...] = VARIANTS
    batch_sizes: tuple[int | None, ...] = (None,)
    encode_pose: str = NO_ENCODER
    score_threshold: float = SCORE_THRESHOLD
    gallery_size: int = 500
    seed: int = 0

    def __post_init__(self):
        """Checks the settings."""
        unknown = [variant for variant in self.variants if variant not in VARIANTS]
        if unknown or not self.variants:
            raise ValueError(f"Expected variants among {', '.join(VARIANTS)}. Received: {unknown or 'none'}")
        if self.encode_pose not in ENCODERS:
            raise ValueError(f"Expected encode_pose among {', '.join(ENCODERS)}. Received: {self.encode_pose!r}")
        if not 0 <= self.score_threshold <= 1:
            raise ValueError(f"Expected a score threshold in [0, 1]. Received: {self.score_threshold}")
        if self.gallery_size < 2:
            raise ValueError(f"Expected a gallery of at least 2 poses. Received: {self.gallery_size}")
        if not self.name.replace("_", "").isalnum():
            raise ValueError(f"Expected a name of letters, digits and underscores. Received: {self.name!r}")


@dataclass(frozen=True)
class Export:
    """A finished export, in memory.

    Args:
        manifest: Its model.json.
        files: Content of each model file by name.
    """

    manifest: LiteManifest
    files: Mapping[str, bytes]

    def write(self, folder: str | os.PathLike) -> None:
        """Writes the files, the model card and, last, model.json; removes what it wrote if that fails."""
        folder = Path(folder)
        outputs = dict(self.files)
        outputs[CARD_FILE] = format_card(self.manifest.content).encode()
        outputs[MANIFEST_FILE] = self.manifest.to_text().encode()
        written = []
        try:
            for name, data in outputs.items():
                with atomic_path(folder / name) as temporary:
                    temporary.write_bytes(data)
                written.append(folder / name)
        except OSError:
            for path in written:
                path.unlink(missing_ok=True)
            raise


def export_model(
    trained: TrainedModel,
    splits: Mapping[str, PoseDataset],
    config: ExportConfig,
    compact: TrainedModel | None = None,
    gates: Mapping[str, Gate] = GATES,
    report: Callable[[str], None] = lambda line: None,
) -> Export:
    """Exports a trained model.

    Args:
        trained: Trained model.
        splits: Poses by split: `train`, and the tests, whose names start with `test`.
        config: What to export.
        compact: A smaller model distilled from `trained`, exported beside it and measured against it.
        gates: What each variant must keep to.
        report: Is told of each file that is done.

    Returns:
        The export.

    Raises:
        ValueError: If a gate fails, the splits hold no test, or there is no compact model distilled from this one to
            take the 3D encoder from.
    """
    chosen = choose_encoder(trained, compact, config.encode_pose)
    tests = {name: split for name, split in splits.items() if name.startswith("test")}
    if not tests:
        raise ValueError(f"Expected a test split. Received: {', '.join(splits)}")
    missing = _MISSING if trained.network_config.use_mask else 0.0
    references = {
        name: measure_reference(trained, make_test_views(split, config.gallery_size, missing, config.seed))
        for name, split in tests.items()
    }
    models = [(config.name, variant, variant, trained, chosen) for variant in config.variants]
    if compact is not None:
        models.append((f"{config.name}_{COMPACT}", COMPACT_VARIANT, COMPACT, compact, None))
    builders: dict[tuple, VariantBuilder] = {}
    files, entries, description = {}, {}, None
    for stem, variant, gate, model, encoder in models:
        for batch_size in config.batch_sizes:
            lift = LiftConfig(model.network_config, config.score_threshold, batch_size)
            key = (id(model), batch_size)
            if key not in builders:
                keypoints, poses = sample_detections(splits["train"], _SAMPLES, missing, config.seed)
                networks = model.networks
                if encoder is not None:
                    networks = replace(networks, pose_encoder=encoder.networks.pose_encoder)
                builders[key] = VariantBuilder(networks, lift, keypoints, None if encoder is None else poses)
            about = describe_lite_model(
                stem,
                config.model_version,
                config.license_text,
                lift,
                model.config,
                _mean_torso(splits["train"]),
                None if encoder is None else describe_pose_encoder(config.encode_pose, encoder.config),
            )
            description = description or about
            label = gate + ("" if batch_size is None else f"_batch{batch_size}")
            name = f"{config.name}_{label}.tflite"
            files[name] = describe_model(builders[key].build(variant), about)
            pose_gate = None if encoder is None else POSE_GATES[config.encode_pose]
            entries[name] = _verified(name, files[name], about, references, gates[gate], pose_gate) | {
                "variant": label,
                "batch": batch_size or "any",
                "model": about["training"],
            }
            report(f"{name}: {len(files[name]):,} bytes, passed")
    for entry in entries.values():
        if entry["model"] == description["training"]:
            del entry["model"]
    content = description | {
        "keras": {name: dict(reference.hit_at_1) for name, reference in references.items()},
        "files": entries,
    }
    return Export(LiteManifest.from_content(content), files)


def _verified(
    name: str,
    content: bytes,
    about: Mapping,
    references: Mapping[str, SplitReference],
    gate: Gate,
    pose_gate: PoseGate | None,
) -> dict:
    """Passes a file through its gates; returns its entry in model.json."""
    digest = hashlib.sha256(content).hexdigest()
    lite = LiteModel(content, digest)
    versions = op_versions(read_model(content))
    runtimes = supporting_runtimes(versions)
    try:
        check_with_displayer(content, about)
        check_hostile(lite)
        results = {split: measure_split(lite, reference) for split, reference in references.items()}
    except ValueError as error:
        raise ValueError(f"{name} did not pass: {error}") from error
    failures = failed_gates(gate, results, len(content), runtimes, pose_gate)
    if failures:
        raise ValueError(f"{name} did not pass: {'; '.join(failures)}")
    return {
        "sha256": digest,
        "bytes": len(content),
        "signatures": list(lite.signatures),
        "runtimes": list(runtimes),
        "ops": versions,
        "verification": results,
    }


def _mean_torso(dataset: PoseDataset) -> float:
    return float(dataset.torso_lengths_mm.astype("float64").mean())


def variants_from(names: Sequence[str]) -> tuple[str, ...]:
    """Variants by name; `all` stands for all of them.

    Raises:
        ValueError: If a name is unknown.
    """
    unknown = [name for name in names if name not in (*VARIANTS, "all")]
    if unknown:
        raise ValueError(f"Expected variants among {', '.join(VARIANTS)}, all. Received: {', '.join(unknown)}")
    return VARIANTS if "all" in names else tuple(dict.fromkeys(names))
