"""Files of 3D poses as the commands take them, told apart by their content."""

from pathlib import Path
from typing import TYPE_CHECKING

from vvipe_tf.formats.npz_arrays import npz_members

if TYPE_CHECKING:
    from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence

_JSON_HEAD = 512


def holds_poses(path: str) -> bool:
    """Whether a file holds 3D poses (this project's JSON, CSV or npz, BVH, TRC) rather than keypoints.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If it is a damaged .npz.
    """
    return _kind_of(path) is not None


def read_poses(path: str) -> "PoseSequence":
    """Reads 3D poses.

    Args:
        path: JSON, CSV, npz or TRC as `lift` writes it, or BVH.

    Returns:
        The poses; those of a BVH or TRC in metres, Z up. Frames without a pose are left out.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none of these, or damaged.
    """
    kind = _kind_of(path)
    if kind == "json":
        from vvipe_tf.formats.pose_files.pose_json import read_pose_json

        return read_pose_json(path)
    if kind == "npz":
        from vvipe_tf.formats.pose_files.pose_npz import read_pose_npz

        return read_pose_npz(path)
    if kind == "csv":
        from vvipe_tf.formats.pose_files.pose_csv import read_pose_csv

        return read_pose_csv(path)
    if kind == "trc":
        from vvipe_tf.formats.pose_files.pose_trc import read_trc

        return read_trc(path)
    if kind == "bvh":
        return _read_bvh(path)
    raise ValueError(f"{path}: expected 3D poses (.json, .csv, .npz or .trc of `lift`, .bvh). Received: another file")


def _kind_of(path: str) -> str | None:
    if Path(path).is_dir():
        return None
    with open(path, "rb") as file:
        head = file.read(_JSON_HEAD)
    if head.lstrip().startswith(b"HIERARCHY"):
        return "bvh"
    if head.startswith(b"PathFileType"):
        return "trc"
    if head.startswith(b"# coordinate_frame:"):
        return "csv"
    if head.startswith(b"PK\x03\x04"):
        return "npz" if "poses" in npz_members(path) else None
    return "json" if b'"vvipe-poses"' in head else None


def _read_bvh(path: str) -> "PoseSequence":
    import numpy as np

    from vvipe_tf.formats.motion_capture.bvh_poses import read_bvh_poses
    from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence

    capture = read_bvh_poses(path, need_spine=False).capture
    whole = np.isfinite(capture.poses).all(axis=(1, 2))
    return PoseSequence(
        capture.poses[whole], capture.profile, "world", "m", capture.fps, frame=capture.frame[whole].astype(np.int64)
    )
