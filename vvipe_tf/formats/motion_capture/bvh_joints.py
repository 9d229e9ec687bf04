"""Which joint of a BVH skeleton is which joint of the body, by the names that common tools write.

Known families: Mixamo and HumanIK, CMU and daz-friendly CMU, Bandai-Namco, Rigify (ReActIdle), Xsens, Rokoko,
OptiTrack, Biped, Unreal, VRM, ASF bone names, SMPL. A name is brought to a side and a part (`mixamorig:LeftUpLeg`,
`upper_leg.L`, `lThigh` -> left and a word for the thigh), and the part is looked up below.
"""

import re
from collections.abc import Sequence

# Body joint -> words for it, the more certain first: where a skeleton has both LeftArm and LeftShoulder, the second is
# the collar bone; where it has both left_ankle and left_foot, the second is the ball of the foot.
_SIDED_PARTS = {
    "shoulder": ("upperarm", "uparm", "uarm", "arm", "shldr", "humerus", "shoulder"),
    "elbow": ("forearm", "lowerarm", "lowarm", "farm", "elbow", "radius"),
    "wrist": ("wrist", "hand"),
    "hip": ("upperleg", "upleg", "uleg", "thigh", "femur", "hip"),
    "knee": ("lowerleg", "lowleg", "shin", "calf", "knee", "tibia", "leg"),
    "ankle": ("ankle", "foot"),
}
_CENTRE_PARTS = {
    "pelvis": ("hips", "pelvis", "hip", "root"),
    "neck": ("neck", "lowerneck"),
    "head": ("head", "face", "skull"),
    "head_top": ("headtop", "headtopend", "headend", "headnub"),
    "nose": ("nose",),
}
_VOCABULARY = {word for words in _SIDED_PARTS.values() for word in words}
_NOISE = {
    "mixamorig",
    "bip",
    "biped",
    "valvebiped",
    "character",
    "joint",
    "jnt",
    "def",
    "org",
    "avg",
    "b",
    "c",
    "f",
    "j",
    "m",
}
_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}


def find_joints(names: Sequence[str]) -> dict[str, int]:
    """Finds the joints of the body among the joints of a skeleton.

    Args:
        names: Joint names as in the file.

    Returns:
        Index by body joint, for those that were found: `left_`/`right_` shoulder, elbow, wrist, hip, knee, ankle, and
        pelvis, neck, head, head_top, nose. Where a name occurs twice the first counts.
    """
    by_part: dict[tuple[str, str], int] = {}
    for index, name in enumerate(names):
        by_part.setdefault(split_name(name), index)
    wanted = {(side, joint): words for side in ("left", "right") for joint, words in _SIDED_PARTS.items()}
    wanted |= {("", joint): words for joint, words in _CENTRE_PARTS.items()}
    found = {}
    for (side, joint), words in wanted.items():
        index = next((by_part[side, word] for word in words if (side, word) in by_part), None)
        if index is not None:
            found[f"{side}_{joint}" if side else joint] = index
    return found


def split_name(name: str) -> tuple[str, str]:
    """Side and part of a joint name.

    Args:
        name: Name as in a file, e.g. `"mixamorig:LeftUpLeg"`.

    Returns:
        Side `"left"`, `"right"` or `""`, and the rest in lower case without separators and numbers, e.g. `"upleg"`.
    """
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", name.rpartition(":")[2])
    words = [word.lower() for word in words]
    words = [word for word in words if word not in _NOISE]
    sides = [word for word in words if word in _SIDES]
    if sides:
        return _SIDES[sides[0]], "".join(word for word in words if word not in _SIDES)
    joined = "".join(words)
    for mark, side in _SIDES.items():
        for part in (joined.removeprefix(mark), joined.removesuffix(mark)):
            if part != joined and part in _VOCABULARY:
                return side, part
    return "", joined
