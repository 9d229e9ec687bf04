"""Exact nearest neighbours in an embedding space, and how to leave a query's own frame out."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

_SPARE_CANDIDATES = 12
_FOLD = 16
_BLOCK_SCORES = 1 << 20
_FAR = np.float32(1e30)
_MAX_THREADS = 8
_TINY = 1e-35


def nearest_neighbours(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """Exact L2 nearest neighbours, nearest first; equal distances are ordered by gallery index.

    A float32 matrix product proposes a few more than k candidates, float64 differences rank them, and an error bound
    on the product proves that no other gallery item can be among the k nearest. Queries for which it cannot (many
    duplicates, say) are compared with the whole gallery in float64. Memory stays bounded: the (queries, gallery) matrix
    is never held.

    Args:
        queries: Query embeddings (queries, embedding_dim).
        gallery: Gallery embeddings (gallery, embedding_dim).
        k: Number of neighbours, at most the size of the gallery.

    Returns:
        Gallery indices (queries, k) int64.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or k is out of range.
    """
    queries, gallery = _checked_embeddings(queries, "queries"), _checked_embeddings(gallery, "gallery")
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(f"Expected embeddings of one dimension. Received: {queries.shape[1]} and {gallery.shape[1]}")
    if not 1 <= k <= len(gallery):
        raise ValueError(f"Expected 1 <= k <= gallery size {len(gallery)}. Received: k={k}")
    centre = np.median(gallery, axis=0)  # Unlike the mean, amid the gallery even where a few items are far.
    search = _CandidateSearch(gallery - centre, min(len(gallery), k + _SPARE_CANDIDATES))
    neighbours = np.empty((len(queries), k), dtype=np.int64)
    proven = np.empty(len(queries), dtype=bool)
    block = max(1, _BLOCK_SCORES // len(gallery))

    def fill(start):
        rows = slice(start, start + block)
        candidates, bound = search.propose(queries[rows] - centre)
        neighbours[rows], squared = _rank_exactly(queries[rows], gallery, candidates, k)
        proven[rows] = squared[:, -1] < bound

    # A thread a block: threads within a product this small spend half as much again in waiting for each other.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        for _ in pool.map(fill, range(0, len(queries), block)):  # Raises here what a block raised.
            pass
    if not proven.all():
        neighbours[~proven] = _search_exhaustively(queries[~proven], gallery, k)
    return neighbours


class _CandidateSearch:
    """Proposes neighbours by |q - g|^2 = |q|^2 + 2 (|g|^2 / 2 - q.g), the bracket as one float32 matrix product.

    What rounding can add to the bracket is taken off within the product, for each item by its own norm: the scores are
    lower bounds, and one far item does not blur the others.

    Args:
        gallery: Centred gallery (gallery, embedding_dim) float64.
        candidates: Number of candidates per query.
    """

    def __init__(self, gallery: np.ndarray, candidates: int):
        self._size = len(gallery)
        self._candidates = candidates
        # Column j of every fold is one bin; only the bins with the smallest minima are looked into.
        self._fold = max(1, min(_FOLD, self._size // (4 * candidates)))
        self._bins = -(-self._size // self._fold)
        norms = np.linalg.norm(gallery, axis=1)
        # In units of the largest norm nothing overflows, and what underflows is below _TINY.
        self._unit = norms.max() or 1.0
        gallery, norms = gallery / self._unit, norms / self._unit
        # |fl(x.y) - x.y| <= n eps |x||y| / (1 - n eps) (Higham, eq. 3.5); twice that, as the inputs are rounded too.
        rounding = 2 * (gallery.shape[1] + 10) * np.finfo(np.float32).eps
        table = np.zeros((gallery.shape[1] + 2, self._fold * self._bins), dtype=np.float32)
        table[:-2, : self._size] = -gallery.T
        table[-2] = _FAR
        table[-2, : self._size] = norms**2 / 2 * (1 - rounding) - _TINY
        table[-1, : self._size] = -rounding * norms
        self._table = table

    def propose(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates (queries, candidates), and (queries,): a bound below the squared distance to all the others."""
        norms = np.linalg.norm(queries, axis=1) / self._unit
        with np.errstate(over="ignore", invalid="ignore"):  # Queries beyond float32 prove nothing.
            homogeneous = np.column_stack([queries / self._unit, np.ones(len(queries)), norms]).astype(np.float32)
            scores = homogeneous @ self._table
        bins = np.broadcast_to(np.arange(self._bins), (len(queries), self._bins))
        if self._fold > 1:
            least = scores.reshape(len(queries), self._fold, self._bins).min(axis=1)
            bins = np.argpartition(least, self._candidates - 1, axis=1)[:, : self._candidates]
        columns = (bins[:, None, :] + self._bins * np.arange(self._fold)[:, None]).reshape(len(queries), -1)
        inside = scores.ravel().take(columns + scores.shape[1] * np.arange(len(queries))[:, None])
        best = np.argpartition(inside, self._candidates - 1, axis=1)[:, : self._candidates]
        candidates = np.take_along_axis(columns, best, axis=1)
        if self._candidates == self._size:
            return candidates, np.full(len(queries), np.inf)
        cut = np.take_along_axis(inside, best, axis=1).max(axis=1).astype(np.float64)
        # The float64 squares are rounded as well; those of the gallery are covered above.
        return candidates, self._unit**2 * (norms**2 * (1 - 1e-12) + 2 * cut)


def _search_exhaustively(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """Neighbours (queries, k) by float64 distances to all of the gallery; equal embeddings are compared once."""
    queries, query_of = np.unique(queries, axis=0, return_inverse=True)
    distinct, item_of = np.unique(gallery, axis=0, return_inverse=True)
    neighbours = np.empty((len(queries), k), dtype=np.int64)
    for row, query in enumerate(queries):
        difference = distinct - query
        squared = np.einsum("gd,gd->g", difference, difference)[item_of]
        near = np.flatnonzero(squared <= np.partition(squared, k - 1)[k - 1])
        neighbours[row] = near[np.argsort(squared[near], kind="stable")[:k]]
    return neighbours[query_of]


def _rank_exactly(
    queries: np.ndarray, gallery: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    candidates = np.sort(candidates, axis=1)
    difference = gallery[candidates]
    difference -= queries[:, None, :]
    squared = np.einsum("qcd,qcd->qc", difference, difference)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(squared, order, axis=1)


def _checked_embeddings(embeddings: np.ndarray, name: str) -> np.ndarray:
    embeddings = np.asarray(embeddings, dtype=np.float64)
    if embeddings.ndim != 2 or 0 in embeddings.shape:
        raise ValueError(f"Expected {name} of shape (n, embedding_dim), not empty. Received: shape={embeddings.shape}")
    if not np.isfinite(embeddings).all():
        wrong = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
        raise ValueError(f"Expected finite {name}. Received: {len(wrong)} rows that are not, first index {wrong[0]}")
    return embeddings


def drop_own_frame(neighbours: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Removes each query's own gallery index from its neighbours, wherever it stands; else the last neighbour.

    Args:
        neighbours: Gallery indices (queries, k + 1), nearest first.
        own: Gallery index of each query's own frame (queries,).

    Returns:
        Gallery indices (queries, k) without the own frame.

    Raises:
        ValueError: If the shapes do not fit.
    """
    neighbours, own = np.asarray(neighbours), np.asarray(own)
    if neighbours.ndim != 2 or own.shape != neighbours.shape[:1] or neighbours.shape[1] < 2:
        raise ValueError(
            "Expected neighbours of shape (queries, k + 1) and own frames (queries,). "
            f"Received: shapes={neighbours.shape}, {own.shape}"
        )
    dropped = neighbours == own[:, None]
    dropped[:, -1] |= ~dropped.any(axis=1)
    return neighbours[~dropped].reshape(len(neighbours), -1)
