"""From a BVH skeleton to body poses: joints by name, unit and up axis, and a face where there is only a head."""

import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from vvipe_tf.formats.motion_capture.bvh import BvhMotion, read_bvh
from vvipe_tf.formats.motion_capture.bvh_joints import find_joints
from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.keypoints import COCO_13, MOCAP_22

METRES_PER_UNIT = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254}
# Cyclic permutations and a quarter turn: rows are x, y, z of the world with Z up, all right-handed.
_TO_Z_UP = {
    "x": np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    "y": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "z": np.eye(3),
}
_ADULT_LEG_METRES = 0.8
_LIMBS = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
# Right, forward and up of the head joint, in torso lengths: means of motion capture with measured heads.
_FACE = {
    "nose": (0.0, 0.24, 0.08),
    "left_eye": (-0.065, 0.19, 0.145),
    "right_eye": (0.065, 0.19, 0.145),
    "left_ear": (-0.15, 0.027, 0.1),
    "right_ear": (0.15, 0.027, 0.1),
    "head_top": (0.0, 0.0, 0.36),
}
# End sites of heads are often placeholders; only one of this length, in torso lengths, is the top of a head.
_HEAD_LENGTHS = (0.15, 0.8)


@dataclass(frozen=True, eq=False)
class BvhPoses:
    """Poses of one BVH file and how its world was understood.

    Args:
        capture: The poses, `MOCAP_22` (`COCO_13` where there is no spine), metres, Z up.
        unit: Unit of the file: `"mm"`, `"cm"`, `"m"` or `"in"`.
        up_axis: Up axis of the file: `"x"`, `"y"` or `"z"`.
        skeleton: Joint names of the file, end sites left out; equal skeletons have equal names.
    """

    capture: MotionCapture
    unit: str
    up_axis: str
    skeleton: tuple[str, ...]


def read_bvh_poses(
    path: str | os.PathLike, up_axis: str = "auto", unit: str = "auto", need_spine: bool = True
) -> BvhPoses:
    """Reads a BVH file as body poses.

    Pelvis, neck and head are the file's own joints (mid-hip and mid-shoulder where it has none); the spine is the joint
    between pelvis and neck that is nearest to half way. Eyes and ears are approximate: fixed offsets in the head's
    frame, turned so that the mean gaze is the trunk's forward direction. So are the nose, where the file has no joint
    of that name, and the top of the head where it has no end site there.

    Args:
        path: The `.bvh` file. Its folder is the source and the subject, its name the sequence. A frame with a
            value that is not a number becomes a pose of NaN.
        up_axis: `"x"`, `"y"`, `"z"`, or `"auto"`: the axis along which the neck is furthest from the ankles on average.
        unit: `"mm"`, `"cm"`, `"m"`, `"in"`, or `"auto"`: the one that makes a leg nearest to 0.8 m.
        need_spine: Whether a skeleton without a joint between pelvis and neck is an error; else it gives `COCO_13`.

    Returns:
        The poses, and the unit and up axis that were used.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, or a joint that is needed was not found; the message names file and joints.
    """
    motion = read_bvh(path)
    try:
        return _poses(Path(path), motion, up_axis, unit, need_spine)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _poses(path: Path, motion: BvhMotion, up_axis: str, unit: str, need_spine: bool) -> BvhPoses:
    if up_axis not in ("auto", *_TO_Z_UP) or unit not in ("auto", *METRES_PER_UNIT):
        raise ValueError(
            f"Expected an up axis among {('auto', *_TO_Z_UP)} and a unit among {('auto', *METRES_PER_UNIT)}. "
            f"Received: up_axis={up_axis!r}, unit={unit!r}"
        )
    finite = np.isfinite(motion.values).all(axis=1)
    if not finite.any():
        raise ValueError(f"Expected at least one frame of finite values. Received: none of {motion.num_frames}")
    names = tuple(joint.name for joint in motion.joints if not joint.is_end_site)
    indices = _body_joints(motion, names)
    positions, rotations = replace(motion, values=motion.values[finite]).forward_kinematics()
    body = {joint: positions[:, index] for joint, index in indices.items()}
    body.setdefault("pelvis", (body["left_hip"] + body["right_hip"]) / 2)
    body.setdefault("neck", (body["left_shoulder"] + body["right_shoulder"]) / 2)
    spine = _spine(motion, indices, body, positions)
    if spine is None and need_spine:
        raise ValueError(f"Expected a spine joint between pelvis and neck. Received: joints {', '.join(names)}")
    if spine is not None:
        body["spine"] = positions[:, spine]
    body = _face(body, rotations[:, indices["head"]]) | body
    if up_axis == "auto":
        up_axis = _guess_up_axis(body)
    if unit == "auto":
        unit = _guess_unit(body)
    profile = COCO_13 if spine is None else MOCAP_22
    found = np.stack([body[joint] for joint in profile.keypoint_names], axis=1)
    poses = np.full((motion.num_frames, profile.num_joints, 3), np.nan)
    poses[finite] = found @ (_TO_Z_UP[up_axis].T * METRES_PER_UNIT[unit])
    folder = path.resolve().parent.name
    capture = MotionCapture(
        profile=profile,
        poses=poses,
        subject=np.full(motion.num_frames, folder),
        sequence=np.full(motion.num_frames, path.stem),
        frame=np.arange(motion.num_frames, dtype=np.int32),
        source=folder,
        license="not stated",
        fps=motion.fps,
    )
    return BvhPoses(capture, unit, up_axis, names)


def _body_joints(motion: BvhMotion, names: tuple[str, ...]) -> dict[str, int]:
    """Node of each body joint; a wrist or ankle may be the end site of its limb, as may the top of the head."""
    nodes = [index for index, joint in enumerate(motion.joints) if not joint.is_end_site]
    found = {joint: nodes[index] for joint, index in find_joints(names).items()}
    end_sites = {joint.parent: index for index, joint in enumerate(motion.joints) if joint.is_end_site}
    stand_ins = {"left_wrist": "left_elbow", "right_wrist": "right_elbow"}
    stand_ins |= {"left_ankle": "left_knee", "right_ankle": "right_knee", "head_top": "head"}
    for joint, parent in stand_ins.items():
        if joint not in found and found.get(parent) in end_sites:
            found[joint] = end_sites[found[parent]]
    missing = [joint for joint in (*_LIMBS, "head") if joint not in found]
    if missing:
        raise ValueError(f"Expected a skeleton with {', '.join(missing)}. Received: joints {', '.join(names)}")
    return found


def _spine(motion, indices, body, positions) -> int | None:
    """Node between pelvis and neck nearest to half way, by lengths along the chain in the first frame, if any."""
    pelvis = indices.get("pelvis", 0)
    chain = [indices.get("neck", indices["head"])]
    while motion.joints[chain[-1]].parent not in (pelvis, -1):
        chain.append(motion.joints[chain[-1]].parent)
    path = [body["pelvis"][0], *(positions[0, node] for node in reversed(chain[1:])), body["neck"][0]]
    lengths = np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=-1))
    share = lengths / lengths[-1] if lengths[-1] > 0 else lengths
    inner = share[:-1]
    if not len(inner) or not 0.02 < inner[np.argmin(np.abs(inner - 0.5))] < 0.98:
        return None
    return chain[1:][::-1][int(np.argmin(np.abs(inner - 0.5)))]


def _face(body: dict[str, np.ndarray], head_rotation: np.ndarray) -> dict[str, np.ndarray]:
    """Face joints and top of the head (frames, 3) from the head joint; drops an end site that cannot be the latter."""
    up = body["neck"] - body["pelvis"]
    right = body["right_shoulder"] - body["left_shoulder"]
    trunk_joints = [joint for joint in ("pelvis", "spine", "neck") if joint in body]
    torso = sum(_distance(body, *bone) for bone in pairwise(trunk_joints))
    forward = np.cross(up, right)
    trunk = np.stack([np.cross(forward, up), forward, up], axis=-1)
    trunk = trunk / np.maximum(np.linalg.norm(trunk, axis=-2, keepdims=True), np.finfo(float).tiny)
    # The rotation nearest to the mean of the trunk's axes as the head sees them: gaze on average straight ahead.
    seen = np.swapaxes(head_rotation, -1, -2) @ trunk
    u, _, vt = np.linalg.svd(seen.mean(axis=0))
    axes = head_rotation @ (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt)
    face = {joint: body["head"] + torso[:, None] * (axes @ np.array(offset)) for joint, offset in _FACE.items()}
    if "head_top" in body:
        length = _distance(body, "head", "head_top").mean() / torso.mean()
        if not _HEAD_LENGTHS[0] <= length <= _HEAD_LENGTHS[1]:
            body.pop("head_top")
    return face


def _guess_up_axis(body: dict[str, np.ndarray]) -> str:
    upward = body["neck"] - (body["left_ankle"] + body["right_ankle"]) / 2
    return "xyz"[int(np.argmax(np.abs(upward.mean(axis=0))))]


def _guess_unit(body: dict[str, np.ndarray]) -> str:
    leg = np.median(_distance(body, "left_hip", "left_knee") + _distance(body, "left_knee", "left_ankle"))
    if not leg > 0:
        raise ValueError(f"Expected legs of non-zero length. Received: {leg} in the unit of the file")
    return min(METRES_PER_UNIT, key=lambda unit: abs(np.log(leg * METRES_PER_UNIT[unit] / _ADULT_LEG_METRES)))


def _distance(body: dict[str, np.ndarray], first: str, second: str) -> np.ndarray:
    """Distance (frames,) between two joints, unit of the file."""
    return np.linalg.norm(body[first] - body[second], axis=-1)
