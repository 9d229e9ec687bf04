"""Lifting errors of real cameras, which do not all see every frame, and how far their lifts agree."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from vvipe_tf.evaluation.lifting import LiftingResult, evaluate_lifting
from vvipe_tf.geometry.pose_error import mpjpe


def evaluate_recorded_lifting(
    lifted: np.ndarray,
    seen: np.ndarray,
    canonical_poses: np.ndarray,
    torso_lengths_mm: np.ndarray,
    camera_names: Sequence[str],
) -> LiftingResult:
    """Compares decoded poses with the truth, each camera over the frames that it saw.

    Args:
        lifted: Decoded canonical poses (cameras, N, joints, 3), torso units; anything where there is no view.
        seen: Which views there are (cameras, N).
        canonical_poses: True canonical poses (N, joints, 3), torso units.
        torso_lengths_mm: Torso length (N,) of each pose in millimetres.
        camera_names: Names of the cameras.

    Returns:
        Errors of every camera that saw something, and their mean.

    Raises:
        ValueError: If no camera saw anything.
    """
    names, errors = [], []
    for name, poses, mine in zip(camera_names, lifted, seen, strict=True):
        if mine.any():
            result = evaluate_lifting(poses[None, mine], canonical_poses[mine], torso_lengths_mm[mine], (name,))
            names.append(name)
            errors += result.cameras
    if not errors:
        raise ValueError("Expected a camera that saw a frame. Received: none")
    return LiftingResult(tuple(names), tuple(errors))


@dataclass(frozen=True)
class CameraAgreement:
    """How much the lifts of one frame from different cameras differ.

    Args:
        mpjpe: Mean over frames of the mean MPJPE between the lifts of two cameras, canonical frame, torso units.
        mpjpe_mm: The same in millimetres of the true person.
        frames: Frames that at least two cameras saw.
    """

    mpjpe: float
    mpjpe_mm: float
    frames: int

    def to_dict(self) -> dict:
        """The result as JSON-ready values."""
        return asdict(self)


def evaluate_agreement(lifted: np.ndarray, seen: np.ndarray, torso_lengths_mm: np.ndarray) -> CameraAgreement | None:
    """Compares the lifts of each frame with each other; the truth is not asked.

    Args:
        lifted: Decoded canonical poses (cameras, N, joints, 3), torso units; anything where there is no view.
        seen: Which views there are (cameras, N).
        torso_lengths_mm: Torso length (N,) of each pose in millimetres.

    Returns:
        The agreement; None if no frame was seen by two cameras.
    """
    total, count = np.zeros(seen.shape[1]), np.zeros(seen.shape[1], dtype=np.int64)
    for a in range(len(seen)):
        for b in range(a):
            both = seen[a] & seen[b]
            if both.any():
                total[both] += mpjpe(lifted[a, both], lifted[b, both])
                count += both
    compared = count > 0
    if not compared.any():
        return None
    means = total[compared] / count[compared]
    in_mm = means * np.asarray(torso_lengths_mm)[compared]
    return CameraAgreement(float(means.mean()), float(in_mm.mean()), int(compared.sum()))
