"""What every command that reads keypoints shares: its arguments, the layout check, the model."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder
    from vvipe_tf.formats.detections.detection_table import DetectionTable

# A finding at least this certain stops the command; a less certain one is a warning.
_CERTAIN = 0.8


def add_keypoint_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--profile`, `--image-size` and `--ignore-layout`."""
    parser.add_argument("--profile", help="keypoint profile, e.g. COCO_17, where the file leaves it open")
    parser.add_argument(
        "--image-size",
        nargs=2,
        type=int,
        metavar=("WIDTH", "HEIGHT"),
        help="size of the pictures in pixels, where coordinates are normalised",
    )
    parser.add_argument(
        "--ignore-layout", action="store_true", help="go on, with a warning, where the joint order looks impossible"
    )


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--model`."""
    parser.add_argument("--model", help=".tflite file or run folder; the model of the package by default")


def read_keypoints(path: str, arguments: argparse.Namespace) -> "DetectionTable":
    """Reads keypoints and checks whether their layout is anatomically possible.

    Args:
        path: File or folder of any known format.
        arguments: What `add_keypoint_arguments` added.

    Returns:
        The detections.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is of no known kind, damaged or empty, or its joint order looks wrong.
    """
    from vvipe_tf.formats.detections.reading import read_detections
    from vvipe_tf.formats.layout.layout_check import check_table, sides_checked
    from vvipe_tf.keypoints import get_profile

    profile = get_profile(arguments.profile) if arguments.profile else None
    image_size = None if arguments.image_size is None else tuple(arguments.image_size)
    if image_size is not None and min(image_size) < 1:
        raise ValueError(f"Expected --image-size above 0. Received: {image_size[0]} {image_size[1]}")
    table = read_detections(path, profile, image_size)
    if not len(table):
        raise ValueError(f"{path}: expected at least one person with keypoints. Received: none")
    findings = check_table(table)
    for finding in findings:
        likely = finding.likely_order(table.profile)
        likely = f" Likely permutation: {likely}." if likely else ""
        message = f"{path}: {finding.message}{likely} (confidence {finding.confidence:.2f})"
        if finding.confidence >= _CERTAIN and not arguments.ignore_layout:
            raise ValueError(
                f"{message} Name the right --profile or mend the file; --ignore-layout goes on regardless."
            )
        _warn(message)
    if not findings and not sides_checked(table):
        _warn(f"{path}: left and right could not be checked: no scores tell a face from the back of a head.")
    doubled = table.doubled_frames()
    if len(doubled):
        _warn(f"{path}: expected each frame once in a track. Received: frame {doubled[0]} doubled, of {len(doubled)}.")
    return table


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)


def load_embedder(model: str | None) -> "PoseEmbedder":
    """The model of a `.tflite` file or a run folder; that of the package for None.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is damaged.
    """
    from vvipe_tf.apps.embedder import PoseEmbedder

    if model is None:
        embedder = PoseEmbedder.from_pretrained()
    elif os.path.isdir(model):
        embedder = PoseEmbedder.from_run(model)
    else:
        embedder = PoseEmbedder.from_tflite(model)
    embedder.check_layout = False  # `read_keypoints` has done it, once for the whole file.
    return embedder
