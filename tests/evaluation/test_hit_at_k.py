"""Hit@k by hand and against a loop, and the cache of pose errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vvipe_tf.evaluation import hit_at_k as module
from vvipe_tf.evaluation.hit_at_k import PosePairErrors, first_hit_ranks, hit_at_k
from vvipe_tf.evaluation.protocol import evaluate_retrieval
from vvipe_tf.geometry.pose_error import p_mpjpe

# A chiral shape of five joints: it has no mirror plane, so its mirror image is another pose.
HOOK = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [0.3, 1.4, 0.8]])
STAR = np.array([[0.0, 0, 0], [1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
MIRRORED = HOOK * [1, 1, -1]


def moved(pose, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.5, 2) * pose @ Rotation.random(random_state=seed).as_matrix() + rng.normal(size=3)


def hit_by_loop(neighbours, query_ids, gallery_ids, poses, k, threshold):
    hits = 0
    for row, query in zip(neighbours, query_ids, strict=True):
        errors = [float(p_mpjpe(poses[gallery_ids[item]], poses[query])) for item in row[:k]]
        hits += any(error <= threshold for error in errors)
    return hits / len(query_ids)


def test_hits_of_a_drawn_gallery():
    """Poses: 0 hook, 1 hook moved, 2 star, 3 mirrored hook. Gallery items g0..g3 show poses 3, 2, 1, 0.

    query pose   neighbours    their poses   first match   hit@1  hit@2  hit@3
    0 (hook)     g0 g1 g2      3  2  1       rank 2          no     no    yes   (the mirror image is no match)
    2 (star)     g1 g0 g2      2  3  1       rank 0         yes    yes    yes
    3 (mirror)   g2 g3 g1      1  0  2       never           no     no     no
    1 (hook')    g1 g3 g0      2  0  3       rank 1          no    yes    yes
    """
    poses = np.stack([HOOK, moved(HOOK, 1), STAR, MIRRORED])
    neighbours = np.array([[0, 1, 2], [1, 0, 2], [2, 3, 1], [1, 3, 0]])
    queries, gallery = np.array([0, 2, 3, 1]), np.array([3, 2, 1, 0])
    assert first_hit_ranks(queries, gallery[neighbours], PosePairErrors(poses)).tolist() == [2, 0, 3, 1]
    assert hit_at_k(neighbours, queries, gallery, poses, ks=(1, 2, 3)) == {1: 0.25, 2: 0.5, 3: 0.75}


@given(st.integers(2, 9), st.integers(1, 7), st.integers(1, 6), st.integers(0, 10**6), st.floats(0.05, 0.5))
@settings(max_examples=40, deadline=None)
def test_hit_at_k_equals_the_loop(num_poses, num_queries, k, seed, threshold):
    rng = np.random.default_rng(seed)
    poses = rng.normal(size=(num_poses, 4, 3))
    query_ids, gallery_ids = rng.integers(0, num_poses, num_queries), rng.integers(0, num_poses, 8)
    neighbours = rng.integers(0, 8, (num_queries, k))
    hits = hit_at_k(neighbours, query_ids, gallery_ids, poses, range(1, k + 1), threshold)
    for rank, hit in hits.items():
        assert hit == hit_by_loop(neighbours, query_ids, gallery_ids, poses, rank, threshold)
    assert sorted(hits.values()) == list(hits.values())


def test_hits_do_not_change_when_every_pose_is_moved_on_its_own():
    rng = np.random.default_rng(5)
    poses = HOOK + 0.2 * rng.normal(size=(31, 5, 3))
    # Scale belongs to the unit, so poses are turned and shifted only.
    turned = poses @ Rotation.random(31, random_state=6).as_matrix() + rng.normal(size=(31, 1, 3))
    ids = np.arange(31)
    neighbours = rng.permuted(np.tile(ids, (31, 1)), axis=1)[:, :20]
    before, after = (hit_at_k(neighbours, ids, ids, p, threshold=0.18) for p in (poses, turned))
    assert before == after
    assert 0 < before[1] < before[20] <= 1


def test_the_answer_is_aligned_onto_the_query():
    big, small = 3 * HOOK, STAR
    errors = PosePairErrors(np.stack([big, small]))
    np.testing.assert_allclose(errors(np.array([0]), np.array([1])), p_mpjpe(small, big), atol=1e-12)
    np.testing.assert_allclose(errors(np.array([1]), np.array([0])), p_mpjpe(big, small), atol=1e-12)
    assert errors(0, 1) > 1.5 * errors(1, 0)


def test_each_pair_of_poses_is_aligned_once(monkeypatch):
    asked = []

    def counted(poses_a, index_a, poses_b, index_b):
        asked.extend(zip(index_b.tolist(), index_a.tolist(), strict=True))
        return p_mpjpe(poses_a[index_a], poses_b[index_b])

    monkeypatch.setattr(module, "paired_p_mpjpe", counted)
    poses = np.random.default_rng(7).normal(size=(6, 4, 3))
    errors = PosePairErrors(poses)
    queries, answers = np.array([[0, 1], [5, 0], [3, 2]]), np.array([[4, 1], [2, 4], [3, 5]])
    first = errors(queries, answers)
    again = errors(queries.T, answers.T)
    errors(np.array([0, 4]), np.array([4, 0]))
    assert sorted(asked) == [(0, 4), (2, 5), (4, 0), (5, 2)]
    assert len(errors) == 4
    assert first.shape == (3, 2)
    np.testing.assert_array_equal(again, first.T)
    assert first[0, 1] == first[2, 0] == 0.0
    np.testing.assert_allclose(first[1, 0], p_mpjpe(poses[2], poses[5]), atol=1e-12)


def test_a_query_that_has_its_hit_is_not_aligned_further(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "paired_p_mpjpe", lambda a, i, b, j: calls.append(len(i)) or p_mpjpe(a[i], b[j]))
    poses = np.stack([HOOK, moved(HOOK, 2), STAR, MIRRORED])
    answers = np.array([[1, 2, 3], [2, 1, 3]])
    ranks = first_hit_ranks(np.array([0, 0]), answers, PosePairErrors(poses))
    assert ranks.tolist() == [0, 1]
    assert calls == [2]


def test_errors_of_many_batches_stay_with_their_pairs():
    rng = np.random.default_rng(8)
    poses = rng.normal(size=(19, 4, 3))
    errors = PosePairErrors(poses)
    for _ in range(6):
        queries, answers = rng.integers(0, 19, (2, 37))
        np.testing.assert_allclose(errors(queries, answers), p_mpjpe(poses[answers], poses[queries]), atol=1e-9)


def test_a_whole_table_of_camera_pairs_equals_brute_force():
    """Every distance, every alignment, camera by camera; the cameras of one pair recur in others, and ties occur."""
    rng = np.random.default_rng(9)
    poses = HOOK + 0.16 * rng.normal(size=(47, 5, 3))
    embeddings = np.round(8 * (poses.reshape(47, 15)[:, :6] + 0.1 * rng.normal(size=(3, 47, 6)))) / 8
    pairs = [(0, 1), (1, 0), (0, 2), (2, 1)]
    result = evaluate_retrieval(embeddings, pairs, poses, ks=(1, 4, 11), threshold=0.15)
    ids = np.arange(47)
    for (a, b), hits in zip(pairs, result.hits, strict=True):
        squared = np.square(embeddings[a][:, None] - embeddings[b][None]).sum(axis=-1)
        neighbours = np.argsort(squared, axis=1, kind="stable")
        assert hits.tolist() == [hit_by_loop(neighbours, ids, ids, poses, k, 0.15) for k in (1, 4, 11)]
    assert 0 < result.hits.min() < result.hits.max() < 1


@pytest.mark.parametrize("ks", [(), (0,), (1, 4)])
def test_ranks_beyond_the_neighbours_are_refused(ks):
    with pytest.raises(ValueError, match="Expected ranks between 1 and 3"):
        hit_at_k(np.zeros((2, 3), dtype=int), np.zeros(2, dtype=int), np.zeros(5, dtype=int), HOOK[None], ks)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"poses of shape \(poses, joints, 3\). Received: shape=\(5, 3\)"):
        PosePairErrors(HOOK)
    with pytest.raises(ValueError, match=r"answers of shape \(4,\) \+ \(k,\). Received: shape=\(2, 3\)"):
        first_hit_ranks(np.zeros(4, dtype=int), np.zeros((2, 3), dtype=int), PosePairErrors(HOOK[None]))
