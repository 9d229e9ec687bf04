"""The 2D input of the model: keypoints centred at mid-hip and scaled by the torso, with missing joints masked.

Every function takes the array library as `xp`, NumPy or `keras.ops`, and has one body for both.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from vvipe_tf.keypoints import COCO_13, KeypointProfile

TORSO_EXTENT = 0.5
MIN_VISIBLE_JOINTS = 6
# Least breadth of the visible joints, relative to their length (standard deviations). A true body seen exactly from the
# side has 0.024 and more, on four laboratories, acrobats and synthetic poses.
MIN_BREADTH = 0.01
_SHOULDERS = ("left_shoulder", "right_shoulder")
_HIPS = ("left_hip", "right_hip")


class KeypointFrame(NamedTuple):
    """Where normalised keypoints came from; `restore_keypoints` puts them back.

    Args:
        offset: Mid-hip (..., 2) in the original unit; 0 where a hip is missing.
        scale: Factor (...) from the original unit; 0 where the keypoints could not be normalised.
    """

    offset: np.ndarray
    scale: np.ndarray


def normalise_keypoints(keypoints_2d, mask=None, profile: KeypointProfile = COCO_13, xp=np):
    """Centres keypoints at mid-hip and scales the largest shoulder/hip distance to 0.5.

    Of the six distances among both shoulders and both hips only those between visible joints count. A detection that
    cannot be normalised (a hip missing, or no extent) becomes zeros with scale 0; `valid_keypoints` tells which.

    Args:
        keypoints_2d: Keypoints (..., joints, 2), pixels or any unit with square pixels. Missing joints may hold
            anything, NaN included.
        mask: Visibility (..., joints), boolean or {0, 1}; None when every joint is there.
        profile: Profile of `keypoints_2d`.
        xp: `numpy` or `keras.ops`.

    Returns:
        Normalised keypoints (..., joints, 2) with 0 for missing joints, and their `KeypointFrame`.

    Raises:
        ValueError: If a shape does not fit the profile.
    """
    keypoints_2d, visible = _checked(keypoints_2d, mask, profile, xp)
    extent_sq = _torso_extent_squared(keypoints_2d, visible, profile, xp)
    hips = [keypoints_2d[..., profile.index(hip), :] for hip in _HIPS]
    offset = 0.5 * (hips[0] + hips[1])
    usable = extent_sq > 0
    if visible is not None:
        both_hips = _all_visible(visible, profile, _HIPS, xp)
        usable = xp.logical_and(usable, both_hips)
        offset = xp.where(both_hips[..., None], offset, 0.0)
    # Selected before the root, so that neither the value nor the gradient is NaN for a detection without extent.
    scale = xp.where(usable, TORSO_EXTENT / xp.sqrt(xp.where(usable, extent_sq, 1.0)), 0.0)
    normalised = (keypoints_2d - offset[..., None, :]) * scale[..., None, None]
    if visible is not None:
        normalised = xp.where(visible[..., None], normalised, 0.0)
    return normalised, KeypointFrame(offset, scale)


def restore_keypoints(normalised, frame: KeypointFrame, xp=np):
    """Puts normalised keypoints back into the original unit.

    Joints that were missing, and all joints where the scale is 0, come back at the offset.

    Args:
        normalised: Normalised keypoints (..., joints, 2).
        frame: The frame that `normalise_keypoints` returned.
        xp: `numpy` or `keras.ops`.

    Returns:
        Keypoints (..., joints, 2).
    """
    usable = frame.scale > 0
    inverse = xp.where(usable, 1.0 / xp.where(usable, frame.scale, 1.0), 0.0)
    return normalised * inverse[..., None, None] + frame.offset[..., None, :]


def valid_keypoints(keypoints_2d, mask=None, profile: KeypointProfile = COCO_13, xp=np):
    """Which detections the model can use.

    A usable one shows both hips, a shoulder, and at least 6 joints, has a torso extent above 0, and is finite at every
    visible joint.

    Args:
        keypoints_2d: Keypoints (..., joints, 2), pixels or any unit.
        mask: Visibility (..., joints), boolean or {0, 1}; None when every joint is there.
        profile: Profile of `keypoints_2d`.
        xp: `numpy` or `keras.ops`.

    Returns:
        Booleans (...).

    Raises:
        ValueError: If a shape does not fit the profile.
    """
    if mask is None:
        mask = xp.ones_like(keypoints_2d[..., 0])
    keypoints_2d, visible = _checked(keypoints_2d, mask, profile, xp)
    finite = xp.all(xp.isfinite(keypoints_2d), axis=(-2, -1))
    keypoints_2d = xp.where(finite[..., None, None], keypoints_2d, 0.0)
    shoulder = xp.logical_or(*(visible[..., profile.index(name)] for name in _SHOULDERS))
    enough = xp.sum(visible, axis=-1) >= MIN_VISIBLE_JOINTS
    torso = xp.logical_and(_all_visible(visible, profile, _HIPS, xp), shoulder)
    extent = _torso_extent_squared(keypoints_2d, visible, profile, xp) > 0
    return xp.logical_and(xp.logical_and(torso, enough), xp.logical_and(extent, finite))


def have_breadth(keypoints_2d: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Which detections do not lie on a line, as no body does: a check of files, not part of the exported graph.

    Args:
        keypoints_2d: Keypoints (..., joints, 2), finite where visible.
        visible: Which joints are visible (..., joints).

    Returns:
        (...) bool.
    """
    weight = np.asarray(visible, dtype=np.float64)[..., None]
    points = np.where(weight > 0, keypoints_2d, 0.0)
    centre = points.sum(axis=-2, keepdims=True) / np.maximum(weight.sum(axis=-2, keepdims=True), 1.0)
    off = (points - centre) * weight
    xx, yy, xy = (np.sum(off[..., a] * off[..., b], axis=-1) for a, b in ((0, 0), (1, 1), (0, 1)))
    # The determinant of their scatter, scaled to trace 1.
    trace = np.where(xx + yy > 0, xx + yy, 1.0)
    return (xx / trace) * (yy / trace) - (xy / trace) ** 2 > MIN_BREADTH**2


def _checked(keypoints_2d, mask, profile, xp):
    if xp is np:
        keypoints_2d = np.asarray(keypoints_2d)
        if not np.issubdtype(keypoints_2d.dtype, np.floating):
            keypoints_2d = keypoints_2d.astype(np.float64)
        mask = mask if mask is None else np.asarray(mask)
    shape = tuple(keypoints_2d.shape)
    if len(shape) < 2 or shape[-2:] != (profile.num_joints, 2):
        raise ValueError(
            f"Expected keypoints_2d of shape (..., {profile.num_joints}, 2) for {profile.name}. Received: shape={shape}"
        )
    if mask is None:
        return keypoints_2d, None
    if len(mask.shape) < 1 or mask.shape[-1] != profile.num_joints:
        raise ValueError(
            f"Expected a keypoint mask of shape (..., {profile.num_joints}) for {profile.name}. "
            f"Received: shape={tuple(mask.shape)}"
        )
    visible = xp.not_equal(mask, 0)
    return xp.where(visible[..., None], keypoints_2d, 0.0), visible


def _all_visible(visible, profile, names, xp):
    return xp.logical_and(*(visible[..., profile.index(name)] for name in names))


def _torso_extent_squared(keypoints_2d, visible, profile, xp):
    squared = []
    for first, second in combinations((profile.index(name) for name in _SHOULDERS + _HIPS), 2):
        x = keypoints_2d[..., first, 0] - keypoints_2d[..., second, 0]
        y = keypoints_2d[..., first, 1] - keypoints_2d[..., second, 1]
        distance_sq = x * x + y * y
        if visible is not None:
            distance_sq = xp.where(xp.logical_and(visible[..., first], visible[..., second]), distance_sq, 0.0)
        squared.append(distance_sq)
    return xp.max(xp.stack(squared, axis=-1), axis=-1)
