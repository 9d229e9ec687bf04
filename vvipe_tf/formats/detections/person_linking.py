"""Track ids for files that have none: the same person in one frame and the next, by position."""

from dataclasses import replace

import numpy as np

from vvipe_tf.formats.detections.detection_table import UNTRACKED, DetectionTable

_FAR = 1e6


def link_people(table: DetectionTable, max_step: float = 0.5, max_gap: int = 10) -> DetectionTable:
    """Gives every row a track id, by the nearest person of the frames before.

    Frames are taken in order; people are matched one to one so that the sum of distances is least.

    Args:
        table: Detections, any track ids.
        max_step: Largest mean joint distance between two sightings of a person, in sizes of the person (root mean
            square distance of the joints from their mean, times two).
        max_gap: Frames that a person may be out of sight.

    Returns:
        The same rows with person ids from 0 in order of appearance. A table that has ids for all rows comes back
        unchanged.
    """
    if len(table) and (table.person != UNTRACKED).all():
        return table
    from scipy.optimize import linear_sum_assignment  # 0.3 s that only files without ids cost

    person = np.full(len(table), UNTRACKED, dtype=np.int64)
    last_seen: dict[int, int] = {}  # track -> row
    order = np.argsort(table.frame, kind="stable")
    numbers, starts = np.unique(table.frame[order], return_index=True)
    next_track = 0
    for number, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
        last_seen = {track: row for track, row in last_seen.items() if number - table.frame[row] <= max_gap + 1}
        tracks = list(last_seen)
        costs = np.array([[_distance(table, last_seen[track], row) for row in rows] for track in tracks])
        if tracks:
            for a, b in zip(*linear_sum_assignment(np.where(costs <= max_step, costs, _FAR)), strict=True):
                if costs[a, b] <= max_step:
                    person[rows[b]] = tracks[a]
        for row in rows:
            if person[row] == UNTRACKED:
                person[row], next_track = next_track, next_track + 1
            last_seen[int(person[row])] = int(row)
    return replace(table, person=person)


def _distance(table: DetectionTable, a: int, b: int) -> float:
    common = (table.scores[a] > 0) & (table.scores[b] > 0)
    if common.sum() < 3:
        return _FAR
    first, second = table.keypoints_2d[a, common], table.keypoints_2d[b, common]
    size = 2 * np.sqrt(np.square(first - first.mean(axis=0)).sum(axis=1).mean())
    return float(np.linalg.norm(first - second, axis=1).mean() / max(size, 1e-6))
