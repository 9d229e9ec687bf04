"""Joints exchanged within a limb, and left and right exchanged between two levels of the body."""

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

_FEW_FRAMES = 5
# From this many on the confidence is full. Of true clips of 10 frames 1 % look wrong, of 30 frames 0.6 %.
_MANY_FRAMES = 20
_SIDES = ("left_", "right_")
_LIMBS = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
# A limb with its joints in order is nearly straight (ends apart / length 0.6 to 1 over many frames); with two joints
# exchanged it folds back on itself (0.25 to 0.45).
_FOLDED = 0.5
_STRAIGHTER = 0.2
# A single frame must be clearer; 1 % of true ones of mocap and acrobats are as clear as this.
_FOLDED_FEW = 0.4
_STRAIGHTER_FEW = 0.4
_HINT = 0.55
# Two levels of the body, the confidence if they cross, and the margin from which on they do: the distances between own
# sides less those between opposite ones, relative to their sum. Of true single frames (400 real, 1,400 of mocap and
# acrobats) at most 1 % exceed it. Forearms are crossed on purpose, so that few frames say nothing of them.
_LEVELS = (
    ("shoulder", "hip", 0.9, 0.02),
    ("ear", "shoulder", 0.9, 0.05),
    ("eye", "ear", 0.9, 0.05),
    ("shoulder", "elbow", 0.9, 0.05),
    ("hip", "knee", _HINT, 0.05),
    ("elbow", "wrist", _HINT, 0.15),
    ("knee", "ankle", _HINT, 0.05),
)
_CROSSED_ON_PURPOSE = "wrist"
_ARMS = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
# Joints that move together when the lower level is exchanged.
_BELOW = {
    "hip": ("hip", "knee", "ankle", "heel", "big_toe", "small_toe"),
    "shoulder": None,
    "ear": None,
    "elbow": ("elbow", "wrist"),
    "knee": ("knee", "ankle", "heel", "big_toe", "small_toe"),
    "wrist": ("wrist",),
    "ankle": ("ankle", "heel", "big_toe", "small_toe"),
}


def exchanged_in_limbs(
    points: np.ndarray, visible: np.ndarray, profile: KeypointProfile
) -> tuple[list[str], float, np.ndarray | None]:
    """Finds joints of an arm or a leg in the wrong order.

    A bent arm in one view may look so too; only the same exchange on both sides is a sign of a wrong layout.

    Args:
        points: Keypoints (frames, joints, 2).
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.

    Returns:
        Exchanged pairs in words, the confidence, and the permutation of columns that mends all of them; an empty list
        if there is nothing to mend.
    """
    found: list[str] = []
    confidence = 0.0
    permutation = np.arange(profile.num_joints)
    for names in _LIMBS:
        limbs = {side: [profile.index(side + name) for name in names] for side in _SIDES}
        pairs = {side: _exchanged_pair(points, visible, limb) for side, limb in limbs.items()}
        both = pairs["left_"] == pairs["right_"]
        for side, pair in pairs.items():
            if pair is None:
                continue
            first, second = (side + names[place] for place in pair)
            found.append(f"{first} and {second}")
            a, b = profile.index(first), profile.index(second)
            permutation[[a, b]] = permutation[[b, a]]
            certain = len(points) >= _MANY_FRAMES
            confidence = max(confidence, (0.8 if certain else _HINT) if both else 0.4)
    return found, confidence, permutation if found else None


def _exchanged_pair(points: np.ndarray, visible: np.ndarray, limb: list[int]) -> tuple[int, int] | None:
    """Places in the limb (0 to 2) of two joints that look exchanged, or `None`."""
    seen = visible[:, limb].all(axis=1)
    if not seen.any():
        return None
    few = seen.sum() < _FEW_FRAMES
    folded, straighter = (_FOLDED_FEW, _STRAIGHTER_FEW) if few else (_FOLDED, _STRAIGHTER)
    a, b, c = (points[seen, index] for index in limb)
    ab, bc, ca = (_distance(p, q).mean() for p, q in ((a, b), (b, c), (c, a)))
    total = ab + bc + ca
    if total <= 0:
        return None
    straight, first_exchanged, last_exchanged = (ends / max(total - ends, 1e-9) for ends in (ca, bc, ab))
    if straight >= folded or max(first_exchanged, last_exchanged) <= straight + straighter:
        return None
    return (0, 1) if first_exchanged > last_exchanged else (1, 2)


def exchanged_sides(
    points: np.ndarray, visible: np.ndarray, profile: KeypointProfile, mirrored: bool = False
) -> list[tuple[str, float, np.ndarray | None]]:
    """Finds levels of the body between which left and right change over.

    Legs and forearms may be crossed by the person, hence their lower confidence.

    Args:
        points: Keypoints (frames, joints, 2).
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns.
        mirrored: Whether the shoulders seem to be exchanged; then they are the wrong ones, and not the hips.

    Returns:
        Triples of the level in words, the confidence, and the permutation of columns that exchanges the lower level
        (`None` where either level may be the wrong one).
    """
    found = []
    for upper, lower, confidence, limit in _LEVELS:
        names = [f"{side}_{level}" for level in (upper, lower) for side in ("left", "right")]
        if not all(profile.has(name) for name in names):
            continue
        indices = [profile.index(name) for name in names]
        seen = visible[:, indices].all(axis=1)
        left, right, left_below, right_below = (points[seen, index] for index in indices)
        own = _distance(left, left_below) + _distance(right, right_below)
        crossed = _distance(left, right_below) + _distance(right, left_below)
        margin = (own - crossed) / np.maximum(own + crossed, 1e-9)
        clear = np.abs(margin) > limit
        if not seen.any() or clear.sum() < 0.2 * len(points):
            continue
        few = clear.sum() < _FEW_FRAMES
        if few and lower == _CROSSED_ON_PURPOSE:
            continue
        if (margin > 0)[clear].mean() >= 0.85 and margin.mean() > (limit if few else limit / 2):
            level = f"{upper}s and {lower}s"
            sure = confidence if clear.sum() >= _MANY_FRAMES else _HINT
            wrong = _ARMS if mirrored and upper == "shoulder" else _BELOW[lower]
            found.append((level, sure, _exchange(profile, wrong)))
    return found


def _exchange(profile: KeypointProfile, parts: tuple[str, ...] | None) -> np.ndarray | None:
    if parts is None:
        return None
    indices = np.arange(profile.num_joints)
    moving = [name.removeprefix("left_").removeprefix("right_") in parts for name in profile.keypoint_names]
    return np.where(moving, profile.flip_indices, indices)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)
