"""The three kinds of FAISS index, and how much effort each needs to find the nearest vector."""

import os
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

import faiss
import numpy as np

KINDS = ("flat", "hnsw", "ivf")
# Up to FLAT_LIMIT vectors comparing with all of them takes less than 0.3 ms. Above HNSW_LIMIT a graph costs more than
# it gives: on a million embeddings of video, inverted lists are built faster and reach a recall of .999, which
# the graph misses. In between, a graph takes additions of any kind; lists keep the clusters they were built with.
FLAT_LIMIT, HNSW_LIMIT = 20_000, 100_000

RECALL = 0.999
_NUM_LINKS, _CONSTRUCTION_EFFORT = 16, 80
_TRAINING_VECTORS_PER_LIST, _TRAINING_ROUNDS = 40, 8
_CALIBRATION_QUERIES, _CALIBRATION_STEP, _SCOUTING_EFFORT = 2000, 0.1, 32
_SPARE_CANDIDATES, _EXACT_BLOCK = 8, 4096
_CLASSES = {"flat": "IndexFlat", "hnsw": "IndexHNSWFlat", "ivf": "IndexIVFFlat"}


class Calibration(NamedTuple):
    """How hard an approximate index has to search.

    Args:
        effort: Length of the candidate list of a graph (`efSearch`), or number of inverted lists looked into
            (`nprobe`); 0 for an exact index.
        recall: Share of sample queries whose nearest vector was found with it.
        count: Number of vectors when this was measured.
    """

    effort: int
    recall: float
    count: int


def choose_kind(count: int) -> str:
    """Kind that suits a number of vectors: `flat` up to 20,000, `hnsw` up to 100,000, `ivf` above."""
    return "flat" if count <= FLAT_LIMIT else "hnsw" if count <= HNSW_LIMIT else "ivf"


class VectorIndex:
    """Vectors, numbered in the order they were added, in a FAISS index of L2 distances.

    Args:
        kind: One of `KINDS`.
        faiss_index: FAISS index of that kind.
        calibration: Effort of a search.
    """

    def __init__(self, kind: str, faiss_index: faiss.Index, calibration: Calibration):
        """Takes over the FAISS index."""
        self.kind = kind
        self.calibration = calibration
        self._index = faiss_index

    @classmethod
    def build(cls, kind: str, vectors: np.ndarray, seed: int, recall: float = RECALL) -> "VectorIndex":
        """Builds an index and finds the effort that reaches `recall`.

        Args:
            kind: One of `KINDS`.
            vectors: Vectors (n, dim) float32.
            seed: Seed of the clustering and of the sample queries.
            recall: Share of queries whose nearest vector shall be found.

        Returns:
            The index.

        Raises:
            ValueError: If the kind is unknown, or there is nothing to learn inverted lists from.
        """
        count, dim = vectors.shape
        if kind not in KINDS:
            raise ValueError(f"Expected a kind among {', '.join(KINDS)}. Received: {kind!r}")
        if kind == "flat":
            index = faiss.IndexFlatL2(dim)
        elif kind == "hnsw":
            index = faiss.IndexHNSWFlat(dim, _NUM_LINKS)
            index.hnsw.efConstruction = _CONSTRUCTION_EFFORT
            index.keep_max_size_level0 = True
        else:
            if not count:
                raise ValueError("Expected vectors to learn the lists of an ivf index from. Received: none")
            index = _trained_lists(vectors, seed)
        index.add(vectors)
        built = cls(kind, index, Calibration(0, 1.0, count))
        built.calibrate(recall, seed)
        return built

    def __len__(self) -> int:
        """Number of vectors."""
        return self._index.ntotal

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._index.d

    def add(self, vectors: np.ndarray) -> None:
        """Adds vectors (n, dim) float32."""
        self._index.add(vectors)

    def vectors(self, numbers: np.ndarray) -> np.ndarray:
        """Vectors (..., dim) by number (...)."""
        numbers = np.asarray(numbers, dtype=np.int64)
        if not numbers.size:
            return np.zeros((*numbers.shape, self.dim), dtype=np.float32)
        return self._index.reconstruct_batch(numbers.ravel()).reshape(*numbers.shape, self.dim)

    def nearest(self, queries: np.ndarray, k: int, effort: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest vectors, nearest first.

        Args:
            queries: Queries (q, dim) float32.
            k: Number of neighbours, at most the number of vectors.
            effort: Instead of the calibrated one.

        Returns:
            L2 distances (q, k) float32 and numbers (q, k) int64.
        """
        if self.kind == "flat":
            return self.exact(queries, k)
        effort = self.calibration.effort if effort is None else effort
        squared, numbers = self._index.search(queries, k, params=self._parameters(effort, k))
        distances = np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
        if numbers[:, -1].min(initial=0) < 0:
            short = np.flatnonzero(numbers[:, -1] < 0)
            distances[short], numbers[short] = self.exact(queries[short], k)
        return distances, numbers

    def exact(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """As `nearest`, by comparison with every vector; equal distances are ordered by number."""
        flat = self._flat()
        distances = np.empty((len(queries), k), dtype=np.float32)
        numbers = np.empty((len(queries), k), dtype=np.int64)
        for start in range(0, len(queries), _EXACT_BLOCK):
            block = slice(start, start + _EXACT_BLOCK)
            _, found = flat.search(queries[block], min(len(self), k + _SPARE_CANDIDATES))
            # FAISS expands the square in large batches, and loses digits: a vector is not at distance 0 from itself.
            distances[block], numbers[block] = _ranked(queries[block], self.vectors(found), found, k)
        return distances, numbers

    def calibrate(self, recall: float, seed: int, queries: np.ndarray | None = None) -> None:
        """Finds the least effort at which the nearest vector of a sample of queries is found often enough.

        Args:
            recall: Share of queries whose nearest vector shall be found. Where no effort reaches it, the greatest one
                is kept, and the calibration says what it reaches.
            seed: Seed of the sample.
            queries: Queries (q, dim) float32 like those to come. By default two samples, which both have to reach
                `recall`: vectors of the index that look for their nearest neighbour, and the same vectors moved at
                random as far as that is away, at least by a tenth of the spread of all.
        """
        if self.kind == "flat" or len(self) < 2:
            self.calibration = Calibration(0 if self.kind == "flat" else 1, 1.0, len(self))
            return
        samples = self._samples(seed) if queries is None else [(queries, 1)]
        exact = [self.exact(sample, k)[0][:, -1] * (1 + 1e-5) for sample, k in samples]
        for effort in self._efforts():
            found = [self.nearest(sample, k, effort)[0][:, -1] for sample, k in samples]
            reached = min(float(np.mean(found <= exact)) for found, exact in zip(found, exact, strict=True))
            self.calibration = Calibration(effort, reached, len(self))
            if reached >= recall:
                break

    def write(self, path: str | os.PathLike) -> None:
        """Writes the index to a new file in FAISS's format.

        Raises:
            OSError: If the file cannot be written.
        """
        try:
            faiss.write_index(self._index, os.fspath(path))
        except RuntimeError as error:
            reason = str(error).splitlines()[0].rpartition(": ")[2]
            raise OSError(f"Expected a folder with room to write in. Received: {path}: {reason}") from error

    @classmethod
    def read(cls, file: BinaryIO, kind: str, dim: int, count: int, calibration: Calibration) -> "VectorIndex":
        """Reads what `write` wrote, from a file whose hash was verified: FAISS trusts its input.

        Raises:
            ValueError: If the file holds something else than it should.
        """
        try:
            index = faiss.read_index(faiss.PyCallbackIOReader(file.read, 1 << 20))
        except RuntimeError as error:
            raise ValueError(f"{file.name}: expected a FAISS index. Received: {str(error).splitlines()[0]}") from error
        received = (type(index).__name__.removesuffix("L2"), index.d, index.ntotal, index.metric_type)
        expected = (_CLASSES[kind], dim, count, faiss.METRIC_L2)
        if received != expected:
            raise ValueError(f"{file.name}: expected the FAISS index {expected}. Received: {received}")
        if kind == "hnsw":
            # Not in the file, but wanted when vectors are added.
            index.keep_max_size_level0 = True
        return cls(kind, index, calibration)

    def _flat(self) -> faiss.IndexFlat:
        """All vectors, to be compared one by one; a copy of them for inverted lists, which are slow to go through."""
        if self.kind == "flat":
            return self._index
        if self.kind == "hnsw":
            return faiss.downcast_index(self._index.storage)
        flat = faiss.IndexFlatL2(self.dim)
        flat.add(self.vectors(np.arange(len(self))))
        return flat

    def _parameters(self, effort: int, k: int) -> faiss.SearchParameters:
        if self.kind == "ivf":
            return faiss.SearchParametersIVF(nprobe=min(effort, self._index.nlist))
        return faiss.SearchParametersHNSW(efSearch=max(effort, 2 * k))

    def _efforts(self) -> Sequence[int]:
        largest = self._index.nlist if self.kind == "ivf" else 2048
        steps = sorted({round(2 ** (step / 4)) for step in range(4 if self.kind == "ivf" else 16, 80)})
        return [step for step in steps if step < largest] + [largest]

    def _samples(self, seed: int) -> list[tuple[np.ndarray, int]]:
        """Queries, and which of their neighbours counts: the second where the first is the query itself."""
        generator = np.random.default_rng(seed)
        vectors = self.vectors(generator.choice(len(self), min(_CALIBRATION_QUERIES, len(self)), replace=False))
        spread = vectors.std(axis=0)
        steps = spread * generator.standard_normal(vectors.shape, dtype=np.float32)
        steps /= np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        to_neighbour = self.nearest(vectors, 2, _SCOUTING_EFFORT)[0][:, 1:]
        moved = vectors + steps * np.maximum(to_neighbour, _CALIBRATION_STEP * np.linalg.norm(spread))
        return [(vectors, 2), (moved, 1)]


def _trained_lists(vectors: np.ndarray, seed: int) -> faiss.IndexIVFFlat:
    count, dim = vectors.shape
    num_lists = max(1, min(round(8 * np.sqrt(count)), count // _TRAINING_VECTORS_PER_LIST))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(dim), dim, num_lists)
    index.cp.seed, index.cp.niter = seed + 1, _TRAINING_ROUNDS
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _TRAINING_VECTORS_PER_LIST
    index.train(vectors)
    # Finds the list and the place of a vector by its number.
    index.make_direct_map()
    return index


def _ranked(queries: np.ndarray, candidates: np.ndarray, numbers: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    difference = candidates - queries[:, None]
    distances = np.sqrt(np.einsum("qcd,qcd->qc", difference, difference))
    order = np.lexsort((numbers, distances), axis=1)[:, :k]
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(numbers, order, axis=1)
