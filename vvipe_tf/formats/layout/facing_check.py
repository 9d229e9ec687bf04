"""Left and right exchanged in the whole body: a mirror image, which only a detector's scores betray.

Where nose and eyes are seen clearly, the person faces the camera, and the left shoulder is to the right of the right
one. Where an ear is seen but nose and eyes are not, it is the back of a head, and the other way round.
"""

from typing import NamedTuple

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

_FACE = ("nose", "left_eye", "right_eye")
_EARS = ("left_ear", "right_ear")
_TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
# Scores relative to the trunk's; of real frames seen from behind, face 0 to 0.35, seen from the front 0.6 to 1.
_SEEN = 0.6
_UNSEEN = 0.35
_HEAD = 0.5
_MIN_SPREAD = 0.02
# Shoulders this wide, in torso lengths, tell front from back.
_WIDE = 0.3
_MANY = 10


class FacingCounts(NamedTuple):
    """How many frames say whether left and right are as named.

    Args:
        frames: Frames in which the scores tell front from back, and so do the shoulders.
        contradicting: Those of them in which scores and shoulders contradict each other.
    """

    frames: int
    contradicting: int

    def check_sides(self, num_frames: int) -> bool:
        """Whether that is enough to say that the sides of `num_frames` frames were checked."""
        return self.frames >= min(_MANY, max(1, 0.1 * num_frames))

    @property
    def mirrored(self) -> float:
        """Confidence in [0, 1) that left and right are exchanged everywhere."""
        if not self.frames or self.contradicting <= 0.8 * self.frames:
            return 0.0
        return 0.9 * self.contradicting / self.frames if self.frames >= _MANY else 0.6


def count_facing(points: np.ndarray, scores: np.ndarray, profile: KeypointProfile) -> FacingCounts:
    """Compares what the scores say of the head with the side on which the shoulders lie.

    Args:
        points: Keypoints (frames, joints, 2), y down.
        scores: Scores (frames, joints). Equal ones say nothing.
        profile: Profile of the columns.

    Returns:
        The counts; none where the profile has no eyes.
    """
    if not all(profile.has(name) for name in _FACE):
        return FacingCounts(0, 0)
    if not (scores > 0).any() or np.ptp(scores[scores > 0]) < _MIN_SPREAD:
        return FacingCounts(0, 0)
    face, trunk = (scores[:, [profile.index(name) for name in names]] for names in (_FACE, _TRUNK))
    size = trunk.mean(axis=1)
    front = face.min(axis=1) > _SEEN * size
    back = np.zeros_like(front)
    if all(profile.has(name) for name in _EARS):
        ears = scores[:, [profile.index(name) for name in _EARS]]
        back = (face.mean(axis=1) < _UNSEEN * size) & (ears.max(axis=1) > _HEAD * size)
    shoulders, hips = (
        [points[:, profile.index(f"{side}_{part}")] for side in ("left", "right")] for part in ("shoulder", "hip")
    )
    up = (sum(shoulders) - sum(hips)) / 2
    across = shoulders[0] - shoulders[1]
    area = up[:, 0] * across[:, 1] - up[:, 1] * across[:, 0]
    length = np.square(up).sum(axis=1)
    clear = (trunk > 0).all(axis=1) & (np.abs(area) > _WIDE * length) & (length > 0) & (front | back)
    contradicting = clear & ((area < 0) == front)
    return FacingCounts(int(clear.sum()), int(contradicting.sum()))
