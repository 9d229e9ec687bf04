"""Poses as JSON.

```
{"format": "vvipe-poses", "version": 1,
 "coordinate_frame": "canonical", "axes": "...", "root": "pelvis (mid-hip)", "unit": "torso",
 "torso_length_mm": null, "fps": 25.0, "profile": "COCO_13",
 "keypoint_names": ["nose", ...], "bones": [["left_shoulder", "right_shoulder"], ...],
 "poses": [{"frame": 0, "person": -1, "keypoints_3d": [[x, y, z], ...], "scores": [...], "uncertainty": 0.1}, ...]}
```

`scores` and `uncertainty` (expected mean joint error, torso units) may be left out.
"""

import json
import os

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.detections.joint_values import number_array, whole_number
from vvipe_tf.formats.detections.json_document import brief, read_json
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import get_profile

FORMAT, VERSION = "vvipe-poses", 1
_DECIMALS = 6


def pose_document(sequence: PoseSequence) -> dict:
    """Poses with six decimals and the description of what they mean, ready for JSON."""
    columns = {"keypoints_3d": sequence.poses, "scores": sequence.scores, "uncertainty": sequence.uncertainty}
    columns = {
        name: np.round(np.asarray(values, dtype=np.float64), _DECIMALS).tolist()
        for name, values in columns.items()
        if values is not None
    }
    columns = {"frame": sequence.frame.tolist(), "person": sequence.person.tolist()} | columns
    return {
        "format": FORMAT,
        "version": VERSION,
        **sequence.description(),
        "keypoint_names": list(sequence.profile.keypoint_names),
        "bones": [list(bone) for bone in sequence.profile.bones],
        "poses": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
    }


def write_pose_json(path: str | os.PathLike, sequence: PoseSequence) -> None:
    """Writes what `pose_document` makes of poses.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: The poses.
    """
    document = pose_document(sequence)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")


def read_pose_json(path: str | os.PathLike) -> PoseSequence:
    """Reads what `write_pose_json` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, of another version, or a value is wrong.
    """
    where = os.fspath(path)
    document = read_json(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") != VERSION:
        raise ValueError(f"{where}: expected {FORMAT} version {VERSION}. Received: {brief(document)}")
    profile = get_profile(str(document.get("profile")))
    entries = document.get("poses")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{where}: expected a list of objects 'poses'. Received: {brief(entries)}")
    poses = np.empty((len(entries), profile.num_joints, 3))
    for number, entry in enumerate(entries):
        points = entry.get("keypoints_3d")
        if not isinstance(points, list) or [isinstance(p, list) and len(p) == 3 for p in points] != [True] * len(
            poses[0]
        ):
            raise ValueError(f"{where}, poses[{number}]: expected {profile.num_joints} points of 3 numbers")
        poses[number] = number_array([value for point in points for value in point], where).reshape(-1, 3)
    scores = None
    if entries and all("scores" in entry for entry in entries):
        rows = [number_array(entry["scores"], f"{where}, scores") for entry in entries]
        if any(len(row) != profile.num_joints for row in rows):
            raise ValueError(f"{where}: expected {profile.num_joints} scores in each pose")
        scores = np.stack(rows)
    uncertainty = None
    if entries and all("uncertainty" in entry for entry in entries):
        uncertainty = number_array([entry["uncertainty"] for entry in entries], f"{where}, uncertainty")
    numbers = {
        name: np.array([whole_number(entry.get(name), f"{where}, {name}") for entry in entries], dtype=np.int64)
        for name in ("frame", "person")
    }
    rates = {name: _positive(document.get(name), f"{where}, {name}") for name in ("fps", "torso_length_mm")}
    frame, unit = str(document.get("coordinate_frame")), str(document.get("unit"))
    return PoseSequence(poses, profile, frame, unit, **rates, **numbers, scores=scores, uncertainty=uncertainty)


def _positive(value: object, where: str) -> float | None:
    if value is None:
        return None
    return float(number_array([value], where)[0])
