"""A jointed human body: segment proportions, joint limits and forward kinematics.

Body axes: x forward, y left, z up. A motion is a mapping from degree of freedom to a curve in degrees; an angle of 0
everywhere is the upright neutral pose with hanging arms. Every sided angle is positive in the same anatomical sense
on both sides, so that mirroring a motion is a matter of swapping names and signs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vvipe_tf.keypoints import H36M_17

SIDES = ("left", "right")

# Segment lengths as fractions of stature: Drillis & Contini (1966), as printed in Winter, "Biomechanics and Motor
# Control of Human Movement", 4th ed. 2009, figure 4.1. `trunk` is shoulder height (0.818) less hip height (0.530).
# Their breadths are of the body surface; between joint centres lie about 0.80 of the shoulder breadth (0.259) and
# 0.54 of the hip breadth (0.191).
PROPORTIONS: Mapping[str, float] = {
    "upper_arm": 0.186,
    "forearm": 0.146,
    "thigh": 0.245,
    "shank": 0.246,
    "ankle_height": 0.039,
    "trunk": 0.288,
    "head": 0.182,
    "shoulder_width": 0.80 * 0.259,
    "hip_width": 0.54 * 0.191,
}
PROPORTION_SPREAD = 0.04
PROPORTION_SPREAD_LIMIT = 2.5
# Mean and standard deviation of stature in mm: ANSUR II (Gordon et al. 2014, NATICK/TR-15/007), men and women.
STATURE_MM: Mapping[str, tuple[float, float]] = {"male": (1756.0, 69.0), "female": (1629.0, 64.0)}
# Breadths relative to stature differ between the sexes by a few per cent (same survey: biacromial, bi-iliac).
SEX_FACTORS: Mapping[str, Mapping[str, float]] = {
    "male": {"shoulder_width": 1.02, "hip_width": 0.97},
    "female": {"shoulder_width": 0.96, "hip_width": 1.05},
}
_LUMBAR_SHARE = 0.5
# Nose forward of and above the neck, as fractions of the head length (chin at 0.870, eyes at 0.936 of stature).
_NOSE_FORWARD, _NOSE_UP, _CROWN_FORWARD = 0.42, 0.52, 0.10

_AXIAL_LIMITS = {
    "lumbar_flexion": (-25, 55),
    "lumbar_lateral": (-22, 22),
    "lumbar_rotation": (-12, 12),
    "thoracic_flexion": (-20, 40),
    "thoracic_lateral": (-20, 20),
    "thoracic_rotation": (-35, 35),
    "neck_flexion": (-55, 50),
    "neck_lateral": (-40, 40),
    "neck_rotation": (-75, 75),
}
_SIDED_LIMITS = {
    "scapula_elevation": (-10, 35),
    "scapula_protraction": (-20, 30),
    "shoulder_flexion": (-60, 180),
    "shoulder_abduction": (-45, 180),
    "shoulder_rotation": (-90, 80),
    "elbow_flexion": (0, 150),
    "hip_flexion": (-30, 140),
    "hip_abduction": (-25, 45),
    "hip_rotation": (-45, 45),
    "knee_flexion": (0, 155),
}
# Ranges in degrees: AAOS, "Joint Motion" (1965), and Norkin & White; hip and knee flexion under body weight from
# Kapandji, "The Physiology of the Joints" (passive 145 and 160). The trunk's range is shared between the lumbar and
# the thoracic joint.
JOINT_LIMITS: Mapping[str, tuple[float, float]] = _AXIAL_LIMITS | {
    f"{side}_{name}": limits for name, limits in _SIDED_LIMITS.items() for side in SIDES
}
# Attitude of the pelvis in the world (degrees) and its height above the ground contact (fraction of stature).
ROOT_FREEDOMS = ("root_yaw", "root_tilt", "root_roll", "root_lift")
FREEDOMS: tuple[str, ...] = ROOT_FREEDOMS + tuple(JOINT_LIMITS)

_ODD_FREEDOMS = ("root_yaw", "root_roll") + tuple(
    name for name in _AXIAL_LIMITS if name.endswith(("_lateral", "_rotation"))
)
# Flesh between a joint centre and the ground it rests on, as a fraction of stature.
_CONTACT_RADII = {
    "ankle": PROPORTIONS["ankle_height"],
    "knee": 0.033,
    "hip": 0.052,
    "pelvis": 0.055,
    "spine": 0.060,
    "neck": 0.055,
    "shoulder": 0.035,
    "elbow": 0.022,
    "wrist": 0.020,
    "nose": 0.010,
    "head_top": 0.005,
}
CONTACT_RADII = np.array(
    [_CONTACT_RADII[name.removeprefix("left_").removeprefix("right_")] for name in H36M_17.keypoint_names]
)


@dataclass(frozen=True)
class Body:
    """Segment lengths of one person.

    Args:
        sex: `"male"` or `"female"`.
        stature: Height in metres.
        segments: Segment name (the keys of `PROPORTIONS`) -> length in metres.
    """

    sex: str
    stature: float
    segments: Mapping[str, float]

    @classmethod
    def sample(cls, rng: np.random.Generator, sex: str) -> "Body":
        """Draws a person: stature from the sex's normal distribution, each proportion with a spread of its own."""
        mean, deviation = STATURE_MM[sex]
        noise = np.clip(rng.standard_normal(1 + len(PROPORTIONS)), -PROPORTION_SPREAD_LIMIT, PROPORTION_SPREAD_LIMIT)
        stature = (mean + deviation * noise[0]) / 1000.0
        factors = 1.0 + PROPORTION_SPREAD * noise[1:]
        segments = {
            name: stature * fraction * factor * SEX_FACTORS[sex].get(name, 1.0)
            for (name, fraction), factor in zip(PROPORTIONS.items(), factors, strict=True)
        }
        return cls(sex, float(stature), segments)

    @property
    def torso_length(self) -> float:
        """Pelvis-spine plus spine-neck in metres."""
        return self.segments["trunk"]

    @property
    def arm_ratio(self) -> float:
        """Upper arm as a fraction of upper arm plus forearm."""
        return self.segments["upper_arm"] / (self.segments["upper_arm"] + self.segments["forearm"])


def stack_freedoms(motion: Mapping[str, np.ndarray], num_frames: int) -> np.ndarray:
    """Lays a motion out as an array (num_frames, freedoms); freedoms it does not name are 0.

    Raises:
        ValueError: If the motion names a freedom that the body does not have.
    """
    unknown = sorted(set(motion) - set(FREEDOMS))
    if unknown:
        raise ValueError(f"Expected degrees of freedom among {FREEDOMS}. Received: {unknown}")
    angles = np.zeros((num_frames, len(FREEDOMS)))
    for name, curve in motion.items():
        angles[:, FREEDOMS.index(name)] = curve
    return angles


def limit_angles(angles: np.ndarray) -> np.ndarray:
    """Clips angles (..., freedoms) in degrees to the joint limits; the pelvis is free."""
    low, high = np.array([JOINT_LIMITS.get(name, (-np.inf, np.inf)) for name in FREEDOMS]).T
    return np.clip(angles, low, high)


def mirror_angles(angles: np.ndarray) -> np.ndarray:
    """The same motion (..., freedoms) with left and right exchanged."""
    swap = {"left": "right", "right": "left"}
    partners = []
    for name in FREEDOMS:
        side, _, rest = name.partition("_")
        partners.append(FREEDOMS.index(f"{swap[side]}_{rest}" if side in swap else name))
    signs = np.where(np.isin(FREEDOMS, _ODD_FREEDOMS), -1.0, 1.0)
    return angles[..., partners] * signs


def forward_kinematics(angles: np.ndarray, segments: Mapping[str, np.ndarray]) -> np.ndarray:
    """Joint positions from joint angles, pelvis at the origin.

    Args:
        angles: Degrees of freedom (poses, freedoms) in degrees.
        segments: Segment name -> lengths (poses,), any unit.

    Returns:
        Poses (poses, 17, 3) of profile H36M_17 in the unit of `segments`, Z up.
    """
    radians = dict(zip(FREEDOMS, np.deg2rad(angles).T, strict=True))
    zero = np.zeros(len(angles))
    joints = {"pelvis": np.zeros((len(angles), 3))}
    pelvis = _rotation(radians["root_yaw"], radians["root_tilt"], radians["root_roll"])
    lumbar = pelvis @ _trunk_rotation(radians, "lumbar")
    thorax = lumbar @ _trunk_rotation(radians, "thoracic")
    head = thorax @ _trunk_rotation(radians, "neck")
    joints["spine"] = _offset(lumbar, zero, zero, _LUMBAR_SHARE * segments["trunk"])
    joints["neck"] = joints["spine"] + _offset(thorax, zero, zero, (1.0 - _LUMBAR_SHARE) * segments["trunk"])
    length = segments["head"]
    joints["nose"] = joints["neck"] + _offset(head, _NOSE_FORWARD * length, zero, _NOSE_UP * length)
    joints["head_top"] = joints["neck"] + _offset(head, _CROWN_FORWARD * length, zero, length)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        own = {name: radians[f"{side}_{name}"] for name in _SIDED_LIMITS}
        girdle = thorax @ _rotation(-sign * own["scapula_protraction"], zero, sign * own["scapula_elevation"])
        shoulder = joints["neck"] + _offset(girdle, zero, sign * segments["shoulder_width"] / 2.0, zero)
        arm = thorax @ _limb_rotation(own, "shoulder", sign)
        elbow = shoulder + _offset(arm, zero, zero, -segments["upper_arm"])
        forearm = arm @ _rotation(zero, -own["elbow_flexion"], zero)
        hip = _offset(pelvis, zero, sign * segments["hip_width"] / 2.0, zero)
        thigh = pelvis @ _limb_rotation(own, "hip", sign)
        knee = hip + _offset(thigh, zero, zero, -segments["thigh"])
        shank = thigh @ _rotation(zero, own["knee_flexion"], zero)
        joints |= {
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": elbow + _offset(forearm, zero, zero, -segments["forearm"]),
            f"{side}_hip": hip,
            f"{side}_knee": knee,
            f"{side}_ankle": knee + _offset(shank, zero, zero, -segments["shank"]),
        }
    return np.stack([joints[name] for name in H36M_17.keypoint_names], axis=-2)


def _trunk_rotation(radians: Mapping[str, np.ndarray], joint: str) -> np.ndarray:
    return _rotation(radians[f"{joint}_rotation"], radians[f"{joint}_flexion"], radians[f"{joint}_lateral"])


def _limb_rotation(own: Mapping[str, np.ndarray], joint: str, sign: float) -> np.ndarray:
    """Ry(-flexion) Rx(sign abduction) Rz(-sign internal rotation): limb raised in its plane, then turned on itself."""
    zero = np.zeros_like(own[f"{joint}_flexion"])
    swing = _rotation(zero, -own[f"{joint}_flexion"], sign * own[f"{joint}_abduction"])
    return swing @ _rotation(-sign * own[f"{joint}_rotation"], zero, zero)


def _rotation(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Rz(yaw) Ry(pitch) Rx(roll) of shape (poses, 3, 3)."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    rows = (
        (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
        (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
        (-sp, cp * sr, cp * cr),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _offset(rotation: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return rotation[..., 0] * x[..., None] + rotation[..., 1] * y[..., None] + rotation[..., 2] * z[..., None]
