"""VideoPose3D's 2D archives: `positions_2d` = {subject: {action: [one array (frames, joints, 2) per camera]}}.

They are pickles inside an .npz; `restricted_pickle` opens them. Every sequence becomes a track, so that nothing is
mixed: its number is the person id and `subject/action/camera` the picture name.
"""

import os
import zipfile

import numpy as np

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.joint_values import clean_joints
from vvipe_tf.formats.detections.person_records import PersonRecord, table_of
from vvipe_tf.formats.detections.restricted_pickle import read_object_array
from vvipe_tf.keypoints import COCO_17, H36M_17, H36M_32, KeypointProfile

NAME = "videopose3d"
MAX_MEMBER_BYTES = 4 << 30
_LAYOUTS = {("coco", 17): COCO_17, ("h36m", 17): H36M_17, ("h36m", 32): H36M_32}


def read(
    path: str | os.PathLike, profile: KeypointProfile | None = None, image_size: tuple[int, int] | None = None
) -> DetectionTable:
    """Reads an archive of VideoPose3D.

    Args:
        path: The .npz file.
        profile: Profile of the joints, or `None` to take it from the archive's `metadata`.
        image_size: Width and height of the pictures, if known.

    Returns:
        All frames of all sequences, in pixels; NaN keypoints are missing joints, all others have score 1.

    Raises:
        ValueError: If the archive is damaged, holds foreign classes or is not of this form.
    """
    where = os.fspath(path)
    positions = _member(path, "positions_2d")
    if profile is None:
        profile = _profile_of(_member(path, "metadata"), where)
    records = []
    for person, (name, sequence) in enumerate(_sequences(positions, where)):
        points = np.asarray(sequence)
        if points.ndim != 3 or points.shape[1:] != (profile.num_joints, 2) or points.dtype.kind not in "fiu":
            raise ValueError(
                f"{where}, {name}: expected keypoints of shape (frames, {profile.num_joints}, 2) for {profile.name}. "
                f"Received: {points.dtype} of shape {points.shape}"
            )
        points = points.astype(np.float64)
        if np.isinf(points).any():
            raise ValueError(f"{where}, {name}: expected finite keypoints. Received: Infinity")
        joints = clean_joints(np.concatenate([points, np.ones_like(points[..., :1])], axis=-1), f"{where}, {name}")
        records += [
            PersonRecord(frame, f"{where}, {name}, frame {number}", number, name, person)
            for number, frame in enumerate(joints)
        ]
    return table_of(records, NAME, where, profile, image_size=image_size)


def _member(path: str | os.PathLike, name: str) -> object:
    where = f"{os.fspath(path)}, {name}"
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(f"{name}.npy").file_size > MAX_MEMBER_BYTES:
                raise ValueError(f"{where}: expected at most {MAX_MEMBER_BYTES} bytes")
            with archive.open(f"{name}.npy") as stream:
                return read_object_array(stream, where)[()]
    except KeyError as error:
        raise ValueError(f"{where}: expected a VideoPose3D archive with this array. Received: none") from error
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"{where}: expected an undamaged .npz. Received: {error}") from error


def _sequences(positions: object, where: str) -> list[tuple[str, object]]:
    if not isinstance(positions, dict) or not all(isinstance(actions, dict) for actions in positions.values()):
        raise ValueError(f"{where}: expected positions_2d as subjects of actions. Received: {type(positions).__name__}")
    found = []
    for subject, actions in positions.items():
        for action, cameras in actions.items():
            cameras = cameras if isinstance(cameras, list | tuple | np.ndarray) else [cameras]
            found += [(f"{subject}/{action}/{camera}", sequence) for camera, sequence in enumerate(cameras)]
    return found


def _profile_of(metadata: object, where: str) -> KeypointProfile:
    named = metadata if isinstance(metadata, dict) else {}
    layout, count = named.get("layout_name"), named.get("num_joints")
    found = _LAYOUTS.get((layout, count)) if isinstance(layout, str) and isinstance(count, int) else None
    if found is None:
        raise ValueError(
            f"{where}: expected a known layout in 'metadata', or a profile named (--profile). "
            f"Received: layout {str(layout)[:40]!r} of {str(count)[:20]} joints"
        )
    return found
