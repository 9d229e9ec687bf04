"""Whether a pose could be a body's."""

import numpy as np
import pytest

from vvipe_tf.apps.plausibility import judge_poses
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.data.synthetic.skeleton import FREEDOMS, PROPORTIONS, forward_kinematics
from vvipe_tf.data.views import mirror_pose
from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.keypoints import COCO_13, H36M_17, map_keypoints


def posed(**angles):
    """Canonical pose of the mean body at joint angles in degrees."""
    row = np.array([[angles.get(name, 0.0) for name in FREEDOMS]])
    segments = {name: np.array([length]) for name, length in PROPORTIONS.items()}
    return map_keypoints(canonicalise(forward_kinematics(row, segments), H36M_17)[0], H36M_17, COCO_13)


def bent_other_way(poses, root, middle, end):
    """Limbs with the lower bone turned to the other side of the upper one."""
    poses = poses.copy()
    for side in ("left", "right"):
        first, second, third = (COCO_13.index(f"{side}_{name}") for name in (root, middle, end))
        upper = poses[:, second] - poses[:, first]
        upper /= np.linalg.norm(upper, axis=1, keepdims=True)
        lower = poses[:, third] - poses[:, second]
        along = np.sum(lower * upper, axis=1, keepdims=True) * upper
        poses[:, third] = poses[:, second] + 2 * along - lower
    return poses


@pytest.fixture(scope="module")
def people():
    return generate_synthetic(num_poses=1400, seed=5).canonical(COCO_13).astype(np.float64)


def test_the_mean_body_has_mean_bones():
    report = judge_poses(posed())
    np.testing.assert_allclose(report.bone_factors, 1, atol=1e-6)
    np.testing.assert_allclose(report.shoulder_factors, 1, atol=1e-6)
    np.testing.assert_allclose(report.side_ratios, 1, atol=1e-6)
    np.testing.assert_allclose(report.angle_excesses, 0, atol=1e-6)
    assert report.plausible.all()


@pytest.mark.parametrize(
    ("angles", "excess"),
    [
        ({"left_knee_flexion": 90}, 0),
        ({"right_knee_flexion": 90, "right_hip_rotation": 40}, 0),
        ({"left_elbow_flexion": 140, "left_shoulder_rotation": 70}, 0),
        ({"right_shoulder_abduction": 130}, 0),
        ({"left_shoulder_flexion": 170, "left_elbow_flexion": 60}, 0),
        ({"left_hip_flexion": -75}, 45),
        ({"right_hip_abduction": 85}, 40),
        ({"left_knee_flexion": 90, "left_hip_rotation": 95}, 50),
        ({"right_elbow_flexion": 90, "right_shoulder_rotation": -130}, 40),
        ({"left_knee_flexion": 172}, 17),
    ],
)
def test_angles_beyond_their_limits_are_measured_in_degrees(angles, excess):
    assert judge_poses(posed(**angles)).angle_excesses[0] == pytest.approx(excess, abs=1e-4)


def test_a_knee_that_bends_forwards_is_implausible():
    report = judge_poses(posed(left_knee_flexion=-70))
    assert report.failures["joint limits"].all()
    assert not report.plausible.any()


def test_people_are_plausible_and_so_are_their_mirror_images(people):
    assert judge_poses(people).plausible.mean() > 0.99
    mirrored = judge_poses(mirror_pose(people, 1))
    np.testing.assert_allclose(mirrored.angle_excesses, judge_poses(people).angle_excesses, atol=1e-6)


def test_the_size_does_not_matter(people):
    np.testing.assert_allclose(judge_poses(3 * people).bone_factors, judge_poses(people).bone_factors)


def test_broken_bodies_are_found(people):
    knee = judge_poses(posed(left_knee_flexion=60, right_knee_flexion=80))
    assert knee.plausible.all()
    turned = bent_other_way(posed(left_knee_flexion=60, right_knee_flexion=80), "hip", "knee", "ankle")
    assert judge_poses(turned).failures["joint limits"].all()
    long_arm = people.copy()
    wrist, elbow = COCO_13.index("left_wrist"), COCO_13.index("left_elbow")
    long_arm[:, wrist] = long_arm[:, elbow] + 1.6 * (long_arm[:, wrist] - long_arm[:, elbow])
    assert judge_poses(long_arm).failures["left and right"].all()
    shuffled = people[:, np.random.default_rng(0).permutation(13)]
    assert not judge_poses(shuffled).plausible.any()
    swapped = people.copy()
    swapped[:, [1, 2]] = swapped[:, [2, 1]]
    assert judge_poses(swapped).plausible.mean() < 0.5


def test_a_body_far_from_those_of_training_is_implausible():
    report = judge_poses(np.repeat(posed(), 4, axis=0), distances=np.array([0.9, 2.4, 2.6, np.nan]))
    assert report.plausible.tolist() == [True, True, False, False]
    assert report.failures["unlike real poses"].tolist() == [False, False, True, True]


def test_a_body_without_extent_is_implausible():
    assert not judge_poses(np.zeros((3, 13, 3))).plausible.any()


@pytest.mark.parametrize(
    ("poses", "message"),
    [(np.zeros((13, 3)), "Expected poses of shape"), (np.full((2, 13, 3), np.nan), "Expected finite poses")],
)
def test_what_is_no_pose_is_refused(poses, message):
    with pytest.raises(ValueError, match=message):
        judge_poses(poses)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("archive", "share"),
    [("cmu8/cmu8_10fps.npz", 0.99), ("deepmimic/deepmimic_10fps.npz", 0.99), ("ui_prmd/s09_10fps.npz", 0.985)],
)
def test_real_poses_are_plausible(shared_data, archive, share):
    with np.load(shared_data / archive, allow_pickle=False) as arrays:
        joints, positions = arrays["joints"].tolist(), arrays["xyz"][::3].astype(np.float64)
    order = ["pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "neck", "nose", "head_top"]
    order += [f"{side}_{joint}" for side in "lr" for joint in ("shoulder", "elbow", "wrist")]
    poses = positions[:, [joints.index(name) for name in order]]
    canonical = map_keypoints(canonicalise(poses, H36M_17)[0], H36M_17, COCO_13)
    assert judge_poses(canonical).plausible.mean() >= share
