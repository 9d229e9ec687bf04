"""What comes out of lifting: poses, and everything that says how far to trust them."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.apps.camera_fit import PerspectiveCamera, WeakCamera, fit_perspective_camera, fit_weak_camera


@dataclass(frozen=True)
class LiftResult:
    """3D poses of detections, one row each; rows that are not valid hold NaN.

    Args:
        poses: COCO_13 (detections, 13, 3) float32. Canonical frame: mid-hip at the origin, left hip towards -y, right
            hip towards +y, spine towards +z, the person facing -x. Unit: torso lengths (mid-hip to mid-shoulder along
            the spine, about 490 mm on an adult).
        embeddings: (detections, embedding_dim) float32.
        valid: Which detections showed enough of a body (detections,) bool: both hips, a shoulder, 6 joints.
        keypoints_2d: What was lifted, COCO_13 (detections, 13, 2) in the unit given; 0 where a joint was missing.
        visible: Which joints were seen (detections, 13) bool. The others are the model's guess.
        uncertainty: Expected mean joint error (detections,) float32 in torso units, see `vvipe_tf.apps.uncertainty`;
            None if it was not asked for.
    """

    poses: np.ndarray
    embeddings: np.ndarray
    valid: np.ndarray
    keypoints_2d: np.ndarray
    visible: np.ndarray
    uncertainty: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of detections."""
        return len(self.poses)

    @classmethod
    def concatenate(cls, results: "list[LiftResult]") -> "LiftResult":
        """One result of several, all with or all without uncertainty."""
        columns = {name: [getattr(result, name) for result in results] for name in cls.__dataclass_fields__}
        return cls(**{name: None if parts[0] is None else np.concatenate(parts) for name, parts in columns.items()})

    def weak_camera(self) -> WeakCamera:
        """Camera far away that sees the valid poses as their keypoints, in the order of `poses[valid]`."""
        return fit_weak_camera(self.poses[self.valid], self.keypoints_2d[self.valid], self.visible[self.valid])

    def perspective_camera(self, focal_length: float, principal_point: tuple[float, float]) -> PerspectiveCamera:
        """Pinhole camera that sees the valid poses as their keypoints, in the order of `poses[valid]`.

        Args:
            focal_length: Focal length in pixels.
            principal_point: Pixel of the optical axis, usually the picture's centre.
        """
        rows = self.valid
        return fit_perspective_camera(
            self.poses[rows], self.keypoints_2d[rows], focal_length, principal_point, self.visible[rows]
        )
