"""How the embeddings of real poses are spread: mean and covariance, noise like it, distances from it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class EmbeddingStatistics(NamedTuple):
    """A normal distribution of embeddings.

    Args:
        mean: Mean (dim,).
        covariance: Covariance (dim, dim).
    """

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, embeddings: np.ndarray) -> "EmbeddingStatistics":
        """Statistics of embeddings (n, dim).

        Raises:
            ValueError: If there are fewer than two.
        """
        embeddings = np.asarray(embeddings, np.float64)
        if embeddings.ndim != 2 or len(embeddings) < 2:
            raise ValueError(f"Expected at least two embeddings (n, dim). Received: shape={embeddings.shape}")
        return cls(embeddings.mean(axis=0), np.cov(embeddings, rowvar=False).reshape(2 * embeddings.shape[1:]))

    @classmethod
    def of_model(cls, description: Mapping) -> "EmbeddingStatistics | None":
        """What a model knows of its training poses: its `embedding_statistics`; None if it knows nothing."""
        known = description.get("embedding_statistics")
        return None if known is None else cls(np.asarray(known["mean"]), np.asarray(known["covariance"]))

    def noise(self, num_draws: int, seed: int) -> np.ndarray:
        """Draws (num_draws, dim) float64 with this covariance and mean 0."""
        sizes, axes = np.linalg.eigh(self.covariance)
        white = np.random.default_rng(seed).standard_normal((num_draws, len(self.mean)))
        return (white * np.sqrt(np.maximum(sizes, 0.0))) @ axes.T

    def mahalanobis(self, embeddings: np.ndarray) -> np.ndarray:
        """Mahalanobis distances (n,) of embeddings (n, dim); sqrt(dim) is usual.

        Directions in which the embeddings do not vary at all do not count.
        """
        centred = np.asarray(embeddings, np.float64) - self.mean
        return np.sqrt(np.maximum(np.einsum("nd,de,ne->n", centred, np.linalg.pinv(self.covariance), centred), 0.0))
