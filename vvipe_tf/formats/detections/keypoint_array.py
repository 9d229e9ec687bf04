"""Plain arrays of keypoints: .npy, and .npz with named arrays."""

import os

import numpy as np

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.person_records import table_of_rows
from vvipe_tf.formats.npz_arrays import UNREADABLE_NPZ
from vvipe_tf.keypoints import KeypointProfile, get_profile

NAME = "array"


def read_array(
    path: str | os.PathLike, profile: KeypointProfile | None = None, image_size: tuple[int, int] | None = None
) -> DetectionTable:
    """Reads keypoints from .npy or from .npz with named arrays, never unpickling.

    Args:
        path: A .npy of shape (frames, joints, 2 or 3) or (joints, 2 or 3), the third column being the score; or an
            .npz with `keypoints_2d` and perhaps `scores`, `frame`, `person`, `profile`.
        profile: Profile of the keypoints. Needed unless the .npz names it.
        image_size: Width and height of the pictures, if known.

    Returns:
        One row per frame.

    Raises:
        ValueError: If the file is damaged, the shapes do not fit, or no profile is named.
    """
    where = os.fspath(path)
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            single = isinstance(loaded, np.ndarray)
            arrays = {"keypoints_2d": loaded} if single else {name: loaded[name] for name in loaded}
    except FileNotFoundError:
        raise
    except UNREADABLE_NPZ as error:
        raise ValueError(f"{where}: expected an undamaged array file without objects. Received: {error}") from error
    if "keypoints_2d" not in arrays:
        raise ValueError(f"{where}: expected an array 'keypoints_2d'. Received: {', '.join(arrays) or 'none'}")
    if profile is None and "profile" in arrays:
        profile = get_profile(str(arrays["profile"]))
    if profile is None:
        raise ValueError(f"{where}: expected a named profile for keypoints without joint names (--profile).")
    points = arrays["keypoints_2d"]
    points = points[None] if points.ndim == 2 else points
    if points.ndim != 3 or points.shape[1] != profile.num_joints or points.shape[2] not in (2, 3):
        raise ValueError(
            f"{where}: expected keypoints of shape (frames, {profile.num_joints}, 2 or 3) for {profile.name}. "
            f"Received: shape={points.shape}"
        )
    if points.dtype.kind not in "fiu":
        raise ValueError(f"{where}: expected numbers. Received: dtype={points.dtype}")
    points = points.astype(np.float64)
    scores = _column(arrays, "scores", points.shape[:2], where)
    if scores is None:
        scores = points[..., 2] if points.shape[2] == 3 else np.ones(points.shape[:2])
    joints = np.concatenate([points[..., :2], scores[..., None].astype(np.float64)], axis=-1)
    frame = _column(arrays, "frame", points.shape[:1], where)
    person = _column(arrays, "person", points.shape[:1], where)
    return table_of_rows(NAME, joints, None, frame, person, where, profile, image_size)


def _column(arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...], where: str) -> np.ndarray | None:
    values = arrays.get(name)
    if values is not None and (values.shape != shape or values.dtype.kind not in "fiu"):
        raise ValueError(f"{where}: expected {name} of shape {shape}. Received: {values.dtype} of shape {values.shape}")
    return values
