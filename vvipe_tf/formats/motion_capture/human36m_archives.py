"""VideoPose3D's archives of Human3.6M: `data_3d_h36m.npz` and the `data_2d_h36m_*.npz` beside it.

`positions_3d` = {subject: {action: (frames, 32 or 17, 3)}}, measured poses in metres, Z up; `positions_2d` = {subject:
{action: [(frames, joints, 2) for each of the four cameras]}}, pixels. They are pickles, opened by `restricted_pickle`.
"""

import functools
import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.detections.videopose3d import archive_profile
from vvipe_tf.formats.motion_capture.human36m import CAMERAS, FACTS, known_faults
from vvipe_tf.formats.motion_capture.human36m_cameras import find_subject_cameras
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH, MultiViewCapture, one_recording
from vvipe_tf.formats.restricted_pickle import read_pickled_member
from vvipe_tf.keypoints import H36M_17, H36M_32

POSES_3D = "data_3d_h36m.npz"
TRUE_PROJECTIONS = "gt"
_KEYPOINTS_2D = "data_2d_h36m_{}.npz"
_PROFILES = {profile.num_joints: profile for profile in (H36M_17, H36M_32)}


def keypoint_archives(folder: str | os.PathLike) -> list[str]:
    """What 2D archives a folder holds: the names after `data_2d_h36m_`, e.g. `gt`, `cpn_ft_h36m_dbb`."""
    before, after = _KEYPOINTS_2D.split("{}")
    return sorted(path.name[len(before) : -len(after)] for path in Path(folder).glob(_KEYPOINTS_2D.format("*")))


def find_archive_recordings(folder: str | os.PathLike, keypoints: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Subjects and actions that have both poses and keypoints.

    Args:
        folder: Folder of the archives.
        keypoints: Which 2D archive, as `keypoint_archives` names it.

    Returns:
        (subject, action) pairs in the order of the 3D archive, and one line for each subject that lacks something.

    Raises:
        FileNotFoundError: If an archive does not exist.
        ValueError: If an archive is damaged, holds foreign classes or is of another form.
    """
    poses = _actions(Path(folder, POSES_3D), "positions_3d")
    points = _actions(Path(folder, _KEYPOINTS_2D.format(keypoints)), "positions_2d")
    notes = []
    for subject in sorted(poses.keys() | points.keys()):
        for lacking, ours, others in (("keypoints", poses, points), ("poses", points, poses)):
            missing = sorted(ours.get(subject, {}).keys() - others.get(subject, {}).keys())
            if missing:
                notes.append(f"{subject}: {len(missing)} actions without {lacking}, the first {missing[0]!r}")
    both = [(who, what) for who, actions in poses.items() for what in actions if what in points.get(who, {})]
    return both, notes


def read_archive_recording(
    folder: str | os.PathLike, subject: str, action: str, keypoints: str = TRUE_PROJECTIONS
) -> MultiViewCapture:
    """Reads one action of one subject.

    Args:
        folder: Folder of the archives; a `metadata.xml` in it calibrates the cameras.
        subject: Subject, e.g. "S11".
        action: Action, e.g. "Directions 1".
        keypoints: Which 2D archive, as `keypoint_archives` names it.

    Returns:
        Measured poses and the keypoints of the four cameras. Detections without a pose (some videos have a few frames
        more) are cut off; `notes` says so.

    Raises:
        FileNotFoundError: If an archive does not exist.
        ValueError: If there is no such recording, or an archive is damaged, holds foreign classes or other shapes.
    """
    path_3d, path_2d = Path(folder, POSES_3D), Path(folder, _KEYPOINTS_2D.format(keypoints))
    poses = _recording(path_3d, "positions_3d", subject, action)
    views = _recording(path_2d, "positions_2d", subject, action)
    profile = archive_profile(_member(path_2d, "metadata"), str(path_2d))
    where = f"{subject}/{action}"
    poses = _numbers(poses, f"{path_3d}, {where}", _PROFILES, 3)
    if not isinstance(views, list | tuple | np.ndarray) or len(views) != len(CAMERAS):
        raise ValueError(
            f"Expected {len(CAMERAS)} cameras in {path_2d}, {where}. Received: {len(np.atleast_1d(views))}"
        )
    views = [_numbers(view, f"{path_2d}, {where}", (profile.num_joints,), 2) for view in views]
    frames = min(len(poses), *map(len, views))
    notes = list(known_faults(subject, action))
    if {len(poses), *map(len, views)} != {frames}:
        counts = ", ".join(f"{name} {len(view)}" for name, view in zip(CAMERAS, views, strict=True))
        notes.append(f"cut to the first {frames} frames: 3D {len(poses)}, {counts}")
    return MultiViewCapture(
        one_recording(_PROFILES[poses.shape[1]], poses[:frames], np.arange(frames), subject, action, **FACTS),
        CAMERAS,
        np.stack([view[:frames] for view in views]),
        profile,
        None,
        GROUND_TRUTH if keypoints == TRUE_PROJECTIONS else keypoints,
        find_subject_cameras(folder, subject),
        tuple(notes),
    )


def _recording(path: Path, member: str, subject: str, action: str) -> object:
    actions = _actions(path, member).get(subject, {})
    if action not in actions:
        raise ValueError(
            f"Expected {subject}/{action} in {path}. Received: {subject} with {sorted(actions) or 'nothing'}"
        )
    return actions[action]


def _actions(path: Path, member: str) -> dict[str, dict[str, object]]:
    content = _member(path, member)
    if not isinstance(content, dict) or not all(isinstance(actions, dict) for actions in content.values()):
        raise ValueError(f"Expected {member} of {path} as subjects of actions. Received: {type(content).__name__}")
    return content


def _member(path: Path, name: str) -> object:
    state = path.stat() if path.exists() else None
    return _read_member(path, name, state and (state.st_mtime_ns, state.st_size))


# Every recording lies in the same pickle: it is read once, not once for each of 210 recordings.
@functools.lru_cache(maxsize=4)
def _read_member(path: Path, name: str, version: tuple[int, int] | None) -> object:
    if version is None:
        raise FileNotFoundError(f"Expected an archive of VideoPose3D. Received: {path}, which does not exist")
    return read_pickled_member(path, name)


def _numbers(array: object, where: str, joints, coordinates: int) -> np.ndarray:
    array = np.asarray(array)
    if (
        array.ndim != 3
        or array.shape[1] not in joints
        or array.shape[2] != coordinates
        or array.dtype.kind not in "fiu"
    ):
        counts = " or ".join(str(count) for count in joints)
        raise ValueError(
            f"Expected numbers of shape (frames, {counts}, {coordinates}) in {where}. "
            f"Received: {array.dtype} of shape {array.shape}"
        )
    return array
