"""Mean and covariance of embeddings, noise like them, distances from them."""

import numpy as np
import pytest

from vvipe_tf.apps.embedding_statistics import EmbeddingStatistics

MIXING = np.array([[2.0, 0, 0], [1, 0.5, 0], [0, -1, 0.1]])


def test_noise_has_the_covariance_and_no_mean():
    statistics = EmbeddingStatistics(np.array([5.0, 6, 7]), MIXING @ MIXING.T)
    noise = statistics.noise(40_000, seed=2)
    np.testing.assert_allclose(np.cov(noise, rowvar=False), MIXING @ MIXING.T, atol=0.08)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.05)
    np.testing.assert_array_equal(noise, statistics.noise(40_000, seed=2))


def test_mahalanobis_distances_undo_the_mixing():
    white = np.random.default_rng(0).normal(size=(7, 3))
    statistics = EmbeddingStatistics(np.array([5.0, 6, 7]), MIXING @ MIXING.T)
    distances = statistics.mahalanobis(white @ MIXING.T + statistics.mean)
    np.testing.assert_allclose(distances, np.linalg.norm(white, axis=1))


def test_statistics_come_from_embeddings_or_the_model():
    embeddings = np.random.default_rng(1).normal(size=(50, 4))
    measured = EmbeddingStatistics.of(embeddings)
    known = {"embedding_statistics": {"mean": measured.mean.tolist(), "covariance": measured.covariance.tolist()}}
    np.testing.assert_array_equal(EmbeddingStatistics.of_model(known).covariance, measured.covariance)
    assert EmbeddingStatistics.of_model({}) is None
    with pytest.raises(ValueError, match="at least two embeddings"):
        EmbeddingStatistics.of(embeddings[:1])
