import numpy as np
import tensorflow as tf

from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.geometry.pose_error import p_mpjpe
from vvipe_tf.keypoints import H36M_17
from vvipe_tf.models.pose_matching import pairwise_np_mpjpe


def test_equals_the_alignment_in_numpy_with_the_first_as_the_target():
    poses = generate_synthetic(105, seed=3, num_subjects=3).centred(H36M_17)
    targets, sources = poses[:23] + 5.0, 1.7 * poses[19:60]
    expected = p_mpjpe(sources[None].astype(float), targets[:, None].astype(float))
    np.testing.assert_allclose(pairwise_np_mpjpe(targets, sources), expected, atol=1e-6)


def test_a_mirrored_pose_does_not_match():
    pose = np.random.default_rng(0).normal(size=(1, 9, 3))
    assert pairwise_np_mpjpe(pose, pose).numpy() < 1e-6
    assert pairwise_np_mpjpe(pose, pose * [1, 1, -1]).numpy() > 0.1


def test_poses_without_a_certain_rotation_give_finite_errors():
    line = np.zeros((1, 5, 3))
    line[0, :, 0] = np.arange(5)
    point, solid = np.ones((1, 5, 3)), np.random.default_rng(1).normal(size=(1, 5, 3))
    poses = np.concatenate([line, point, solid])
    found = pairwise_np_mpjpe(poses, poses).numpy()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.diag(found), 0, atol=1e-6)
    # A point stays where it is: all that is left is the extent of the target.
    spread = np.linalg.norm(solid[0] - solid[0].mean(axis=0), axis=1)
    assert spread.mean() <= found[2, 1] <= np.sqrt(np.mean(spread**2)) + 1e-6


def test_it_never_holds_all_joints_of_all_pairs():
    poses, joints = 61, 17
    shape = tf.TensorSpec((poses, joints, 3), tf.float32)
    graph = tf.function(pairwise_np_mpjpe).get_concrete_function(shape, shape).graph
    sizes = [output.shape.num_elements() for operation in graph.get_operations() for output in operation.outputs]
    assert max(size for size in sizes if size is not None) <= poses * poses
