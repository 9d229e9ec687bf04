"""Pictures turned over: y up, x and y exchanged; a confidence each, 0 for no sign.

Both are mirror images, and both may be somebody upside down or lying. Only a sign that left and right are exchanged as
well (`vvipe_tf.formats.layout.facing_check`) tells these apart, hence `mirrored`.
"""

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

_POSSIBLE = 0.6
# Share of the frames that must look so; less will do where left and right seem exchanged too.
_SHARE = 0.9
_SHARE_MIRRORED = 0.5
# Spine and legs count as level up to this slope.
_SLOPE = 0.35
_SLOPE_MIRRORED = 1.0
_LEVELS = ("shoulder", "wrist", "hip", "ankle")


def upside_down(points: np.ndarray, visible: np.ndarray, profile: KeypointProfile, mirrored: float = 0.0) -> float:
    """Whether y seems to point up.

    A frame counts if the shoulders lie below the hips and the ankles above them. Acrobats do that, on their hands; the
    confidence grows with the number of frames in which no hand is below the shoulders.

    Args:
        points: Keypoints (frames, joints, 2), y down.
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.
        mirrored: Confidence that left and right are exchanged.

    Returns:
        Confidence in [0, 1); 0 unless it holds in nearly all frames where shoulders, hips and ankles are seen.
    """
    sides = {level: [profile.index(f"{side}_{level}") for side in ("left", "right")] for level in _LEVELS}
    y = points[..., 1]
    shoulder, wrist, hip, ankle = (y[:, sides[level]] for level in _LEVELS)
    overturned = (shoulder.min(axis=1) > hip.max(axis=1)) & (ankle.max(axis=1) < hip.min(axis=1))
    seen = visible[:, sides["shoulder"] + sides["hip"] + sides["ankle"]].all(axis=1)
    if not seen.any() or overturned[seen].mean() < (_SHARE_MIRRORED if mirrored else _SHARE):
        return 0.0
    hanging = overturned & visible[:, sides["wrist"]].all(axis=1) & (wrist.max(axis=1) < shoulder.mean(axis=1))
    return max(_POSSIBLE, mirrored, float(hanging[seen].mean()) * seen.sum() / (seen.sum() + 5))


def exchanged_axes(
    points: np.ndarray,
    visible: np.ndarray,
    profile: KeypointProfile,
    box: np.ndarray | None = None,
    image_size: tuple[int, int] | None = None,
    mirrored: float = 0.0,
) -> float:
    """Whether x and y seem exchanged.

    Boxes, the picture's size or exchanged sides decide. Without them only this is known: somebody lies level and
    stretched out all the time, which is rare, but not impossible.

    Args:
        points: Keypoints (frames, joints, 2).
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.
        box: Boxes x, y, width, height (frames, 4), or `None`.
        image_size: Width and height of the pictures, or `None`.
        mirrored: Confidence that left and right are exchanged.

    Returns:
        Confidence in [0, 1).
    """
    if not visible.any():
        return 0.0
    turned = points[..., ::-1]
    if box is not None:
        low, high = box[:, None, :2] - 0.2 * box[:, None, 2:], box[:, None, :2] + 1.2 * box[:, None, 2:]
        inside, inside_turned = (_share_inside(each, low, high, visible) for each in (points, turned))
        if inside < 0.5 and inside_turned > 0.9:
            return 0.95
    if image_size is not None:
        high = np.array(image_size, dtype=np.float64)
        inside, inside_turned = (_share_inside(each, 0.0, high, visible) for each in (points, turned))
        if inside < 0.9 and inside_turned > 0.99:
            return 0.9
    spine = _middle(points, profile, "shoulder") - _middle(points, profile, "hip")
    legs = _middle(points, profile, "hip") - _middle(points, profile, "ankle")
    needed = [profile.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip", "ankle")]
    seen = visible[:, needed].all(axis=1)
    slope = _SLOPE_MIRRORED if mirrored else _SLOPE
    level = np.logical_and(*(np.abs(line[:, 1]) < slope * np.abs(line[:, 0]) for line in (spine, legs)))
    if not seen.any() or level[seen].mean() < (_SHARE_MIRRORED if mirrored else _SHARE):
        return 0.0
    return max(_POSSIBLE, mirrored)


def _middle(points: np.ndarray, profile: KeypointProfile, part: str) -> np.ndarray:
    return (points[:, profile.index(f"left_{part}")] + points[:, profile.index(f"right_{part}")]) / 2


def _share_inside(points: np.ndarray, low: object, high: object, visible: np.ndarray) -> float:
    inside = ((points >= low) & (points <= high)).all(axis=-1)
    return float(inside[visible].mean())
