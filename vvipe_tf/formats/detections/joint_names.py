"""Joint names as other tools spell them, and which profile they make up."""

import re

from vvipe_tf.keypoints import PROFILES, KeypointProfile

_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
_PARTS = {
    "sho": "shoulder",
    "elb": "elbow",
    "wri": "wrist",
    "kne": "knee",
    "ank": "ankle",
    "foot_index": "big_toe",
    "bigtoe": "big_toe",
    "toe": "big_toe",
    "smalltoe": "small_toe",
    "mouth_corner": "mouth",
    "pinky_1": "pinky",
    "index_1": "index",
    "thumb_2": "thumb",
}
_CENTRES = {
    "hip": "pelvis",
    "mid_hip": "pelvis",
    "midhip": "pelvis",
    "c_hip": "pelvis",
    "root": "pelvis",
    "thorax": "neck",
    "headtop": "head_top",
    "top_head": "head_top",
    "top_of_head": "head_top",
}
_STAND_INS = {"head_top": "head"}


def canonical_joint_name(name: str) -> str:
    """Spells a joint name as the profiles do.

    `LEFT_SHOULDER`, `LShoulder`, `shoulder_left` and `left shoulder` all become `left_shoulder`.

    Args:
        name: Name in any usual spelling.

    Returns:
        Lower-case name with `_` between words and the side first.
    """
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name)
    words = [word for word in re.split(r"[^a-z0-9]+", words.lower()) if word]
    side = next((_SIDES[word] for word in words if word in _SIDES), "")
    part = "_".join(word for word in words if word not in _SIDES)
    if side:
        return f"{side}_{_PARTS.get(part, part)}"
    return _CENTRES.get(part, part)


def match_profile(
    names: list[str], profile: KeypointProfile | None, where: str
) -> tuple[KeypointProfile, tuple[int, ...]]:
    """Finds the profile that named columns make up, whatever their order.

    Args:
        names: Joint names of the file in file order, any usual spelling.
        profile: Profile wanted, or `None` for the one with most joints among those that the names cover.
        where: File, for the message.

    Returns:
        The profile, and for each of its joints the index into `names`.

    Raises:
        ValueError: If a joint is missing or occurs twice.
    """
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        if found.setdefault(canonical_joint_name(name), index) != index:
            raise ValueError(f"{where}: expected each joint once. Received: {name!r} twice")

    def column(joint: str) -> int | None:
        return found.get(canonical_joint_name(joint), found.get(_STAND_INS.get(joint, joint)))

    if profile is None:
        covered = [each for each in PROFILES.values() if all(column(name) is not None for name in each.keypoint_names)]
        if not covered:
            raise ValueError(
                f"{where}: expected keypoint names that make up a profile ({', '.join(PROFILES)}). "
                f"Received: {', '.join(str(name)[:30] for name in names[:40])}"
            )
        profile = max(covered, key=lambda each: each.num_joints)
    indices = [column(name) for name in profile.keypoint_names]
    missing = [name for name, index in zip(profile.keypoint_names, indices, strict=True) if index is None]
    if missing:
        raise ValueError(f"{where}: expected every joint of {profile.name}. Received: no {', '.join(missing)}")
    return profile, tuple(indices)
