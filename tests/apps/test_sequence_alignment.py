"""Dynamic time warping of embeddings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vvipe_tf.apps.sequence_alignment import align_sequences, distance_matrix, find_offset


def least_cost(distances, warp_cost, free):
    """The textbook recursion, in plain Python."""
    rows, columns = distances.shape
    cost = np.full((rows + 1, columns + 1), np.inf)
    cost[0, :] = 0 if free else np.inf
    cost[0, 0] = 0
    for i in range(rows):
        for j in range(columns):
            cost[i + 1, j + 1] = distances[i, j] + min(
                cost[i, j], cost[i, j + 1] + warp_cost, cost[i + 1, j] + warp_cost
            )
    return cost[rows, 1:].min() if free else cost[rows, columns]


def cost_of(path, warp_cost):
    steps = np.diff(np.stack([path.rows_a, path.rows_b]), axis=1)
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(axis=0) > 0).all()
    return path.distances.sum() + warp_cost * (steps.sum(axis=0) == 1).sum()


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 7), st.integers(1, 11), st.sampled_from([0.0, 0.5]), st.booleans(), st.integers(0, 2**31 - 1))
def test_no_path_is_cheaper(rows, columns, warp_cost, part, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(rows, 3)), rng.normal(size=(columns, 3))
    path = align_sequences(a, b, "part" if part else "whole", warp_cost=warp_cost)
    distances = distance_matrix(a, b)
    np.testing.assert_allclose(path.distances, distances[path.rows_a, path.rows_b])
    if part and rows > columns:
        expected = least_cost(distances.T, warp_cost, free=True)
    else:
        expected = least_cost(distances, warp_cost, free=part)
        assert (path.rows_a[0], path.rows_a[-1]) == (0, rows - 1)
    assert cost_of(path, warp_cost) == pytest.approx(expected)


def test_a_pause_is_warped_away():
    moves = np.array([[0.0], [1], [2], [3], [4]])
    path = align_sequences(moves, moves[[0, 1, 2, 2, 2, 3, 4]])
    assert path.distances.tolist() == [0] * 7
    assert path.rows_a.tolist() == [0, 1, 2, 2, 2, 3, 4]


def test_the_shorter_clip_is_found_in_the_longer_one_either_way_round():
    long = np.random.default_rng(1).normal(size=(40, 4))
    for a, b, found in ((long[11:19], long, "rows_b"), (long, long[11:19], "rows_a")):
        path = align_sequences(a, b, "part")
        assert getattr(path, found).tolist() == list(range(11, 19))
        assert path.distances.max() == 0


def test_an_offset_is_found_by_frame_number_despite_gaps():
    motion = np.cumsum(np.random.default_rng(2).normal(size=(60, 3)), axis=0)
    seen_a, seen_b = np.delete(np.arange(45), [7, 8, 30]), np.delete(np.arange(15, 60), [4, 20])
    path = align_sequences(motion[seen_a], motion[seen_b], "overlap", seen_a, seen_b - 15)
    assert find_offset(distance_matrix(motion[seen_a], motion[seen_b]), seen_a, seen_b - 15) == -15
    assert seen_a[path.rows_a[0]] == seen_b[path.rows_b[0]] == 15
    assert seen_a[path.rows_a[-1]] == seen_b[path.rows_b[-1]] == 44


@pytest.mark.parametrize(
    ("a", "b", "match", "message"),
    [
        (np.zeros((2, 3)), np.zeros((4, 5)), "whole", "Expected embeddings"),
        (np.zeros((0, 3)), np.zeros((4, 3)), "whole", "Expected embeddings"),
        (np.full((2, 3), np.nan), np.zeros((4, 3)), "whole", "Expected finite"),
        (np.zeros((9000, 1)), np.zeros((8000, 1)), "whole", "cut the clips"),
        (np.zeros((2, 3)), np.zeros((4, 3)), "some", "Expected a match among"),
    ],
)
def test_what_cannot_be_aligned_is_refused(a, b, match, message):
    with pytest.raises(ValueError, match=message):
        align_sequences(a, b, match)
