"""Official Human3.6M files: `S1/MyPoseFeatures/D3_Positions/Directions 1.cdf` and those beside it.

`D3_Positions` holds measured poses in the world; `D3_Positions_mono_universal` poses of one universal skeleton in the
frame of each camera; `D2_Positions` pixels of each camera (`Directions 1.54138969.cdf`). A file has one variable
`Pose` (1, frames, 32 * coordinates), millimetres or pixels.
"""

import os
import re
from pathlib import Path

import numpy as np

from vvipe_tf.formats.motion_capture.human36m import CAMERAS, FACTS, action_name, known_faults
from vvipe_tf.formats.motion_capture.human36m_cameras import METADATA, find_subject_cameras
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH, MultiViewCapture, one_recording
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.keypoints import H36M_32

_MEASURED, _UNIVERSAL, _PIXELS = "D3_Positions", "D3_Positions_mono_universal", "D2_Positions"
_METRES_PER_MILLIMETRE = 1e-3
_FILE_NAME = re.compile(r"(?P<action>[^._][^.]*?)(?:\.(?P<camera>\d+))?\.cdf")


def find_human36m_recordings(root: str | os.PathLike) -> list[tuple[str, str]]:
    """Subjects and actions that have 3D poses below a folder.

    Args:
        root: Folder that holds S1, S5, ...

    Returns:
        (subject, action) pairs, sorted; none if it is no such folder. Joins of all actions ("_ALL") are left out.
    """
    subjects = sorted((path.name for path in Path(root).glob("S*") if re.fullmatch(r"S\d+", path.name)), key=_number)
    return [
        (subject, action)
        for subject in subjects
        for action in sorted({key[0] for feature in (_MEASURED, _UNIVERSAL) for key in _files(root, subject, feature)})
    ]


def read_human36m_recording(
    root: str | os.PathLike, subject: str, action: str, universal: bool = True
) -> MultiViewCapture:
    """Reads one action of one subject.

    Poses of the universal skeleton stand in the frame of a camera: the first camera that has them brings them to the
    world, so that the vertical is kept. Without them, or without `metadata.xml`, the measured poses are taken.

    Args:
        root: Folder that holds S1, S5, ..., and `metadata.xml` for calibrated cameras.
        subject: Subject, e.g. "S11".
        action: Action, e.g. "Directions 1".
        universal: Whether poses of the universal skeleton are wanted rather than measured ones.

    Returns:
        Poses and true pixels, both `H36M_32`; a camera without a file has NaN.

    Raises:
        ValueError: If a file is damaged or of another form, or there is neither kind of poses.
    """
    calibration = find_subject_cameras(root, subject)
    cameras = CAMERAS if calibration is None else tuple(camera.name for camera in calibration)
    notes = list(known_faults(subject, action))
    poses, note = _read_poses(root, subject, action, calibration, universal)
    notes += note
    pixels = _read_pixels(root, subject, action, cameras)
    frames = min([len(poses), *map(len, pixels.values())])
    lengths = {"3D": len(poses), **{f"camera {camera}": len(points) for camera, points in pixels.items()}}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
        notes.append(f"cut to the first {frames} frames: {counts}")
    keypoints = np.full((len(cameras), frames, H36M_32.num_joints, 2), np.nan, dtype=np.float32)
    for place, camera in enumerate(cameras):
        if camera in pixels:
            keypoints[place] = pixels[camera][:frames]
        else:
            notes.append(f"no {_PIXELS} of camera {camera}")
    capture = one_recording(H36M_32, poses[:frames], np.arange(frames), subject, action, **FACTS)
    return MultiViewCapture(capture, cameras, keypoints, H36M_32, None, GROUND_TRUTH, calibration, tuple(notes))


def read_cdf_poses(path: str | os.PathLike, coordinates: int) -> np.ndarray:
    """Reads the variable `Pose` of one file.

    Args:
        path: The .cdf file.
        coordinates: 3 or 2.

    Returns:
        Poses (frames, 32, coordinates), float64, in the unit of the file.

    Raises:
        ValueError: If the file is damaged or holds anything else.
    """
    import cdflib  # Only these files need it.

    columns = H36M_32.num_joints * coordinates
    try:
        pose = np.asarray(cdflib.CDF(path).varget("Pose"), dtype=np.float64)
    # A damaged file can make the library raise nearly anything: all of it means the same to the caller.
    except Exception as error:
        raise ValueError(
            f"Expected a CDF file with the variable 'Pose'. Received: {path}: {error or type(error).__name__}"
        ) from error
    if pose.ndim not in (2, 3) or pose.shape[-1] != columns or pose.size != pose.shape[-2] * columns or not pose.size:
        raise ValueError(f"Expected Pose of shape (1, frames, {columns}) in {path}. Received: shape={pose.shape}")
    return pose.reshape(-1, H36M_32.num_joints, coordinates)


def _read_poses(
    root: str | os.PathLike,
    subject: str,
    action: str,
    calibration: tuple[Camera, ...] | None,
    universal: bool,
) -> tuple[np.ndarray, list[str]]:
    """Poses in metres in the world, and a note if they are not of the kind wanted."""
    if universal and calibration is not None:
        files = _files(root, subject, _UNIVERSAL)
        for camera in calibration:
            if (action, camera.name) in files:
                poses = read_cdf_poses(files[action, camera.name], 3)
                return camera.camera_to_world(poses * _METRES_PER_MILLIMETRE), []
    measured = _files(root, subject, _MEASURED).get((action, None))
    if measured is None:
        raise ValueError(
            f"Expected {_MEASURED}/{action}.cdf of {subject} in {root}, or {_UNIVERSAL} and {METADATA}. "
            "Received: neither"
        )
    note = [f"measured poses: no {_UNIVERSAL} with a calibrated camera"] if universal else []
    return read_cdf_poses(measured, 3) * _METRES_PER_MILLIMETRE, note


def _read_pixels(root: str | os.PathLike, subject: str, action: str, cameras: tuple[str, ...]) -> dict[str, np.ndarray]:
    files = _files(root, subject, _PIXELS)
    found = {camera: path for (name, camera), path in files.items() if name == action}
    unknown = sorted(map(str, set(found) - set(cameras)))
    if unknown:
        raise ValueError(f"Expected {_PIXELS} of cameras {', '.join(cameras)}. Received: {', '.join(unknown)}")
    return {camera: read_cdf_poses(found[camera], 2) for camera in cameras if camera in found}


def _files(root: str | os.PathLike, subject: str, feature: str) -> dict[tuple[str, str | None], Path]:
    """Files of a feature by action and camera, unpacked as the archives are, or into a folder named after them."""
    folders = (Path(root, subject, "MyPoseFeatures", feature), Path(root, subject, f"Poses_{feature}"))
    found = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.cdf"))):
        if match := _FILE_NAME.fullmatch(path.name):
            found.setdefault((action_name(match["action"]), match["camera"]), path)
    return found


def _number(subject: str) -> int:
    return int(subject[1:])
