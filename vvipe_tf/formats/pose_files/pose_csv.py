"""Poses as CSV: one row per pose, `frame, person, nose_x, nose_y, nose_z, ...`.

The meaning of the numbers stands in comment lines at the top, `# key: value`.
"""

import csv
import os

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence


def write_pose_csv(path: str | os.PathLike, sequence: PoseSequence) -> None:
    """Writes poses with six decimals below a commented description.

    Readers: `pandas.read_csv(path, comment="#")`.

    Args:
        path: File to write; it appears whole or not at all.
        sequence: The poses.
    """
    names = sequence.profile.keypoint_names
    header = ["frame", "person", *(f"{name}_{axis}" for name in names for axis in "xyz")]
    if sequence.scores is not None:
        header += [f"{name}_score" for name in names]
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        for key, value in sequence.description().items():
            file.write(f"# {key}: {'unknown' if value is None else value}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        poses = np.asarray(sequence.poses, dtype=np.float64).reshape(len(sequence), -1)
        for row in range(len(sequence)):
            values = poses[row] if sequence.scores is None else [*poses[row], *sequence.scores[row]]
            cells = [f"{value:.6f}" for value in values]
            writer.writerow([int(sequence.frame[row]), int(sequence.person[row]), *cells])
