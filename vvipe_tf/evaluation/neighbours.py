"""Exact nearest neighbours in an embedding space, and how to leave a query's own frame out."""

import numpy as np

_SPARE_CANDIDATES = 12
_FOLD = 16
_BLOCK_SCORES = 1 << 20
_FAR = np.float32(1e30)


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
    centre = gallery.mean(axis=0)
    search = _CandidateSearch(gallery - centre, min(len(gallery), k + _SPARE_CANDIDATES))
    neighbours = np.empty((len(queries), k), dtype=np.int64)
    block = max(1, _BLOCK_SCORES // len(gallery))
    for start in range(0, len(queries), block):
        rows = queries[start : start + block]
        candidates, bound = search.propose(rows - centre)
        found, squared = _rank_exactly(rows, gallery, candidates, k)
        unproven = squared[:, -1] >= bound
        for row in np.flatnonzero(unproven):
            everything = np.arange(len(gallery))[None]
            found[row] = _rank_exactly(rows[row : row + 1], gallery, everything, k)[0]
        neighbours[start : start + block] = found
    return neighbours


class _CandidateSearch:
    """Proposes neighbours by |q - g|^2 = |q|^2 + 2 (|g|^2 / 2 - q.g), the bracket as one float32 matrix product.

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
        norms = np.einsum("gd,gd->g", gallery, gallery)
        table = np.zeros((gallery.shape[1] + 1, self._fold * self._bins), dtype=np.float32)
        table[:-1, : self._size] = -gallery.T
        table[-1] = _FAR
        table[-1, : self._size] = norms / 2
        self._table = table
        self._largest = np.sqrt(norms.max())

    def propose(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates (queries, candidates), and (queries,): a bound below the squared distance to all the others."""
        homogeneous = np.concatenate([queries, np.ones((len(queries), 1))], axis=1).astype(np.float32)
        scores = (homogeneous @ self._table).reshape(len(queries), self._fold, self._bins)
        if self._fold == 1:
            bins = np.broadcast_to(np.arange(self._bins), (len(queries), self._bins))
        else:
            bins = np.argpartition(scores.min(axis=1), self._candidates - 1, axis=1)[:, : self._candidates]
        inside = np.take_along_axis(scores, bins[:, None, :], axis=2).reshape(len(queries), -1)
        best = np.argpartition(inside, self._candidates - 1, axis=1)[:, : self._candidates]
        cut = np.take_along_axis(inside, best, axis=1).max(axis=1).astype(np.float64)
        fold, position = np.divmod(best, bins.shape[1])
        candidates = fold * self._bins + np.take_along_axis(bins, position, axis=1)
        if self._candidates == self._size:
            return candidates, np.full(len(queries), np.inf)
        norms = np.einsum("qd,qd->q", queries, queries)
        # |fl(x.y) - x.y| <= n eps |x||y| / (1 - n eps) (Higham, eq. 3.5); rounding the inputs adds a few eps more.
        rounding = 2 * (queries.shape[1] + 8) * np.finfo(np.float32).eps
        error = rounding * (np.sqrt(norms) * self._largest + self._largest**2 / 2)
        return candidates, norms + 2 * (cut - error)


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
