"""Poses as .npz: named arrays without objects."""

import os
import zipfile
import zlib

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import get_profile

FORMAT, VERSION = "vvipe-poses", 1
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
    where = os.fspath(path)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive}
    except FileNotFoundError:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, AttributeError, TypeError) as error:
        raise ValueError(f"{where}: expected an undamaged {FORMAT} .npz. Received: {error}") from error
    needed = {"format", "version", "poses", "frame", "person", "profile", "coordinate_frame", "unit"}
    if not needed <= set(arrays) or str(arrays["format"]) != FORMAT or str(arrays["version"]) != str(VERSION):
        raise ValueError(f"{where}: expected {FORMAT} version {VERSION}. Received: arrays {sorted(arrays)[:12]}")
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
