"""`python -m vvipe_tf convert`: keypoint files and pose files into other formats."""

import argparse
import json
from pathlib import Path

from vvipe_tf.commands.keypoint_source import add_keypoint_arguments, read_keypoints


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("input", metavar="INPUT", help="keypoint file or folder, or 3D poses (.json, .npz, .bvh)")
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help="keypoints: .npz, .csv, .json (AlphaPose); poses: .json, .csv, .npz, .bvh, .trc",
    )
    add_keypoint_arguments(parser)
    parser.add_argument("--to-profile", help="write these joints, e.g. COCO_17")
    parser.add_argument("--person", help="all, main or a track id (all; main for .bvh and .trc)")
    parser.add_argument("--fps", type=float, help="frames per second of poses, where the file does not say")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what is printed (%(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from vvipe_tf.commands.pose_source import holds_poses

    summary = _convert_poses(arguments) if holds_poses(arguments.input) else _convert_keypoints(arguments)
    summary = {"input": arguments.input} | summary | {"output": arguments.output}
    print(json.dumps(summary) if arguments.format == "json" else _text(summary))


def _text(summary: dict) -> str:
    text = f"{summary['output']}: {summary['rows']} rows of {summary['profile']}"
    if "interpolated" in summary:
        text += f"; {summary['interpolated']} frames without a pose were interpolated"
    if "bone_fit_mm" in summary:
        text += f"; bones of constant length cost {summary['bone_fit_mm']:.1f} mm on average"
    return text


def _convert_keypoints(arguments: argparse.Namespace) -> dict:
    from dataclasses import replace

    import numpy as np

    from vvipe_tf.apps.pose_tracks import choose_people
    from vvipe_tf.formats.detections.keypoint_writing import check_keypoint_file, write_keypoint_file
    from vvipe_tf.keypoints import get_profile, map_keypoints, map_scores

    check_keypoint_file(arguments.output)
    table = choose_people(read_keypoints(arguments.input, arguments), arguments.person or "all")
    if arguments.to_profile:
        target = get_profile(arguments.to_profile)
        scores = map_scores(table.scores, table.profile, target)
        points = map_keypoints(table.keypoints_2d, table.profile, target)
        points = np.where(scores[..., None] > 0, points, 0)
        table = replace(table, keypoints_2d=points, scores=scores, profile=target)
    write_keypoint_file(arguments.output, table)
    return {"source_format": table.source_format, "profile": table.profile.name, "rows": len(table)}


def _convert_poses(arguments: argparse.Namespace) -> dict:
    from dataclasses import replace

    from vvipe_tf.apps.pose_tracks import choose_poses, fill_gaps
    from vvipe_tf.commands.pose_source import read_poses
    from vvipe_tf.formats.pose_files.writing import ONE_PERSON, check_pose_file, write_pose_file
    from vvipe_tf.keypoints import get_profile, map_keypoints, map_scores

    check_pose_file(arguments.output)
    sequence = read_poses(arguments.input)
    one_person = Path(arguments.output).suffix.lower() in ONE_PERSON
    sequence = choose_poses(sequence, arguments.person or ("main" if one_person else "all"))
    if arguments.fps is not None:
        sequence = replace(sequence, fps=arguments.fps)
    if arguments.to_profile:
        source, target = sequence.profile, get_profile(arguments.to_profile)
        scores = None if sequence.scores is None else map_scores(sequence.scores, source, target)
        poses = map_keypoints(sequence.poses, source, target)
        sequence = replace(sequence, poses=poses, profile=target, scores=scores)
    filled = 0
    if one_person:
        sequence, filled = fill_gaps(sequence)
    fit = write_pose_file(arguments.output, sequence)
    summary = {"coordinate_frame": sequence.coordinate_frame, "profile": sequence.profile.name, "rows": len(sequence)}
    if filled:
        summary["interpolated"] = filled
    return summary if fit is None else summary | {"bone_fit_mm": round(fit.mean_error_mm, 2)}
