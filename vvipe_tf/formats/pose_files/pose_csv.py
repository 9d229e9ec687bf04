"""Poses as CSV: one row per pose, `frame, person, nose_x, nose_y, nose_z, ...`, then scores and `uncertainty` if known.

The meaning of the numbers stands in comment lines at the top, `# key: value`.
"""

import csv
import os

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import KeypointProfile, get_profile

_UNCERTAINTY = "uncertainty"


def write_pose_csv(path: str | os.PathLike, sequence: PoseSequence) -> None:
    """Writes poses with six decimals below a commented description.

    Readers: `pandas.read_csv(path, comment="#")`.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: The poses.
    """
    header = _header(sequence.profile, sequence.scores is not None, sequence.uncertainty is not None)
    columns = [sequence.poses.reshape(len(sequence), 3 * sequence.profile.num_joints)]
    if sequence.scores is not None:
        columns.append(sequence.scores)
    if sequence.uncertainty is not None:
        columns.append(sequence.uncertainty[:, None])
    values = np.concatenate(columns, axis=1).astype(np.float64)
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        for key, value in sequence.description().items():
            file.write(f"# {key}: {'unknown' if value is None else value}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for frame, person, row in zip(sequence.frame.tolist(), sequence.person.tolist(), values, strict=True):
            writer.writerow([frame, person, *(f"{value:.6f}" for value in row)])


def read_pose_csv(path: str | os.PathLike) -> PoseSequence:
    """Reads what `write_pose_csv` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or a value is wrong.
    """
    where = os.fspath(path)
    with open(path, newline="", encoding="utf-8") as file:
        lines = file.read().splitlines()
    meaning = dict(line[1:].strip().partition(": ")[::2] for line in lines if line.startswith("#"))
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    profile = get_profile(meaning.get("profile", ""))
    joints = profile.num_joints
    has_uncertainty = bool(rows) and rows[0][-1:] == [_UNCERTAINTY]
    has_scores = bool(rows) and len(rows[0]) > 2 + 3 * joints + has_uncertainty
    header = _header(profile, has_scores, has_uncertainty)
    if not rows or rows[0] != header or any(len(row) != len(header) for row in rows):
        raise ValueError(f"{where}: expected {len(header)} columns frame, person, ... of {profile.name} in each row")
    try:
        numbers = np.array(rows[1:], np.float64).reshape(-1, len(header))
        frame, person = np.array([row[:2] for row in rows[1:]], np.int64).reshape(-1, 2).T
        rates = {key: _known(meaning.get(key)) for key in ("fps", "torso_length_mm")}
    except ValueError as error:
        raise ValueError(f"{where}: expected numbers. Received: {error}") from error
    return PoseSequence(
        numbers[:, 2 : 2 + 3 * joints].reshape(-1, joints, 3),
        profile,
        meaning.get("coordinate_frame", ""),
        meaning.get("unit", ""),
        **rates,
        frame=frame,
        person=person,
        scores=numbers[:, 2 + 3 * joints :][:, :joints] if has_scores else None,
        uncertainty=numbers[:, -1] if has_uncertainty else None,
    )


def _header(profile: KeypointProfile, has_scores: bool, has_uncertainty: bool) -> list[str]:
    names = profile.keypoint_names
    scores = [f"{name}_score" for name in names] if has_scores else []
    uncertainty = [_UNCERTAINTY] if has_uncertainty else []
    return ["frame", "person", *(f"{name}_{axis}" for name in names for axis in "xyz"), *scores, *uncertainty]


def _known(text: str | None) -> float | None:
    return None if text in (None, "unknown") else float(text)
