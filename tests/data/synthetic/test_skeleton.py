"""The jointed body: bones, limits, mirroring, and SciPy as the oracle of its kinematics."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vvipe_tf.data.synthetic.reach import reach_angles
from vvipe_tf.data.synthetic.skeleton import (
    FREEDOMS,
    JOINT_LIMITS,
    PROPORTIONS,
    ROOT_FREEDOMS,
    Body,
    forward_kinematics,
    limit_angles,
    mirror_angles,
    stack_freedoms,
)
from vvipe_tf.keypoints import H36M_17


def _unit_segments(num_poses):
    return {name: np.full(num_poses, fraction) for name, fraction in PROPORTIONS.items()}


def _random_angles(num_poses, seed):
    rng = np.random.default_rng(seed)
    low, high = np.array([JOINT_LIMITS.get(name, (-180.0, 180.0)) for name in FREEDOMS]).T
    return rng.uniform(low, high, (num_poses, len(FREEDOMS)))


def _joint(poses, name):
    return poses[..., H36M_17.index(name), :]


def test_the_neutral_body_stands_upright_facing_x_with_left_towards_y():
    pose = forward_kinematics(np.zeros((1, len(FREEDOMS))), _unit_segments(1))[0]
    assert _joint(pose, "left_hip")[1] > 0 > _joint(pose, "right_hip")[1]
    np.testing.assert_allclose(_joint(pose, "neck"), [0, 0, 0.288], atol=1e-12)
    np.testing.assert_allclose(_joint(pose, "left_ankle")[2], -0.491)
    np.testing.assert_allclose(_joint(pose, "right_wrist")[2], 0.288 - 0.332)
    assert _joint(pose, "nose")[0] > 0.05
    np.testing.assert_allclose(_joint(pose, "head_top")[2] + 0.530, 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("freedom", "joint", "axis", "sign"),
    [
        ("left_elbow_flexion", "left_wrist", 0, 1),
        ("right_knee_flexion", "right_ankle", 0, -1),
        ("left_hip_flexion", "left_knee", 0, 1),
        ("left_hip_abduction", "left_knee", 1, 1),
        ("right_hip_abduction", "right_knee", 1, -1),
        ("right_shoulder_abduction", "right_elbow", 1, -1),
        ("left_scapula_elevation", "left_shoulder", 2, 1),
        ("right_scapula_protraction", "right_shoulder", 0, 1),
        ("lumbar_flexion", "spine", 0, 1),
        ("neck_rotation", "nose", 1, 1),
        ("root_tilt", "neck", 0, 1),
    ],
)
def test_a_positive_angle_moves_the_joint_the_anatomical_way(freedom, joint, axis, sign):
    neutral, bent = forward_kinematics(stack_freedoms({freedom: np.array([0.0, 12.0])}, 2), _unit_segments(2))
    assert sign * (_joint(bent, joint) - _joint(neutral, joint))[axis] > 0.005


@pytest.mark.parametrize(("side", "sign"), [("left", 1.0), ("right", -1.0)])
def test_the_leg_agrees_with_scipy_rotations(side, sign):
    angles = _random_angles(37, seed=2)
    poses = forward_kinematics(angles, _unit_segments(37))
    angle = dict(zip(FREEDOMS, angles.T, strict=True))
    pelvis = Rotation.from_euler(
        "ZYX", np.stack([angle["root_yaw"], angle["root_tilt"], angle["root_roll"]], 1), degrees=True
    )
    flexion, abduction, rotation = (angle[f"{side}_hip_{name}"] for name in ("flexion", "abduction", "rotation"))
    thigh = pelvis * Rotation.from_euler(
        "YXZ", np.stack([-flexion, sign * abduction, -sign * rotation], 1), degrees=True
    )
    shank = thigh * Rotation.from_euler("Y", angle[f"{side}_knee_flexion"][:, None], degrees=True)
    hip = pelvis.apply([0, sign * PROPORTIONS["hip_width"] / 2, 0])
    knee = hip + thigh.apply([0, 0, -PROPORTIONS["thigh"]])
    np.testing.assert_allclose(_joint(poses, f"{side}_knee"), knee, atol=1e-12)
    np.testing.assert_allclose(
        _joint(poses, f"{side}_ankle"), knee + shank.apply([0, 0, -PROPORTIONS["shank"]]), atol=1e-12
    )


def test_mirrored_angles_give_the_mirrored_pose():
    angles = _random_angles(29, seed=3)
    poses = forward_kinematics(angles, _unit_segments(29))
    mirrored = forward_kinematics(mirror_angles(angles), _unit_segments(29))
    np.testing.assert_allclose(mirrored, poses[:, H36M_17.flip_indices] * [1, -1, 1], atol=1e-12)
    np.testing.assert_array_equal(mirror_angles(mirror_angles(angles)), angles)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_arrives_at_a_target_in_reach_whatever_the_swivel(side):
    rng = np.random.default_rng(4)
    direction = rng.normal(size=(53, 3))
    target = rng.uniform(0.4, 0.95, (53, 1)) * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    arm = PROPORTIONS["upper_arm"] + PROPORTIONS["forearm"]
    motion = reach_angles(side, target, rng.uniform(-40, 70, 53), PROPORTIONS["upper_arm"] / arm)
    poses = forward_kinematics(stack_freedoms(motion, 53), _unit_segments(53))
    hand = (_joint(poses, f"{side}_wrist") - _joint(poses, f"{side}_shoulder")) / arm
    np.testing.assert_allclose(hand, target * [1, 1 if side == "left" else -1, 1], atol=1e-9)


def test_a_target_out_of_reach_is_approached_along_its_line():
    motion = reach_angles("left", np.array([[0.0, 0.0, 1.7]]), 10.0, 0.56)
    segments = _unit_segments(1) | {"upper_arm": np.array([0.56]), "forearm": np.array([0.44])}
    pose = forward_kinematics(stack_freedoms(motion, 1), segments)[0]
    hand = _joint(pose, "left_wrist") - _joint(pose, "left_shoulder")
    np.testing.assert_allclose(hand, [0, 0, 0.995], atol=1e-9)


def test_angles_beyond_the_limits_come_back_to_them_and_the_pelvis_stays_free():
    limited = limit_angles(np.full((1, len(FREEDOMS)), 777.0))[0]
    for name, angle in zip(FREEDOMS, limited, strict=True):
        assert angle == (777.0 if name in ROOT_FREEDOMS else JOINT_LIMITS[name][1])


def test_an_unknown_freedom_is_refused_by_name():
    with pytest.raises(ValueError, match="left_tail_flexion"):
        stack_freedoms({"left_tail_flexion": np.zeros(3)}, 3)


def test_men_are_taller_and_broader_in_the_shoulders_than_women():
    rng = np.random.default_rng(5)
    people = {sex: [Body.sample(rng, sex) for _ in range(150)] for sex in ("male", "female")}

    def mean(sex, measure):
        return np.mean([measure(person) for person in people[sex]])

    assert 1.74 < mean("male", lambda body: body.stature) < 1.775
    assert 1.61 < mean("female", lambda body: body.stature) < 1.645
    for segment, broader in (("shoulder_width", "male"), ("hip_width", "female")):
        relative = {sex: mean(sex, lambda body, s=segment: body.segments[s] / body.stature) for sex in people}
        assert max(relative, key=relative.get) == broader
