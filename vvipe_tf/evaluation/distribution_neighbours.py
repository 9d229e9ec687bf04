"""Exact nearest neighbours of embeddings that are distributions, given by samples (PR-VIPE)."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

_QUERIES_PER_BLOCK = 64
# Candidates of a partial search that are compared at once: enough that BLAS pays, few enough to stop early.
_CANDIDATES_PER_STEP = 48
_MAX_THREADS = 8


def nearest_distributions(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """Nearest neighbours by the mean L2 distance over all pairs of samples; equal distances by gallery index.

    A partial search: gallery items are compared sample by sample in the order of a lower bound of their distance, until
    the next bound lies beyond the k-th best distance found. With a the squared distance of a random pair of samples,
    Hoelder's inequality bounds the mean distance E[sqrt(a)] from below by E[a]^1.5 / E[a^2]^0.5, which moments of the
    two distributions give for all pairs by one matrix product.

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
    moments = _Moments(gallery)
    squares = np.einsum("gsd,gsd->gs", gallery, gallery)
    neighbours = np.empty((len(queries), k), dtype=np.int64)

    def fill(start):
        block = queries[start : start + _QUERIES_PER_BLOCK]
        bounds = _lower_bounds(_Moments(block), moments)
        for row, (query, bound) in enumerate(zip(block, bounds, strict=True), start=start):
            neighbours[row] = _search(query, bound, gallery, squares, k)

    # A thread a block, BLAS on one: products this small are slower on several.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        for _ in pool.map(fill, range(0, len(queries), _QUERIES_PER_BLOCK)):  # Raises here what a block raised.
            pass
    return neighbours


class _Moments:
    """Moments of distributions that the first two moments of squared distances between their samples are made of.

    Args:
        samples: Centred samples (n, samples, embedding_dim).
    """

    def __init__(self, samples: np.ndarray):
        squares = np.einsum("nsd,nsd->ns", samples, samples)
        self.mean = samples.mean(axis=1)
        self.square = squares.mean(axis=1)  # E|x|^2
        self.fourth = np.square(squares).mean(axis=1)  # E|x|^4
        self.third = np.einsum("ns,nsd->nd", squares, samples) / samples.shape[1]  # E[|x|^2 x]
        second = np.matmul(samples.swapaxes(1, 2), samples) / samples.shape[1]  # E[x x^T]
        rows, columns = np.triu_indices(samples.shape[2])
        # Its upper triangle, weighted so that products of two are those of the whole matrices.
        self.second = second[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))
        self.largest = np.sqrt(squares.max(axis=1))


def _lower_bounds(queries: _Moments, gallery: _Moments) -> np.ndarray:
    """Numbers (queries, gallery) that mean distances do not go below."""
    first = queries.square[:, None] + gallery.square - 2.0 * queries.mean @ gallery.mean.T
    # E(|x|^2 + |y|^2 - 2 x.y)^2, term by term.
    factors = np.hstack([queries.second, -queries.third, -queries.mean])
    second = factors @ (4.0 * np.hstack([gallery.second, gallery.mean, gallery.third]).T)
    second += queries.fourth[:, None] + gallery.fourth + 2.0 * np.outer(queries.square, gallery.square)
    # The absolute values of all terms sum to at most this, and its square; so much can rounding be off.
    scale = np.square(np.add.outer(queries.largest, gallery.largest))
    rounding = 4 * (factors.shape[1] + 10) * np.finfo(np.float64).eps
    first = np.maximum(first - rounding * scale, 0.0)
    second = np.maximum(second, 0.0) + rounding * np.square(scale)
    # E[a] of 0 with E[a^2] of 0 is a bound of 0.
    return first * np.sqrt(first / np.maximum(second, np.finfo(np.float64).tiny))


def _search(query: np.ndarray, bounds: np.ndarray, gallery: np.ndarray, squares: np.ndarray, k: int) -> np.ndarray:
    """The k nearest of one query (samples, embedding_dim): indices, nearest first."""
    order = np.argsort(bounds)
    factor = -2.0 * query.T
    query_sq = np.einsum("sd,sd->s", query, query)
    bounds = bounds * (len(query) * gallery.shape[1])  # As the distances, which are sums here.
    found, distances = np.zeros(0, dtype=np.int64), np.zeros(0)
    for start in range(0, len(order), _CANDIDATES_PER_STEP):
        if len(found) == k and bounds[order[start]] > distances[-1]:
            break
        chosen = order[start : start + _CANDIDATES_PER_STEP]
        squared = gallery[chosen].reshape(-1, query.shape[1]) @ factor
        squared += query_sq
        squared += squares[chosen].reshape(-1, 1)
        np.sqrt(np.maximum(squared, 0.0, out=squared), out=squared)
        found = np.concatenate([found, chosen])
        distances = np.concatenate([distances, squared.reshape(len(chosen), -1).sum(axis=1)])
        nearest = np.lexsort((found, distances))[:k]
        found, distances = found[nearest], distances[nearest]
    return found


def _checked_samples(samples, name):
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 3 or 0 in samples.shape:
        raise ValueError(f"Expected {name} of shape (n, samples, embedding_dim), not empty. Received: {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError(f"Expected finite {name}. Received: {int((~np.isfinite(samples)).sum())} values that are not")
    return samples
