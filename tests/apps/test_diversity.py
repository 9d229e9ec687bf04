"""How varied poses are."""

import numpy as np
import pytest

from vvipe_tf.apps.diversity import ReferenceClusters, mean_pairwise_distance, nearest_distances

CORNERS = np.array([[0.0, 0], [100, 0], [0, 100], [100, 100]])


@pytest.fixture(scope="module")
def reference():
    return np.repeat(CORNERS, 30, axis=0) + np.random.default_rng(0).normal(size=(120, 2))


def test_the_mean_distance_counts_each_pair_once():
    assert mean_pairwise_distance(np.array([[0.0], [1], [3]])) == pytest.approx(2)
    assert mean_pairwise_distance(np.zeros((1, 5))) == 0


def test_poses_that_are_all_alike_cover_one_kind(reference):
    clusters = ReferenceClusters(reference, num_clusters=4)
    alike = clusters.measure(reference[:7])
    assert (alike.clusters, alike.covered, alike.largest_share) == (4, 0.25, 1.0)
    varied = clusters.measure(reference[::30])
    assert (varied.covered, varied.largest_share) == (1.0, 0.25)
    assert varied.mean_distance > 10 * alike.mean_distance


def test_the_reference_covers_itself(reference):
    own = ReferenceClusters(reference, num_clusters=4).measure_reference(60)
    assert own.covered == 1.0
    assert own.largest_share < 0.5


def test_distances_to_the_nearest_are_exact(reference):
    queries = np.random.default_rng(3).uniform(0, 100, (9, 2))
    expected = np.linalg.norm(queries[:, None] - reference[None], axis=-1).min(axis=1)
    np.testing.assert_allclose(nearest_distances(queries, reference), expected)


def test_fewer_poses_than_kinds_make_fewer_kinds():
    assert len(ReferenceClusters(CORNERS[:3], num_clusters=20).centres) == 3
