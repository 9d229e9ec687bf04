"""Equal vectors, kept once: a graph falls apart where many are equal, as those of a person at rest are."""

import numpy as np

from vvipe_tf.apps.index.kinds import VectorIndex, choose_kind


def distinct_rows(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finds the different rows.

    Args:
        vectors: Vectors (n, dim) float32.

    Returns:
        Index (distinct,) of the first row of each kind, ascending, and (n,) the number of each row's kind.
    """
    if not len(vectors):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # Adding 0 turns -0 into 0, which is equal but has other bytes.
    rows = np.ascontiguousarray(vectors + np.float32(0)).view(np.dtype((np.void, vectors.shape[1] * 4)))[:, 0]
    _, first, kind = np.unique(rows, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[kind]


class DistinctVectors:
    """Vectors of items, equal ones stored once.

    Args:
        index: The different vectors.
        vector_of_item: Number of each item's vector (items,) int64.

    Raises:
        ValueError: If a number is out of range, or a vector belongs to no item.
    """

    def __init__(self, index: VectorIndex, vector_of_item: np.ndarray):
        """Sorts the items by vector."""
        in_range = vector_of_item.ndim == 1 and vector_of_item.dtype == np.int64
        in_range = in_range and not ((vector_of_item < 0) | (vector_of_item >= len(index))).any()
        sizes = np.bincount(vector_of_item, minlength=len(index)) if in_range else np.zeros(1, dtype=np.int64)
        if not sizes.all():
            raise ValueError(f"Expected items that use each of {len(index)} vectors. Received: other numbers")
        self.index = index
        self.vector_of_item = vector_of_item
        self._sizes = sizes
        self._starts = np.cumsum(sizes) - sizes
        self._items = np.argsort(vector_of_item, kind="stable")

    @classmethod
    def build(cls, vectors: np.ndarray, kind: str | None, seed: int, recall: float) -> "DistinctVectors":
        """Builds an index of the different vectors.

        Args:
            vectors: Vectors of the items (items, dim) float32.
            kind: Kind of index; None for what suits the number of items.
            seed: As in `VectorIndex.build`; also the seed of the order in which a graph takes the vectors.
            recall: As in `VectorIndex.build`.

        Returns:
            The vectors.

        Raises:
            ValueError: As `VectorIndex.build`.
        """
        kind = kind or choose_kind(len(vectors))
        first, vector_of_item = distinct_rows(vectors)
        order = np.arange(len(first))
        if kind == "hnsw":
            # In the order of a video each frame would be linked to its neighbours in time and little else.
            order = np.random.default_rng(seed).permutation(order)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(VectorIndex.build(kind, vectors[first[order]], seed, recall), place[vector_of_item])

    def __len__(self) -> int:
        """Number of items."""
        return len(self.vector_of_item)

    def vectors(self, items: np.ndarray) -> np.ndarray:
        """Vectors (n, dim) float32 of items (n,)."""
        return self.index.vectors(self.vector_of_item[items])

    def with_added(self, vectors: np.ndarray) -> "DistinctVectors":
        """Adds the vectors of further items (n, dim) to the same index; the earlier object is used up."""
        first, group = distinct_rows(vectors)
        numbers = np.full(len(first), -1)
        if len(self.index):
            distances, nearest = self.index.nearest(vectors[first], 1)
            numbers = np.where(distances[:, 0] == 0, nearest[:, 0], -1)
        new = np.flatnonzero(numbers < 0)
        numbers[new] = len(self.index) + np.arange(len(new))
        self.index.add(vectors[first[new]])
        return DistinctVectors(self.index, np.concatenate([self.vector_of_item, numbers[group]]))

    def nearest(self, queries: np.ndarray, k: int, effort: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest items, nearest first; items with one vector in ascending order.

        Args:
            queries: Queries (q, dim) float32.
            k: Number of neighbours, at most the number of items.
            effort: Instead of the calibrated one.

        Returns:
            L2 distances (q, k) float32 and item numbers (q, k) int64.
        """
        distances, vectors = self.index.nearest(queries, min(k, len(self.index)), effort)
        sizes = self._sizes[vectors]
        if sizes.max(initial=1) == 1:
            return distances, self._items[self._starts[vectors]]
        ends = np.cumsum(sizes, axis=1)
        # Place j of a row belongs to the first vector whose items end behind it.
        places = np.arange(k)
        column = np.zeros((len(queries), k), dtype=np.int64)
        for end in ends[:, :-1].T:
            column += places >= end[:, None]
        chosen = np.take_along_axis(vectors, column, axis=1)
        begins = np.take_along_axis(ends - sizes, column, axis=1)
        return np.take_along_axis(distances, column, axis=1), self._items[self._starts[chosen] + places - begins]
