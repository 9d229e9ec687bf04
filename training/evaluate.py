"""Measures a trained model: `python -m training.evaluate --run-dir runs/quickstart`.

Retrieval between cameras (Hit@k, with chance, oracles and the 2D baseline beside it) and lifting, on the test splits of
the data that the run was trained on or of any other `.poses.npz`. Prints the tables and keeps the numbers, with what
they need to be reproduced, in results.json of the run folder; other data and splits measured there before stay.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.near_duplicates import DEFAULT_THRESHOLD, select_gallery
from vvipe_tf.data.rigs import RIGS, Rig, get_rig
from vvipe_tf.evaluation.aligned_neighbours import nearest_aligned_poses
from vvipe_tf.evaluation.baselines import embed_canonical_poses, embed_normalised_keypoints
from vvipe_tf.evaluation.chance import evaluate_chance
from vvipe_tf.evaluation.distribution_neighbours import nearest_distributions
from vvipe_tf.evaluation.hit_at_k import HIT_RANKS, PosePairErrors
from vvipe_tf.evaluation.lifting import evaluate_lifting
from vvipe_tf.evaluation.neighbours import nearest_neighbours
from vvipe_tf.evaluation.protocol import (
    evaluate_cross_retrieval,
    evaluate_pose_oracle,
    find_answers,
    metric_profiles,
    score_answers,
)
from vvipe_tf.evaluation.report import format_report
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.keypoints import COCO_13, H36M_17, map_keypoints
from vvipe_tf.provenance import describe_command, describe_commit, describe_versions
from vvipe_tf.silence import silenced_start

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import AnyTrainedModel

RESULTS_FILE = "results.json"
FORMAT = "vvipe-results"
VERSION = 1
GALLERY_SIZE = 2000
_NOT_FOR_TESTING = ("train", "validation")
# The distance of each kind of model.
_FIND_NEIGHBOURS = {"vvipe": nearest_neighbours, "pr_vipe": nearest_distributions, "lifter": nearest_aligned_poses}


def measure_split(
    model: "AnyTrainedModel",
    dataset: PoseDataset,
    rigs: Sequence[Rig] = tuple(RIGS.values()),
    gallery_size: int = GALLERY_SIZE,
    seed: int = 0,
) -> dict:
    """Measures a model on the poses of one split.

    Args:
        model: Model with the `config` of its run. V-VIPE has `embed_keypoints`, `embed_poses` and `decode`; the
            baselines have `embed_keypoints` alone, which gives samples (PR-VIPE) or lifted poses.
        dataset: Poses of the split.
        rigs: Cameras to measure between.
        gallery_size: Poses in each gallery, after near-duplicates are left out; fewer where the split has fewer.
        seed: Seed of the choice of poses and of the rigs' turns.

    Returns:
        JSON-ready results; Hit@k and shares in [0, 1], NP-MPJPE in torso units.

    Raises:
        ValueError: If the split has fewer than two different poses, or the data do not map to COCO_13.
    """
    if gallery_size < 2 or not rigs:
        raise ValueError(f"Expected a gallery size of at least 2 and a rig. Received: {gallery_size}, {len(rigs)} rigs")
    gallery = dataset.select(select_gallery(dataset, gallery_size, seed, DEFAULT_THRESHOLD))
    ks = tuple(k for k in HIT_RANKS if k < len(gallery))
    if not ks:
        raise ValueError(f"Expected at least 2 poses that are no near-duplicates. Received: {len(gallery)}")
    poses = {profile.name: gallery.centred(profile) for profile in metric_profiles(gallery.profile)}
    errors = {name: PosePairErrors(metric_poses) for name, metric_poses in poses.items()}
    kind = model.config.get("kind", "vvipe")
    settings = model.config.get("train", {})
    is_rotated, has_pose_encoder = settings.get("rotation", True), settings.get("pretraining", True)
    true_poses = gallery.canonical(COCO_13) if is_rotated else gallery.centred(COCO_13)
    pose_embeddings = model.embed_poses(true_poses) if kind == "vvipe" and has_pose_encoder else None

    def by_metric(evaluate, *inputs):
        return {name: evaluate(*inputs, cache, ks).to_dict() for name, cache in errors.items()}

    def measure_retrieval(embeddings, pairs, find_neighbours=nearest_neighbours):
        return by_metric(score_answers, find_answers(embeddings, pairs, max(ks), find_neighbours), pairs)

    def measure_lifting(rig, embeddings):
        if kind == "lifter":
            # On the joints that all models lift: its own others, the pelvis above all, cost it next to nothing.
            lifted, truth = map_keypoints(embeddings, H36M_17, COCO_13), rig.camera_poses(gallery, seed, COCO_13)
        else:
            lifted, truth = np.stack([model.decode(embedding) for embedding in embeddings]), true_poses
        return evaluate_lifting(lifted, truth, gallery.torso_lengths_mm, rig.camera_names).to_dict()

    def measure_rig(rig):
        keypoints = rig.project(gallery, seed)
        visible = np.isfinite(keypoints).all(axis=-1)
        masks = [None if mask.all() else mask for mask in visible]
        embeddings = np.stack([model.embed_keypoints(view, mask) for view, mask in zip(keypoints, masks, strict=True)])
        measured = {
            "virtual": rig.is_virtual,
            "pairs": len(rig.pairs),
            "model": measure_retrieval(embeddings, rig.pairs, _FIND_NEIGHBOURS[kind]),
            "keypoints_2d": measure_retrieval(embed_normalised_keypoints(keypoints, visible), rig.pairs),
        }
        if pose_embeddings is not None:
            measured["cross_3d"] = by_metric(evaluate_cross_retrieval, pose_embeddings, embeddings)
        if kind != "pr_vipe":
            measured["lifting"] = measure_lifting(rig, embeddings)
        return measured

    entry = {
        "model_kind": kind,
        "synthetic": gallery.synthetic,
        "split_size": len(dataset),
        "gallery_size": len(gallery),
        "near_duplicate_threshold": DEFAULT_THRESHOLD,
        "frames_sha256": digest_frames(gallery),
        "seed": seed,
        "metrics": list(poses),
        "chance": {name: evaluate_chance(metric_poses, ks).to_dict() for name, metric_poses in poses.items()},
        "canonical_3d": by_metric(evaluate_pose_oracle, embed_canonical_poses(gallery.canonical(COCO_13))),
        "rigs": {rig.name: measure_rig(rig) for rig in rigs},
    }
    if kind != "pr_vipe":
        entry["lifting_joints"] = COCO_13.name
        entry["lifting_frame"] = "camera" if kind == "lifter" else "canonical" if is_rotated else "world"
    if pose_embeddings is not None:
        entry["oracle_3d"] = by_metric(evaluate_pose_oracle, pose_embeddings)
    return entry


def evaluate_model(
    model: "AnyTrainedModel",
    splits: Mapping[str, PoseDataset],
    run_dir: str | os.PathLike,
    gallery_size: int = GALLERY_SIZE,
    command: str | None = None,
    *,
    data: str | None = None,
    rigs: Sequence[Rig] = tuple(RIGS.values()),
    seed: int = 0,
) -> str:
    """Measures a model on several splits and adds the numbers to results.json of its run folder.

    Args:
        model: Trained model with the `config` of its run.
        splits: Poses by the name of the split.
        run_dir: Run folder.
        gallery_size: Poses in each gallery.
        command: Command line to record.
        data: Name or path of the data; those of the run by default.
        rigs: Cameras to measure between.
        seed: Seed of galleries and rigs.

    Returns:
        The report, Markdown.

    Raises:
        ValueError: If there is no split, a split is too small, or results.json is not one of ours.
    """
    if not splits:
        raise ValueError("Expected at least one split to measure. Received: none")
    name = Path(data or model.config["data"]["data"]).name
    path = Path(run_dir) / RESULTS_FILE
    results = read_results(path) if path.exists() else {}
    about = {"command": command, "commit": describe_commit(), "versions": describe_versions()}
    reports = []
    for split, dataset in splits.items():
        entry = {"data": name, "split": split, **measure_split(model, dataset, rigs, gallery_size, seed), **about}
        results[f"{name}/{split}"] = entry
        reports.append(format_report(entry))
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, "version": VERSION, "results": results}, indent=1) + "\n")
    return "\n".join(reports)


def read_results(path: str | os.PathLike) -> dict[str, dict]:
    """Reads results.json.

    Args:
        path: The file.

    Returns:
        Results by `data/split`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not one of ours.
    """
    try:
        content = json.loads(Path(path).read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"Expected JSON in {path}. Received: {error}") from error
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"Expected {FORMAT} version {VERSION} in {path}. Received: something else")
    if not isinstance(content.get("results"), dict):
        raise ValueError(f"Expected results in {path}. Received: none")
    return content["results"]


def choose_splits(splits: Mapping[str, PoseDataset], names: Sequence[str] | None) -> dict[str, PoseDataset]:
    """The splits asked for by name; all that are neither `train` nor `validation` by default.

    Args:
        splits: All splits.
        names: Names wanted, or None.

    Returns:
        Splits by name, in the order asked for.

    Raises:
        ValueError: If a name is unknown.
    """
    wanted = names or [name for name in splits if name not in _NOT_FOR_TESTING]
    unknown = [name for name in wanted if name not in splits]
    if unknown:
        raise ValueError(f"Expected splits among {', '.join(splits)}. Received: {', '.join(unknown)}")
    return {name: splits[name] for name in wanted}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    arguments = _parser().parse_args(argv)

    def command():
        if (arguments.frames or arguments.kind) and not arguments.views:
            raise ValueError("Expected --views with --frames and --kind. Received: none")
        with silenced_start():
            from vvipe_tf.models.run_folder import load_any_run
        model = load_any_run(arguments.run_dir)
        if arguments.views:
            from training.measure_views import evaluate_views

            print(evaluate_views(model, arguments, describe_command("training.evaluate", argv)), end="")
            return
        data = arguments.data or model.config["data"]["data"]
        report = evaluate_model(
            model,
            choose_splits(load_splits(data), arguments.split),
            arguments.run_dir,
            arguments.gallery_size,
            describe_command("training.evaluate", argv),
            data=data,
            rigs=[get_rig(name) for name in arguments.rig or RIGS],
            seed=arguments.seed,
        )
        print(report, end="")

    return run_command(command)


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m training.evaluate", description=__doc__.splitlines()[0])
    parser.add_argument("--run-dir", required=True, help="run folder of training.train")
    parser.add_argument("--data", help="a .poses.npz, or `synthetic`; the data of the run by default")
    parser.add_argument("--split", action="append", help="split to measure, repeatable; all test splits by default")
    parser.add_argument("--gallery-size", type=int, default=GALLERY_SIZE, help="poses in each gallery (%(default)s)")
    parser.add_argument("--rig", action="append", choices=tuple(RIGS), help="rig, repeatable; all by default")
    parser.add_argument("--seed", type=int, default=0, help="seed of galleries and rigs (%(default)s)")
    parser.add_argument("--views", help="a .views.npz: measure between its cameras instead of virtual ones")
    parser.add_argument("--frames", help="with --views: frame list in PR-VIPE's form; without, all test subjects")
    parser.add_argument("--kind", action="append", help="with --views: keypoints, repeatable; all by default")
    parser.add_argument("--window", type=int, default=30, help="with --views: frames near a query's, no answers to it")
    return parser


def digest_frames(dataset: PoseDataset) -> str:
    """SHA-256 of the gallery's frames, so that two tables can be seen to be about the same ones."""
    columns = (dataset.source, dataset.subject, dataset.sequence, dataset.frame)
    lines = (":".join(map(str, row)) for row in zip(*columns, strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
