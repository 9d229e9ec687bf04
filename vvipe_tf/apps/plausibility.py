"""Whether a pose could be a body's: bone lengths, left against right, joint limits, distance to the training poses.

The joint angles are those of the project's own skeleton (`vvipe_tf.data.synthetic.skeleton`), found from the joints in
closed form. A line from hips to shoulders says less than a pelvis and a chest: the trunk may bend between them, so the
limits of hips and shoulders get a margin, and so do all of them for the error of a lifted pose.
"""

from typing import NamedTuple

import numpy as np

from vvipe_tf.data.synthetic.skeleton import JOINT_LIMITS, PROPORTIONS, SIDES
from vvipe_tf.keypoints import COCO_13

# Bones of one side: where they start, where they end, and the name of their proportion.
_SIDED_BONES = (
    ("shoulder", "elbow", "upper_arm"),
    ("elbow", "wrist", "forearm"),
    ("hip", "knee", "thigh"),
    ("knee", "ankle", "shank"),
)
# The nose stands forward of and above the neck by these shares of the length of a head (`skeleton`).
_NOSE_SHARE = np.hypot(0.42, 0.52)
# Limbs: root, middle and end, and in which direction (forwards or backwards) the middle joint bends.
_LIMBS = (("shoulder", "elbow", "wrist", 1.0), ("hip", "knee", "ankle", -1.0))
_TINY = 1e-9


class PlausibilityLimits(NamedTuple):
    """What is called plausible.

    Args:
        bone_factor: Largest factor between a bone and its mean proportion to the torso, either way.
        shoulder_factor: The same for the width of the shoulders, which draw together when the arms are raised.
        side_ratio: Largest ratio between a bone and its counterpart of the other side.
        angle_margin: Degrees by which an angle may pass its limit.
        distance: Largest Mahalanobis distance of an embedding from those of the training poses, in units of the square
            root of their size. Of the training poses of the shipped model 99.9 % lie within 2.24, of poses of a
            laboratory that it never saw within 2.14.
    """

    bone_factor: float = 1.8
    shoulder_factor: float = 2.5
    side_ratio: float = 1.35
    angle_margin: float = 36.0
    distance: float = 2.5


class PlausibilityReport(NamedTuple):
    """How far each pose is from the limits.

    Args:
        bone_factors: Largest factor between a bone and its mean proportion (poses,), at least 1.
        shoulder_factors: The same for the width of the shoulders (poses,).
        side_ratios: Largest ratio of a bone and its counterpart (poses,), at least 1.
        angle_excesses: Largest excess of an angle over its limit (poses,) in degrees.
        limits: What is called plausible.
        distances: Distance of the embeddings (poses,) as `PlausibilityLimits.distance`; None if it is not known.
    """

    bone_factors: np.ndarray
    shoulder_factors: np.ndarray
    side_ratios: np.ndarray
    angle_excesses: np.ndarray
    limits: PlausibilityLimits
    distances: np.ndarray | None = None

    @property
    def failures(self) -> dict[str, np.ndarray]:
        """Which poses fail each test (poses,) bool."""
        far = {} if self.distances is None else {"unlike real poses": ~(self.distances <= self.limits.distance)}
        return far | {
            "bone lengths": ~(
                (self.bone_factors <= self.limits.bone_factor) & (self.shoulder_factors <= self.limits.shoulder_factor)
            ),
            "left and right": ~(self.side_ratios <= self.limits.side_ratio),
            "joint limits": ~(self.angle_excesses <= self.limits.angle_margin),
        }

    @property
    def plausible(self) -> np.ndarray:
        """Which poses pass all tests (poses,) bool."""
        return ~np.any(list(self.failures.values()), axis=0)


def judge_poses(
    poses: np.ndarray, limits: PlausibilityLimits | None = None, distances: np.ndarray | None = None
) -> PlausibilityReport:
    """Measures what a body would have to bear to take poses.

    Args:
        poses: Canonical poses COCO_13 (poses, 13, 3): hips along y, the person facing -x, spine along z; any unit.
        limits: What to call plausible; the defaults of `PlausibilityLimits` for None.
        distances: Distance of their embeddings (poses,) from those of the training poses, as
            `PlausibilityLimits.distance`; None to judge by the bodies alone.

    Returns:
        The report; a bone without length counts as infinitely wrong.

    Raises:
        ValueError: If the shape is wrong or a joint is not finite.
    """
    poses = np.asarray(poses, dtype=np.float64)
    if poses.ndim != 3 or poses.shape[1:] != (COCO_13.num_joints, 3):
        raise ValueError(f"Expected poses of shape (poses, 13, 3). Received: shape={poses.shape}")
    if not np.isfinite(poses).all():
        raise ValueError("Expected finite poses. Received: NaN or infinite coordinates")
    # Body axes: x forward, y left, z up.
    body = poses * (-1.0, -1.0, 1.0)
    return PlausibilityReport(*_bone_factors(body), _angle_excess(body), limits or PlausibilityLimits(), distances)


def _joint(body, name):
    return body[:, list(COCO_13.sources_of(name))].mean(axis=1)


def _bone_factors(body):
    """Worst factor to the mean proportions, that of the shoulders, and worst ratio of the sides (poses,)."""
    unit = _distance(body, "neck", "pelvis") / PROPORTIONS["trunk"]
    sided = np.stack(
        [
            np.stack([_distance(body, f"{side}_{start}", f"{side}_{end}") for side in SIDES], axis=1)
            for start, end, _ in _SIDED_BONES
        ],
        axis=1,
    )
    factors = [
        *(_factor(sided[:, number].T, PROPORTIONS[part] * unit) for number, (*_, part) in enumerate(_SIDED_BONES)),
        _factor(_distance(body, "left_hip", "right_hip"), PROPORTIONS["hip_width"] * unit)[None],
        _factor(_distance(body, "neck", "nose"), _NOSE_SHARE * PROPORTIONS["head"] * unit)[None],
    ]
    shoulders = _factor(_distance(body, "left_shoulder", "right_shoulder"), PROPORTIONS["shoulder_width"] * unit)
    ratios = (sided.max(axis=2) / sided.min(axis=2)).max(axis=1)
    return np.concatenate(factors).max(axis=0), shoulders, ratios


def _distance(body, first, second):
    return np.maximum(np.linalg.norm(_joint(body, first) - _joint(body, second), axis=1), _TINY)


def _factor(lengths, expected):
    return np.maximum(lengths / expected, expected / lengths)


def _angle_excess(body):
    trunk = _unit(_joint(body, "neck") - _joint(body, "pelvis"))
    excesses = []
    for root, middle, end, bend in _LIMBS:
        across = _joint(body, f"left_{root}") - _joint(body, f"right_{root}")
        axes = _axes(across, trunk)
        for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
            places = [_joint(body, f"{side}_{name}") for name in (root, middle, end)]
            upper, lower = (
                np.einsum("nij,nj->ni", axes, _unit(second - first))
                for first, second in zip(places, places[1:], strict=False)
            )
            excesses.append(_limb_excess(upper, lower, sign, bend, root, middle))
    return np.max(excesses, axis=0)


def _limb_excess(upper, lower, sign, bend, root, middle):
    """Excess in degrees (poses,) of a limb with directions `upper` and `lower` (poses, 3) in the axes of its root.

    `skeleton.forward_kinematics` turns (0, 0, -1) by Ry(-flexion) Rx(sign abduction) Rz(-sign rotation), and then by
    the bend of the middle joint. Two pairs of flexion and abduction give one direction; the better one counts.
    """
    bent = np.degrees(np.arccos(np.clip(np.sum(upper * lower, axis=1), -1, 1)))
    abduction = np.arcsin(np.clip(sign * upper[:, 1], -1, 1))
    flexion = np.arctan2(upper[:, 0], -upper[:, 2])
    solutions = []
    for abducted, flexed in ((abduction, flexion), (np.pi - abduction, flexion + np.pi)):
        # The lower bone in the axes of the upper one, before that turns on itself.
        cos_f, sin_f = np.cos(flexed), np.sin(flexed)
        cos_a, sin_a = np.cos(abducted), sign * np.sin(abducted)
        x = cos_f * lower[:, 0] + sin_f * lower[:, 2]
        forward_z = -sin_f * lower[:, 0] + cos_f * lower[:, 2]
        y = cos_a * lower[:, 1] + sin_a * forward_z
        rotation = np.arctan2(-sign * bend * y, bend * x)
        angles = {f"{root}_flexion": flexed, f"{root}_abduction": abducted}
        swing = np.max([_beyond(np.degrees(angle), name) for name, angle in angles.items()], axis=0)
        # A limb that was raised over the side by more than a right angle was not raised to the front as well: otherwise
        # a hanging arm could have gone round by the top, its elbow turned the other way.
        raised = np.maximum(np.degrees(np.abs((flexed + np.pi) % (2 * np.pi) - np.pi)) - 90.0, 0.0)
        swing = np.where(np.abs(abducted) > np.pi / 2, np.maximum(swing, raised), swing)
        # How a straight limb is turned cannot be seen, and that of a slightly bent one hardly.
        turned = _beyond(np.degrees(rotation), f"{root}_rotation") * np.sin(np.radians(bent))
        solutions.append(np.maximum(swing, turned))
    return np.maximum(np.min(solutions, axis=0), _beyond(bent, f"{middle}_flexion"))


def _beyond(degrees, name):
    """Degrees beyond the range of a freedom, on the circle."""
    low, high = JOINT_LIMITS[f"left_{name}"]
    centre, half = (low + high) / 2, (high - low) / 2
    return np.maximum(np.abs((degrees - centre + 180.0) % 360.0 - 180.0) - half, 0.0)


def _axes(across, trunk):
    """Rows forward, left, up (poses, 3, 3), up along the trunk."""
    left = _unit(across - np.sum(across * trunk, axis=1, keepdims=True) * trunk)
    return np.stack([np.cross(left, trunk), left, trunk], axis=1)


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)
