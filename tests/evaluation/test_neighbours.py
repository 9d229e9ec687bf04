"""Exact nearest neighbours: by hand, against a loop, and where float32 would go wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vvipe_tf.evaluation import neighbours as module
from vvipe_tf.evaluation.neighbours import drop_own_frame, nearest_neighbours


def nearest_by_loop(queries, gallery, k):
    rows = []
    for query in queries:
        squared = [sum((float(a) - float(b)) ** 2 for a, b in zip(query, item, strict=True)) for item in gallery]
        rows.append(sorted(range(len(gallery)), key=lambda index: (squared[index], index))[:k])
    return np.array(rows)


def test_neighbours_on_a_line_are_those_one_can_see():
    """Gallery g and queries q on a line; 4.5 lies midway between g1 and g2, so the lower index comes first.

    position:  0    1    2    3    4    4.5  5    6    7
               g0   qA             g1   qB   g2        g3
    """
    gallery = np.array([[0.0], [4.0], [5.0], [7.0]])
    found = nearest_neighbours(np.array([[1.0], [4.5]]), gallery, 3)
    assert found.tolist() == [[0, 1, 2], [1, 2, 3]]


@given(
    st.integers(1, 12), st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 1000])
)
@settings(max_examples=60, deadline=None)
def test_neighbours_equal_the_loop_with_many_ties(num_queries, size, dims, seed, steps):
    rng = np.random.default_rng(seed)
    queries, gallery = (rng.integers(0, steps + 1, (n, dims)).astype(float) for n in (num_queries, size))
    k = int(rng.integers(1, size + 1))
    np.testing.assert_array_equal(nearest_neighbours(queries, gallery, k), nearest_by_loop(queries, gallery, k))


def test_neighbours_equal_float64_distances_in_a_large_gallery_of_several_blocks(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_SCORES", 50_000)
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(150, 7)).astype(np.float32), rng.normal(size=(3001, 7)).astype(np.float32)
    squared = np.square(queries[:, None].astype(float) - gallery[None]).sum(axis=-1)
    np.testing.assert_array_equal(nearest_neighbours(queries, gallery, 20), np.argsort(squared, axis=1)[:, :20])


def test_neighbours_are_right_where_float32_cannot_tell_them_apart():
    """Steps of 1e-7 about (1000, 1): a float32 product sees one single point."""
    rng = np.random.default_rng(1)
    order = rng.permutation(2311)
    gallery = np.array([1000.0, 1.0]) + order[:, None] * np.array([1e-7, 0.0])
    queries = np.array([[1000.0 - 1e-3, 1.0]])
    np.testing.assert_array_equal(nearest_neighbours(queries, gallery, 13)[0], np.argsort(order)[:13])


def test_one_far_gallery_item_does_not_spoil_the_order_of_the_others():
    rng = np.random.default_rng(2)
    gallery = rng.normal(size=(1777, 5))
    gallery[900] = 1e6
    queries = rng.normal(size=(31, 5))
    squared = np.square(queries[:, None] - gallery[None]).sum(axis=-1)
    np.testing.assert_array_equal(nearest_neighbours(queries, gallery, 11), np.argsort(squared, axis=1)[:, :11])


def test_duplicates_in_a_large_gallery_come_in_the_order_of_their_index():
    rng = np.random.default_rng(3)
    distinct = rng.normal(size=(23, 6))
    copies = rng.integers(0, 23, 1900)
    found = nearest_neighbours(distinct, distinct[copies], 10)
    for index in range(23):
        assert found[index].tolist() == np.flatnonzero(copies == index)[:10].tolist()


def count_exhaustive(monkeypatch):
    """Queries that the matrix product could not prove."""
    counted = []
    search = module._search_exhaustively
    monkeypatch.setattr(module, "_search_exhaustively", lambda q, g, k: counted.append(len(q)) or search(q, g, k))
    return counted


def test_an_embedding_that_collapsed_to_one_point_is_answered_in_the_order_of_the_index(monkeypatch):
    counted = count_exhaustive(monkeypatch)
    found = nearest_neighbours(np.full((57, 4), 0.3), np.full((811, 4), 0.3), 9)
    np.testing.assert_array_equal(found, np.tile(np.arange(9), (57, 1)))
    assert counted == [57]


def test_far_items_leave_the_proof_to_the_matrix_product(monkeypatch):
    counted = count_exhaustive(monkeypatch)
    rng = np.random.default_rng(4)
    gallery, queries = rng.normal(size=(1213, 8)), rng.normal(size=(37, 8))
    gallery[::100] *= 1e5
    squared = np.square(queries[:, None] - gallery[None]).sum(axis=-1)
    np.testing.assert_array_equal(nearest_neighbours(queries, gallery, 6), np.argsort(squared, axis=1)[:, :6])
    assert counted == []


@pytest.mark.parametrize("unit", [1e-120, 1e-30, 1e30, 1e120])
def test_the_unit_of_an_embedding_does_not_matter(unit):
    rng = np.random.default_rng(5)
    gallery, queries = rng.normal(size=(997, 3)), rng.normal(size=(19, 3))
    expected = nearest_neighbours(queries, gallery, 7)
    np.testing.assert_array_equal(nearest_neighbours(unit * queries, unit * gallery, 7), expected)


def test_queries_so_far_that_all_distances_are_equal_get_the_first_items():
    rng = np.random.default_rng(6)
    found = nearest_neighbours(1e50 * rng.normal(size=(3, 4)), rng.normal(size=(701, 4)), 2)
    assert found.tolist() == [[0, 1]] * 3


def test_more_neighbours_than_gallery_items_are_refused():
    with pytest.raises(ValueError, match=r"1 <= k <= gallery size 4. Received: k=5"):
        nearest_neighbours(np.zeros((3, 2)), np.zeros((4, 2)), 5)
    with pytest.raises(ValueError, match="Received: k=0"):
        nearest_neighbours(np.zeros((3, 2)), np.zeros((4, 2)), 0)


def test_embeddings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one dimension. Received: 2 and 3"):
        nearest_neighbours(np.zeros((5, 2)), np.zeros((4, 3)), 1)
    with pytest.raises(ValueError, match=r"queries of shape \(n, embedding_dim\).*shape=\(5,\)"):
        nearest_neighbours(np.zeros(5), np.zeros((4, 3)), 1)
    with pytest.raises(ValueError, match="finite gallery. Received: 2 rows that are not, first index 1"):
        nearest_neighbours(np.zeros((5, 1)), np.array([[0.0], [np.nan], [1.0], [np.inf]]), 1)


def test_own_frame_is_dropped_wherever_it_stands():
    """Query 0 finds a duplicate first and itself second; query 1 itself first; query 2 is crowded out by duplicates.

    neighbours        own   without
    [4, 0, 2, 3]      0     [4, 2, 3]      dropping rank 0 would have kept itself
    [1, 3, 0, 2]      1     [3, 0, 2]
    [5, 6, 7, 8]      2     [5, 6, 7]
    """
    found = np.array([[4, 0, 2, 3], [1, 3, 0, 2], [5, 6, 7, 8]])
    assert drop_own_frame(found, np.array([0, 1, 2])).tolist() == [[4, 2, 3], [3, 0, 2], [5, 6, 7]]


def test_own_frames_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r"shapes=\(3, 4\), \(2,\)"):
        drop_own_frame(np.zeros((3, 4), dtype=int), np.zeros(2, dtype=int))
    with pytest.raises(ValueError, match=r"shapes=\(3, 1\), \(3,\)"):
        drop_own_frame(np.zeros((3, 1), dtype=int), np.zeros(3, dtype=int))
