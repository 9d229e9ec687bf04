import numpy as np
import pytest
import tensorflow as tf

from vvipe_tf.models.mining import mine_triplets, pairwise_embedding_distance, pairwise_mpjpe


def poses_on_a_line(*places):
    """Poses of two joints whose distance is the difference of their places."""
    poses = np.zeros((len(places), 2, 3), np.float32)
    poses[:, :, 0] = np.array(places)[:, None]
    return poses


def mine_by_loops(poses, negative_distance):
    distance = np.linalg.norm(poses[:, None] - poses[None], axis=-1).mean(axis=-1)
    mined = []
    for i in range(len(poses)):
        others = sorted((j for j in range(len(poses)) if j != i), key=lambda j: (distance[i, j], j))
        positive = others[0]
        negative = next((k for k in others[1:] if distance[positive, k] >= negative_distance), None)
        mined.append((positive, negative))
    return mined


def test_triplets_of_four_poses_on_a_line_worked_by_hand():
    """Places 0, 1, 1.05 and 3; the negative must be at least 0.1 from the positive.

    anchor 0 (at 0):    nearest is 1; then 1.05 is only 0.05 from it, so the negative is 3
    anchor 1 (at 1):    nearest is 1.05; then 0, which is 1.05 away from it
    anchor 2 (at 1.05): nearest is 1; then 0
    anchor 3 (at 3):    nearest is 1.05; then 1 is only 0.05 from it, so the negative is 0
    """
    triplets = mine_triplets(poses_on_a_line(0.0, 1.0, 1.05, 3.0), 0.1)
    assert triplets.positive.numpy().tolist() == [1, 2, 1, 2]
    assert triplets.negative.numpy().tolist() == [3, 0, 0, 0]
    assert triplets.valid.numpy().all()


def test_an_anchor_without_a_negative_is_not_valid():
    triplets = mine_triplets(poses_on_a_line(0.0, 0.01, 0.02), 0.1)
    assert not triplets.valid.numpy().any()


def test_two_views_of_a_pose_are_each_others_positives():
    poses = np.repeat(poses_on_a_line(0.0, 5.0, 9.0), 2, axis=0)
    triplets = mine_triplets(poses, 0.1)
    assert triplets.positive.numpy().tolist() == [1, 0, 3, 2, 5, 4]


@pytest.mark.parametrize("seed", range(3))
def test_mining_equals_brute_force(seed):
    poses = np.random.default_rng(seed).normal(scale=0.08, size=(37, 13, 3)).astype(np.float32)
    triplets = mine_triplets(poses, 0.16)
    expected = mine_by_loops(poses, 0.16)
    valid = [negative is not None for _, negative in expected]
    assert 0 < sum(valid)
    assert triplets.valid.numpy().tolist() == valid
    assert triplets.positive.numpy().tolist() == [positive for positive, _ in expected]
    found = np.where(triplets.valid, triplets.negative, -1).tolist()
    assert found == [-1 if negative is None else negative for _, negative in expected]


@pytest.mark.parametrize("semi_hard", [False, True])
def test_negatives_by_the_embedding_equal_brute_force(semi_hard):
    rng = np.random.default_rng(6)
    poses = rng.normal(scale=0.08, size=(31, 13, 3)).astype(np.float32)
    embedding = rng.normal(size=(31, 3)).astype(np.float32)
    pose_distance = np.linalg.norm(poses[:, None] - poses[None], axis=-1).mean(axis=-1)
    distance = np.linalg.norm(embedding[:, None] - embedding[None], axis=-1)
    nearness = pairwise_embedding_distance(embedding, embedding)
    np.testing.assert_allclose(nearness, distance, atol=1e-3)
    triplets = mine_triplets(poses, 0.16, nearness=nearness, semi_hard=semi_hard)
    for i, (positive, negative, valid) in enumerate(zip(*map(np.array, triplets), strict=True)):
        assert positive == np.argsort(pose_distance[i])[1]
        allowed = [
            k
            for k in range(31)
            if k != i
            and pose_distance[positive, k] >= 0.16
            and not (semi_hard and distance[i, k] <= distance[i, positive])
        ]
        assert valid == bool(allowed)
        assert not valid or negative == min(allowed, key=lambda k: distance[i, k])  # noqa: B023


def test_anchors_of_the_second_replica_are_found_by_their_rows():
    poses = np.random.default_rng(4).normal(size=(12, 13, 3)).astype(np.float32)
    together = mine_triplets(poses, 0.1)
    second = mine_triplets(poses[7:], 0.1, poses, first_index=7)
    for all_rows, own_rows in zip(together, second, strict=True):
        np.testing.assert_array_equal(all_rows[7:], own_rows)


def test_pairwise_mpjpe_equals_loops():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(5, 13, 3)), rng.normal(size=(7, 13, 3))
    expected = [[np.linalg.norm(x - y, axis=1).mean() for y in b] for x in a]
    np.testing.assert_allclose(pairwise_mpjpe(a, b), expected, rtol=1e-5)


def test_mining_never_holds_a_tensor_beyond_batch_by_batch():
    batch, joints = 61, 13
    graph = tf.function(lambda poses: mine_triplets(poses, 0.1)).get_concrete_function(
        tf.TensorSpec((batch, joints, 3))
    )
    sizes = [output.shape.num_elements() for op in graph.graph.get_operations() for output in op.outputs]
    assert max(size for size in sizes if size is not None) == batch * batch
