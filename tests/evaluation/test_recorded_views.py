"""Retrieval between cameras that do not see every frame, against the plain protocol and against worked examples."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from vvipe_tf.data.rigs import ordered_pairs
from vvipe_tf.evaluation.chance import evaluate_chance
from vvipe_tf.evaluation.frame_neighbourhood import FrameNeighbourhood
from vvipe_tf.evaluation.hit_at_k import PosePairErrors
from vvipe_tf.evaluation.lifting import evaluate_lifting
from vvipe_tf.evaluation.protocol import evaluate_pose_oracle, evaluate_retrieval
from vvipe_tf.evaluation.recorded_lifting import evaluate_agreement, evaluate_recorded_lifting
from vvipe_tf.evaluation.recorded_views import (
    evaluate_recorded_chance,
    evaluate_recorded_oracle,
    evaluate_recorded_retrieval,
    usable_ranks,
)
from vvipe_tf.geometry.pose_error import p_mpjpe

FRAMES = 47
KS = (1, 5, 10)


@pytest.fixture(scope="module")
def poses():
    """Poses in groups that match each other, by a noise of 0.03."""
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(9, 13, 3))
    return kinds[rng.integers(9, size=FRAMES)] + rng.normal(size=(FRAMES, 13, 3)) * 0.03


@pytest.fixture(scope="module")
def embeddings():
    return np.random.default_rng(1).normal(size=(3, FRAMES, 6))


def moments(window=0, sequences=2):
    sequence = np.arange(FRAMES) * sequences // FRAMES
    return FrameNeighbourhood(sequence, np.arange(FRAMES) * 7 % 101, window)


def test_views_without_gaps_give_what_the_plain_protocol_gives(poses, embeddings):
    seen, pairs = np.ones((3, FRAMES), dtype=bool), ordered_pairs(3)
    plain = evaluate_retrieval(embeddings, pairs, poses, KS)
    result = evaluate_recorded_retrieval(embeddings, seen, pairs, PosePairErrors(poses), moments(), KS)
    np.testing.assert_array_equal(result.hits, plain.hits)
    np.testing.assert_allclose(result.first_errors, plain.first_errors)
    assert set(result.gallery_sizes) == set(result.queries) == {FRAMES}
    chance = evaluate_recorded_chance(seen, pairs, PosePairErrors(poses), moments(), KS)
    np.testing.assert_allclose(chance.hits[3], list(evaluate_chance(poses, KS).hit_at_k.values()))
    oracle = evaluate_recorded_oracle(embeddings[0], PosePairErrors(poses), moments(), KS)
    np.testing.assert_array_equal(oracle.hits, evaluate_pose_oracle(embeddings[0], poses, KS).hits)


def brute_force(poses, queries, gallery, seen, a, b, nearby, k):
    frames = [f for f in range(FRAMES) if seen[a, f] and seen[b, f]]
    hits, sizes = [], []
    for query in frames:
        answers = [
            f
            for f in frames
            if f == query
            or nearby.sequence[f] != nearby.sequence[query]
            or abs(nearby.frame[f] - nearby.frame[query]) > nearby.window
        ]
        answers.sort(key=lambda f: np.linalg.norm(queries[query] - gallery[f]))
        hits.append(any(f == query or p_mpjpe(poses[f], poses[query]) <= 0.1 for f in answers[:k]))
        sizes.append(len(answers))
    return np.mean(hits), np.mean(sizes)


def test_gaps_and_neighbours_in_time_are_left_out_as_by_hand(poses, embeddings):
    seen = np.random.default_rng(2).random((3, FRAMES)) < 0.8
    nearby = moments(window=11)
    result = evaluate_recorded_retrieval(embeddings, seen, ordered_pairs(3), PosePairErrors(poses), nearby, (1, 5))
    for row, (a, b) in enumerate(result.pairs):
        for column, k in enumerate((1, 5)):
            hit, size = brute_force(poses, embeddings[a], embeddings[b], seen, a, b, nearby, k)
            assert result.hits[row, column] == pytest.approx(hit)
        assert result.gallery_sizes[row] == pytest.approx(size)
        assert result.queries[row] == (seen[a] & seen[b]).sum()


def test_chance_is_what_random_embeddings_reach(poses):
    seen = np.random.default_rng(3).random((2, FRAMES)) < 0.9
    nearby, errors = moments(window=11), PosePairErrors(poses)
    chance = evaluate_recorded_chance(seen, ordered_pairs(2), errors, nearby, KS)
    found = [
        evaluate_recorded_retrieval(
            np.random.default_rng(seed).normal(size=(2, FRAMES, 8)), seen, ordered_pairs(2), errors, nearby, KS
        ).hits
        for seed in range(25)
    ]
    np.testing.assert_allclose(np.mean(found, axis=(0, 1)), chance.hits.mean(axis=0), atol=0.04)
    assert chance.first_errors is None
    assert "first_neighbour_np_mpjpe" not in chance.to_dict()
    sampled = evaluate_recorded_chance(seen, ordered_pairs(2), errors, nearby, KS, max_alignments=30 * FRAMES)
    assert sampled.queries[0] < chance.queries[0]
    np.testing.assert_allclose(sampled.hits, chance.hits, atol=0.15)


def test_a_neighbourhood_counts_what_it_holds():
    frames = np.sort(np.random.default_rng(4).permutation(FRAMES)[:31])
    for nearby in (moments(), moments(13), replace(moments(13), with_own=True), moments(8, sequences=5)):
        held = nearby.holds(frames[:, None], frames)
        np.testing.assert_array_equal(nearby.sizes(frames), held.sum(axis=1))
        assert np.diagonal(held).all() == nearby.with_own
    assert len(moments().sizes(np.zeros(0, dtype=int))) == 0


def test_pairs_without_enough_frames_are_left_out(poses, embeddings):
    seen = np.ones((3, FRAMES), dtype=bool)
    seen[2, 4:] = False
    pairs = ordered_pairs(3)
    result = evaluate_recorded_retrieval(embeddings, seen, pairs, PosePairErrors(poses), moments(), KS)
    assert result.pairs == ((0, 1), (1, 0))
    assert result.over([(1, 0), (2, 1)]).pairs == ((1, 0),)
    np.testing.assert_array_equal(result.over([(1, 0)]).hits, result.hits[1:])
    assert result.to_dict()["pairs"] == 2
    assert evaluate_recorded_chance(seen, pairs, PosePairErrors(poses), moments(), KS).pairs == result.pairs
    with pytest.raises(ValueError, match="both cameras saw. Received: none"):
        result.over([(2, 1)])
    with pytest.raises(ValueError, match="more than 10 frames"):
        evaluate_recorded_retrieval(embeddings, seen, [(0, 2)], PosePairErrors(poses), moments(), KS)


def test_ranks_are_those_that_half_of_the_pairs_have():
    seen = np.zeros((3, FRAMES), dtype=bool)
    seen[:, :12] = True
    seen[2, 3:] = False
    assert usable_ranks(seen, [(0, 1), (1, 0), (0, 2)], moments()) == (1, 5, 10)
    assert usable_ranks(seen, [(0, 2), (2, 1), (0, 1)], moments()) == (1,)
    with pytest.raises(ValueError, match="at least 2 candidates"):
        usable_ranks(seen & (np.arange(FRAMES) < 1), [(0, 1)], moments())


def test_lifting_counts_each_camera_over_its_own_frames():
    rng = np.random.default_rng(5)
    lifted, truth, torso = rng.normal(size=(3, 11, 13, 3)), rng.normal(size=(11, 13, 3)), rng.uniform(400, 600, 11)
    seen = np.zeros((3, 11), dtype=bool)
    seen[0, :4], seen[2, 3:] = True, True
    result = evaluate_recorded_lifting(lifted, seen, truth, torso, ("a", "b", "c"))
    assert result.camera_names == ("a", "c")
    alone = evaluate_lifting(lifted[2:, 3:], truth[3:], torso[3:])
    assert result.cameras[1] == alone.cameras[0]
    with pytest.raises(ValueError, match="a camera that saw a frame"):
        evaluate_recorded_lifting(lifted, seen & False, truth, torso, ("a", "b", "c"))


def test_agreement_is_the_mean_over_the_cameras_of_each_frame():
    lifted = np.random.default_rng(6).normal(size=(3, 4, 13, 3))
    torso = np.array([400.0, 500, 600, 700])
    seen = np.array([[1, 1, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0]], dtype=bool)
    expected = []
    for frame in range(4):
        both = [pair for pair in combinations(range(3), 2) if seen[pair, frame].all()]
        if both:
            gaps = [np.linalg.norm(lifted[a, frame] - lifted[b, frame], axis=-1).mean() for a, b in both]
            expected.append((np.mean(gaps), np.mean(gaps) * torso[frame]))
    agreement = evaluate_agreement(lifted, seen, torso)
    assert agreement.frames == 3
    assert (agreement.mpjpe, agreement.mpjpe_mm) == pytest.approx(np.mean(expected, axis=0))
    assert evaluate_agreement(lifted[:1], seen[:1], torso) is None
