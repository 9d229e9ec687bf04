"""Retrieval between cameras, 3D to 2D, and among 3D poses."""

import json

import numpy as np
import pytest

from vvipe_tf.data.rigs import CHEST, CalibratedRig, ordered_pairs
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.evaluation.baselines import embed_canonical_poses, embed_normalised_keypoints
from vvipe_tf.evaluation.chance import evaluate_chance
from vvipe_tf.evaluation.hit_at_k import PosePairErrors
from vvipe_tf.evaluation.protocol import (
    evaluate_cross_retrieval,
    evaluate_pose_oracle,
    evaluate_retrieval,
    metric_profiles,
)
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.geometry.pose_error import p_mpjpe
from vvipe_tf.keypoints import BLAZEPOSE_33, COCO_13, COCO_17, H36M_17, MOCAP_22


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(num_poses=105, seed=1, num_subjects=3)


@pytest.fixture(scope="module")
def poses(dataset):
    return dataset.centred(H36M_17).astype(np.float64)


def retrieval_by_loop(embeddings, pairs, poses, ks, threshold):
    hits = np.zeros((len(pairs), len(ks)))
    first = np.zeros(len(pairs))
    for row, (a, b) in enumerate(pairs):
        for query in range(len(poses)):
            distances = [float(np.sum((embeddings[a][query] - item) ** 2)) for item in embeddings[b]]
            order = sorted(range(len(poses)), key=lambda index: (distances[index], index))  # noqa: B023
            errors = [float(p_mpjpe(poses[item], poses[query])) for item in order[: max(ks)]]
            first[row] += errors[0] / len(poses)
            hits[row] += [min(errors[:k]) <= threshold for k in ks]
    return hits / len(poses), first


def test_three_frames_in_two_cameras_by_hand():
    """Frames f0, f1 show one pose, f2 another. One-dimensional embeddings; the pair is (camera 0, camera 1).

    camera 0:  f0 = 0   f1 = 10   f2 = 20
    camera 1:  f0 = 9   f1 = 21   f2 = 1        f0 finds f2 (wrong), f0 (right); f1 finds f0 (the same pose: right);
                                                f2 finds f1 (wrong), f0 (wrong), f2 (right).
    """
    hook = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
    star = np.array([[0.0, 0, 0], [2, 0, 0], [2, 0.1, 0], [0, 0, 1]])
    embeddings = np.array([[0.0, 10, 20], [9.0, 21, 1]])[..., None]
    result = evaluate_retrieval(embeddings, [(0, 1)], np.stack([hook, hook, star]), ks=(1, 2, 3))
    np.testing.assert_allclose(list(result.hit_at_k.values()), [1 / 3, 2 / 3, 1])
    wrong = [p_mpjpe(star, hook), 0, p_mpjpe(hook, star)]
    np.testing.assert_allclose(result.first_neighbour_error, np.mean(wrong))
    assert (result.comparisons, result.gallery_size) == (("0->1",), 3)


def test_retrieval_equals_the_loop(poses):
    rng = np.random.default_rng(2)
    few = poses[:41]
    embeddings = few[:, :5].reshape(1, 41, 15) + 0.3 * rng.normal(size=(3, 41, 15))
    pairs, ks = ((0, 1), (2, 0), (1, 2)), (1, 3, 8)
    result = evaluate_retrieval(embeddings, pairs, few, ks, threshold=0.15)
    hits, first = retrieval_by_loop(embeddings, pairs, few, ks, 0.15)
    np.testing.assert_allclose(result.hits, hits)
    np.testing.assert_allclose(result.first_errors, first, atol=1e-9)
    np.testing.assert_allclose(list(result.hit_at_k.values()), hits.mean(axis=0))
    assert 0.05 < hits[:, 0].mean() < hits[:, 2].mean() < 0.95


def test_a_distance_of_its_own_takes_the_place_of_l2(poses):
    """Embeddings of any shape; this distance calls the frame after the query's the nearest."""
    embeddings = np.zeros((2, 41, 3, 7))

    def find_next(queries, gallery, k):
        assert queries.shape == gallery.shape == (41, 3, 7)
        return (np.arange(41)[:, None] + 1 + np.arange(k)) % 41

    result = evaluate_retrieval(embeddings, [(0, 1)], poses[:41], (1, 2), find_neighbours=find_next)
    errors = p_mpjpe(np.roll(poses[:41], -1, axis=0), poses[:41])
    np.testing.assert_allclose(result.first_neighbour_error, errors.mean())


def test_an_embedding_that_is_the_canonical_pose_always_hits(dataset, poses):
    canonical = embed_canonical_poses(dataset.canonical(COCO_13))
    result = evaluate_retrieval(np.stack([canonical] * 4), CHEST.pairs, poses)
    assert result.hit_at_k == {1: 1.0, 5: 1.0, 10: 1.0, 20: 1.0}
    assert result.first_neighbour_error < 1e-6


def test_a_random_embedding_hits_by_chance(poses):
    embeddings = np.random.default_rng(3).normal(size=(4, 105, 6))
    result = evaluate_retrieval(embeddings, CHEST.pairs, poses, threshold=0.2)
    chance = evaluate_chance(poses, threshold=0.2)
    for k, hit in result.hit_at_k.items():
        assert abs(hit - chance.hit_at_k[k]) < 0.03, k


def test_the_keypoint_baseline_lies_between_chance_and_the_oracle(dataset, poses):
    keypoints = CHEST.project(dataset, seed=0)
    baseline = evaluate_retrieval(embed_normalised_keypoints(keypoints), CHEST.pairs, poses)
    assert evaluate_chance(poses).hit_at_k[1] < baseline.hit_at_k[1] < 0.9


def test_turning_the_world_together_with_its_cameras_changes_nothing(dataset):
    def rig(turn):
        cameras = []
        for azimuth in (0.0, 1.2, 4.0):
            axis = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
            rotation = np.stack([np.cross(-axis, [0, 0, 1.0]), [0, 0, -1.0], -axis])
            centre = 6 * axis + [0, 0, 1.0]
            cameras.append(Camera("c", rotation @ turn.T, turn @ centre, np.diag([900.0, 900, 1]), np.zeros(5), None))
        return CalibratedRig("lab", tuple(cameras), ordered_pairs(3))

    def measure(world, poses):
        turned = dataset.select(np.arange(len(dataset)))
        object.__setattr__(turned, "poses", poses)
        embeddings = embed_normalised_keypoints(rig(world).project(turned))
        result = evaluate_retrieval(embeddings, ordered_pairs(3), turned.poses)
        return embeddings, result

    yaw = 0.7
    world = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    still, still_result = measure(np.eye(3), dataset.poses.astype(np.float64))
    moved, moved_result = measure(world, dataset.poses.astype(np.float64) @ world.T)
    np.testing.assert_allclose(moved, still, atol=1e-6)
    np.testing.assert_allclose(moved_result.hits, still_result.hits, atol=1e-6)
    np.testing.assert_allclose(moved_result.first_errors, still_result.first_errors, atol=1e-6)
    assert 0 < still_result.hit_at_k[1] < 1


def test_cross_retrieval_queries_each_camera_with_the_3d_pose():
    """3D embeddings 0, 11, 20; camera 0 nearly agrees; camera 1 swaps the last two frames: right at rank 1."""
    poses = np.random.default_rng(4).normal(size=(3, 7, 3))
    views = np.array([[0.0, 10, 20], [0.0, 20, 10]])[..., None]
    result = evaluate_cross_retrieval(np.array([[0.0], [11], [20]]), views, poses, ks=(1, 2))
    assert result.comparisons == ("3d->0", "3d->1")
    np.testing.assert_allclose(result.hits, [[1, 1], [1 / 3, 1]])


def test_the_oracle_may_not_answer_with_the_own_frame(poses):
    """Every pose twice, as far apart as two embeddings can be told: the twin is the answer, at rank 0, never itself."""
    twins = np.concatenate([poses[:30], poses[:30]])
    embeddings = np.concatenate([poses[:30], poses[:30]]).reshape(60, -1)
    result = evaluate_pose_oracle(embeddings, twins, ks=(1, 4))
    assert result.hit_at_k == {1: 1.0, 4: 1.0}
    assert result.gallery_size == 59

    lonely = np.random.default_rng(5).normal(size=(27, 9, 3))
    result = evaluate_pose_oracle(lonely.reshape(27, -1), lonely, ks=(1, 26))
    assert result.hit_at_k == {1: 0.0, 26: 0.0}
    assert evaluate_chance(lonely).only_own_frame == 1.0


def test_the_oracle_cannot_exceed_what_the_gallery_allows(dataset, poses):
    oracle = evaluate_pose_oracle(embed_canonical_poses(dataset.canonical(COCO_13)), poses)
    ceiling = 1 - evaluate_chance(poses).only_own_frame
    assert 0 < oracle.hit_at_k[1] <= oracle.hit_at_k[20] <= ceiling + 1e-12 < 1


def test_errors_shared_between_calls_give_the_same_numbers(poses):
    embeddings = np.random.default_rng(6).normal(size=(2, 105, 3))
    cache = PosePairErrors(poses)
    first = evaluate_retrieval(embeddings, [(0, 1)], cache)
    known = len(cache)
    again = evaluate_retrieval(embeddings, [(0, 1)], cache)
    assert len(cache) == known > 0
    assert first.to_dict() == again.to_dict() == evaluate_retrieval(embeddings, [(0, 1)], poses).to_dict()


def test_results_are_plain_json(poses):
    result = evaluate_retrieval(np.random.default_rng(7).normal(size=(2, 105, 3)), [(0, 1), (1, 0)], poses)
    content = json.loads(json.dumps(result.to_dict()))
    assert list(content["comparisons"]) == ["0->1", "1->0"]
    assert content["hit_at_k"]["5"] == result.hit_at_k[5]
    assert content["comparisons"]["1->0"]["hit_at_k"]["10"] == result.hits[1, 2]
    assert json.loads(json.dumps(evaluate_chance(poses).to_dict()))["gallery_size"] == 105


def test_the_metric_has_17_joints_where_the_data_have_them():
    assert metric_profiles(MOCAP_22) == metric_profiles(H36M_17) == (H36M_17, COCO_13)
    assert metric_profiles(COCO_17) == metric_profiles(BLAZEPOSE_33) == (COCO_13,)


def test_input_that_does_not_fit_is_refused(poses):
    with pytest.raises(ValueError, match=r"\(cameras, 105, embedding_dim\).*shape=\(2, 104, 3\)"):
        evaluate_retrieval(np.zeros((2, 104, 3)), [(0, 1)], poses)
    with pytest.raises(ValueError, match=r"pairs among 2 cameras. Received: \[\(1, 2\)\]"):
        evaluate_retrieval(np.zeros((2, 105, 3)), [(0, 1), (1, 2)], poses)
    with pytest.raises(ValueError, match="Received: no pair"):
        evaluate_retrieval(np.zeros((2, 105, 3)), [], poses)
    with pytest.raises(ValueError, match="ranks between 1 and 105"):
        evaluate_retrieval(np.zeros((2, 105, 3)), [(0, 1)], poses, ks=(1, 106))
    with pytest.raises(ValueError, match="ranks between 1 and 104"):
        evaluate_pose_oracle(np.zeros((105, 3)), poses, ks=(105,))
    with pytest.raises(ValueError, match=r"shape=\(7, 3\)"):
        evaluate_pose_oracle(np.zeros((7, 3)), poses)
