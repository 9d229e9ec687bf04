import numpy as np
import pytest

from vvipe_tf.evaluation import distribution_neighbours as module
from vvipe_tf.evaluation.distribution_neighbours import nearest_distributions


def by_loops(queries, gallery, k):
    found = []
    for query in queries:
        distances = [np.linalg.norm(query[:, None] - item[None], axis=-1).mean() for item in gallery]
        found.append(sorted(range(len(gallery)), key=lambda index: (distances[index], index))[:k])  # noqa: B023
    return np.array(found)


@pytest.mark.parametrize("spread", [0.01, 0.5, 5.0])
def test_equals_brute_force_however_wide_the_distributions(spread):
    rng = np.random.default_rng(0)
    queries, gallery = (
        rng.normal(size=(n, 1, 5)) + 3 + spread * rng.uniform(0.2, 1, (n, 1, 1)) * rng.normal(size=(n, 6, 5))
        for n in (23, 61)
    )
    np.testing.assert_array_equal(nearest_distributions(queries, gallery, 7), by_loops(queries, gallery, 7))


def draw(rng, n, spread, samples=6):
    """Distributions about points of a plane in five dimensions, each with its own width in every direction."""
    means = rng.normal(size=(n, 2)) @ np.linspace(-1, 1.3, 10).reshape(2, 5)
    return means[:, None] + spread * rng.uniform(0.2, 1, (n, 1, 5)) * rng.normal(size=(n, samples, 5))


@pytest.mark.parametrize("spread", [0.0, 0.03, 0.7])
def test_equals_brute_force_however_the_search_is_cut(spread, monkeypatch):
    rng = np.random.default_rng(4)
    queries, gallery = draw(rng, 23, spread), draw(rng, 97, spread)
    expected = by_loops(queries, gallery, 7)
    for step, block in ((3, 5), (11, 64)):
        monkeypatch.setattr(module, "_CANDIDATES_PER_STEP", step)
        monkeypatch.setattr(module, "_QUERIES_PER_BLOCK", block)
        np.testing.assert_array_equal(nearest_distributions(queries, gallery, 7), expected)


@pytest.mark.parametrize(("spread", "samples"), [(0.0, 3), (0.1, 1), (0.1, 8), (2.0, 8)])
def test_no_distance_is_below_its_bound_and_bounds_of_narrow_distributions_are_tight(spread, samples):
    rng = np.random.default_rng(5)
    queries, gallery = draw(rng, 13, spread, samples), draw(rng, 17, spread, samples)
    gallery[3] = queries[2]
    bounds = module._lower_bounds(module._Moments(queries), module._Moments(gallery))
    exact = np.linalg.norm(queries[:, None, :, None] - gallery[None, :, None], axis=-1).mean(axis=(2, 3))
    assert (bounds <= exact).all()
    assert np.median(bounds / np.maximum(exact, 1e-12)) > (0.8 if spread else 0.9999)


def test_copies_of_one_distribution_go_by_index_wherever_they_lie():
    rng = np.random.default_rng(7)
    gallery = draw(rng, 200, 0.4)
    copies = [3, 40, 77, 131, 198]
    gallery[copies] = gallery[3]
    found = nearest_distributions(gallery[[3]] + 1e-3, gallery, 9)[0]
    assert [index for index in found if index in copies] == copies


def test_a_wide_distribution_is_farther_than_its_mean():
    """Means at 1 and 1.1 from the query; the first spreads by 2, so that its mean distance is 2."""
    query = np.zeros((1, 2, 1))
    gallery = np.array([[[-1.0], [3.0]], [[1.1], [1.1]]])
    assert nearest_distributions(query, gallery, 2).tolist() == [[1, 0]]


def test_equal_distances_go_by_index_and_the_whole_gallery_may_be_asked_for():
    gallery = np.ones((4, 3, 2))
    assert nearest_distributions(np.zeros((2, 3, 2)), gallery, 4).tolist() == [[0, 1, 2, 3]] * 2


@pytest.mark.parametrize(
    ("queries", "gallery", "k", "message"),
    [
        (np.zeros((2, 3, 4)), np.zeros((5, 3, 6)), 1, "one dimension. Received: 4 and 6"),
        (np.zeros((2, 3)), np.zeros((5, 3, 6)), 1, "queries of shape"),
        (np.zeros((2, 3, 4)), np.full((5, 3, 4), np.nan), 1, "finite gallery"),
        (np.zeros((2, 3, 4)), np.zeros((5, 3, 4)), 6, "gallery size 5. Received: k=6"),
    ],
)
def test_bad_input_is_refused(queries, gallery, k, message):
    with pytest.raises(ValueError, match=message):
        nearest_distributions(queries, gallery, k)
