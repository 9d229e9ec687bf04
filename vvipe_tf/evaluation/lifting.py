"""Lifting errors: how far lifted 3D poses lie from the true ones."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import numpy as np

from vvipe_tf.geometry.pose_error import auc, mpjpe, n_mpjpe, p_mpjpe, pck

PCK_THRESHOLD_MM = 150.0
AUC_THRESHOLDS_MM = tuple(float(threshold) for threshold in range(0, 151, 5))


@dataclass(frozen=True)
class LiftingErrors:
    """Means over poses.

    Args:
        mpjpe: Mean joint distance, torso units.
        n_mpjpe: The same after the best scale.
        p_mpjpe: The same after the best rotation, scale and translation.
        mpjpe_mm: `mpjpe` in millimetres: each pose times its own torso length.
        n_mpjpe_mm: `n_mpjpe` in millimetres.
        p_mpjpe_mm: `p_mpjpe` in millimetres.
        pck_150mm: Share of joints within 150 mm, in [0, 1].
        auc_150mm: Mean of that share over thresholds of 0, 5, ..., 150 mm, in [0, 1].
    """

    mpjpe: float
    n_mpjpe: float
    p_mpjpe: float
    mpjpe_mm: float
    n_mpjpe_mm: float
    p_mpjpe_mm: float
    pck_150mm: float
    auc_150mm: float


@dataclass(frozen=True)
class LiftingResult:
    """Lifting errors of every camera.

    Args:
        camera_names: Names of the cameras.
        cameras: Errors of each camera.
    """

    camera_names: tuple[str, ...]
    cameras: tuple[LiftingErrors, ...]

    @property
    def mean(self) -> LiftingErrors:
        """Mean over the cameras, which all see the same poses."""
        names = [field.name for field in fields(LiftingErrors)]
        return LiftingErrors(**{name: float(np.mean([getattr(c, name) for c in self.cameras])) for name in names})

    def to_dict(self) -> dict:
        """The result as JSON-ready values."""
        cameras = zip(self.camera_names, self.cameras, strict=True)
        return {"mean": asdict(self.mean), "cameras": [{"name": name, **asdict(errors)} for name, errors in cameras]}


def evaluate_lifting(
    predicted: np.ndarray,
    true_poses: np.ndarray,
    torso_lengths_mm: np.ndarray,
    camera_names: tuple[str, ...] | None = None,
) -> LiftingResult:
    """Compares lifted poses with the truth, camera by camera; the pelvis is the origin.

    In the canonical frame, unlike in the axes of the camera, the person's heading is not part of the error, so MPJPE
    here compares with MPJPE there only roughly; P-MPJPE does.

    Args:
        predicted: Lifted poses (cameras, N, joints, 3), torso units.
        true_poses: True poses in the same frame, torso units: canonical ones (N, joints, 3), or those in the axes of
            each camera (cameras, N, joints, 3).
        torso_lengths_mm: Torso length (N,) of each pose in millimetres.
        camera_names: Names of the cameras; numbers by default.

    Returns:
        Errors per camera, and their mean.

    Raises:
        ValueError: If the shapes do not fit.
    """
    predicted = np.asarray(predicted, dtype=np.float64)
    truth = np.asarray(true_poses, dtype=np.float64)
    torso_lengths_mm = np.asarray(torso_lengths_mm, dtype=np.float64)
    if predicted.ndim != 4 or predicted.shape[-1] != 3 or truth.shape not in (predicted.shape, predicted.shape[1:]):
        raise ValueError(
            "Expected predicted poses of shape (cameras, N, joints, 3) and true poses of shape (N, joints, 3). "
            f"Received: shapes={predicted.shape}, {truth.shape}"
        )
    if 0 in predicted.shape:
        raise ValueError(f"Expected poses and cameras. Received: shape={predicted.shape}")
    if torso_lengths_mm.shape != predicted.shape[1:2]:
        raise ValueError(
            f"Expected one torso length per pose, shape {predicted.shape[1:2]}. "
            f"Received: shape={torso_lengths_mm.shape}"
        )
    names = camera_names or tuple(str(camera) for camera in range(len(predicted)))
    if len(names) != len(predicted):
        raise ValueError(f"Expected {len(predicted)} camera names. Received: {len(names)}")
    pairs = zip(predicted, np.broadcast_to(truth, predicted.shape), strict=True)
    return LiftingResult(tuple(names), tuple(_measure(poses, true, torso_lengths_mm) for poses, true in pairs))


def _measure(predicted: np.ndarray, truth: np.ndarray, torso_lengths_mm: np.ndarray) -> LiftingErrors:
    errors: dict[str, float] = {}
    measures: tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], ...] = (mpjpe, n_mpjpe, p_mpjpe)
    for measure in measures:
        per_pose = measure(predicted, truth)
        errors[measure.__name__] = float(per_pose.mean())
        errors[f"{measure.__name__}_mm"] = float((per_pose * torso_lengths_mm).mean())
    to_mm = torso_lengths_mm[:, None, None]
    predicted_mm, truth_mm = predicted * to_mm, truth * to_mm
    errors["pck_150mm"] = float(np.mean(pck(predicted_mm, truth_mm, PCK_THRESHOLD_MM)))
    errors["auc_150mm"] = float(np.mean(auc(predicted_mm, truth_mm, AUC_THRESHOLDS_MM)))
    return LiftingErrors(**errors)
