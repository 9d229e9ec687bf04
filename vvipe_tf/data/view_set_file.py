"""The `.views.npz` file: the arrays of a `.poses.npz`, and the keypoints of the cameras beside them.

Further arrays: `cameras`, their names; `views`, a JSON object with format, version, joints and the kinds of keypoints;
for the kind at place i of that list `keypoints_<i>` and `scores_<i>`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.dataset_file import DATASET_ARRAYS, decode_fields, encode_fields
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.npz_arrays import read_npz_arrays
from vvipe_tf.keypoints import COCO_13

VIEWS_SUFFIX = ".views.npz"

_FORMAT, _VERSION = "vvipe-views", 1


def write_view_set_file(
    path: str | os.PathLike,
    poses: PoseDataset,
    cameras: tuple[str, ...],
    keypoints: Mapping[str, RecordedKeypoints],
) -> None:
    """Writes the fields of a `ViewSet` to one file, whole or not at all.

    Args:
        path: File to write; its name ends in `.views.npz`.
        poses: Poses.
        cameras: Names of the cameras.
        keypoints: Keypoints by kind.

    Raises:
        ValueError: If the name ends otherwise, or the poses are not in torso units.
    """
    poses.check_torso_units()
    if not str(path).endswith(VIEWS_SUFFIX):
        raise ValueError(f"Expected a file name that ends in {VIEWS_SUFFIX}. Received: {path}")
    about = {
        "format": _FORMAT,
        "version": _VERSION,
        "keypoint_names": list(COCO_13.keypoint_names),
        "kinds": list(keypoints),
    }
    arrays = encode_fields({field.name: getattr(poses, field.name) for field in fields(poses)})
    arrays |= {"cameras": np.array(cameras), "views": np.array(json.dumps(about))}
    for place, recorded in enumerate(keypoints.values()):
        arrays |= {f"keypoints_{place}": recorded.keypoints_2d, f"scores_{place}": recorded.scores}
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)


def read_view_set_file(
    path: str | os.PathLike,
) -> tuple[PoseDataset, tuple[str, ...], dict[str, RecordedKeypoints]]:
    """Reads the fields of a `ViewSet`.

    Args:
        path: File that `write_view_set_file` wrote.

    Returns:
        Poses, names of the cameras, and keypoints by kind.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, of another format or version, or of other types.
    """
    arrays = read_npz_arrays(path, (*DATASET_ARRAYS, "cameras", "views"), "file of recorded views")
    poses = PoseDataset(**decode_fields(arrays))
    poses.check_torso_units()
    cameras = arrays["cameras"]
    if cameras.dtype.kind != "U" or cameras.ndim != 1:
        raise ValueError(f"Expected cameras as strings. Received: dtype={cameras.dtype}, shape={cameras.shape}")
    keypoints = {}
    for place, kind in enumerate(_kinds(arrays["views"])):
        parts = [arrays.get(f"{name}_{place}") for name in ("keypoints", "scores")]
        if any(part is None or part.dtype != np.float32 for part in parts):
            raise ValueError(f"Expected keypoints_{place} and scores_{place} of float32 for {kind}. Received: others")
        keypoints[kind] = RecordedKeypoints(*parts)
    return poses, tuple(cameras.tolist()), keypoints


def _kinds(array: np.ndarray) -> list[str]:
    if array.dtype.kind != "U" or array.shape != ():
        raise ValueError(f"Expected views as one string. Received: dtype={array.dtype}, shape={array.shape}")
    about = json.loads(array.item())
    if not isinstance(about, dict) or (about.get("format"), about.get("version")) != (_FORMAT, _VERSION):
        raise ValueError(f"Expected {_FORMAT} of version {_VERSION}. Received: {array.item()[:80]}")
    if about.get("keypoint_names") != list(COCO_13.keypoint_names):
        raise ValueError(f"Expected the joints of COCO_13. Received: {about.get('keypoint_names')}")
    kinds = about.get("kinds")
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds) or len(set(kinds)) < len(kinds):
        raise ValueError(f"Expected distinct kinds as strings. Received: {kinds!r}")
    return kinds
