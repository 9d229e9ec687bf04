import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vvipe_tf.geometry.canonical import (
    canonical_rotation,
    canonicalise,
    degenerate_poses,
    restore_pose,
    torso_length,
)
from vvipe_tf.keypoints import COCO_13, H36M_17, MPI_INF_3DHP_28

PROFILES = pytest.mark.parametrize("profile", [H36M_17, COCO_13, MPI_INF_3DHP_28], ids=lambda profile: profile.name)
seeds = st.integers(0, 2**32 - 1)


def random_poses(shape, profile, seed=7):
    return np.random.default_rng(seed).normal(size=(*shape, profile.num_joints, 3))


def standing_pose():
    """A COCO_13 pose that is canonical already: torso of length 1 along z, hips along y."""
    pose = np.zeros((13, 3))
    for name, point in {
        "nose": (-0.2, 0, 1.4),
        "left_shoulder": (0, -0.4, 1),
        "right_shoulder": (0, 0.4, 1),
        "left_elbow": (0, -0.5, 0.6),
        "right_elbow": (-0.3, 0.5, 0.7),
        "left_hip": (0, -0.25, 0),
        "right_hip": (0, 0.25, 0),
        "left_knee": (-0.1, -0.25, -0.9),
        "right_knee": (0, 0.25, -0.9),
    }.items():
        pose[COCO_13.index(name)] = point
    return pose


def joint(pose, profile, name):
    return pose[..., list(profile.sources_of(name)), :].mean(axis=-2)


@PROFILES
def test_rotation_equals_scipy_align_vectors(profile):
    poses = random_poses((40,), profile)
    rotations = canonical_rotation(poses, profile)
    top = "spine" if profile.has("spine") else "neck"
    for pose, rotation in zip(poses, rotations, strict=True):
        root = joint(pose, profile, "pelvis")
        sources = [joint(pose, profile, name) - root for name in ("left_hip", "right_hip", top)]
        oracle, _ = Rotation.align_vectors([[0, -1, 0], [0, 1, 0], [0, 0, 1]], sources)
        np.testing.assert_allclose(rotation, oracle.as_matrix().T, atol=1e-10)


def test_a_canonical_pose_stays_as_it_is():
    pose = standing_pose()
    canonical, frame = canonicalise(pose, COCO_13)
    np.testing.assert_allclose(canonical, pose, atol=1e-15)
    np.testing.assert_allclose(frame.rotation, np.eye(3), atol=1e-15)


def test_a_turned_and_shifted_pose_in_millimetres_comes_back_to_the_canonical_one():
    quarter_turn = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    canonical, frame = canonicalise(490 * standing_pose() @ quarter_turn + (100, -200, 950), COCO_13)
    np.testing.assert_allclose(canonical, standing_pose(), atol=1e-14)
    np.testing.assert_allclose(frame.root, (100, -200, 950))
    np.testing.assert_allclose(frame.torso_length, 490)
    np.testing.assert_allclose(frame.rotation, quarter_turn.T, atol=1e-15)


def test_torso_length_runs_over_the_spine_where_there_is_one():
    pose = np.zeros((17, 3))
    pose[H36M_17.index("pelvis")] = (1, 2, 3)
    pose[H36M_17.index("spine")] = (1, 2, 5)  # 2 above the pelvis
    pose[H36M_17.index("neck")] = (1, 5, 9)  # 5 from the spine
    assert torso_length(pose, H36M_17) == pytest.approx(7)
    shoulders_and_hips = np.zeros((13, 3))
    shoulders_and_hips[[COCO_13.index("left_shoulder"), COCO_13.index("right_shoulder")]] = [(0, 1, 3), (2, 3, 5)]
    assert torso_length(shoulders_and_hips, COCO_13) == pytest.approx(np.sqrt(1 + 4 + 16))


@PROFILES
def test_canonical_pose_has_its_root_at_the_origin_and_hips_and_spine_on_their_sides(profile):
    canonical, _ = canonicalise(random_poses((3, 5), profile), profile)
    assert canonical.shape == (3, 5, profile.num_joints, 3)
    np.testing.assert_allclose(joint(canonical, profile, "pelvis"), np.zeros((3, 5, 3)), atol=1e-12)
    hips = joint(canonical, profile, "right_hip") - joint(canonical, profile, "left_hip")
    assert (hips[..., 1] > 0).all()
    assert (joint(canonical, profile, "spine" if profile.has("spine") else "neck")[..., 2] > 0).all()
    np.testing.assert_allclose(torso_length(canonical, profile), np.ones((3, 5)))


@PROFILES
def test_restore_pose_inverts_canonicalise(profile):
    poses = random_poses((2, 6), profile)
    np.testing.assert_allclose(restore_pose(*canonicalise(poses, profile)), poses, atol=1e-12)


def test_one_pose_without_a_batch_works():
    pose = random_poses((), H36M_17)
    canonical, frame = canonicalise(pose, H36M_17)
    assert (canonical.shape, frame.root.shape, frame.rotation.shape, frame.torso_length.shape) == (
        (17, 3),
        (3,),
        (3, 3),
        (),
    )
    np.testing.assert_allclose(restore_pose(canonical, frame), pose, atol=1e-12)


def test_float32_stays_float32():
    canonical, frame = canonicalise(random_poses((4,), H36M_17).astype(np.float32), H36M_17)
    assert {canonical.dtype, frame.root.dtype, frame.rotation.dtype, frame.torso_length.dtype} == {np.dtype("float32")}


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    translation=st.tuples(*[st.floats(-50, 50)] * 3),
    scale=st.floats(0.05, 2000),
)
def test_canonical_pose_does_not_know_rotation_translation_and_scale(seed, quaternion, translation, scale):
    pose = random_poses((), H36M_17, seed)
    moved = scale * (pose @ Rotation.from_quat(quaternion).as_matrix() + translation)
    np.testing.assert_allclose(canonicalise(moved, H36M_17)[0], canonicalise(pose, H36M_17)[0], atol=1e-7)


@PROFILES
@settings(max_examples=20, deadline=None)
@given(seed=seeds, normal=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda n: np.linalg.norm(n) > 0.1))
def test_a_mirrored_world_negates_y_and_swaps_left_and_right(profile, seed, normal):
    pose = random_poses((), profile, seed)
    unit = np.array(normal) / np.linalg.norm(normal)
    mirrored = (pose @ (np.eye(3) - 2 * np.outer(unit, unit)))[profile.flip_indices]
    expected = canonicalise(pose, profile)[0][profile.flip_indices] * (1, -1, 1)
    np.testing.assert_allclose(canonicalise(mirrored, profile)[0], expected, atol=1e-7)


def test_degenerate_poses_are_found():
    poses = random_poses((6,), H36M_17)
    hips = [H36M_17.index("left_hip"), H36M_17.index("right_hip")]
    poses[1, H36M_17.index("left_wrist"), 2] = np.nan
    poses[2, hips[1]] = poses[2, hips[0]]
    poses[3, H36M_17.index("spine")] = poses[3, H36M_17.index("pelvis")] + 3 * (poses[3, hips[1]] - poses[3, hips[0]])
    poses[4] = 0
    poses[5, H36M_17.index("pelvis"), 0] = np.inf
    np.testing.assert_array_equal(degenerate_poses(poses, H36M_17), [False, True, True, True, True, True])


def test_degenerate_poses_raise_with_their_count_and_the_first_index():
    poses = random_poses((5,), COCO_13)
    poses[[2, 4]] = 1.5
    with pytest.raises(ValueError, match=r"Received: 2 degenerate of 5, the first at index 2$"):
        canonicalise(poses, COCO_13)
    with pytest.raises(ValueError, match=r"3 degenerate of 15, the first at index \(0, 2\)$"):
        canonicalise(
            np.stack([poses, random_poses((5,), COCO_13), np.where([[[1]]] * 5, poses[[0, 1, 3, 4, 0]], 0)]), COCO_13
        )
    with pytest.raises(ValueError, match=r"1 degenerate of 1$"):
        canonicalise(np.zeros((13, 3)), COCO_13)


def test_a_wrong_joint_count_is_named():
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 17, 3\) for H36M_17. Received: shape=\(4, 16, 3\)"):
        canonicalise(np.zeros((4, 16, 3)), H36M_17)
    with pytest.raises(ValueError, match=r"Received: shape=\(17,\)"):
        torso_length(np.zeros(17), H36M_17)


@tf.function
def canonicalise_in_graph(pose):
    with tf.GradientTape() as tape:
        tape.watch(pose)
        canonical, frame = canonicalise(pose, COCO_13, xp=keras.ops)
        loss = tf.reduce_sum(canonical**3)
    return canonical, restore_pose(canonical, frame, xp=keras.ops), tape.gradient(loss, pose)


def test_the_graph_computes_what_numpy_computes():
    poses = random_poses((9,), COCO_13).astype(np.float32)
    canonical, restored, gradient = canonicalise_in_graph(tf.constant(poses))
    np.testing.assert_allclose(canonical, canonicalise(poses, COCO_13)[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(restored, poses, atol=1e-4)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_a_degenerate_pose_in_the_graph_is_finite_and_so_is_its_gradient():
    poses = random_poses((3,), COCO_13).astype(np.float32)
    poses[1] = 0
    poses[2, [COCO_13.index("left_hip"), COCO_13.index("right_hip")]] = 1
    for result in canonicalise_in_graph(tf.constant(poses)):
        assert np.isfinite(result).all()
