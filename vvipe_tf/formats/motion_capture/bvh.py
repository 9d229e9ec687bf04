"""Biovision Hierarchy (BVH) motion files: hierarchy, channels, and where every joint is in every frame."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_AXES = {"x": 0, "y": 1, "z": 2}
_CHANNELS = {f"{axis}{kind}": (kind, _AXES[axis]) for axis in _AXES for kind in ("position", "rotation")}


@dataclass
class BvhJoint:
    """One node of the hierarchy; an end site is a node without channels, named after its parent.

    Args:
        name: Name in the file; `<parent> End Site` for an end site.
        parent: Index of the parent, -1 for the root.
        is_end_site: Whether the node is an end site.
        offset: Position in the parent's frame (3,), unit of the file.
        channels: `(kind, axis)` in file order, kind `"position"` or `"rotation"`, axis 0, 1, 2.
    """

    name: str
    parent: int
    is_end_site: bool = False
    offset: np.ndarray | None = None
    channels: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class BvhMotion:
    """A skeleton and its motion.

    Args:
        joints: Nodes, every parent before its children.
        values: Channel values (frames, channels) as in the file: lengths, and angles in degrees.
        frame_time: Seconds a frame.
    """

    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    frame_time: float

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.values)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return 1.0 / self.frame_time

    def forward_kinematics(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions and orientations of every node in every frame.

        Rotations apply in file order, `R = R_1 R_2 R_3` on column vectors. Where a joint has position channels, these
        take the place of its offset, axis by axis.

        Returns:
            Positions (frames, nodes, 3) in the unit and world of the file, and rotations (frames, nodes, 3, 3) that
            take a node's own frame to the world (column vectors).
        """
        positions = np.empty((self.num_frames, len(self.joints), 3))
        rotations = np.empty((self.num_frames, len(self.joints), 3, 3))
        first_channel = 0
        for index, joint in enumerate(self.joints):
            values = self.values[:, first_channel : first_channel + len(joint.channels)]
            first_channel += len(joint.channels)
            translation, rotation = _local_transform(joint, values)
            if joint.parent < 0:
                positions[:, index], rotations[:, index] = translation, rotation
            else:
                parent = rotations[:, joint.parent]
                positions[:, index] = positions[:, joint.parent] + (parent @ translation[..., None])[..., 0]
                rotations[:, index] = parent @ rotation
        return positions, rotations


def read_bvh(path: str | os.PathLike) -> BvhMotion:
    """Reads a BVH file.

    Args:
        path: The `.bvh` file.

    Returns:
        Its skeleton and motion, unit and axes as in the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no BVH file, is cut short, or a frame has another number of values than there are
            channels; the message names the file and the line or frame.
    """
    try:
        return parse_bvh(Path(path).read_text(encoding="utf-8-sig", errors="replace"))
    except FileNotFoundError:
        raise FileNotFoundError(f"Expected a BVH file. Received: {path}, which does not exist") from None
    except OSError as error:
        raise ValueError(f"Expected a readable BVH file. Received: {path}: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def parse_bvh(text: str) -> BvhMotion:
    """Parses the text of a BVH file.

    Args:
        text: Contents of the file.

    Returns:
        Its skeleton and motion.

    Raises:
        ValueError: As `read_bvh`.
    """
    lines = text.splitlines()
    motion_line = next((number for number, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    if not any(line.strip().upper() == "HIERARCHY" for line in lines[:motion_line]):
        raise ValueError(f"Expected a BVH file, with a line HIERARCHY. Received: {text[:40]!r}")
    if motion_line is None:
        raise ValueError("Expected a line MOTION after the hierarchy. Received: none, the file may be cut short")
    joints = _parse_hierarchy(lines[:motion_line])
    values, frame_time = _parse_motion(lines[motion_line + 1 :], sum(len(joint.channels) for joint in joints))
    return BvhMotion(tuple(joints), values, frame_time)


def _local_transform(joint: BvhJoint, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Translation (frames, 3) and rotation (frames, 3, 3) of a node in its parent's frame."""
    translation = np.tile(joint.offset, (len(values), 1))
    rotation = np.broadcast_to(np.eye(3), (len(values), 3, 3))
    for (kind, axis), column in zip(joint.channels, values.T, strict=True):
        if kind == "position":
            translation[:, axis] = column
        else:
            rotation = rotation @ _axis_rotation(axis, np.deg2rad(column))
    return translation, rotation


def _axis_rotation(axis: int, angle: np.ndarray) -> np.ndarray:
    """Rotations (frames, 3, 3) about a coordinate axis by `angle` (frames,) radians."""
    second, third = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.zeros((len(angle), 3, 3))
    rotation[:, axis, axis] = 1.0
    rotation[:, second, second] = rotation[:, third, third] = np.cos(angle)
    rotation[:, third, second] = np.sin(angle)
    rotation[:, second, third] = -rotation[:, third, second]
    return rotation


def _parse_hierarchy(lines: list[str]) -> list[BvhJoint]:
    joints: list[BvhJoint] = []
    open_joints: list[int] = []
    for number, line in enumerate(lines, start=1):
        # A brace may share a line with a name, and a name may hold spaces.
        for statement in line.replace("{", "\n{\n").replace("}", "\n}\n").splitlines():
            words = statement.split()
            if not words:
                continue
            keyword = words[0].upper()
            if keyword in ("ROOT", "JOINT", "END"):
                if (keyword == "ROOT") == bool(joints):
                    raise ValueError(
                        f"Expected one ROOT, and joints inside it. Received: line {number}: {line.strip()!r}"
                    )
                if joints and not open_joints:
                    raise ValueError(f"Expected joints inside the root. Received: line {number}: {line.strip()!r}")
                parent = open_joints[-1] if open_joints else -1
                is_end = keyword == "END"
                name = f"{joints[parent].name} End Site" if is_end else " ".join(words[1:])
                joints.append(BvhJoint(name, parent, is_end))
            elif keyword == "{":
                open_joints.append(len(joints) - 1)
            elif keyword == "}":
                if not open_joints:
                    raise ValueError(
                        f"Expected as many opening as closing braces. Received: line {number}: one too many"
                    )
                open_joints.pop()
            elif keyword == "OFFSET" and open_joints:
                joints[open_joints[-1]].offset = _offset(words[1:], number)
            elif keyword == "CHANNELS" and open_joints:
                joints[open_joints[-1]].channels = _channels(words[1:], number)
            elif keyword != "HIERARCHY":
                raise ValueError(f"Expected a line of a BVH hierarchy. Received: line {number}: {line.strip()[:60]!r}")
    if open_joints or not joints:
        raise ValueError(f"Expected a whole hierarchy. Received: {len(joints)} joints, {len(open_joints)} not closed")
    without = [joint.name for joint in joints if joint.offset is None]
    if without:
        raise ValueError(f"Expected an OFFSET for each joint. Received: none for {without}")
    return joints


def _offset(words: list[str], number: int) -> np.ndarray:
    try:
        offset = np.array([float(word) for word in words])
    except ValueError:
        offset = np.empty(0)
    if offset.shape != (3,) or not np.isfinite(offset).all():
        raise ValueError(f"Expected OFFSET with three numbers. Received: line {number}: {' '.join(words)!r}")
    return offset


def _channels(words: list[str], number: int) -> list[tuple[str, int]]:
    names = [word.lower() for word in words[1:]]
    if not words or words[0] != str(len(names)) or not all(name in _CHANNELS for name in names):
        raise ValueError(
            f"Expected CHANNELS with a count and as many of {', '.join(_CHANNELS)}. "
            f"Received: line {number}: {' '.join(words)!r}"
        )
    return [_CHANNELS[name] for name in names]


def _parse_motion(lines: list[str], num_channels: int) -> tuple[np.ndarray, float]:
    rows = [line for line in lines if line.strip()]
    frames = _motion_header(rows[:1], "Frames:")
    frame_time = _motion_header(rows[1:2], "Frame Time:")
    if not (np.isfinite(frame_time) and frame_time > 0):
        raise ValueError(f"Expected a positive Frame Time. Received: {frame_time}")
    frame_rows = [row.split() for row in rows[2:]]
    for frame, row in enumerate(frame_rows):
        if len(row) != num_channels:
            raise ValueError(f"Expected {num_channels} values in each frame. Received: {len(row)} in frame {frame}")
    if len(frame_rows) != frames:
        raise ValueError(f"Expected {frames:g} frames as announced. Received: {len(frame_rows)}")
    try:
        values = np.array(frame_rows, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"Expected numbers in the motion. Received: {error}") from None
    return values.reshape(len(frame_rows), num_channels), frame_time


def _motion_header(row: list[str], label: str) -> float:
    words = row[0].split(":") if row else [""]
    try:
        if len(words) != 2 or words[0].split() != label.rstrip(":").split():
            raise ValueError
        return float(words[1])
    except ValueError:
        raise ValueError(
            f"Expected '{label} NUMBER' after MOTION. Received: {row[0].strip()[:60] if row else ''!r}"
        ) from None
