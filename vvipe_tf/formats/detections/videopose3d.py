"""VideoPose3D's 2D archives: `positions_2d` = {subject: {action: [one array (frames, joints, 2) per camera]}}.

They are pickles inside an .npz; `restricted_pickle` opens them. Every sequence becomes a track, so that nothing is
mixed: its number is the person id and `subject/action/camera` the picture name.
"""

import os

import numpy as np

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.joint_values import clean_joints
from vvipe_tf.formats.detections.person_records import PersonRecord, table_of
from vvipe_tf.formats.restricted_pickle import read_pickled_member
from vvipe_tf.keypoints import COCO_17, H36M_17, H36M_32, KeypointProfile

NAME = "videopose3d"
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
    positions = read_pickled_member(path, "positions_2d")
    if profile is None:
        profile = archive_profile(read_pickled_member(path, "metadata"), where)
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


def _sequences(positions: object, where: str) -> list[tuple[str, object]]:
    if not isinstance(positions, dict) or not all(isinstance(actions, dict) for actions in positions.values()):
        raise ValueError(f"{where}: expected positions_2d as subjects of actions. Received: {type(positions).__name__}")
    found = []
    for subject, actions in positions.items():
        for action, cameras in actions.items():
            cameras = cameras if isinstance(cameras, list | tuple | np.ndarray) else [cameras]
            found += [(f"{subject}/{action}/{camera}", sequence) for camera, sequence in enumerate(cameras)]
    return found


def archive_profile(metadata: object, where: str) -> KeypointProfile:
    """Profile of an archive, by the layout it names, or else by the joints it calls left.

    Args:
        metadata: Content of the archive's `metadata`. Archives of true projections name no layout.
        where: File, for the message.

    Returns:
        The profile.

    Raises:
        ValueError: If neither tells it.
    """
    named = metadata if isinstance(metadata, dict) else {}
    layout, count, symmetry = (named.get(key) for key in ("layout_name", "num_joints", "keypoints_symmetry"))
    if isinstance(layout, str) and isinstance(count, int) and (layout, count) in _LAYOUTS:
        return _LAYOUTS[layout, count]
    for profile in _LAYOUTS.values() if layout is None and isinstance(symmetry, list | tuple) and symmetry else ():
        left = [index for index, joint in enumerate(profile.keypoint_names) if joint.startswith("left_")]
        if profile.num_joints == count and np.array_equal(symmetry[0], left):
            return profile
    raise ValueError(
        f"{where}: expected a known layout in 'metadata', or a profile named (--profile). "
        f"Received: layout {str(layout)[:40]!r} of {str(count)[:20]} joints"
    )
