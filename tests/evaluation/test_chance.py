"""Chance: by hand, against all orders of a tiny gallery, and against shuffled ones."""

from itertools import permutations

import numpy as np
import pytest

from vvipe_tf.evaluation.chance import evaluate_chance
from vvipe_tf.evaluation.hit_at_k import PosePairErrors, hit_at_k
from vvipe_tf.geometry.pose_error import p_mpjpe

A = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
B = np.array([[0.0, 0, 0], [2, 0, 0], [2, 0.1, 0], [0, 0, 1]])
C = np.array([[0.0, 0, 0], [0, 3, 0], [0.2, 0, 0], [0, 0, 0.3]])


def chance_by_loop(poses, k, threshold):
    """Mean over every order of the gallery and every query of whether one of the first k matches."""
    size = len(poses)
    match = [[i == j or float(p_mpjpe(poses[j], poses[i])) <= threshold for j in range(size)] for i in range(size)]
    hits = [any(match[q][g] for g in order[:k]) for order in permutations(range(size)) for q in range(size)]
    return np.mean(hits)


def test_chance_of_three_poses_by_hand():
    """Gallery A, A', B. A and A' match each other (2 of 3 items), B only itself (1 of 3).

    Hit@1 = (2/3 + 2/3 + 1/3) / 3 = 5/9. Hit@2: A misses never, B when drawn last: (1 + 1 + 2/3) / 3 = 8/9.
    """
    chance = evaluate_chance(np.stack([A, A + 5.0, B]), ks=(1, 2, 3))
    np.testing.assert_allclose(list(chance.hit_at_k.values()), [5 / 9, 8 / 9, 1])
    np.testing.assert_allclose([chance.mean_matches, chance.only_own_frame], [5 / 3, 1 / 3])
    assert (chance.gallery_size, chance.queries) == (3, 3)


def test_chance_equals_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    poses = np.stack([A, A, B, C, B, A]) + 0.15 * rng.normal(size=(6, 4, 3))
    chance = evaluate_chance(poses, ks=(1, 2, 5), threshold=0.2)
    assert 1 < chance.mean_matches < 6
    for k in (1, 2, 5):
        np.testing.assert_allclose(chance.hit_at_k[k], chance_by_loop(poses, k, 0.2), atol=1e-12)


def test_chance_is_what_shuffled_answers_reach():
    rng = np.random.default_rng(1)
    poses = A + 0.2 * rng.normal(size=(150, 4, 3))
    ids = np.arange(150)
    shuffled = np.concatenate([rng.permuted(np.tile(ids, (150, 1)), axis=1)[:, :20] for _ in range(9)])
    hits = hit_at_k(shuffled, np.tile(ids, 9), ids, PosePairErrors(poses))
    chance = evaluate_chance(poses)
    for k, hit in hits.items():
        assert abs(hit - chance.hit_at_k[k]) < 0.04, k


def test_chance_of_a_large_gallery_is_counted_on_a_sample_of_the_queries():
    poses = A + 0.2 * np.random.default_rng(2).normal(size=(120, 4, 3))
    everything = evaluate_chance(poses)
    sampled = evaluate_chance(poses, max_alignments=120 * 70 + 3, seed=4)
    assert (everything.queries, sampled.queries) == (120, 70)
    assert sampled == evaluate_chance(poses, max_alignments=120 * 70 + 3, seed=4)
    assert sampled != evaluate_chance(poses, max_alignments=120 * 70 + 3, seed=5)
    for k, hit in everything.hit_at_k.items():
        assert abs(hit - sampled.hit_at_k[k]) < 0.1, k


def test_chance_is_one_in_the_gallery_size_where_nothing_matches():
    rng = np.random.default_rng(3)
    chance = evaluate_chance(rng.normal(size=(23, 6, 3)), ks=(1, 7), threshold=0.0)
    np.testing.assert_allclose([chance.hit_at_k[1], chance.hit_at_k[7]], [1 / 23, 7 / 23])
    assert chance.only_own_frame == 1.0


def test_ranks_beyond_the_gallery_are_refused():
    with pytest.raises(ValueError, match=r"ranks between 1 and 3.*Received: \(1, 5\)"):
        evaluate_chance(np.stack([A, B, C]), ks=(1, 5))
