"""2D keypoints that real cameras recorded: true projections, or what one detector found."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.formats.motion_capture.multi_view import MultiViewCapture
from vvipe_tf.geometry.keypoints_2d import valid_keypoints
from vvipe_tf.keypoints import COCO_13, KeypointProfile, map_keypoints, map_scores


@dataclass(frozen=True, eq=False)
class RecordedKeypoints:
    """COCO_13 keypoints of the same N poses in several cameras.

    Args:
        keypoints_2d: Keypoints (cameras, N, 13, 2) float32, pixels, y down; 0 where a joint is missing.
        scores: Scores (cameras, N, 13) float32 in [0, 1]; 0 is a missing joint, true projections have 1.

    Raises:
        ValueError: If a shape does not fit, a number is not finite, or a score lies outside [0, 1].
    """

    keypoints_2d: np.ndarray
    scores: np.ndarray

    def __post_init__(self):
        """Brings both arrays to float32 and checks them."""
        for name in ("keypoints_2d", "scores"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float32))
        if self.scores.ndim != 3 or self.scores.shape[2] != COCO_13.num_joints:
            raise ValueError(f"Expected scores of shape (cameras, N, 13). Received: shape={self.scores.shape}")
        if self.keypoints_2d.shape != (*self.scores.shape, 2):
            raise ValueError(
                f"Expected keypoints of shape {(*self.scores.shape, 2)}. Received: shape={self.keypoints_2d.shape}"
            )
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError("Expected scores in [0, 1]. Received: others")
        if not np.isfinite(self.keypoints_2d).all():
            raise ValueError("Expected finite keypoints, 0 where a joint is missing. Received: others")
        if self.keypoints_2d[self.scores == 0].any():
            raise ValueError("Expected keypoints at 0 where a joint is missing. Received: others")

    @classmethod
    def from_joints(
        cls, keypoints_2d: np.ndarray, scores: np.ndarray | None, profile: KeypointProfile
    ) -> "RecordedKeypoints":
        """Maps keypoints of any profile by joint name; a derived joint is missing where one of its parents is.

        Args:
            keypoints_2d: Keypoints (cameras, N, joints, 2) in pixels; NaN where a joint is missing.
            scores: Scores (cameras, N, joints) in [0, 1], 0 where a joint is missing; None for 1 wherever it is not.
            profile: Profile of the joints.

        Returns:
            The keypoints.

        Raises:
            ValueError: If the profile does not map to COCO_13.
        """
        found = np.isfinite(keypoints_2d).all(axis=-1)
        scores = np.where(found, 1.0 if scores is None else scores, 0.0)
        scores = map_scores(scores, profile, COCO_13)
        points = map_keypoints(np.where(found[..., None], keypoints_2d, 0.0), profile, COCO_13)
        return cls(np.where(scores[..., None] > 0, points, 0.0), scores)

    @classmethod
    def from_recording(cls, recording: MultiViewCapture, frames: np.ndarray) -> "RecordedKeypoints":
        """Takes the keypoints of some frames (indices or mask) of a recording."""
        scores = None if recording.scores is None else recording.scores[:, frames]
        return cls.from_joints(recording.keypoints_2d[:, frames], scores, recording.profile_2d)

    @classmethod
    def missing(cls, cameras: int, frames: int) -> "RecordedKeypoints":
        """Keypoints of which none was found."""
        shape = (cameras, frames, COCO_13.num_joints)
        return cls(np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32))

    @property
    def visible(self) -> np.ndarray:
        """Which joints were found (cameras, N, 13)."""
        return self.scores > 0

    def usable(self, all_joints: bool = False) -> np.ndarray:
        """Which views show enough of a body (cameras, N): both hips, a shoulder, 6 joints; or all joints."""
        visible = self.visible
        usable = valid_keypoints(self.keypoints_2d, visible)
        return usable & visible.all(axis=-1) if all_joints else usable

    def select(self, cameras: np.ndarray, frames: np.ndarray) -> "RecordedKeypoints":
        """Cameras and frames by index or mask, in the order asked for."""
        return RecordedKeypoints(self.keypoints_2d[cameras][:, frames], self.scores[cameras][:, frames])

    def keep(self, joints: np.ndarray) -> "RecordedKeypoints":
        """The same keypoints, those without a true value in `joints` (cameras, N, 13 or 1) missing."""
        return RecordedKeypoints(
            np.where(joints[..., None], self.keypoints_2d, 0.0), np.where(joints, self.scores, 0.0)
        )
