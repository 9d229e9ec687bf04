"""What every reader of 3D motion capture returns: poses in metres, Z up, with names."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.keypoints import KeypointProfile


@dataclass(frozen=True, eq=False)
class MotionCapture:
    """Poses of one file, as they were measured; lost joints may be NaN.

    Args:
        profile: Joints of `poses`.
        poses: Poses (frames, joints, 3) in metres, right-handed world, Z up.
        subject: Subject of each frame (frames,), strings.
        sequence: Sequence of each frame (frames,), strings.
        frame: Frame number of each frame in its source file (frames,), int32.
        source: Name of the data set the file belongs to.
        license: Licence of that data set, one line.
        fps: Frames a second.

    Raises:
        ValueError: If shapes do not fit each other or `fps` is not positive.
    """

    profile: KeypointProfile
    poses: np.ndarray
    subject: np.ndarray
    sequence: np.ndarray
    frame: np.ndarray
    source: str
    license: str
    fps: float

    def __post_init__(self):
        """Checks shapes against each other."""
        frames = len(self.frame)
        if self.poses.shape != (frames, self.profile.num_joints, 3):
            raise ValueError(
                f"Expected poses of shape ({frames}, {self.profile.num_joints}, 3). Received: shape={self.poses.shape}"
            )
        for name in ("subject", "sequence", "frame"):
            if getattr(self, name).shape != (frames,):
                raise ValueError(f"Expected {name} of shape ({frames},). Received: shape={getattr(self, name).shape}")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"Expected a positive frame rate. Received: fps={self.fps}")

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frame)
