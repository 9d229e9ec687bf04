"""Frames of a recording that are the query's pose once more, because they were taken just before or after it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class FrameNeighbourhood:
    """Frames too near in time to a query to be its answers.

    Args:
        sequence: Number of each pose's sequence (N,).
        frame: Frame number of each pose in its sequence (N,).
        window: Frames at most this far from the query's, in the same sequence, are no answers.
        with_own: Whether the query's own frame is no answer either.
    """

    sequence: np.ndarray
    frame: np.ndarray
    window: int = 0
    with_own: bool = False

    def holds(self, queries: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Whether each answer lies in the neighbourhood of its query, both as pose indices that broadcast."""
        near = np.abs(self.frame[queries] - self.frame[answers]) <= self.window
        near &= self.sequence[queries] == self.sequence[answers]
        return near & (self.with_own | (queries != answers))

    def sizes(self, frames: np.ndarray) -> np.ndarray:
        """How many of the pose indices `frames` lie in the neighbourhood of each of them."""
        sizes = np.zeros(len(frames), dtype=np.int64)
        for sequence in np.unique(self.sequence[frames]):
            mine = self.sequence[frames] == sequence
            moments = self.frame[frames[mine]]
            ordered = np.sort(moments)
            until = np.searchsorted(ordered, moments + self.window, side="right")
            sizes[mine] = until - np.searchsorted(ordered, moments - self.window, side="left")
        return sizes - (not self.with_own)
