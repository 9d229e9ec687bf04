"""Pictures turned over: y up, x and y exchanged, left and right mirrored; a confidence each, 0 for no sign."""

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

_MIN_FACES = 10


def upside_down(points: np.ndarray, visible: np.ndarray, profile: KeypointProfile) -> float:
    """Whether y seems to point up.

    A frame counts if the nose lies below shoulders, hips and wrists and the ankles above the hips. In handstands and
    cartwheels the wrists are below the nose. The confidence grows with the number of frames: somersaults are short.

    Args:
        points: Keypoints (frames, joints, 2), y down.
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.

    Returns:
        Confidence in [0, 1); 0 unless it holds in 80 % of the frames where all these joints are seen.
    """
    levels = ("shoulder", "wrist", "hip", "ankle")
    sides = [[profile.index(f"{side}_{level}") for side in ("left", "right")] for level in levels]
    nose = profile.index("nose")
    seen = visible[:, [nose, *(index for pair in sides for index in pair)]].all(axis=1)
    if not seen.any():
        return 0.0
    y = points[seen, :, 1]
    shoulder, wrist, hip, ankle = (y[:, pair] for pair in sides)
    head_down = (y[:, nose] > shoulder.max(axis=1)) & (y[:, nose] > hip.max(axis=1)) & (y[:, nose] > wrist.max(axis=1))
    overturned = head_down & (ankle.max(axis=1) < hip.min(axis=1))
    share = float(overturned.mean())
    return 0.0 if share < 0.8 else share * seen.sum() / (seen.sum() + 5)


def exchanged_axes(
    points: np.ndarray,
    visible: np.ndarray,
    profile: KeypointProfile,
    box: np.ndarray | None = None,
    image_size: tuple[int, int] | None = None,
) -> float:
    """Whether x and y seem exchanged.

    Boxes or the picture's size decide. Without them only this is known: somebody who lies level and stretched out in
    30 frames or more is rare, but not impossible, so the confidence stays at 0.4.

    Args:
        points: Keypoints (frames, joints, 2).
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.
        box: Boxes x, y, width, height (frames, 4), or `None`.
        image_size: Width and height of the pictures, or `None`.

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
    level = np.logical_and(*(np.abs(line[:, 1]) < 0.35 * np.abs(line[:, 0]) for line in (spine, legs)))
    return 0.4 if seen.sum() >= 30 and level[seen].mean() > 0.95 else 0.0


def mirrored(points: np.ndarray, scores: np.ndarray, profile: KeypointProfile) -> float:
    """Whether left and right seem exchanged in the whole body.

    From points alone this cannot be told. A detector's scores can: where nose and both eyes are seen clearly, the
    person faces the camera, and then the left shoulder is to the right of the right one. Equal scores say nothing.

    Args:
        points: Keypoints (frames, joints, 2), y down.
        scores: Scores (frames, joints).
        profile: Profile of the columns.

    Returns:
        Confidence in [0, 1); 0 if there are fewer than 10 such frames, or no eyes in the profile.
    """
    face = ("nose", "left_eye", "right_eye")
    if not all(profile.has(name) for name in face):
        return 0.0
    if not (scores > 0).any() or np.ptp(scores[scores > 0]) < 0.02:
        return 0.0
    trunk = [profile.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]
    seen = (scores[:, [profile.index(name) for name in face]] > 0.5).all(axis=1) & (scores[:, trunk] > 0.3).all(axis=1)
    up = _middle(points, profile, "shoulder") - _middle(points, profile, "hip")
    across = points[:, profile.index("left_shoulder")] - points[:, profile.index("right_shoulder")]
    area = up[:, 0] * across[:, 1] - up[:, 1] * across[:, 0]
    clear = seen & (np.abs(area) > 0.3 * np.square(up).sum(axis=1)) & (np.square(up).sum(axis=1) > 0)
    if clear.sum() < _MIN_FACES:
        return 0.0
    share = float((area[clear] < 0).mean())
    return 0.9 * share if share > 0.8 else 0.0


def _middle(points: np.ndarray, profile: KeypointProfile, part: str) -> np.ndarray:
    return (points[:, profile.index(f"left_{part}")] + points[:, profile.index(f"right_{part}")]) / 2


def _share_inside(points: np.ndarray, low: object, high: object, visible: np.ndarray) -> float:
    inside = ((points >= low) & (points <= high)).all(axis=-1)
    return float(inside[visible].mean())
