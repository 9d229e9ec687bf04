"""Synthetic locomotion: walking, running, turning, climbing. Angles in degrees, phases in gait cycles."""

import numpy as np

from vvipe_tf.data.synthetic.arm_actions import gesture, rest_hands
from vvipe_tf.data.synthetic.clip import Clip, Motion, add_motion, cyclic_bump, place_leg, stand
from vvipe_tf.data.synthetic.skeleton import SIDES


def walk(clip: Clip) -> Motion:
    """Level walking: curves after Winter (2009), arms opposite to legs, pelvis and chest counter-rotating."""
    phase = clip.phase(0.75, 1.1)
    motion = stand(clip) | {
        "root_roll": 3.5 * np.sin(2.0 * np.pi * phase),
        "root_yaw": clip.draw(-15.0, 15.0) * clip.time + 5.0 * np.cos(2.0 * np.pi * phase) * -clip.style.amplitude,
        "thoracic_rotation": 9.0 * np.cos(2.0 * np.pi * phase) * clip.style.amplitude,
        "lumbar_lateral": -3.0 * np.sin(2.0 * np.pi * phase),
    }
    swing, bend = clip.draw(8.0, 30.0), clip.draw(10.0, 35.0)
    for side, lag in zip(SIDES, (0.0, 0.5), strict=True):
        own, gain = phase - lag, clip.style.gain(side)
        stride = np.cos(2.0 * np.pi * (own + 0.03))
        motion |= {
            f"{side}_hip_flexion": 5.0 + 22.0 * gain * stride + motion["root_tilt"],
            f"{side}_hip_abduction": 1.0 + 0.5 * clip.style.stance,
            f"{side}_knee_flexion": 5.0 + 13.0 * cyclic_bump(own, 0.14, 0.06) + 54.0 * cyclic_bump(own, 0.70, 0.105),
            f"{side}_shoulder_flexion": -4.0 - swing * gain * np.cos(2.0 * np.pi * own),
            f"{side}_elbow_flexion": bend - 0.4 * swing * np.cos(2.0 * np.pi * own),
        }
    return motion


def walk_carrying(clip: Clip) -> Motion:
    """Walking with occupied hands."""
    upper = rest_hands(clip) if clip.rng.random() < 0.6 else gesture(clip)
    return walk(clip) | {name: curve for name, curve in upper.items() if "shoulder" in name or "elbow" in name}


def run(clip: Clip) -> Motion:
    """Running: deep knee flexion in swing, bent elbows, forward lean, a short flight."""
    phase = clip.phase(1.25, 1.7)
    tilt = 7.0 + clip.draw(0.0, 8.0)
    motion = stand(clip) | {
        "root_tilt": tilt,
        "root_roll": 3.0 * np.sin(2.0 * np.pi * phase),
        "root_yaw": clip.draw(-12.0, 12.0) * clip.time - 7.0 * np.cos(2.0 * np.pi * phase),
        "root_lift": 0.028 * clip.style.amplitude * (1.0 + np.cos(4.0 * np.pi * (phase - 0.42))),
        "thoracic_rotation": 15.0 * np.cos(2.0 * np.pi * phase),
        "neck_rotation": -6.0 * np.cos(2.0 * np.pi * phase),
        "neck_flexion": -5.0,
    }
    elbow, swing, drive = clip.draw(70.0, 105.0), clip.draw(24.0, 45.0), clip.draw(26.0, 40.0)
    for side, lag in zip(SIDES, (0.0, 0.5), strict=True):
        own, gain = phase - lag, clip.style.gain(side)
        stride = np.cos(2.0 * np.pi * (own + 0.10))
        motion |= {
            f"{side}_hip_flexion": 18.0 + drive * gain * stride + tilt,
            f"{side}_hip_abduction": 1.0,
            f"{side}_knee_flexion": 14.0
            + 24.0 * cyclic_bump(own, 0.14, 0.07)
            + (62.0 + drive) * cyclic_bump(own, 0.66, 0.105),
            f"{side}_shoulder_flexion": -8.0 - swing * gain * np.cos(2.0 * np.pi * own),
            f"{side}_shoulder_rotation": 20.0,
            f"{side}_elbow_flexion": elbow - 12.0 * np.cos(2.0 * np.pi * own),
        }
    return motion


def turn(clip: Clip) -> Motion:
    """Turning on the spot in small steps, the head leading."""
    phase = clip.phase(0.8, 1.2)
    rate = clip.rng.choice((-1.0, 1.0)) * clip.draw(40.0, 110.0)
    motion = add_motion(stand(clip), {"neck_rotation": 0.25 * rate, "thoracic_rotation": 0.1 * rate})
    motion["root_yaw"] = rate * clip.time
    for side, lag in zip(SIDES, (0.0, 0.5), strict=True):
        lift = cyclic_bump(phase, lag, 0.09)
        motion |= place_leg(side, 4.0 + 24.0 * lift, -6.0 - 22.0 * lift, motion["root_tilt"])
        motion[f"{side}_hip_rotation"] = -clip.style.toe_out + 14.0 * np.sin(2.0 * np.pi * (phase - lag))
    return motion


def climb(clip: Clip) -> Motion:
    """Stepping up or marching with high knees."""
    phase = clip.phase(0.55, 0.95)
    tilt = clip.draw(0.0, 12.0)
    height = clip.draw(40.0, 85.0)
    motion = stand(clip) | {"root_tilt": tilt}
    swing = clip.draw(5.0, 30.0)
    for side, lag in zip(SIDES, (0.0, 0.5), strict=True):
        lift = np.minimum(cyclic_bump(phase, lag, 0.12) * clip.style.gain(side), 1.0)
        motion |= place_leg(side, 2.0 + height * lift, -4.0 - 10.0 * lift, tilt)
        motion[f"{side}_shoulder_flexion"] = swing * (0.5 - 2.0 * lift) + 5.0
        motion[f"{side}_elbow_flexion"] = clip.style.elbow_rest + 25.0 * (1.0 - lift)
    return motion
