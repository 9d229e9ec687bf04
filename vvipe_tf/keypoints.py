"""Keypoint profiles: which joints a pose has, and how one set of joints maps to another, by name.

A profile is the only place where a joint order is written down. Everything else asks for joints by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

_LIMB_BONES = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
)
_TRUNK_BONES = (("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"))
_SPINE_BONES = (("pelvis", "spine"), ("spine", "neck"), ("neck", "nose"), ("nose", "head_top"))
_FACE_BONES = (("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"))
_MIDPOINTS = {"pelvis": ("left_hip", "right_hip"), "neck": ("left_shoulder", "right_shoulder")}


@dataclass(frozen=True)
class KeypointProfile:
    """An ordered set of named joints.

    Names are the field's own: `left_`/`right_` prefixes, `pelvis` (root, mid-hip), `spine`, `neck` (thorax, at
    shoulder height), `nose`, `head_top`.

    Args:
        name: Name of the profile, e.g. `"COCO_17"`.
        keypoint_names: Joint names in array order.
        bones: Pairs of joint names, for drawing and for bone lengths.
        aliases: Joint name -> the profile's own joint that stands in for it, e.g. `{"nose": "head"}`.

    Raises:
        ValueError: If a name occurs twice, or a bone or an alias names no joint of the profile.
    """

    name: str
    keypoint_names: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self):
        """Checks the profile against itself."""
        known = set(self.keypoint_names)
        if len(known) != len(self.keypoint_names):
            raise ValueError(
                f"Expected distinct keypoint names in profile {self.name}. Received: {self.keypoint_names}"
            )
        unknown = sorted({joint for bone in self.bones for joint in bone}.union(self.aliases.values()) - known)
        if unknown:
            raise ValueError(f"Expected bones and aliases between joints of {self.name}. Received: {unknown}")

    @property
    def num_joints(self) -> int:
        """Number of joints."""
        return len(self.keypoint_names)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.keypoint_names)}

    def has(self, joint: str) -> bool:
        """Whether the profile holds `joint` itself or an alias of it (midpoints do not count)."""
        return joint in self._indices or joint in self.aliases

    def index(self, joint: str) -> int:
        """Array index of a joint, aliases included.

        Raises:
            ValueError: If the profile has no such joint.
        """
        found = self._indices.get(self.aliases.get(joint, joint))
        if found is None:
            raise ValueError(f"Expected a joint of profile {self.name}: {self.keypoint_names}. Received: {joint!r}")
        return found

    def sources_of(self, joint: str) -> tuple[int, ...]:
        """Indices whose mean is `joint`: one index, or the two of a midpoint (`pelvis`, `neck`).

        Raises:
            ValueError: If the joint is neither in the profile nor derivable from it.
        """
        if self.has(joint):
            return (self.index(joint),)
        parents = _MIDPOINTS.get(joint, ())
        if parents and all(self.has(parent) for parent in parents):
            return tuple(self.index(parent) for parent in parents)
        raise ValueError(f"Expected a joint that profile {self.name} has or derives. Received: {joint!r}")

    def sources_to(self, target: "KeypointProfile") -> tuple[tuple[int, ...], ...]:
        """For each joint of `target`, the indices in this profile whose mean it is.

        Raises:
            ValueError: If a joint of `target` cannot be had; all of them are named.
        """
        missing = [joint for joint in target.keypoint_names if not self._derives(joint)]
        if missing:
            raise ValueError(f"Expected a profile that maps to {target.name}. Received: {self.name}, without {missing}")
        return tuple(self.sources_of(joint) for joint in target.keypoint_names)

    def mapping_to(self, target: "KeypointProfile") -> np.ndarray:
        """Matrix (target joints, joints) float64 that maps points of this profile to `target`; rows sum to 1.

        Raises:
            ValueError: If a joint of `target` cannot be had.
        """
        matrix = np.zeros((target.num_joints, self.num_joints))
        for row, sources in zip(matrix, self.sources_to(target), strict=True):
            row[list(sources)] = 1.0 / len(sources)
        return matrix

    def _derives(self, joint: str) -> bool:
        return self.has(joint) or (joint in _MIDPOINTS and all(self.has(parent) for parent in _MIDPOINTS[joint]))

    @cached_property
    def flip_indices(self) -> np.ndarray:
        """Permutation (joints,) that swaps left and right joints."""
        return np.array([self._indices[_mirrored(name)] for name in self.keypoint_names])

    @cached_property
    def bone_indices(self) -> np.ndarray:
        """Bones as joint indices (bones, 2)."""
        return np.array([(self.index(a), self.index(b)) for a, b in self.bones])


def _mirrored(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name[len("left_") :]
    if name.startswith("right_"):
        return "left_" + name[len("right_") :]
    return name


def map_keypoints(points: np.ndarray, source: KeypointProfile, target: KeypointProfile) -> np.ndarray:
    """Maps points from one profile to another by joint name; midpoints are derived where a joint is missing.

    Args:
        points: Points (..., source joints, dims), any unit.
        source: Profile of `points`.
        target: Profile wanted.

    Returns:
        Points (..., target joints, dims) of the same floating dtype.

    Raises:
        ValueError: If the joint count is not the profile's, or a joint of `target` cannot be had.
    """
    points = np.asarray(points)
    if points.ndim < 2 or points.shape[-2] != source.num_joints:
        raise ValueError(
            f"Expected points of shape (..., {source.num_joints}, dims) for {source.name}. "
            f"Received: shape={points.shape}"
        )
    first = np.array([sources[0] for sources in source.sources_to(target)])
    last = np.array([sources[-1] for sources in source.sources_to(target)])
    if np.array_equal(first, last):
        return points[..., first, :]
    return (points[..., first, :] + points[..., last, :]) / 2


def map_scores(scores: np.ndarray, source: KeypointProfile, target: KeypointProfile) -> np.ndarray:
    """Maps per-joint scores or masks by name; a derived joint is as certain as the worse of its parents.

    Args:
        scores: Scores or mask (..., source joints).
        source: Profile of `scores`.
        target: Profile wanted.

    Returns:
        Scores (..., target joints).

    Raises:
        ValueError: If the joint count is not the profile's, or a joint of `target` cannot be had.
    """
    scores = np.asarray(scores)
    if scores.ndim < 1 or scores.shape[-1] != source.num_joints:
        raise ValueError(
            f"Expected scores of shape (..., {source.num_joints}) for {source.name}. Received: shape={scores.shape}"
        )
    first = np.array([sources[0] for sources in source.sources_to(target)])
    last = np.array([sources[-1] for sources in source.sources_to(target)])
    return np.minimum(scores[..., first], scores[..., last])


_COCO_13_NAMES = (
    "nose",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
_COCO_17_NAMES = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", *_COCO_13_NAMES[1:])
_FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
_FEET_BONES = (("left_ankle", "left_heel"), ("left_ankle", "left_big_toe"), ("right_ankle", "right_heel"))
_FEET_BONES += (("right_ankle", "right_big_toe"),)

COCO_13 = KeypointProfile("COCO_13", _COCO_13_NAMES, _LIMB_BONES + _TRUNK_BONES)
COCO_17 = KeypointProfile("COCO_17", _COCO_17_NAMES, _LIMB_BONES + _TRUNK_BONES + _FACE_BONES)
H36M_17 = KeypointProfile(
    "H36M_17",
    (
        "pelvis",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "spine",
        "neck",
        "nose",
        "head_top",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
    ),
    _LIMB_BONES + _SPINE_BONES,
)
H36M_32 = KeypointProfile(
    "H36M_32",
    (
        "pelvis",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_toe_base",
        "right_toe_end",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_toe_base",
        "left_toe_end",
        "spine_base",
        "spine",
        "neck",
        "nose",
        "head_top",
        "left_clavicle",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_wrist_end",
        "left_thumb",
        "left_hand",
        "left_hand_end",
        "right_clavicle",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_wrist_end",
        "right_thumb",
        "right_hand",
        "right_hand_end",
    ),
    _LIMB_BONES + _SPINE_BONES,
)
MPI_INF_3DHP_28 = KeypointProfile(
    "MPI_INF_3DHP_28",
    (
        "spine3",
        "spine4",
        "spine2",
        "spine",
        "pelvis",
        "neck",
        "head",
        "head_top",
        "left_clavicle",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hand",
        "right_clavicle",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hand",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_foot",
        "left_toe",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_foot",
        "right_toe",
    ),
    _LIMB_BONES + (("pelvis", "spine"), ("spine", "neck"), ("neck", "head"), ("head", "head_top")),
    aliases={"nose": "head"},
)
MOCAP_22 = KeypointProfile(
    "MOCAP_22",
    (*_COCO_17_NAMES, "pelvis", "spine", "neck", "head", "head_top"),
    _LIMB_BONES + _SPINE_BONES + _FACE_BONES,
)
BLAZEPOSE_33 = KeypointProfile(
    "BLAZEPOSE_33",
    (
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
        "left_ear",
        "right_ear",
        "left_mouth",
        "right_mouth",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_pinky",
        "right_pinky",
        "left_index",
        "right_index",
        "left_thumb",
        "right_thumb",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "left_heel",
        "right_heel",
        "left_big_toe",
        "right_big_toe",
    ),
    _LIMB_BONES + _TRUNK_BONES + _FACE_BONES + _FEET_BONES,
)
OPENPOSE_BODY_25 = KeypointProfile(
    "OPENPOSE_BODY_25",
    (
        "nose",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "pelvis",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_eye",
        "left_eye",
        "right_ear",
        "left_ear",
        *_FEET,
    ),
    _LIMB_BONES + _TRUNK_BONES + _FACE_BONES + _FEET_BONES,
)
OPENPOSE_BODY_25B = KeypointProfile(
    "OPENPOSE_BODY_25B",
    (*_COCO_17_NAMES, "neck", "head_top", *_FEET),
    _LIMB_BONES + _TRUNK_BONES + _FACE_BONES + _FEET_BONES,
)
HALPE_26 = KeypointProfile(
    "HALPE_26",
    (
        *_COCO_17_NAMES,
        "head_top",
        "neck",
        "pelvis",
        "left_big_toe",
        "right_big_toe",
        "left_small_toe",
        "right_small_toe",
        "left_heel",
        "right_heel",
    ),
    _LIMB_BONES + _TRUNK_BONES + _FACE_BONES + _FEET_BONES,
)

PROFILES: Mapping[str, KeypointProfile] = {
    profile.name: profile
    for profile in (
        COCO_13,
        COCO_17,
        H36M_17,
        H36M_32,
        MPI_INF_3DHP_28,
        MOCAP_22,
        BLAZEPOSE_33,
        OPENPOSE_BODY_25,
        OPENPOSE_BODY_25B,
        HALPE_26,
    )
}


def get_profile(name: str) -> KeypointProfile:
    """Profile by name, upper or lower case, `-` or `_`.

    Raises:
        ValueError: If there is no such profile; the message lists those there are.
    """
    profile = PROFILES.get(name.upper().replace("-", "_"))
    if profile is None:
        raise ValueError(f"Expected a keypoint profile among {', '.join(PROFILES)}. Received: {name!r}")
    return profile
