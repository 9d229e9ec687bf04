"""People found in pictures: the one result type of every keypoint reader."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

UNTRACKED = -1


@dataclass(frozen=True)
class DetectionTable:
    """A table of detected people, one row per person and frame.

    A joint that was not found has score 0; no value is ever NaN or infinite. x points right, y points down.

    Args:
        keypoints_2d: Keypoints (detections, joints, 2) float32, in pixels unless the source file said otherwise.
        scores: Confidence per joint (detections, joints) float32 in [0, 1]; 0 is a missing joint.
        profile: Joint order of the columns.
        frame: Frame number of each row (detections,) int64.
        person: Track id of each row (detections,) int64; -1 where the file has none.
        source_format: Name of the format that was read, e.g. `"alphapose"`.
        image: Picture name of each row (detections,) str, or `None`.
        box: Boxes x, y, width, height (detections, 4) float32, or `None`.
        image_size: Width and height of every picture in pixels, or `None`.

    Raises:
        ValueError: If a column's shape, a value or a score is not as above.
    """

    keypoints_2d: np.ndarray
    scores: np.ndarray
    profile: KeypointProfile
    frame: np.ndarray
    person: np.ndarray
    source_format: str
    image: np.ndarray | None = None
    box: np.ndarray | None = None
    image_size: tuple[int, int] | None = None

    def __post_init__(self):
        """Checks the columns against each other."""
        rows, joints = len(self.keypoints_2d), self.profile.num_joints
        expected = {
            "keypoints_2d": (rows, joints, 2),
            "scores": (rows, joints),
            "frame": (rows,),
            "person": (rows,),
            "image": (rows,),
            "box": (rows, 4),
        }
        for name, shape in expected.items():
            column = getattr(self, name)
            if column is not None and np.shape(column) != shape:
                raise ValueError(f"Expected {name} of shape {shape}. Received: shape={np.shape(column)}")
        for name in ("keypoints_2d", "scores", "box"):
            column = getattr(self, name)
            if column is not None and not np.isfinite(column).all():
                raise ValueError(f"Expected finite {name}. Received: {int((~np.isfinite(column)).sum())} other values")
        if rows and (self.scores.min() < 0 or self.scores.max() > 1):
            raise ValueError(f"Expected scores between 0 and 1. Received: {self.scores.min()} to {self.scores.max()}")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.keypoints_2d)

    def select(self, rows: np.ndarray) -> "DetectionTable":
        """Rows by boolean mask or by index, in the order asked for."""
        rows = np.asarray(rows)
        columns = ("keypoints_2d", "scores", "frame", "person", "image", "box")
        taken = {name: getattr(self, name)[rows] for name in columns if getattr(self, name) is not None}
        return replace(self, **taken)

    @property
    def people(self) -> tuple[int, ...]:
        """Track ids, ascending; untracked rows are not counted."""
        return tuple(int(person) for person in np.unique(self.person) if person != UNTRACKED)

    @property
    def confidence(self) -> np.ndarray:
        """Mean joint score of each row (detections,), missing joints counted as 0."""
        return self.scores.mean(axis=1)

    def doubled_frames(self) -> np.ndarray:
        """Frame numbers that occur more than once within a track, ascending."""
        tracked = self.person != UNTRACKED
        pairs, counts = np.unique(np.stack([self.frame[tracked], self.person[tracked]]), axis=1, return_counts=True)
        return np.unique(pairs[0, counts > 1])

    def of_person(self, person: int) -> "DetectionTable":
        """Rows of one track, by frame.

        Raises:
            ValueError: If there is no such track.
        """
        rows = np.flatnonzero(self.person == person)
        if not len(rows):
            raise ValueError(f"Expected a person among {list(self.people)}. Received: {person}")
        return self.select(rows[np.argsort(self.frame[rows], kind="stable")])

    def by_person(self) -> Iterator[tuple[int, "DetectionTable"]]:
        """Pairs of a track id and its rows by frame; untracked rows are not among them."""
        for person in self.people:
            yield person, self.of_person(person)

    def by_frame(self) -> Iterator[tuple[int, "DetectionTable"]]:
        """Pairs of a frame number and its rows, frames ascending."""
        order = np.argsort(self.frame, kind="stable")
        numbers, starts = np.unique(self.frame[order], return_index=True)
        for number, rows in zip(numbers, np.split(order, starts[1:]), strict=True):
            yield int(number), self.select(rows)

    def most_confident(self) -> "DetectionTable":
        """In each frame the one row with the highest mean score, frames ascending."""
        order = np.lexsort((-self.confidence, self.frame))
        _, first = np.unique(self.frame[order], return_index=True)
        return self.select(order[first])

    def main_person(self) -> "DetectionTable":
        """The track seen in most frames (ties: the most confident); without tracks, `most_confident` per frame.

        Use `person_linking.link_people` first where a file shows several people and has no track ids.

        Raises:
            ValueError: If the table is empty.
        """
        if not len(self):
            raise ValueError("Expected at least one detection. Received: none")
        tracks = [track for _, track in self.by_person()]
        if not tracks:
            return self.most_confident()
        return max(tracks, key=lambda track: (len(np.unique(track.frame)), float(track.confidence.mean())))
