"""Synthetic actions of the legs: squatting, lunging, jumping, kicking, sitting on a chair. Angles in degrees."""

import numpy as np

from vvipe_tf.data.synthetic.arm_actions import gesture, rest_hands
from vvipe_tf.data.synthetic.clip import Clip, Motion, cyclic_bump, place_leg, stand
from vvipe_tf.data.synthetic.skeleton import SIDES


def sidestep(clip: Clip) -> Motion:
    """Stepping to the side: the legs open and close."""
    opening = 0.5 - 0.5 * np.cos(2.0 * np.pi * clip.phase(0.5, 0.9))
    crouch = clip.draw(3.0, 25.0) + clip.wander(3.0)
    motion = _with_upper_body(clip, stand(clip))
    width = clip.draw(12.0, 28.0) * clip.style.amplitude
    for side in SIDES:
        motion |= place_leg(side, crouch, -0.9 * crouch, motion["root_tilt"])
        motion[f"{side}_hip_abduction"] = 3.0 + width * opening
    return motion


def squat(clip: Clip) -> Motion:
    """Squats from half to deep, arms held ahead, hanging or busy."""
    depth = clip.repeats(1.8, 4.0) * min(1.0, clip.draw(0.55, 1.05) * clip.style.amplitude)
    tilt = clip.draw(16.0, 42.0) * depth
    ahead = clip.draw(60.0, 100.0) * clip.rng.integers(0, 2)
    motion = stand(clip) | {
        "root_tilt": tilt,
        "lumbar_flexion": clip.draw(0.0, 18.0) * depth,
        "neck_flexion": -0.5 * tilt,
    }
    motion = motion if ahead else _with_upper_body(clip, motion)
    width, toes = clip.draw(4.0, 20.0), clip.draw(0.0, 25.0)
    for side in SIDES:
        motion |= place_leg(side, 4.0 + 98.0 * depth, -4.0 - 30.0 * depth, tilt)
        motion[f"{side}_hip_abduction"] = clip.style.stance + width * (0.4 + 0.6 * depth)
        motion[f"{side}_hip_rotation"] = -toes
        if ahead:
            motion[f"{side}_shoulder_flexion"] = (ahead + 0.4 * tilt) * depth
            motion[f"{side}_shoulder_rotation"] = 10.0
    return motion


def lunge(clip: Clip) -> Motion:
    """Forward lunges: front thigh towards level, rear knee towards the ground."""
    front, rear = clip.choose_side()
    depth = clip.repeats(2.0, 4.0) * min(1.0, clip.draw(0.65, 1.1) * clip.style.amplitude)
    tilt = clip.draw(-2.0, 16.0) * depth
    motion = _with_upper_body(clip, stand(clip)) | {"root_tilt": tilt, "root_roll": 0.0}
    motion |= place_leg(front, 18.0 + 62.0 * depth, -12.0 * depth + 4.0, tilt)
    motion |= place_leg(rear, -10.0 - 8.0 * depth, -24.0 - 62.0 * depth, tilt)
    return motion


def lunge_sideways(clip: Clip) -> Motion:
    """Side lunges: one knee bends, the other leg stretches out."""
    bent, straight = clip.choose_side()
    depth = clip.repeats(2.0, 4.0) * min(1.0, clip.draw(0.6, 1.05) * clip.style.amplitude)
    sign = 1.0 if bent == "left" else -1.0
    tilt = 30.0 * depth
    motion = _with_upper_body(clip, stand(clip)) | {"root_tilt": tilt, "lumbar_flexion": 8.0 * depth}
    motion |= {"root_roll": -sign * 6.0 * depth, "lumbar_lateral": sign * 4.0 * depth}
    motion |= place_leg(bent, 70.0 * depth, -28.0 * depth, tilt) | place_leg(straight, 14.0 * depth, 10.0 * depth, tilt)
    motion |= {f"{bent}_hip_abduction": 12.0 + 6.0 * depth, f"{bent}_hip_rotation": -15.0 * depth}
    return motion | {f"{straight}_hip_abduction": 12.0 + 33.0 * depth}


def jump(clip: Clip) -> Motion:
    """Repeated jumps: countermovement, take-off with swinging arms, landing."""
    phase = clip.phase(0.5, 0.9)
    crouch = cyclic_bump(phase, 0.28, 0.09) + 0.65 * cyclic_bump(phase, 0.76, 0.07)
    flight, swing = cyclic_bump(phase, 0.53, 0.075), cyclic_bump(phase, 0.51, 0.13)
    crouch = crouch * min(1.1, clip.style.amplitude)
    tilt = 4.0 + 34.0 * crouch
    motion = stand(clip) | {
        "root_tilt": tilt,
        "root_roll": 0.0,
        "root_lift": clip.draw(0.06, 0.2) * clip.style.amplitude * flight,
        "lumbar_flexion": 12.0 * crouch,
        "neck_flexion": -10.0 * crouch,
    }
    tuck, height, apart = clip.draw(0.0, 40.0), clip.draw(30.0, 150.0), clip.draw(0.0, 25.0) * clip.rng.integers(0, 2)
    for side in SIDES:
        motion |= place_leg(side, 4.0 + 62.0 * crouch + tuck * flight, -4.0 - 34.0 * crouch - tuck * flight, tilt)
        motion |= {
            f"{side}_hip_abduction": 3.0 + apart * flight,
            f"{side}_shoulder_flexion": 5.0 - 40.0 * crouch * (1.0 - swing) + height * clip.style.gain(side) * swing,
            f"{side}_elbow_flexion": 20.0 + 25.0 * crouch,
        }
    return motion


def jumping_jack(clip: Clip) -> Motion:
    """Arms and legs open and close together."""
    opening = 0.5 - 0.5 * np.cos(2.0 * np.pi * clip.phase(0.6, 1.1))
    motion = stand(clip) | {"root_roll": 0.0, "root_lift": 0.05 * np.sin(np.pi * opening) ** 2}
    top, wide = clip.draw(110.0, 175.0), clip.draw(15.0, 30.0)
    for side in SIDES:
        motion |= place_leg(side, 8.0, -8.0, motion["root_tilt"])
        motion |= {
            f"{side}_hip_abduction": 2.0 + wide * opening,
            f"{side}_shoulder_flexion": 4.0,
            f"{side}_shoulder_abduction": 12.0 + (top - 12.0) * opening,
            f"{side}_shoulder_rotation": -75.0 * opening,
            f"{side}_scapula_elevation": 24.0 * opening,
        }
    return motion


def kick(clip: Clip) -> Motion:
    """Front kicks: back swing, forward swing with a late knee extension, opposite arm ahead."""
    side, other = clip.choose_side()
    phase = clip.phase(0.35, 0.6)
    back, forth = cyclic_bump(phase, 0.30, 0.08), cyclic_bump(phase, 0.5, 0.08)
    height = clip.draw(35.0, 90.0) * min(1.1, clip.style.amplitude)
    tilt = 6.0 * back - 14.0 * forth
    motion = stand(clip) | {"root_tilt": tilt, "root_roll": 0.0, "lumbar_flexion": 16.0 * forth}
    motion |= place_leg(other, 6.0, -8.0 - 6.0 * forth, tilt)
    thigh = 3.0 - 26.0 * back + height * forth
    knee = 8.0 + 70.0 * cyclic_bump(phase, 0.37, 0.08)
    return motion | {
        f"{side}_hip_flexion": thigh + tilt,
        f"{side}_knee_flexion": knee,
        f"{side}_shoulder_flexion": 5.0 + 20.0 * back - 35.0 * forth,
        f"{side}_shoulder_abduction": 25.0,
        f"{other}_shoulder_flexion": -20.0 * back + 55.0 * forth,
        f"{other}_shoulder_abduction": clip.draw(15.0, 60.0),
    }


def balance(clip: Clip) -> Motion:
    """Standing on one leg, the other knee raised, stretched behind or to the side, arms out."""
    side, other = clip.choose_side()
    raised = clip.keyframes(np.array([0.0, 1.0, 1.0 + clip.draw(-0.2, 0.2), clip.draw(0.0, 1.0)]))
    thigh, shank, aside = ((80.0, -5.0, 4.0), (-28.0, -60.0, 6.0), (8.0, -4.0, 38.0))[clip.rng.integers(0, 3)]
    tilt = (22.0 if thigh < 0.0 else 0.0) * raised + clip.wander(2.0)
    sign = 1.0 if side == "left" else -1.0
    motion = _with_upper_body(clip, stand(clip)) | {"root_tilt": tilt, "root_roll": sign * 5.0 * raised}
    motion |= place_leg(side, thigh * raised, shank * raised - 2.0, tilt) | place_leg(other, 5.0, -7.0, tilt)
    motion |= {f"{side}_hip_abduction": aside * raised, f"{other}_hip_abduction": 5.0 * raised}
    if clip.rng.random() < 0.6:
        out = clip.draw(30.0, 90.0)
        motion |= {f"{arm}_shoulder_abduction": clip.style.arm_abduction + out * raised for arm in SIDES}
    return motion


def sit(clip: Clip) -> Motion:
    """Sitting on a chair with idle or talking hands, legs together, apart, stretched or tucked under."""
    tilt = clip.draw(-22.0, 18.0) + clip.wander(3.0)
    upper = _keep_arms((gesture if clip.rng.random() < 0.5 else rest_hands)(clip))
    if clip.rng.random() < 0.4:
        upper |= {f"{side}_shoulder_flexion": 28.0 - 0.5 * tilt + clip.wander(4.0) for side in SIDES}
        upper |= {f"{side}_shoulder_rotation": 15.0 for side in SIDES}
        upper |= {f"{side}_elbow_flexion": 60.0 + tilt + clip.wander(4.0) for side in SIDES}
    motion = upper | {"root_tilt": tilt, "lumbar_flexion": np.clip(10.0 - 0.5 * tilt, 0.0, 30.0)}
    spread = clip.draw(0.0, 22.0)
    for side in SIDES:
        motion |= place_leg(side, 86.0 + clip.draw(-8.0, 6.0), clip.draw(-25.0, 35.0) + clip.wander(3.0), tilt)
        motion |= {f"{side}_hip_abduction": spread, f"{side}_hip_rotation": clip.draw(-15.0, 10.0)}
    return motion


def sit_down(clip: Clip) -> Motion:
    """Sitting down on a chair, or rising from it."""
    seated = clip.keyframes(np.array([0.0, 1.0, 1.0, 0.0] if clip.rng.random() < 0.5 else [1.0, 1.0, 0.0, 0.0]))
    moving = 4.0 * seated * (1.0 - seated)
    tilt = clip.style.lean * (1.0 - seated) + clip.draw(18.0, 38.0) * moving + clip.draw(-12.0, 8.0) * seated
    motion = stand(clip) | {"root_tilt": tilt, "lumbar_flexion": 6.0 + 12.0 * moving, "neck_flexion": -0.4 * tilt}
    shank = clip.draw(-14.0, 4.0)
    for side in SIDES:
        motion |= place_leg(side, 2.0 + 83.0 * seated, -3.0 + shank * seated - 14.0 * moving, tilt)
        motion |= {
            f"{side}_shoulder_flexion": 4.0 + 32.0 * seated + clip.draw(0.0, 25.0) * moving,
            f"{side}_shoulder_rotation": 20.0,
            f"{side}_elbow_flexion": clip.style.elbow_rest + 45.0 * seated,
        }
    return motion


def _with_upper_body(clip: Clip, motion: Motion) -> Motion:
    """Gives a motion busy, folded or hanging arms at random."""
    choice = clip.rng.integers(0, 3)
    return motion if choice == 0 else motion | _keep_arms((gesture, rest_hands)[choice - 1](clip))


def _keep_arms(motion: Motion) -> Motion:
    """The part of a motion above the pelvis."""
    legs = ("root", "left_hip", "right_hip", "left_knee", "right_knee")
    return {name: curve for name, curve in motion.items() if not name.startswith(legs)}
