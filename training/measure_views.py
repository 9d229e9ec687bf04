"""Measures a trained model on the views of real cameras: what `python -m training.evaluate --views FILE` does.

Without a frame list two galleries are measured: all frames, where the frames just before and after a query's are no
answers, and those that are no near-duplicates; of sources that the protocol splits, test subjects only. Each gallery
holds the views that every model can use, those with all joints. A model with a mask is measured on those with missing
joints as well, in galleries of their own whose names end in `_with_missing`. The numbers go to view_results.json of
the run folder, apart from those of virtual cameras.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.evaluate import digest_frames
from training.view_report import WITH_MISSING, format_view_report
from vvipe_tf.data.camera_groups import camera_groups
from vvipe_tf.data.frame_list import FrameList, read_frame_list
from vvipe_tf.data.near_duplicates import DEFAULT_THRESHOLD, select_gallery
from vvipe_tf.data.splits import held_out_poses
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.evaluation.aligned_neighbours import nearest_aligned_poses
from vvipe_tf.evaluation.baselines import embed_canonical_poses, embed_normalised_keypoints
from vvipe_tf.evaluation.distribution_neighbours import nearest_distributions
from vvipe_tf.evaluation.frame_neighbourhood import FrameNeighbourhood
from vvipe_tf.evaluation.hit_at_k import PosePairErrors
from vvipe_tf.evaluation.neighbours import nearest_neighbours
from vvipe_tf.evaluation.protocol import metric_profiles
from vvipe_tf.evaluation.recorded_lifting import evaluate_agreement, evaluate_recorded_lifting
from vvipe_tf.evaluation.recorded_views import (
    TooFewCandidatesError,
    evaluate_recorded_chance,
    evaluate_recorded_oracle,
    evaluate_recorded_retrieval,
    usable_ranks,
)
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.provenance import describe_commit, describe_versions

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import AnyTrainedModel

RESULTS_FILE = "view_results.json"
FORMAT = "vvipe-view-results"
VERSION = 2
# Larger recordings are measured on their distinct frames only, or on a list.
MAX_FRAMES = 12_000
_FIND_NEIGHBOURS = {"vvipe": nearest_neighbours, "pr_vipe": nearest_distributions, "lifter": nearest_aligned_poses}


def evaluate_views(model: "AnyTrainedModel", arguments: argparse.Namespace, command: str | None = None) -> str:
    """Measures a model on recorded views and adds the numbers to view_results.json of its run folder.

    Args:
        model: Trained model.
        arguments: `run_dir`, `views`, `frames`, `kind`, `window`, `gallery_size` and `seed` of the command line.
        command: Command line to record.

    Returns:
        The report, Markdown.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file, a list or a kind is wrong, or there is too little to measure.
    """
    views = ViewSet.load(arguments.views)
    frame_list = read_frame_list(arguments.frames) if arguments.frames else None
    path = Path(arguments.run_dir) / RESULTS_FILE
    results = _read_results(path) if path.exists() else {}
    about = {"command": command, "commit": describe_commit(), "versions": describe_versions()}
    name = Path(arguments.views).name
    reports = []
    for kind in arguments.kind or views.keypoints:
        measured = measure_views(
            model, views, kind, frame_list, arguments.window, arguments.gallery_size, arguments.seed
        )
        entry = {"data": name, "kind": kind, "frame_list": arguments.frames, **measured, **about}
        results[f"{name}/{kind}" + ("/listed" if frame_list else "")] = entry
        reports.append(format_view_report(entry))
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, "version": VERSION, "results": results}, indent=1) + "\n")
    return "\n".join(reports)


def measure_views(
    model: "AnyTrainedModel",
    views: ViewSet,
    kind: str,
    frame_list: FrameList | None = None,
    window: int = 30,
    gallery_size: int = 2000,
    seed: int = 0,
) -> dict:
    """Measures a model on one kind of keypoints.

    Args:
        model: Model with the `config` of its run.
        views: Recorded views.
        kind: `"ground_truth"` or the name of a detector.
        frame_list: Views to measure, as they are; None for the two galleries that the module names.
        window: Frames at most this far from the query's, in frame numbers, are no answers where all are measured.
        gallery_size: Most frames without near-duplicates.
        seed: Seed of their choice.

    Returns:
        JSON-ready results; Hit@k in [0, 1], NP-MPJPE in torso units. Each gallery counts the recorded views that show
        too little to be in it.

    Raises:
        ValueError: If there are no such keypoints, a listed frame is not there, or there is too little to measure.
    """
    if window < 0:
        raise ValueError(f"Expected a window of at least 0 frames. Received: {window}")
    if frame_list is not None:
        columns = views.poses.subject, views.poses.sequence, views.poses.frame
        views = views.keep_views(frame_list.find(*columns, views.cameras))
        frame_list.check_found()
    else:
        views = views.select(held_out_poses(views.poses))
        if not len(views):
            raise ValueError("Expected poses that the protocol does not train on, or a frame list. Received: none")
    recorded = views.of_kind(kind)
    recorded_views = int(recorded.visible.any(axis=-1).sum())
    seen_by_suffix = {"": recorded.usable(all_joints=True)}
    if model.network_config.use_mask:
        seen_by_suffix[WITH_MISSING] = recorded.usable()
    embeddings = _embed(model, recorded, list(seen_by_suffix.values())[-1])
    if np.array_equal(seen_by_suffix[""], seen_by_suffix.get(WITH_MISSING)):
        del seen_by_suffix[WITH_MISSING]
    galleries, left_out = {}, {}
    for suffix, seen in seen_by_suffix.items():
        rows = np.flatnonzero(seen.any(axis=0))
        unusable = recorded_views - int(seen.sum())
        for name, frames, of_window in _choose_frames(views.select(rows), frame_list, window, gallery_size, seed):
            try:
                gallery = _measure_gallery(model, views, kind, seen, embeddings, rows[frames], of_window)
                galleries[name + suffix] = gallery | {"unusable_views": unusable}
            except TooFewCandidatesError as error:
                left_out[name + suffix] = str(error)
    if not galleries:
        raise ValueError(next(iter(left_out.values())))
    return {
        "model_kind": _kind_of(model),
        "virtual": False,
        "synthetic": views.poses.synthetic,
        "seed": seed,
        "near_duplicate_threshold": DEFAULT_THRESHOLD,
        "galleries": galleries,
        "left_out": left_out,
    }


def _choose_frames(views, frame_list, window, gallery_size, seed) -> list[tuple[str, np.ndarray, int]]:
    """Galleries: name, frames (indices), and how many frames near a query's are no answers."""
    everything = np.arange(len(views))
    if frame_list is not None:
        return [("listed", everything, 0)]
    distinct = select_gallery(views.poses, gallery_size, seed, DEFAULT_THRESHOLD) if len(views) else everything
    chosen = [("all", everything, window), ("distinct", distinct, 0)]
    return chosen if len(views) <= MAX_FRAMES else chosen[1:]


def _measure_gallery(model, views, kind, seen, embeddings, chosen, window) -> dict:
    """Results on some of the frames (indices)."""
    views, seen, embeddings = views.select(chosen), seen[:, chosen], embeddings[:, chosen]
    poses, recorded = views.poses, views.of_kind(kind)
    groups = camera_groups(poses.licenses, views.cameras)
    errors = {profile.name: PosePairErrors(poses.centred(profile)) for profile in metric_profiles(poses.profile)}
    nearby = FrameNeighbourhood(_sequence_numbers(poses), poses.frame.astype(np.int64), window)
    ks = usable_ranks(seen, groups["all"], nearby)
    baseline = embed_normalised_keypoints(recorded.keypoints_2d.astype(np.float64), recorded.visible)
    find = _FIND_NEIGHBOURS[_kind_of(model)]
    measured: dict[str, dict] = {name: {"model": {}, "keypoints_2d": {}, "chance": {}} for name in groups}
    for metric, cache in errors.items():
        parts = {
            "model": evaluate_recorded_retrieval(
                embeddings, seen, groups["all"], cache, nearby, ks, find_neighbours=find
            ),
            "keypoints_2d": evaluate_recorded_retrieval(baseline, seen, groups["all"], cache, nearby, ks),
            "chance": evaluate_recorded_chance(seen, groups["all"], cache, nearby, ks),
        }
        for name, pairs in groups.items():
            for part, result in parts.items():
                measured[name][part][metric] = result.over(pairs).to_dict()
    truth = poses.canonical(COCO_13)

    def oracle(pose_embeddings):
        return {
            metric: evaluate_recorded_oracle(pose_embeddings, cache, nearby, ks).to_dict()
            for metric, cache in errors.items()
        }

    gallery = {
        "frames": len(views),
        "frames_sha256": _digest_views(views, seen),
        "window": window,
        "metrics": list(errors),
        "seen": dict(zip(views.cameras, seen.sum(axis=1).tolist(), strict=True)),
        "groups": measured,
        "canonical_3d": oracle(embed_canonical_poses(truth)),
    }
    if _kind_of(model) != "vvipe":
        return gallery
    settings = model.config.get("train", {})
    true_poses = truth if settings.get("rotation", True) else poses.centred(COCO_13)
    if settings.get("pretraining", True):
        gallery["oracle_3d"] = oracle(model.embed_poses(true_poses))
    lifted = np.stack([model.decode(each) for each in embeddings])
    agreement = evaluate_agreement(lifted, seen, poses.torso_lengths_mm)
    lifting = evaluate_recorded_lifting(lifted, seen, true_poses, poses.torso_lengths_mm, views.cameras)
    return gallery | {"lifting": lifting.to_dict(), "agreement": None if agreement is None else agreement.to_dict()}


def _digest_views(views: ViewSet, seen: np.ndarray) -> str:
    """SHA-256 of the frames and of which camera's views of them are measured."""
    about = "\n".join([digest_frames(views.poses), *views.cameras]).encode()
    return hashlib.sha256(about + np.packbits(seen).tobytes()).hexdigest()


def _embed(model, recorded, seen) -> np.ndarray:
    """Embeddings (cameras, N, ...) of the views that were seen; 0 elsewhere."""
    embeddings = None
    for camera, mine in enumerate(seen):
        if not mine.any():
            continue
        found = model.embed_keypoints(recorded.keypoints_2d[camera, mine], recorded.visible[camera, mine])
        if embeddings is None:
            embeddings = np.zeros((*seen.shape, *found.shape[1:]), found.dtype)
        embeddings[camera, mine] = found
    if embeddings is None:
        raise ValueError("Expected a view that the model can use. Received: none")
    return embeddings


def _kind_of(model) -> str:
    return model.config.get("kind", "vvipe")


def _sequence_numbers(poses) -> np.ndarray:
    numbers = np.zeros(len(poses), dtype=np.int64)
    for number, rows in enumerate(poses.sequence_frames().values()):
        numbers[rows] = number
    return numbers


def _read_results(path: Path) -> dict:
    try:
        content = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"Expected JSON in {path}. Received: {error}") from error
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"Expected {FORMAT} version {VERSION} in {path}. Received: something else")
    if not isinstance(content.get("results"), dict):
        raise ValueError(f"Expected results in {path}. Received: none")
    return content["results"]
