"""Poses as BVH: centimetres, Y up, constant bone lengths, rotations Z X Y in degrees."""

import os
from dataclasses import dataclass

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.pose_files.bvh_skeleton import BvhMotionFit, fit_skeleton
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence

DEFAULT_FPS = 30.0
_CENTIMETRES = 100.0


@dataclass(frozen=True)
class BvhFit:
    """What the constant bones cost.

    Args:
        mean_error_mm: Mean distance between the joints of the file and those of the poses.
        max_error_mm: Largest such distance.
        joint_errors_mm: Mean distance per joint of the file.
    """

    mean_error_mm: float
    max_error_mm: float
    joint_errors_mm: dict[str, float]


def write_bvh(path: str | os.PathLike, sequence: PoseSequence) -> BvhFit:
    """Writes one person's poses as a skeleton in motion.

    A sequence in torso units without a torso length is written with `pose_sequence.NOMINAL_TORSO_LENGTH_MM`; without
    a frame rate, 30 frames per second are written.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: Poses of one person, in order of time; the profile needs the joints of COCO_13.

    Returns:
        The error of the fit: poses of a model or of a tracker have bones that change their length, a BVH has not.

    Raises:
        ValueError: If there are no poses, or the profile lacks a joint.
    """
    fit = fit_skeleton(sequence)
    fps = sequence.fps or DEFAULT_FPS
    angles = np.stack([_zxy_degrees(rotation) for rotation in fit.rotations], axis=1)
    order = list(_depth_first(fit))
    frames = np.concatenate([fit.root * _CENTIMETRES, angles[:, order].reshape(len(angles), -1)], axis=1)
    lines = ["HIERARCHY", *_hierarchy(fit, 0, ""), "MOTION", f"Frames: {len(frames)}", f"Frame Time: {1 / fps:.8f}"]
    lines += [" ".join(f"{value:.6f}" for value in frame) for frame in frames]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="ascii")
    millimetres = fit.errors * 1000
    per_joint = {joint.name: float(error) for joint, error in zip(fit.joints, millimetres.mean(axis=0), strict=True)}
    return BvhFit(float(millimetres.mean()), float(millimetres.max()), per_joint)


def _children(fit: BvhMotionFit, number: int) -> list[int]:
    return [child for child, joint in enumerate(fit.joints) if joint.parent == fit.joints[number].name]


def _depth_first(fit: BvhMotionFit, number: int = 0):
    yield number
    for child in _children(fit, number):
        yield from _depth_first(fit, child)


def _hierarchy(fit: BvhMotionFit, number: int, indent: str) -> list[str]:
    joint = fit.joints[number]
    offset = " ".join(f"{value * _CENTIMETRES:.6f}" for value in fit.offsets[number])
    positions = "6 Xposition Yposition Zposition" if joint.parent is None else "3"
    lines = [
        f"{indent}{'ROOT' if joint.parent is None else 'JOINT'} {joint.name}",
        f"{indent}{{",
        f"{indent}  OFFSET {offset}",
        f"{indent}  CHANNELS {positions} Zrotation Xrotation Yrotation",
    ]
    children = _children(fit, number)
    for child in children:
        lines += _hierarchy(fit, child, indent + "  ")
    if not children:
        lines += [f"{indent}  End Site", f"{indent}  {{", f"{indent}    OFFSET 0 0 0", f"{indent}  }}"]
    return [*lines, f"{indent}}}"]


def _zxy_degrees(rotation: np.ndarray) -> np.ndarray:
    """Angles (frames, 3) in degrees with rotation = Rz Rx Ry, continuous in time."""
    x = np.arcsin(np.clip(rotation[:, 2, 1], -1, 1))
    locked = np.abs(rotation[:, 2, 1]) > 1 - 1e-9
    z = np.where(
        locked,
        np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0]),
        np.arctan2(-rotation[:, 0, 1], rotation[:, 1, 1]),
    )
    y = np.where(locked, 0.0, np.arctan2(-rotation[:, 2, 0], rotation[:, 2, 2]))
    return np.degrees(np.unwrap(np.stack([z, x, y], axis=-1), axis=0))
