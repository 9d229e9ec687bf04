"""Synthetic actions on the ground: lying, kneeling, crawling, sitting, push-ups. Angles in degrees."""

import numpy as np

from vvipe_tf.data.synthetic.arm_actions import gesture
from vvipe_tf.data.synthetic.clip import Clip, Motion, cyclic_bump, place_leg
from vvipe_tf.data.synthetic.reach import reach_angles
from vvipe_tf.data.synthetic.skeleton import PROPORTIONS, SIDES

_ARM = PROPORTIONS["upper_arm"] + PROPORTIONS["forearm"]
_LEG = PROPORTIONS["thigh"] + PROPORTIONS["shank"]


def lie_on_back(clip: Clip) -> Motion:
    """Supine: legs straight or knees drawn up, arms beside the body, on the belly or behind the head."""
    motion = {
        "root_tilt": -90.0 + clip.draw(-3.0, 4.0),
        "root_roll": clip.wander(4.0),
        "neck_flexion": clip.draw(0.0, 25.0) + clip.wander(3.0),
        "neck_rotation": clip.draw(-45.0, 45.0) + clip.wander(15.0),
    }
    for side in SIDES:
        drawn_up = clip.keyframes(clip.rng.uniform(0.0, 62.0, 3) * clip.rng.integers(0, 2))
        motion |= {
            f"{side}_hip_flexion": drawn_up + 3.0,
            f"{side}_knee_flexion": 2.0 * drawn_up + 4.0,
            f"{side}_hip_abduction": clip.draw(0.0, 22.0),
            f"{side}_hip_rotation": clip.draw(-30.0, 0.0),
        }
        motion |= (
            {
                f"{side}_shoulder_flexion": clip.draw(4.0, 16.0),
                f"{side}_shoulder_abduction": clip.draw(8.0, 50.0) + clip.wander(5.0),
                f"{side}_elbow_flexion": clip.draw(5.0, 40.0) + clip.wander(8.0),
                f"{side}_shoulder_rotation": clip.draw(10.0, 60.0),
            },
            {
                f"{side}_shoulder_flexion": clip.draw(4.0, 12.0),
                f"{side}_shoulder_abduction": clip.draw(90.0, 165.0),
                f"{side}_elbow_flexion": clip.draw(10.0, 95.0) + clip.wander(6.0),
                f"{side}_shoulder_rotation": -84.0,
            },
            reach_angles(
                side, np.array([[0.3, -0.3, -0.5]]) + clip.wander(0.15)[:, None], clip.draw(0, 40), clip.arm_ratio
            ),
        )[clip.rng.integers(0, 3)]
    return motion


def lie_on_front(clip: Clip) -> Motion:
    """Prone: head turned aside or raised, arms beside the body, under the head or stretched ahead."""
    raised = clip.draw(0.0, 1.0) * clip.rng.integers(0, 2) * (0.6 + 0.4 * np.sin(2.0 * np.pi * clip.phase(0.15, 0.4)))
    motion = {
        "root_tilt": 90.0 + clip.draw(-3.0, 3.0),
        "root_roll": clip.wander(3.0),
        "lumbar_flexion": -16.0 * raised,
        "thoracic_flexion": -14.0 * raised,
        "neck_flexion": -12.0 - 28.0 * raised,
        "neck_rotation": clip.rng.choice((-1.0, 1.0)) * clip.draw(35.0, 70.0) * (1.0 - raised),
    }
    for side in SIDES:
        over_head = clip.rng.random() < 0.5
        motion |= {
            f"{side}_shoulder_flexion": -4.0,
            f"{side}_shoulder_abduction": clip.draw(95.0, 165.0) if over_head else clip.draw(10.0, 45.0),
            f"{side}_shoulder_rotation": -88.0 if over_head else clip.draw(10.0, 40.0),
            f"{side}_elbow_flexion": clip.draw(20.0, 100.0) if over_head else clip.draw(3.0, 20.0),
            f"{side}_hip_flexion": clip.draw(-6.0, 4.0),
            f"{side}_hip_abduction": clip.draw(2.0, 25.0),
            f"{side}_knee_flexion": clip.draw(2.0, 10.0) + 95.0 * clip.keyframes(clip.rng.uniform(-1, 1, 3)).clip(0),
            f"{side}_hip_rotation": clip.draw(-25.0, 5.0),
        }
    return motion


def lie_on_side(clip: Clip) -> Motion:
    """Lying on one side with bent legs, the lower arm ahead or under the head."""
    lower, upper = clip.choose_side()
    sign = -1.0 if lower == "left" else 1.0
    curl = clip.draw(0.0, 55.0) + clip.wander(8.0)
    motion = {
        "root_roll": sign * (90.0 + clip.draw(-8.0, 12.0)) + clip.wander(4.0),
        "lumbar_flexion": 4.0 + 0.2 * curl,
        "thoracic_flexion": 6.0 + 0.2 * curl,
        "neck_flexion": clip.draw(0.0, 20.0),
        "neck_lateral": sign * clip.draw(-4.0, 16.0),
    }
    for side in SIDES:
        hip = curl + clip.draw(0.0, 35.0)
        motion |= {
            f"{side}_hip_flexion": hip,
            f"{side}_knee_flexion": 1.3 * hip + clip.draw(0.0, 25.0),
            f"{side}_hip_abduction": clip.draw(0.0, 8.0) if side == lower else clip.draw(-8.0, 6.0),
        }
    return motion | {
        f"{lower}_shoulder_flexion": clip.draw(60.0, 165.0),
        f"{lower}_shoulder_abduction": clip.draw(-15.0, 5.0),
        f"{lower}_scapula_protraction": 20.0,
        f"{lower}_elbow_flexion": clip.draw(10.0, 120.0),
        f"{upper}_shoulder_flexion": clip.draw(0.0, 75.0) + clip.wander(8.0),
        f"{upper}_shoulder_abduction": clip.draw(-20.0, 10.0),
        f"{upper}_shoulder_rotation": clip.draw(0.0, 40.0),
        f"{upper}_elbow_flexion": clip.draw(10.0, 85.0),
    }


def sit_up(clip: Clip) -> Motion:
    """Sit-ups with the knees drawn up."""
    effort = clip.repeats(2.0, 3.5)
    tilt = -90.0 + 62.0 * effort
    bend = 26.0 * 4.0 * effort * (1.0 - effort) + 22.0 * effort
    motion = {
        "root_tilt": tilt,
        "lumbar_flexion": bend,
        "thoracic_flexion": 0.7 * bend,
        "neck_flexion": 15.0 + 0.4 * bend,
    }
    behind = clip.rng.random() < 0.5
    ahead = clip.draw(30.0, 80.0)
    for side in SIDES:
        motion |= place_leg(side, 136.0, 44.0, tilt) | {f"{side}_hip_abduction": clip.draw(2.0, 12.0)}
        arm = (115.0, 75.0, -85.0, 125.0) if behind else (ahead * (0.3 + 0.7 * effort), 5.0, 20.0, 25.0)
        parts = ("shoulder_flexion", "shoulder_abduction", "shoulder_rotation", "elbow_flexion")
        motion |= {f"{side}_{part}": angle for part, angle in zip(parts, arm, strict=True)}
    return motion


def sit_on_floor(clip: Clip) -> Motion:
    """Sitting on the ground: legs stretched out, drawn up or crossed; hands busy or propped behind."""
    manner = clip.rng.integers(0, 3)
    tilt = clip.draw(-24.0, 2.0) + clip.wander(3.0)
    motion = {name: curve for name, curve in gesture(clip).items() if "hip" not in name and "knee" not in name}
    motion |= {"root_tilt": tilt, "root_roll": 0.0, "lumbar_flexion": 10.0 - 0.6 * tilt}
    if clip.rng.random() < 0.35:
        motion |= {"root_tilt": tilt - 14.0, "lumbar_flexion": 4.0, "thoracic_flexion": 0.0}
        for side in SIDES:
            motion |= {
                f"{side}_shoulder_flexion": -42.0,
                f"{side}_shoulder_abduction": 18.0,
                f"{side}_shoulder_rotation": -30.0,
                f"{side}_elbow_flexion": 8.0,
            }
    tilt = motion["root_tilt"]
    spread = clip.draw(0.0, 30.0)
    for side in SIDES:
        if manner == 0:
            motion |= place_leg(side, 90.0 + clip.draw(0.0, 4.0), 88.0, tilt) | {f"{side}_hip_abduction": spread}
        elif manner == 1:
            knee = clip.draw(120.0, 146.0)
            motion |= place_leg(side, knee, 180.0 - knee - clip.draw(8.0, 14.0), tilt)
            motion[f"{side}_hip_abduction"] = 0.3 * spread
        else:
            motion |= {
                f"{side}_hip_flexion": 94.0 + tilt,
                f"{side}_hip_abduction": 40.0,
                f"{side}_hip_rotation": -43.0,
                f"{side}_knee_flexion": 118.0 + clip.draw(-8.0, 14.0),
            }
    return motion


def kneel(clip: Clip) -> Motion:
    """Kneeling upright, on the heels, or on one knee."""
    manner = clip.rng.integers(0, 3)
    tilt = clip.draw(0.0, 14.0) + clip.wander(3.0)
    sink = (
        52.0 * clip.keyframes(np.array([0.0, 1.0, 1.0, clip.draw(0.0, 1.0)])) if manner == 1 else clip.draw(0.0, 12.0)
    )
    motion = {name: curve for name, curve in gesture(clip).items() if "hip" not in name and "knee" not in name}
    motion |= {"root_tilt": tilt, "root_roll": 0.0, "lumbar_flexion": 4.0 + 0.2 * sink}
    front, rear = clip.choose_side()
    for side in SIDES:
        motion |= place_leg(side, sink, -91.0, tilt) | {f"{side}_hip_abduction": clip.draw(2.0, 12.0)}
    if manner == 2:
        motion |= place_leg(front, 88.0 - 0.5 * sink, -2.0 - 0.5 * sink, tilt) | place_leg(
            rear, -0.5 * sink, -89.0, tilt
        )
    return motion


def crawl(clip: Clip) -> Motion:
    """Crawling on hands and knees, diagonal limbs together."""
    phase = clip.phase(0.5, 0.9)
    tilt = 74.0 + clip.wander(2.0)
    stride = clip.draw(6.0, 20.0) * clip.style.amplitude * (1.0 if clip.rng.random() < 0.8 else 0.0)
    motion = {
        "root_tilt": tilt,
        "root_yaw": clip.draw(-10.0, 10.0) * clip.time,
        "lumbar_lateral": 4.0 * np.sin(2.0 * np.pi * phase),
        "lumbar_flexion": clip.draw(-10.0, 20.0),
        "neck_flexion": clip.draw(-50.0, 0.0) + clip.wander(6.0),
        "neck_rotation": clip.wander(15.0),
    }
    for side, lag in zip(SIDES, (0.0, 0.5), strict=True):
        forth = np.cos(2.0 * np.pi * (phase - lag))
        lift = cyclic_bump(phase - lag, 0.75, 0.1)
        motion |= place_leg(side, stride * forth, -92.0 - 3.0 * lift, tilt)
        motion |= {
            f"{side}_hip_abduction": 4.0,
            f"{side}_shoulder_flexion": tilt + motion["lumbar_flexion"] - stride * forth,
            f"{side}_shoulder_abduction": 5.0,
            f"{side}_elbow_flexion": 6.0 + 30.0 * cyclic_bump(phase - lag, 0.25, 0.1) * (stride > 0.0),
        }
    return motion


def push_up(clip: Clip) -> Motion:
    """Push-ups, or a plank held with straight arms."""
    depth = clip.repeats(1.5, 3.0) * clip.draw(0.0, 0.58)
    height = 0.97 - depth
    rise = (height * _ARM + 0.02 - PROPORTIONS["ankle_height"]) / (_LEG + PROPORTIONS["trunk"])
    tilt = 90.0 - np.rad2deg(np.arcsin(rise))
    motion = {"root_tilt": tilt, "neck_flexion": clip.draw(-30.0, 5.0), "lumbar_flexion": clip.draw(-4.0, 8.0)}
    radians = np.deg2rad(tilt + motion["lumbar_flexion"])
    width = clip.draw(0.05, 0.3)
    down = np.stack([height * np.sin(radians), np.full_like(height, width), -height * np.cos(radians)], axis=-1)
    for side in SIDES:
        motion |= reach_angles(side, down, 15.0, clip.arm_ratio)
        motion |= {f"{side}_hip_flexion": 1.0, f"{side}_knee_flexion": 3.0, f"{side}_hip_abduction": 3.0}
    return motion
