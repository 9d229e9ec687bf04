"""How far a lifted pose may be from the truth, estimated from the lift itself.

Three signs, each per pose: the misfit of the lifted pose, seen by the camera that suits it best, to its own keypoints;
the spread, how far the joints move when elbows and knees are withheld; and the share of joints that were missing in
the first place. A weighted sum of them, fitted to true errors on held-out poses, is the expected mean joint error. (Two
more were tried. Noise on the keypoints says next to nothing: rank correlation with the error about 0.1. Withholding the
joints of the limbs in four turns costs four runs of the model instead of one, and says less: 0.46 against 0.57 in all.)

What it cannot see: an error that is consistent with the keypoints, such as a limb bent towards the camera instead of
away from it. It ranks poses; it is no bound.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from vvipe_tf.apps.camera_fit import fit_weak_camera
from vvipe_tf.geometry.keypoints_2d import MIN_VISIBLE_JOINTS, normalise_keypoints
from vvipe_tf.keypoints import COCO_13

# Without the middles of its limbs a pose is told from where hands and feet are.
_WITHHELD = [COCO_13.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("elbow", "knee")]


class UncertaintyWeights(NamedTuple):
    """Weights of the signs, fitted to true errors by `fit_uncertainty`; torso units throughout.

    The defaults were fitted to a model of preset *mocap* on the laboratory it had not seen (virtual cameras, keypoint
    noise, missing joints, half bodies), where their rank correlation with the true error is 0.57.

    Args:
        intercept: Error where nothing speaks against the pose.
        misfit: Error per root mean square distance between pose and keypoints.
        spread: Error per mean distance by which joints move when elbows and knees are withheld.
        missing: Error of a body of which no joint was seen.
    """

    intercept: float = 0.135
    misfit: float = 0.886
    spread: float = 0.299
    missing: float = 0.146


def uncertainty_signs(
    lift: Callable[[np.ndarray, np.ndarray], np.ndarray],
    keypoints_2d: np.ndarray,
    visible: np.ndarray,
    poses: np.ndarray,
) -> np.ndarray:
    """Measures the signs of uncertainty.

    Args:
        lift: Keypoints COCO_13 (batch, 13, 2) and mask (batch, 13) -> canonical poses (batch, 13, 3).
        keypoints_2d: Valid keypoints COCO_13 (poses, 13, 2).
        visible: Which joints are there (poses, 13) bool.
        poses: What was lifted from them (poses, 13, 3), canonical, torso units.

    Returns:
        Signs (poses, 4) float64, in the order of `UncertaintyWeights`.
    """
    normalised, _ = normalise_keypoints(keypoints_2d, visible)
    with ThreadPoolExecutor(1) as pool:  # The model and the camera fit do not wait for each other.
        spread = pool.submit(_spread, lift, normalised, visible, poses)
        camera = fit_weak_camera(poses, normalised, visible)
    misfit = camera.error / np.maximum(camera.scale, np.finfo(np.float64).tiny)
    return np.stack([np.ones(len(poses)), misfit, spread.result(), 1.0 - visible.mean(axis=1)], axis=1)


def fit_uncertainty(signs: np.ndarray, errors: np.ndarray) -> UncertaintyWeights:
    """Fits the weights to true errors; none is negative.

    Args:
        signs: Signs (poses, 4) of poses that the model was not trained on.
        errors: Their mean joint errors (poses,), torso units.

    Returns:
        The weights of least squared error.

    Raises:
        ValueError: If the shapes do not fit.
    """
    signs, errors = np.asarray(signs, np.float64), np.asarray(errors, np.float64)
    if signs.ndim != 2 or signs.shape[1] != len(UncertaintyWeights._fields) or errors.shape != signs.shape[:1]:
        raise ValueError(
            f"Expected signs of shape (poses, 4) and errors (poses,). Received: shapes={signs.shape}, {errors.shape}"
        )
    from scipy.optimize import nnls  # Half a second that only a calibration costs.

    return UncertaintyWeights(*(float(weight) for weight in nnls(signs, errors)[0]))


def _spread(lift, keypoints_2d, visible, poses):
    kept = visible.copy()
    kept[:, _WITHHELD] = False
    kept = np.where(kept.sum(axis=1, keepdims=True) < MIN_VISIBLE_JOINTS, visible, kept)
    return np.linalg.norm(lift(keypoints_2d, kept) - poses, axis=-1).mean(axis=1)
