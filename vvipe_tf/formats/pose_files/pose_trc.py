"""Poses as TRC, the marker file of OpenSim and Pose2Sim: tab-separated, metres, Y up, frames from 1."""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence

DEFAULT_FPS = 30.0
_MARKERS = {"pelvis": "CHip", "neck": "Neck", "nose": "Nose", "head_top": "Head", "head": "Head"}


def marker_name(joint: str) -> str:
    """Name of a joint's marker as Pose2Sim's OpenSim models have it: `left_big_toe` -> `LBigToe`."""
    if joint in _MARKERS:
        return _MARKERS[joint]
    words = joint.split("_")
    side = words.pop(0)[0].upper() if words[0] in ("left", "right") else ""
    return side + "".join(word.capitalize() for word in words)


def write_trc(path: str | os.PathLike, sequence: PoseSequence) -> None:
    """Writes one person's poses as marker trajectories.

    Lengths are metres; a sequence in torso units without a torso length is written with
    `pose_sequence.NOMINAL_TORSO_LENGTH_MM`. Axes as Pose2Sim has them: Z-up (x, y, z) becomes (y, z, x).
    Without a frame rate, 30 frames per second are written.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: Poses of one person, in order of time.

    Raises:
        ValueError: If there are no poses.
    """
    if not len(sequence):
        raise ValueError("Expected at least one pose for a TRC file. Received: none")
    fps = sequence.fps or DEFAULT_FPS
    x, y, z = np.moveaxis(sequence.metres_y_up(), -1, 0)
    points = np.stack([-z, y, x], axis=-1).reshape(len(sequence), -1)
    markers = [marker_name(joint) for joint in sequence.profile.keypoint_names]
    rate = f"{fps:g}"
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{Path(path).name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{len(sequence)}\t{len(markers)}\tm\t{rate}\t{int(sequence.frame[0])}\t{len(sequence)}",
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + "\t".join(f"X{number}\tY{number}\tZ{number}" for number in range(1, len(markers) + 1)),
    ]
    for number, row in enumerate(points, start=1):
        lines.append("\t".join([str(number), f"{number / fps:.8f}", *(f"{value:.8f}" for value in row)]))
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
