"""`python -m vvipe_tf lift`: 2D keypoints of any known file to canonical 3D poses."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vvipe_tf.commands.keypoint_source import (
    add_keypoint_arguments,
    add_model_argument,
    load_embedder,
    read_keypoints,
)

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder
    from vvipe_tf.apps.lift_result import LiftResult
    from vvipe_tf.formats.detections.detection_table import DetectionTable
    from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence

_CHUNK = 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("input", metavar="INPUT", help="keypoint file, or folder of OpenPose files")
    parser.add_argument("--output", metavar="FILE", help=".json, .csv, .npz, .bvh or .trc")
    add_keypoint_arguments(parser)
    parser.add_argument("--person", help="all, main or a track id (all; main for .bvh and .trc, which hold one person)")
    parser.add_argument("--smooth", choices=("one-euro", "savgol"), help="smooth over time; jitter and lag are told")
    parser.add_argument("--fps", type=float, help="frames per second; needed for --smooth, 30 in .bvh and .trc without")
    parser.add_argument(
        "--coordinate-frame",
        choices=("canonical", "camera"),
        default="canonical",
        help="canonical: hips along y, spine up z; camera: as the camera sees it, x right, y down, z forward",
    )
    parser.add_argument(
        "--focal-length",
        type=float,
        metavar="PIXELS",
        help="with --coordinate-frame camera: place it in space",
    )
    parser.add_argument("--torso-mm", type=float, metavar="MM", help="torso length of the person, for files in metres")
    add_model_argument(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="what is printed (%(default)s); json without --output prints the poses themselves",
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from vvipe_tf.apps.pose_tracks import choose_people, fill_gaps, smooth_people
    from vvipe_tf.formats.pose_files.writing import ONE_PERSON

    _check(arguments)
    one_person = arguments.output is not None and Path(arguments.output).suffix.lower() in ONE_PERSON
    table = read_keypoints(arguments.input, arguments)
    person = arguments.person or ("main" if one_person else "all")
    table = choose_people(table, person, need_tracks=one_person or arguments.smooth is not None)
    embedder = load_embedder(arguments.model)
    result = _lift(embedder, table)
    if not result.valid.any():
        raise ValueError(
            f"{arguments.input}: expected a person with both hips, a shoulder and 6 joints of a score of at least "
            f"{embedder.score_threshold:g}. Received: none in {len(table)} detections"
        )
    sequence = _sequence(arguments, embedder, table, result)
    summary = _summary(arguments, embedder, table, result, sequence)
    if arguments.smooth:
        sequence, reports = smooth_people(sequence, arguments.smooth)
        summary["smoothing"] = _smoothing(reports, arguments.smooth, summary["torso_mm"])
    if one_person:
        sequence, summary["interpolated"] = fill_gaps(sequence)
    if arguments.output is None:
        _print_poses(sequence)
        return
    summary |= _write(arguments.output, sequence)
    print(json.dumps(summary) if arguments.format == "json" else _text(summary))


def _check(arguments: argparse.Namespace) -> None:
    from vvipe_tf.formats.pose_files.writing import check_pose_file

    if arguments.output is None and arguments.format != "json":
        raise ValueError("Expected --output FILE, or --format json to print the poses. Received: neither")
    if arguments.output is not None:
        check_pose_file(arguments.output)
    if arguments.smooth and arguments.fps is None:
        raise ValueError("Expected --fps with --smooth. Received: none")
    for name in ("fps", "torso_mm", "focal_length"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"Expected --{name.replace('_', '-')} above 0. Received: {value}")
    if arguments.focal_length is not None and (arguments.coordinate_frame != "camera" or arguments.image_size is None):
        raise ValueError("Expected --focal-length together with --coordinate-frame camera and --image-size.")


def _lift(embedder: "PoseEmbedder", table: "DetectionTable") -> "LiftResult":
    import numpy as np
    from tqdm import tqdm

    from vvipe_tf.apps.lift_result import LiftResult

    parts = []
    with tqdm(total=len(table), unit="pose", desc="lift", leave=False, disable=None, file=sys.stderr) as bar:
        for start in range(0, len(table), _CHUNK):
            rows = table.select(np.arange(start, min(start + _CHUNK, len(table))))
            parts.append(embedder.lift(rows))
            bar.update(len(rows))
    return LiftResult.concatenate(parts)


def _sequence(arguments, embedder, table, result) -> "PoseSequence":
    import numpy as np

    from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
    from vvipe_tf.keypoints import COCO_13, map_scores

    valid = result.valid
    poses = result.poses[valid]
    if arguments.coordinate_frame == "camera":
        if arguments.focal_length is None:
            camera = result.weak_camera()
        else:
            width, height = arguments.image_size
            camera = result.perspective_camera(arguments.focal_length, (width / 2, height / 2))
        poses = camera.place(poses.astype(np.float64))
    scores = map_scores(table.scores, table.profile, COCO_13)
    return PoseSequence(
        poses,
        COCO_13,
        arguments.coordinate_frame,
        "torso",
        arguments.fps,
        arguments.torso_mm or embedder.torso_length_mm,
        table.frame[valid],
        table.person[valid],
        np.where(result.visible, scores, 0.0)[valid],
        result.uncertainty[valid],
    )


def _summary(arguments, embedder, table, result, sequence) -> dict:
    import numpy as np

    from vvipe_tf.formats.pose_files.pose_sequence import NOMINAL_TORSO_LENGTH_MM

    torso = sequence.torso_length_mm or NOMINAL_TORSO_LENGTH_MM
    expected = result.uncertainty[result.valid] * torso
    refused = np.flatnonzero(~result.valid)
    return {
        "input": arguments.input,
        "source_format": table.source_format,
        "profile": table.profile.name,
        "detections": len(table),
        "people": len(table.people),
        "lifted": len(sequence),
        "refused": [{"frame": int(table.frame[row]), "person": int(table.person[row])} for row in refused],
        "guessed_joints": int((~result.visible[result.valid]).sum()),
        "expected_error_mm": {"mean": float(expected.mean()), "p95": float(np.percentile(expected, 95))},
        "torso_mm": torso,
        "coordinate_frame": sequence.coordinate_frame,
        "model": embedder.model_id,
    }


def _smoothing(reports, method, torso_mm) -> list[dict]:
    return [
        {
            "person": person,
            "method": method,
            "jitter_before_mm": report.jitter_before * torso_mm,
            "jitter_after_mm": report.jitter_after * torso_mm,
            "lag_ms": report.lag_seconds * 1000,
            "change_mm": report.change * torso_mm,
        }
        for person, report in reports.items()
    ]


def _write(path: str, sequence: "PoseSequence") -> dict:
    from vvipe_tf.formats.pose_files.writing import write_pose_file

    fit = write_pose_file(path, sequence)
    costs = {} if fit is None else {"bone_fit_mm": {"mean": fit.mean_error_mm, "max": fit.max_error_mm}}
    return costs | {"output": path}


def _print_poses(sequence: "PoseSequence") -> None:
    from vvipe_tf.formats.pose_files.pose_json import pose_document

    print(json.dumps(pose_document(sequence), allow_nan=False))


def _text(summary: dict) -> str:
    error = summary["expected_error_mm"]
    lines = [
        f"{summary['input']}: {summary['source_format']}, {summary['profile']}, "
        f"{summary['detections']} detections, {summary['people'] or 'no'} track ids",
        f"{summary['lifted']} lifted; {len(summary['refused'])} refused, which show too little of a body; "
        f"{summary['guessed_joints']} joints unseen, their place is a guess",
        f"expected joint error {error['mean']:.0f} mm on average, of one pose in twenty {error['p95']:.0f} mm or more "
        f"(estimates; a torso of {summary['torso_mm']:.0f} mm)",
    ]
    for each in summary.get("smoothing", ()):
        lines.append(
            f"person {each['person']}, {each['method']}: jitter (second difference) {each['jitter_before_mm']:.1f} -> "
            f"{each['jitter_after_mm']:.1f} mm per frame squared, lag {each['lag_ms']:.0f} ms"
        )
    if summary.get("interpolated"):
        lines.append(f"{summary['interpolated']} frames without a pose were interpolated")
    if "bone_fit_mm" in summary:
        fit = summary["bone_fit_mm"]
        lines.append(f"bones of constant length cost {fit['mean']:.1f} mm on average, {fit['max']:.1f} mm at most")
    return "\n".join([*lines, f"{summary['output']}: {summary['coordinate_frame']} frame"])
