"""Poses into a file of the format that its name asks for."""

import os
from pathlib import Path

from vvipe_tf.formats.pose_files.pose_bvh import BvhFit, write_bvh
from vvipe_tf.formats.pose_files.pose_csv import write_pose_csv
from vvipe_tf.formats.pose_files.pose_json import write_pose_json
from vvipe_tf.formats.pose_files.pose_npz import write_pose_npz
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.formats.pose_files.pose_trc import write_trc

# Formats in which a row is a moment of one person.
ONE_PERSON = (".bvh", ".trc")
_WRITERS = {
    ".json": write_pose_json,
    ".csv": write_pose_csv,
    ".npz": write_pose_npz,
    ".bvh": write_bvh,
    ".trc": write_trc,
}


def check_pose_file(path: str | os.PathLike) -> None:
    """Checks the name of a file before there is anything to write.

    Raises:
        ValueError: If it ends in none of the known ways.
    """
    if Path(path).suffix.lower() not in _WRITERS:
        raise ValueError(f"Expected a file name that ends in {', '.join(_WRITERS)}. Received: {path}")


def write_pose_file(path: str | os.PathLike, sequence: PoseSequence) -> BvhFit | None:
    """Writes poses as JSON, CSV, npz, BVH or TRC.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: The poses; one person's in order of time for BVH and TRC.

    Returns:
        What the constant bones of a BVH cost; None for the other formats.

    Raises:
        ValueError: If the name ends in none of these ways, or the format cannot hold the poses.
    """
    check_pose_file(path)
    return _WRITERS[Path(path).suffix.lower()](path, sequence)
