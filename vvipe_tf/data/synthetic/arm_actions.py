"""Synthetic actions of the upper body, performed standing. Angles in degrees, targets in arm lengths."""

import numpy as np

from vvipe_tf.data.synthetic.clip import Clip, Motion, add_motion, cyclic_bump, place_leg, stand
from vvipe_tf.data.synthetic.reach import reach_angles
from vvipe_tf.data.synthetic.skeleton import JOINT_LIMITS, SIDES

# Wrist targets from the shoulder (forward, outward, up) in arm lengths.
_HANGING = (0.12, 0.10, -0.96)
_REST_TARGETS = {
    "hip": (0.05, 0.02, -0.66),
    "chest": (0.38, -0.28, -0.28),
    "crossed": (0.30, -0.50, -0.30),
    "mouth": (0.30, -0.24, 0.16),
    "ear": (0.16, -0.08, 0.28),
    "neck": (-0.05, -0.12, 0.25),
    "belly": (0.40, -0.25, -0.55),
    "screen": (0.55, -0.20, -0.15),
    "tray": (0.50, -0.05, -0.45),
}


def _reach_along(clip: Clip, side: str, targets: np.ndarray, swivels: np.ndarray | float) -> Motion:
    """Arm that rests at target points (keys, 3) in turn, the elbow turned by `swivels` (keys,).

    Between the points the joint angles are interpolated, not the hand: the arm never passes through the shoulder.
    """
    angles = reach_angles(side, np.asarray(targets), swivels, clip.arm_ratio)
    return {name: clip.keyframes(np.clip(keys, *JOINT_LIMITS[name])) for name, keys in angles.items()}


def _random_target(clip: Clip) -> np.ndarray:
    """A point in comfortable reach: ahead and outwards, from the knees to overhead."""
    azimuth = np.deg2rad(clip.draw(-35.0, 85.0))
    elevation = np.deg2rad(clip.draw(-75.0, 80.0))
    level = np.cos(elevation)
    direction = np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])
    return clip.draw(0.45, 1.0) * direction


def stand_idle(clip: Clip) -> Motion:
    """Standing and looking around."""
    return stand(clip)


def reach_one_arm(clip: Clip) -> Motion:
    """One hand goes from rest to two points in space and back, the trunk following."""
    side, _ = clip.choose_side()
    sign = 1.0 if side == "left" else -1.0
    targets = np.array([_HANGING, _random_target(clip), _random_target(clip), _HANGING])
    swivels = np.array([0.0, clip.draw(-10.0, 50.0), clip.draw(-10.0, 50.0), 0.0])
    forward, outward, upward = clip.keyframes(targets * (targets[:, 2:] > -0.9)).T
    motion = add_motion(
        stand(clip),
        {
            "thoracic_rotation": sign * (14.0 * outward - 12.0 * forward),
            "thoracic_lateral": -sign * 8.0 * outward,
            "lumbar_flexion": 14.0 * np.maximum(forward - upward - 0.4, 0.0),
            "neck_rotation": sign * 25.0 * outward,
            f"{side}_scapula_elevation": 14.0 * np.maximum(upward, 0.0),
            f"{side}_scapula_protraction": 12.0 * forward,
        },
    )
    return motion | _reach_along(clip, side, targets, swivels)


def reach_both_arms(clip: Clip) -> Motion:
    """Both hands move together through points in space, as when lifting or placing an object."""
    points = np.array([_random_target(clip) for _ in range(clip.rng.integers(2, 4))])
    points[:, 1] = np.clip(points[:, 1], -0.15, 0.45)
    targets = np.concatenate([[_HANGING], points, points[:1]])
    height = clip.keyframes(targets)[:, 2]
    stoop = 22.0 * np.maximum(-height, 0.0) * clip.draw(0.0, 1.0)
    motion = add_motion(stand(clip), {"thoracic_flexion": 0.4 * stoop, "lumbar_flexion": 0.6 * stoop})
    for side in SIDES:
        swivel = clip.draw(-5.0, 35.0)
        motion |= _reach_along(clip, side, targets + clip.rng.normal(0.0, 0.03, targets.shape), swivel)
        motion[f"{side}_scapula_elevation"] = 12.0 * np.maximum(height, 0.0)
    return motion


def gesture(clip: Clip) -> Motion:
    """Talking with the hands: each wrist wanders between points ahead of the chest."""
    motion = stand(clip)
    num_keys = max(3, round(1.3 * clip.duration))
    for side in SIDES:
        lively = clip.rng.random() < 0.85
        home = np.array([clip.draw(0.25, 0.5), clip.draw(-0.2, 0.2), clip.draw(-0.6, -0.15)])
        reach = clip.rng.normal(0.0, 1.0, (num_keys, 3)) * (0.16, 0.20, 0.20) * clip.style.gain(side)
        targets = home + reach if lively else np.array(_HANGING) + 0.2 * reach
        motion |= _reach_along(clip, side, targets, clip.rng.uniform(-15.0, 35.0, num_keys))
    return motion


def rest_hands(clip: Clip) -> Motion:
    """Hands on the hips, folded, at the face, at the nape, holding something: everyday poses of the arms."""
    motion = stand(clip)
    names = list(_REST_TARGETS)
    alike = clip.rng.random() < 0.5
    first = clip.rng.choice(names)
    for side in SIDES:
        name = first if alike else clip.rng.choice(names)
        point = np.array(_REST_TARGETS[name]) + clip.rng.normal(0.0, 0.04, 3)
        elbow = clip.draw(35.0, 70.0) if name in ("hip", "neck", "ear") else clip.draw(-5.0, 40.0)
        start = _HANGING if clip.rng.random() < 0.4 else point
        motion |= _reach_along(clip, side, np.array([start, point, point + clip.rng.normal(0, 0.05, 3)]), elbow)
    return motion


def wave(clip: Clip) -> Motion:
    """Waving with a raised forearm."""
    side, _ = clip.choose_side()
    phase = clip.phase(0.9, 2.0)
    swing = 20.0 * clip.style.gain(side) * np.sin(2.0 * np.pi * phase)
    raised = {
        f"{side}_shoulder_flexion": clip.draw(0.0, 45.0) + clip.wander(4.0),
        f"{side}_shoulder_abduction": clip.draw(45.0, 125.0) + 0.3 * swing,
        f"{side}_shoulder_rotation": clip.draw(-85.0, -50.0) + 0.4 * swing,
        f"{side}_elbow_flexion": clip.draw(45.0, 95.0) + 0.8 * swing,
        f"{side}_scapula_elevation": clip.draw(5.0, 18.0),
    }
    return stand(clip) | raised


def throw(clip: Clip) -> Motion:
    """Overarm throw: cocking, a whip of trunk and arm, follow-through, with a step of the other leg."""
    side, other = clip.choose_side()
    sign = 1.0 if side == "left" else -1.0
    power = clip.style.amplitude
    drive = clip.keyframes(np.array([0.0, -1.0, -0.9, 1.0, 0.8, 0.1]))
    tilt = 8.0 + 10.0 * power * drive
    arm = np.array(
        [(5, 10, 10, 25), (20, 80, -60, 95), (0, 95, -85, 105), (115, 30, -10, 25), (60, -15, 35, 15), (15, 8, 10, 25)]
    )
    flexion, abduction, rotation, elbow = (clip.keyframes(arm) + clip.rng.normal(0.0, 5.0, 4)).T
    thrower = {
        "root_tilt": tilt,
        "root_yaw": -sign * 28.0 * power * drive,
        "lumbar_flexion": 6.0 + 8.0 * drive,
        "thoracic_rotation": -sign * 24.0 * power * drive,
        "neck_rotation": sign * 45.0 * power * drive,
        f"{side}_shoulder_flexion": flexion,
        f"{side}_shoulder_abduction": abduction,
        f"{side}_shoulder_rotation": rotation,
        f"{side}_elbow_flexion": elbow,
        f"{other}_shoulder_flexion": 35.0 - 45.0 * drive,
        f"{other}_shoulder_abduction": clip.draw(15.0, 40.0),
        f"{other}_elbow_flexion": 55.0 + 25.0 * drive,
    }
    step = clip.draw(14.0, 30.0)
    legs = place_leg(other, step + 6.0 * drive, -4.0 + 4.0 * drive, tilt)
    return stand(clip) | thrower | legs | place_leg(side, -step, -step - 18.0 - 12.0 * drive, tilt)


def box(clip: Clip) -> Motion:
    """Boxing: a guard with alternating straight and hooking punches, feet in a stagger."""
    lead, rear = clip.choose_side()
    phase = clip.phase(0.5, 1.1)
    tilt = 8.0 + clip.wander(3.0)
    motion = stand(clip) | {"root_tilt": tilt, "neck_flexion": 8.0, "neck_lateral": 0.0}
    twist = np.zeros_like(clip.time)
    guard_elbow = clip.draw(-5.0, 25.0)
    for side, moment in ((lead, 0.2), (rear, 0.7)):
        punch = np.minimum(cyclic_bump(phase, moment, 0.08) * clip.style.gain(side), 1.0)
        goal = np.array([0.95, clip.draw(-0.35, -0.05), clip.draw(-0.15, 0.25)])
        guard = np.array([0.34, -0.18, clip.draw(-0.05, 0.18)]) + clip.rng.normal(0.0, 0.03, 3)
        target = guard + punch[:, None] * (goal - guard)
        motion |= reach_angles(side, target, guard_elbow + 35.0 * punch, clip.arm_ratio)
        motion[f"{side}_scapula_protraction"] = 6.0 + 18.0 * punch
        twist += (-1.0 if side == "left" else 1.0) * 26.0 * punch
    sign = 1.0 if lead == "left" else -1.0
    stagger, crouch = clip.draw(12.0, 24.0), clip.draw(4.0, 16.0) + clip.wander(4.0)
    motion |= {"thoracic_rotation": twist - sign * 12.0, "lumbar_rotation": 0.3 * twist, "neck_rotation": -0.9 * twist}
    motion |= place_leg(lead, stagger + crouch, -crouch, tilt)
    return motion | place_leg(rear, crouch - stagger, -stagger - crouch - 8.0, tilt)


def stretch_overhead(clip: Clip) -> Motion:
    """Both arms overhead, reaching up, with a side bend or a slight backward arch."""
    effort = clip.repeats(2.5, 5.0)
    sway = clip.draw(-18.0, 18.0) * effort
    motion = add_motion(stand(clip), {"lumbar_lateral": 0.6 * sway, "thoracic_lateral": 0.6 * sway})
    motion["thoracic_flexion"] = clip.style.kyphosis - 14.0 * effort
    motion["neck_flexion"] = -18.0 * effort * clip.draw(0.0, 1.2)
    through_side = clip.rng.random() < 0.5
    rest, top = clip.style.arm_abduction, clip.draw(145.0, 178.0)
    bent, spread = clip.draw(0.0, 70.0), clip.draw(0.0, 30.0)
    for side in SIDES:
        raised = (top + clip.rng.normal(0.0, 5.0) - rest) * effort
        motion |= {
            f"{side}_scapula_elevation": 28.0 * effort,
            f"{side}_shoulder_flexion": 5.0 if through_side else raised,
            f"{side}_shoulder_abduction": rest + (raised if through_side else (spread - rest) * effort),
            f"{side}_shoulder_rotation": -(75.0 if through_side else 15.0) * effort,
            f"{side}_elbow_flexion": clip.style.elbow_rest * (1.0 - effort) + bent * effort,
        }
    return motion


def spread_arms(clip: Clip) -> Motion:
    """Arms raised sideways to about shoulder height, then pulsed or held, elbows straight or square."""
    effort = clip.repeats(2.0, 4.5)
    level, square = clip.draw(60.0, 115.0), clip.draw(0.0, 1.0) ** 2 * 100.0
    turn, forward = clip.draw(-85.0, 40.0), clip.draw(-15.0, 60.0)
    motion = stand(clip)
    for side in SIDES:
        rest = clip.style.arm_abduction
        motion |= {
            f"{side}_shoulder_flexion": forward * effort,
            f"{side}_shoulder_abduction": rest + (level * clip.style.gain(side) - rest) * effort,
            f"{side}_shoulder_rotation": turn * effort,
            f"{side}_elbow_flexion": clip.style.elbow_rest + square * effort,
            f"{side}_scapula_elevation": 10.0 * effort,
        }
    return motion


def bend_forward(clip: Clip) -> Motion:
    """Stooping to the floor and up again, hands hanging towards the feet."""
    effort = clip.repeats(2.5, 5.5) * min(1.1, clip.draw(0.55, 1.1) * clip.style.amplitude)
    tilt = clip.style.lean + 52.0 * effort
    soft, turn = clip.draw(0.0, 24.0), clip.draw(-16.0, 16.0)
    motion = stand(clip) | {
        "root_tilt": tilt,
        "lumbar_flexion": 38.0 * effort,
        "thoracic_flexion": clip.style.kyphosis + 18.0 * effort,
        "thoracic_rotation": turn * effort,
        "neck_flexion": clip.style.head + clip.draw(-35.0, 15.0) * effort,
    }
    hang = clip.draw(60.0, 110.0)
    for side in SIDES:
        motion[f"{side}_shoulder_flexion"] = hang * effort + clip.wander(4.0)
        motion |= place_leg(side, (soft - 10.0) * effort, (-soft - 10.0) * effort - 2.0, tilt)
    return motion


def twist_trunk(clip: Clip) -> Motion:
    """Twisting and side bending of the trunk, hands on the hips, hanging or held out."""
    wind = np.sin(2.0 * np.pi * clip.phase(0.2, 0.5)) * clip.style.amplitude
    turning, leaning = clip.draw(0.0, 1.0), clip.draw(0.0, 1.0)
    motion = rest_hands(clip) if clip.rng.random() < 0.5 else spread_arms(clip)
    return add_motion(
        motion,
        {
            "lumbar_rotation": 10.0 * turning * wind,
            "thoracic_rotation": 30.0 * turning * wind,
            "lumbar_lateral": 18.0 * leaning * wind,
            "thoracic_lateral": 16.0 * leaning * wind,
            "root_yaw": 12.0 * turning * wind,
        },
    )
