"""3D poses on their way into a file: what the numbers mean travels with them."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

# Coordinate frames and their axes, as written into every file.
AXES = {
    "canonical": "left hip towards -y, right hip towards +y, spine towards +z, x = y cross z (backwards)",
    "world": "right-handed, z up",
    "camera": "OpenCV: x right, y down, z forward",
}
UNITS = ("torso", "m", "mm")
# Mean of Human3.6M; used where a file needs metres and no torso length is known.
NOMINAL_TORSO_LENGTH_MM = 490.0


@dataclass(frozen=True)
class PoseSequence:
    """3D poses with everything that a reader needs to know about them.

    Args:
        poses: Poses (frames, joints, 3), root (pelvis, mid-hip) at the origin unless the coordinate frame is a world
            or a camera with translation.
        profile: Joint order.
        coordinate_frame: `"canonical"`, `"world"` (Z up) or `"camera"` (OpenCV).
        unit: `"torso"` (1 = pelvis to spine to neck), `"m"` or `"mm"`.
        fps: Frames per second, or `None`.
        torso_length_mm: Length of the torso in millimetres, or `None` if unknown.
        frame: Frame numbers (frames,) int, by default from 0.
        person: Track ids (frames,) int, by default -1.
        scores: Confidence per joint (frames, joints), or `None`.
        uncertainty: Expected mean joint error (frames,) in torso units, whatever `unit` says, or `None`.

    Raises:
        ValueError: If shapes do not fit, a pose is not finite, or a name or a number is not as above.
    """

    poses: np.ndarray
    profile: KeypointProfile
    coordinate_frame: str = "canonical"
    unit: str = "torso"
    fps: float | None = None
    torso_length_mm: float | None = None
    frame: np.ndarray | None = None
    person: np.ndarray | None = None
    scores: np.ndarray | None = None
    uncertainty: np.ndarray | None = None

    def __post_init__(self):
        """Checks the arrays and fills in the defaults."""
        poses = np.asarray(self.poses)
        if poses.ndim != 3 or poses.shape[1:] != (self.profile.num_joints, 3):
            raise ValueError(
                f"Expected poses of shape (frames, {self.profile.num_joints}, 3) for {self.profile.name}. "
                f"Received: shape={poses.shape}"
            )
        if not np.isfinite(poses).all():
            raise ValueError(f"Expected finite poses. Received: {int((~np.isfinite(poses)).sum())} other values")
        if self.coordinate_frame not in AXES:
            raise ValueError(f"Expected a coordinate frame among {list(AXES)}. Received: {self.coordinate_frame!r}")
        if self.unit not in UNITS:
            raise ValueError(f"Expected a unit among {UNITS}. Received: {self.unit!r}")
        for name in ("fps", "torso_length_mm"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ValueError(f"Expected {name} above 0. Received: {value}")
        object.__setattr__(self, "poses", poses)
        frame = np.arange(len(poses)) if self.frame is None else np.asarray(self.frame)
        person = np.full(len(poses), -1) if self.person is None else np.asarray(self.person)
        for name, values, shape in (("frame", frame, poses.shape[:1]), ("person", person, poses.shape[:1])):
            if values.shape != shape or values.dtype.kind not in "iu":
                raise ValueError(f"Expected integers {name} of shape {shape}. Received: {values.dtype} {values.shape}")
            object.__setattr__(self, name, values.astype(np.int64))
        for name, shape in (("scores", poses.shape[:2]), ("uncertainty", poses.shape[:1])):
            if getattr(self, name) is None:
                continue
            values = np.asarray(getattr(self, name))
            if values.shape != shape or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
                raise ValueError(f"Expected finite {name} of shape {shape}. Received: {values.dtype} {values.shape}")
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        """Number of poses."""
        return len(self.poses)

    @property
    def is_canonical(self) -> bool:
        """Whether the poses are as a model sees them: canonical frame, torso units."""
        return (self.coordinate_frame, self.unit) == ("canonical", "torso")

    def metres(self) -> np.ndarray:
        """Poses (frames, joints, 3) float64 in metres; without a torso length `NOMINAL_TORSO_LENGTH_MM` stands in."""
        torso = (self.torso_length_mm or NOMINAL_TORSO_LENGTH_MM) / 1000
        return np.asarray(self.poses, dtype=np.float64) * {"torso": torso, "m": 1.0, "mm": 0.001}[self.unit]

    def metres_y_up(self) -> np.ndarray:
        """Poses (frames, joints, 3) float64 in metres with Y up, as BVH and OpenSim have it.

        Z up turns by (x, y, z) -> (x, z, -y), the camera's axes by (x, y, z) -> (x, -y, -z).
        """
        x, y, z = np.moveaxis(self.metres(), -1, 0)
        turned = (x, -y, -z) if self.coordinate_frame == "camera" else (x, z, -y)
        return np.stack(turned, axis=-1)

    def description(self) -> dict[str, object]:
        """What the numbers mean, for the head of a file."""
        return {
            "coordinate_frame": self.coordinate_frame,
            "axes": AXES[self.coordinate_frame],
            "root": "pelvis (mid-hip)",
            "unit": self.unit,
            "torso_length_mm": self.torso_length_mm,
            "fps": self.fps,
            "profile": self.profile.name,
        }
