"""Which public data set a folder is, and its recordings one by one."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vvipe_tf.formats.motion_capture import human36m, mpi_inf_3dhp, mpi_inf_3dhp_test_set
from vvipe_tf.formats.motion_capture.human36m_archives import (
    POSES_3D,
    TRUE_PROJECTIONS,
    find_archive_recordings,
    keypoint_archives,
    read_archive_recording,
)
from vvipe_tf.formats.motion_capture.human36m_cdf import find_human36m_recordings, read_human36m_recording
from vvipe_tf.formats.motion_capture.multi_view import MultiViewCapture


class OfficialRecording(NamedTuple):
    """A recording that is not read yet; it can be sent to another process.

    Args:
        source: Name of the data set, as `MotionCapture.source` has it.
        name: Subject and sequence, e.g. "S11/Directions 1", for progress and errors.
        read: Reads it; raises `ValueError` if its files are damaged.
    """

    source: str
    name: str
    read: Callable[[], MultiViewCapture]


class OfficialFolder(NamedTuple):
    """What a folder holds.

    Args:
        recordings: Its recordings, at least one.
        notes: What was left out, one line each.
    """

    recordings: tuple[OfficialRecording, ...]
    notes: tuple[str, ...]


def find_captures(
    folder: str | os.PathLike, universal: bool = True, keypoints: str | None = None
) -> OfficialFolder | None:
    """Looks for the official files of Human3.6M or MPI-INF-3DHP, or VideoPose3D's archives of Human3.6M.

    Args:
        folder: Root of the files: it holds `S1`, `S5`, ... or `data_3d_h36m.npz`.
        universal: Whether poses of a universal skeleton are wanted, where there are any.
        keypoints: Which 2D archive of VideoPose3D, e.g. "cpn_ft_h36m_dbb"; by default true projections, or else the
            only one there is. With official Human3.6M files in the folder, the archives are read only if this is given.

    Returns:
        The recordings, or None if the folder is none of these.

    Raises:
        FileNotFoundError: If the 2D archive does not exist.
        ValueError: If an archive is damaged or holds foreign classes, or it is not clear which 2D archive is meant.
    """
    actions = [] if keypoints is not None else find_human36m_recordings(folder)
    if actions:
        return OfficialFolder(tuple(_official(folder, *action, universal) for action in actions), ())
    if Path(folder, POSES_3D).is_file():
        return _archives(folder, keypoints or _only_archive(folder))
    recordings = [
        OfficialRecording(source, "/".join(path.parts[-length:]), functools.partial(read, path, universal))
        for source, find, read, length in (
            (mpi_inf_3dhp.SOURCE, mpi_inf_3dhp.find_training_recordings, mpi_inf_3dhp.read_training_recording, 2),
            (
                mpi_inf_3dhp_test_set.SOURCE,
                mpi_inf_3dhp_test_set.find_test_recordings,
                mpi_inf_3dhp_test_set.read_test_recording,
                1,
            ),
        )
        for path in find(folder)
    ]
    return OfficialFolder(tuple(recordings), ()) if recordings else None


def _official(folder: str | os.PathLike, subject: str, action: str, universal: bool) -> OfficialRecording:
    read = functools.partial(read_human36m_recording, folder, subject, action, universal)
    return OfficialRecording(human36m.SOURCE, f"{subject}/{action}", read)


def _archives(folder: str | os.PathLike, keypoints: str) -> OfficialFolder:
    both, notes = find_archive_recordings(folder, keypoints)
    if not both:
        raise ValueError(f"Expected actions with poses and {keypoints} keypoints in {folder}. Received: none")
    recordings = (
        OfficialRecording(
            human36m.SOURCE,
            f"{subject}/{action}",
            functools.partial(read_archive_recording, folder, subject, action, keypoints),
        )
        for subject, action in both
    )
    return OfficialFolder(tuple(recordings), ("measured poses: the archives have no universal skeleton", *notes))


def _only_archive(folder: str | os.PathLike) -> str:
    found = keypoint_archives(folder)
    if TRUE_PROJECTIONS in found:
        return TRUE_PROJECTIONS
    if len(found) != 1:
        raise ValueError(
            f"Expected data_2d_h36m_{TRUE_PROJECTIONS}.npz, or one other 2D archive, beside {POSES_3D} in {folder}. "
            f"Received: {', '.join(found) or 'none'}"
        )
    return found[0]
