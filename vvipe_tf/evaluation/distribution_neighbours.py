"""Exact nearest neighbours of embeddings that are distributions, given by samples (PR-VIPE)."""

import numpy as np

# Relative room for rounding in the bounds.
_ROUNDING = 1e-9


def nearest_distributions(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """Nearest neighbours by the mean L2 distance over all pairs of samples; equal distances by gallery index.

    By Jensen's inequality the mean distance lies between the distance m of the two sample means and
    sqrt(m^2 + v + v'), where v is the mean squared distance of samples from their own mean. Only gallery items whose
    lower bound does not exceed the k-th smallest upper bound are compared sample by sample.

    Args:
        queries: Samples (queries, samples, embedding_dim).
        gallery: Samples (gallery, samples, embedding_dim).
        k: Number of neighbours, at most the size of the gallery.

    Returns:
        Gallery indices (queries, k) int64, nearest first.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or k is out of range.
    """
    queries, gallery = _checked_samples(queries, "queries"), _checked_samples(gallery, "gallery")
    if queries.shape[2] != gallery.shape[2]:
        raise ValueError(f"Expected samples of one dimension. Received: {queries.shape[2]} and {gallery.shape[2]}")
    if not 1 <= k <= len(gallery):
        raise ValueError(f"Expected 1 <= k <= gallery size {len(gallery)}. Received: k={k}")
    # Centred, so that little is lost where |a|^2 + |b|^2 - 2 a.b cancels.
    centre = gallery.mean(axis=(0, 1))
    queries, gallery = queries - centre, gallery - centre
    lower, upper = _bounds(queries, gallery)
    limits = np.partition(upper, k - 1, axis=1)[:, k - 1] * (1 + _ROUNDING) + _ROUNDING
    gallery_sq = np.einsum("gsd,gsd->gs", gallery, gallery)
    neighbours = np.empty((len(queries), k), dtype=np.int64)
    for row, (query, limit) in enumerate(zip(queries, limits, strict=True)):
        candidates = np.flatnonzero(lower[row] <= limit)
        flat = gallery[candidates].reshape(-1, gallery.shape[2])
        squared = query @ (-2.0 * flat.T)
        squared += np.einsum("sd,sd->s", query, query)[:, None]
        squared += gallery_sq[candidates].reshape(-1)
        np.sqrt(np.maximum(squared, 0.0, out=squared), out=squared)
        distances = squared.sum(axis=0).reshape(len(candidates), -1).sum(axis=1)
        neighbours[row] = candidates[np.argsort(distances, kind="stable")[:k]]
    return neighbours


def _bounds(queries, gallery):
    means, gallery_means = queries.mean(axis=1), gallery.mean(axis=1)
    squared = -2.0 * means @ gallery_means.T
    squared += np.einsum("qd,qd->q", means, means)[:, None]
    squared += np.einsum("gd,gd->g", gallery_means, gallery_means)
    np.maximum(squared, 0.0, out=squared)
    spread = np.square(queries - means[:, None]).sum(axis=2).mean(axis=1)
    gallery_spread = np.square(gallery - gallery_means[:, None]).sum(axis=2).mean(axis=1)
    return np.sqrt(squared), np.sqrt(squared + spread[:, None] + gallery_spread)


def _checked_samples(samples, name):
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 3 or 0 in samples.shape:
        raise ValueError(f"Expected {name} of shape (n, samples, embedding_dim), not empty. Received: {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError(f"Expected finite {name}. Received: {int((~np.isfinite(samples)).sum())} values that are not")
    return samples
