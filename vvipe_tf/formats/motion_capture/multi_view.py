"""What every reader of multi-camera recordings returns: 3D poses with the 2D keypoints of each camera."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.keypoints import KeypointProfile

# `MultiViewCapture.kind` of keypoints that are true projections; every other kind is the name of a detector.
GROUND_TRUTH = "ground_truth"


@dataclass(frozen=True, eq=False)
class MultiViewCapture:
    """One recording seen by several cameras at the same time.

    Args:
        capture: 3D poses of the N frames.
        cameras: Distinct names of the cameras, in the order of the first axis below.
        keypoints_2d: Keypoints (cameras, N, joints, 2) float32 in pixels, y down; NaN where a camera has none.
        profile_2d: Joints of `keypoints_2d`.
        scores: Scores (cameras, N, joints) float32 in [0, 1], or None if all keypoints are equally certain.
        kind: `"ground_truth"`, or the name of the detector, e.g. `"openpose"`.
        calibration: One camera for each of `cameras`, in their order, or None where it is not known. They project
            measured poses of the recording; poses on a universal skeleton do not reproject on `keypoints_2d`.
        notes: What was found or repaired in the files, one line each.

    Raises:
        ValueError: If shapes, names or values do not fit each other.
    """

    capture: MotionCapture
    cameras: tuple[str, ...]
    keypoints_2d: np.ndarray
    profile_2d: KeypointProfile
    scores: np.ndarray | None
    kind: str
    calibration: tuple[Camera, ...] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        """Brings the arrays to float32 and checks everything against each other."""
        object.__setattr__(self, "keypoints_2d", np.asarray(self.keypoints_2d, dtype=np.float32))
        if self.scores is not None:
            object.__setattr__(self, "scores", np.asarray(self.scores, dtype=np.float32))
        self._check_cameras()
        self._check_keypoints()
        if not self.kind:
            raise ValueError(f"Expected {GROUND_TRUTH!r} or the name of a detector as kind. Received: {self.kind!r}")

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.capture)

    def _check_cameras(self) -> None:
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"Expected distinct camera names, at least one. Received: {self.cameras}")
        if self.calibration is not None:
            calibrated = tuple(camera.name for camera in self.calibration)
            if calibrated != tuple(self.cameras):
                raise ValueError(f"Expected the calibration of cameras {self.cameras}. Received: {calibrated}")

    def _check_keypoints(self) -> None:
        shape = (len(self.cameras), len(self.capture), self.profile_2d.num_joints)
        if self.keypoints_2d.shape != (*shape, 2):
            raise ValueError(
                f"Expected keypoints of shape {(*shape, 2)} for {self.profile_2d.name}. "
                f"Received: shape={self.keypoints_2d.shape}"
            )
        if np.isinf(self.keypoints_2d).any():
            raise ValueError("Expected keypoints that are finite, or NaN where there are none. Received: Infinity")
        if self.scores is None:
            return
        if self.scores.shape != shape:
            raise ValueError(f"Expected scores of shape {shape}. Received: shape={self.scores.shape}")
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError("Expected scores in [0, 1]. Received: others")


def one_recording(
    profile: KeypointProfile, poses: np.ndarray, frame: np.ndarray, subject: str, sequence: str, **facts
) -> MotionCapture:
    """Motion capture whose frames all belong to one sequence of one subject.

    Args:
        profile: Joints of `poses`.
        poses: Poses (frames, joints, 3) in metres, Z up.
        frame: Frame numbers (frames,).
        subject: The subject.
        sequence: The sequence.
        **facts: `source`, `license` and `fps` of `MotionCapture`.

    Returns:
        The motion capture.

    Raises:
        ValueError: As `MotionCapture` itself.
    """
    names = {"subject": np.full(len(frame), subject), "sequence": np.full(len(frame), sequence)}
    return MotionCapture(profile, poses, **names, frame=np.asarray(frame, dtype=np.int32), **facts)
