"""Poses as TRC, the marker file of OpenSim and Pose2Sim: tab-separated, metres, Y up, frames from 1."""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.motion_capture.pose2sim import POSE2SIM_21
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13, PROFILES, KeypointProfile, map_keypoints

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
    """Reads marker trajectories whose markers are those of a keypoint profile, as `write_trc` or Pose2Sim writes them.

    Returns:
        Poses in a world with Z up, in metres, frame by frame from the file's first frame; frames in which a marker is
        missing are left out. Of Pose2Sim's 21 markers those that are joints of COCO_13.

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
    profile, order = _layout_of(markers, where)
    scale = {"m": 1.0, "mm": 0.001}.get(head.get("Units", ""))
    if scale is None:
        raise ValueError(f"{where}: expected units m or mm. Received: {head.get('Units')!r}")
    try:
        rows = np.array(
            [[cell or "nan" for cell in line[2 : 2 + 3 * len(markers)]] for line in lines[5:] if line != [""]],
            np.float64,
        )
        fps, first = float(head["DataRate"]), int(head.get("OrigDataStartFrame", 1))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{where}: expected a rate and {len(markers)} markers a frame. Received: {error}") from error
    x, y, z = np.moveaxis(scale * rows.reshape(len(rows), -1, 3), -1, 0)
    poses, frame = np.stack([z, x, y], axis=-1)[:, order], first + np.arange(len(rows))
    if profile is POSE2SIM_21:
        poses, profile = map_keypoints(poses, POSE2SIM_21, COCO_13), COCO_13
    whole = np.isfinite(poses).all(axis=(1, 2))
    return PoseSequence(poses[whole], profile, "world", "m", fps, frame=frame[whole])


def _layout_of(markers: list[str], where: str) -> tuple[KeypointProfile, list[int]]:
    """Profile that has these markers, and where each of its joints stands among them."""
    known = {profile: [marker_name(joint) for joint in profile.keypoint_names] for profile in PROFILES.values()}
    for profile, names in known.items():
        if names == markers:
            return profile, list(range(len(names)))
    for profile, names in (known | {POSE2SIM_21: [marker_name(joint) for joint in POSE2SIM_21.keypoint_names]}).items():
        if len(set(markers)) == len(markers) and sorted(names) == sorted(markers):
            return profile, [markers.index(name) for name in names]
    raise ValueError(f"{where}: expected the markers of a keypoint profile. Received: {', '.join(markers)[:80]}")
