"""Keypoints into plain files that `reading.read_detections` and other tools read."""

import csv
import json
import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.detections.detection_table import UNTRACKED, DetectionTable
from vvipe_tf.keypoints import COCO_17, HALPE_26

_ALPHAPOSE_PROFILES = (COCO_17, HALPE_26)


def check_keypoint_file(path: str | os.PathLike) -> None:
    """Checks the name of a file before there is anything to write.

    Raises:
        ValueError: If it ends in none of the known ways.
    """
    if Path(path).suffix.lower() not in _WRITERS:
        raise ValueError(f"Expected a file name that ends in {', '.join(_WRITERS)}. Received: {path}")


def write_keypoint_file(path: str | os.PathLike, table: DetectionTable) -> None:
    """Writes keypoints as npz, CSV or JSON, whole or not at all.

    `.npz`: `keypoints_2d`, `scores`, `frame`, `person`, `profile`, nothing lost. `.csv`: `frame, person, nose_x,
    nose_y, nose_score, ...`, three decimals. `.json`: AlphaPose's list with `idx`, for COCO_17 and HALPE_26.

    Args:
        path: File to write.
        table: The detections.

    Raises:
        ValueError: If the name ends in none of these ways, or the format cannot hold the profile.
    """
    check_keypoint_file(path)
    _WRITERS[Path(path).suffix.lower()](path, table)


def _write_npz(path, table):
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(
            file,
            keypoints_2d=table.keypoints_2d,
            scores=table.scores,
            frame=table.frame,
            person=table.person,
            profile=np.array(table.profile.name),
        )


def _write_csv(path, table):
    header = ["frame", "person"]
    header += [f"{name}_{column}" for name in table.profile.keypoint_names for column in ("x", "y", "score")]
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for frame, person, row in zip(table.frame.tolist(), table.person.tolist(), _triples(table), strict=True):
            writer.writerow([frame, person, *(f"{value:.3f}" for value in row)])


def _write_alphapose(path, table):
    if table.profile not in _ALPHAPOSE_PROFILES:
        names = " or ".join(profile.name for profile in _ALPHAPOSE_PROFILES)
        raise ValueError(
            f"Expected keypoints of {names} for AlphaPose's JSON (--to-profile). Received: {table.profile.name}"
        )
    records = []
    for row, values in enumerate(np.round(_triples(table), 3).tolist()):
        record = {"image_id": int(table.frame[row]), "category_id": 1, "keypoints": values}
        record["score"] = round(float(table.confidence[row]), 3)
        if table.person[row] != UNTRACKED:
            record["idx"] = int(table.person[row])
        if table.box is not None:
            record["box"] = np.round(table.box[row].astype(np.float64), 3).tolist()
        records.append(record)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(records) + "\n", encoding="utf-8")


def _triples(table):
    joints = np.concatenate([table.keypoints_2d, table.scores[..., None]], axis=-1).astype(np.float64)
    return joints.reshape(len(table), -1)


_WRITERS = {".npz": _write_npz, ".csv": _write_csv, ".json": _write_alphapose}
