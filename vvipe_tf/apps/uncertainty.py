"""How far a lifted pose may be from the truth, estimated from the lift itself.

Three signs, each per pose: the misfit of the lifted pose, seen by the camera that suits it best, to its own keypoints;
the spread of the poses that come out when some of the joints are withheld; and the share of joints that were missing in
the first place. A weighted sum of them, fitted to true errors on held-out poses, is the expected mean joint error. (The
spread under noise on the keypoints was tried and says next to nothing: rank correlation with the error about 0.1.)

What it cannot see: an error that is consistent with the keypoints, such as a limb bent towards the camera instead of
away from it. It ranks poses; it is no bound.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vvipe_tf.apps.camera_fit import fit_weak_camera
from vvipe_tf.geometry.keypoints_2d import MIN_VISIBLE_JOINTS, normalise_keypoints
from vvipe_tf.keypoints import COCO_13

# Each joint of the limbs is withheld once, opposite limbs together. (Joints drawn at random are no better a sign.)
_WITHHELD = (
    ("left_wrist", "right_ankle"),
    ("right_wrist", "left_ankle"),
    ("left_elbow", "right_knee"),
    ("right_elbow", "left_knee"),
)


class UncertaintyWeights(NamedTuple):
    """Weights of the signs, fitted to true errors by `fit_uncertainty`; torso units throughout.

    The defaults were fitted to a model of preset *mocap* on the laboratory it had not seen (virtual cameras, keypoint
    noise, missing joints, half bodies), where their rank correlation with the true error is 0.59.

    Args:
        intercept: Error where nothing speaks against the pose.
        misfit: Error per root mean square distance between pose and keypoints.
        spread: Error per mean distance of the variants' joints from their mean.
        missing: Error of a body of which no joint was seen.
    """

    intercept: float = 0.137
    misfit: float = 1.436
    spread: float = 0.359
    missing: float = 0.0


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
    camera = fit_weak_camera(poses, normalised, visible)
    misfit = camera.error / np.maximum(camera.scale, np.finfo(np.float64).tiny)
    spread = _spread(lift, normalised, visible)
    return np.stack([np.ones(len(poses)), misfit, spread, 1.0 - visible.mean(axis=1)], axis=1)


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


def _spread(lift, keypoints_2d, visible):
    kept = np.repeat(visible[None], len(_WITHHELD), axis=0)
    for variant, joints in zip(kept, _WITHHELD, strict=True):
        variant[:, [COCO_13.index(joint) for joint in joints]] = False
    kept = np.where(kept.sum(axis=-1, keepdims=True) < MIN_VISIBLE_JOINTS, visible, kept)
    variants = lift(np.tile(keypoints_2d, (len(_WITHHELD), 1, 1)), kept.reshape(-1, COCO_13.num_joints))
    variants = variants.reshape(len(_WITHHELD), len(visible), COCO_13.num_joints, 3)
    return np.linalg.norm(variants - variants.mean(axis=0), axis=-1).mean(axis=(0, 2))
