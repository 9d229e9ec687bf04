"""People over time: whom to lift, their poses smoothed, short gaps filled for files that have no gaps."""

from dataclasses import replace

import numpy as np

from vvipe_tf.apps.smoothing import SmoothingReport, smooth_poses
from vvipe_tf.formats.detections.detection_table import UNTRACKED, DetectionTable
from vvipe_tf.formats.detections.person_linking import link_people
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence


def choose_people(table: DetectionTable, person: str = "all", need_tracks: bool = False) -> DetectionTable:
    """Rows of the people asked for.

    Where the file has no track ids, people are linked from frame to frame if somebody is asked for, or tracks are
    needed.

    Args:
        table: Detections.
        person: `"all"`, `"main"` (seen in most frames) or a track id.
        need_tracks: Whether every row must belong to a track.

    Returns:
        All rows, or one person's by frame.

    Raises:
        ValueError: If there is no such person.
    """
    if (person != "all" or need_tracks) and (table.person == UNTRACKED).any():
        table = link_people(table)
    if person == "all":
        return table
    return table.main_person() if person == "main" else table.of_person(_track_id(person))


def choose_poses(sequence: PoseSequence, person: str = "all") -> PoseSequence:
    """Poses of the people asked for.

    Args:
        sequence: Poses of any people.
        person: `"all"`, `"main"` (with the most poses) or a track id.

    Returns:
        All poses, or one person's.

    Raises:
        ValueError: If there is no such person.
    """
    if person == "all":
        return sequence
    people, counts = np.unique(sequence.person, return_counts=True)
    if person == "main" and not len(people):
        raise ValueError("Expected at least one pose. Received: none")
    wanted = int(people[np.argmax(counts)]) if person == "main" else _track_id(person)
    rows = sequence.person == wanted
    if not rows.any():
        raise ValueError(f"Expected a person among {people.tolist()}. Received: {wanted}")
    columns = {name: getattr(sequence, name) for name in ("poses", "frame", "person", "scores", "uncertainty")}
    return replace(sequence, **{name: None if values is None else values[rows] for name, values in columns.items()})


def _track_id(person: str) -> int:
    try:
        return int(person)
    except ValueError:
        raise ValueError(f"Expected a person: all, main or a number. Received: {person!r}") from None


def smooth_people(sequence: PoseSequence, method: str) -> tuple[PoseSequence, dict[int, SmoothingReport]]:
    """Smooths each person's poses.

    Args:
        sequence: Poses of people with track ids, with a frame rate.
        method: One of `vvipe_tf.apps.smoothing.METHODS`.

    Returns:
        The poses in their order, and a report for each person.

    Raises:
        ValueError: If the frame rate is unknown, or a person occurs twice in a frame.
    """
    if sequence.fps is None:
        raise ValueError("Expected a frame rate for smoothing (--fps). Received: none")
    poses, reports = np.array(sequence.poses), {}
    for person in np.unique(sequence.person):
        rows = np.flatnonzero(sequence.person == person)
        rows = rows[np.argsort(sequence.frame[rows], kind="stable")]
        poses[rows], reports[int(person)] = smooth_poses(poses[rows], sequence.frame[rows], sequence.fps, method)
    return replace(sequence, poses=poses), reports


def fill_gaps(sequence: PoseSequence) -> tuple[PoseSequence, int]:
    """One person's poses at every frame from the first to the last, for files in which a row is a moment.

    Missing frames are interpolated between their neighbours; their scores are 0. Uncertainty is left out: nobody knows
    it of a pose between two others.

    Args:
        sequence: One person's poses, any order.

    Returns:
        The poses by frame, and how many were interpolated.

    Raises:
        ValueError: If there is more than one person, or one frame twice.
    """
    order = np.argsort(sequence.frame, kind="stable")
    frame, poses = sequence.frame[order], np.asarray(sequence.poses, np.float64)[order]
    if len(np.unique(sequence.person)) > 1 or (np.diff(frame) <= 0).any():
        people = np.unique(sequence.person).tolist()
        raise ValueError(
            "Expected one person, once a frame. "
            f"Received: {len(frame)} poses in {len(np.unique(frame))} frames, people {people}"
        )
    scores = None if sequence.scores is None else sequence.scores[order]
    every = np.arange(frame[0], frame[-1] + 1) if len(frame) else frame
    known = np.isin(every, frame)
    if not known.all():
        flat = poses.reshape(len(poses), -1)
        poses = np.stack([np.interp(every, frame, column) for column in flat.T], axis=1)
        poses = poses.reshape(len(every), *sequence.poses.shape[1:])
        if scores is not None:
            filled = np.zeros((len(every), scores.shape[1]), scores.dtype)
            filled[known] = scores
            scores = filled
    person = np.full(len(every), sequence.person[0] if len(frame) else UNTRACKED)
    poses = poses.astype(sequence.poses.dtype)
    filled_in = replace(sequence, poses=poses, frame=every, person=person, scores=scores, uncertainty=None)
    return filled_in, int((~known).sum())
