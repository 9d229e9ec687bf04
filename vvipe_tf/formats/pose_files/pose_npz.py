"""Poses as .npz: named arrays without objects."""

import os

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.npz_arrays import read_npz_arrays
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import get_profile

FORMAT, VERSION = "vvipe-poses", 1
_NEEDED = ("format", "version", "poses", "frame", "person", "profile", "coordinate_frame", "unit")
_OPTIONAL = ("scores", "uncertainty")


def write_pose_npz(path: str | os.PathLike, sequence: PoseSequence) -> None:
    """Writes poses, frame numbers, track ids, scores, uncertainty and the description, each as an array of its name.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: The poses.
    """
    described = {key: np.array(value) for key, value in sequence.description().items() if value is not None}
    optional = {name: getattr(sequence, name) for name in _OPTIONAL if getattr(sequence, name) is not None}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(
            file,
            format=np.array(FORMAT),
            version=np.array(VERSION),
            poses=sequence.poses,
            frame=sequence.frame,
            person=sequence.person,
            keypoint_names=np.array(sequence.profile.keypoint_names),
            **described,
            **optional,
        )


def read_pose_npz(path: str | os.PathLike) -> PoseSequence:
    """Reads what `write_pose_npz` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, damaged, or of another version.
    """
    arrays = read_npz_arrays(path, _NEEDED, f"{FORMAT} file")
    if str(arrays["format"]) != FORMAT or str(arrays["version"]) != str(VERSION):
        raise ValueError(f"{path}: expected {FORMAT} version {VERSION}. Received: {arrays['format']}")
    rates = {name: float(arrays[name]) for name in ("fps", "torso_length_mm") if name in arrays}
    return PoseSequence(
        arrays["poses"],
        get_profile(str(arrays["profile"])),
        str(arrays["coordinate_frame"]),
        str(arrays["unit"]),
        frame=arrays["frame"],
        person=arrays["person"],
        **{name: arrays.get(name) for name in _OPTIONAL},
        **rates,
    )
