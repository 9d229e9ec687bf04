"""Poses as TRC, the marker file of OpenSim and Pose2Sim: tab-separated, metres, Y up, frames from 1."""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import PROFILES

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


def read_trc(path: str | os.PathLike) -> PoseSequence:
    """Reads marker trajectories whose markers are those of a keypoint profile, as `write_trc` writes them.

    Returns:
        Poses in a world with Z up, in metres, frame by frame from the file's first frame.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, the markers are of no profile, or a value is wrong.
    """
    where = os.fspath(path)
    lines = [line.split("\t") for line in Path(path).read_text(encoding="utf-8").splitlines()]
    if len(lines) < 6 or lines[0][0] != "PathFileType" or lines[3][:2] != ["Frame#", "Time"]:
        raise ValueError(f"{where}: expected a TRC file with at least one frame. Received: another one")
    head = dict(zip(lines[1], lines[2], strict=False))
    markers = [name for name in lines[3][2:] if name]
    found = [p for p in PROFILES.values() if [marker_name(joint) for joint in p.keypoint_names] == markers]
    if not found:
        raise ValueError(f"{where}: expected the markers of a keypoint profile. Received: {', '.join(markers)[:80]}")
    scale = {"m": 1.0, "mm": 0.001}.get(head.get("Units", ""))
    if scale is None:
        raise ValueError(f"{where}: expected units m or mm. Received: {head.get('Units')!r}")
    try:
        rows = np.array([line[2 : 2 + 3 * len(markers)] for line in lines[5:] if line != [""]], np.float64)
        fps, first = float(head["DataRate"]), int(head.get("OrigDataStartFrame", 1))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{where}: expected a rate and {len(markers)} markers a frame. Received: {error}") from error
    x, y, z = np.moveaxis(scale * rows.reshape(len(rows), -1, 3), -1, 0)
    poses = np.stack([z, x, y], axis=-1)
    return PoseSequence(poses, found[0], "world", "m", fps, frame=first + np.arange(len(poses)))
