"""Measures an index: time to build, speed and recall of its answers, and whether a saved one is equal."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np

from vvipe_tf.apps.embedding_file import read_embedding_file
from vvipe_tf.apps.index import PoseIndex

_DIM, _LATENT_DIM, _HIDDEN = 32, 8, 64
_EXACT_QUERIES, _SINGLE_QUERIES, _RUNS = 2000, 500, 3
_CHUNK = 1 << 17


def made_up_embeddings(count: int, seed: int) -> np.ndarray:
    """Vectors (count, 32) float32 on a curved surface of 8 dimensions, a little off it.

    Embeddings of poses lie so too, since few things can vary in a pose. They stand in where no file is given.
    """
    generator = np.random.default_rng(seed)
    # The surface is the same for every seed.
    shape = np.random.default_rng(0)
    inwards = shape.standard_normal((_LATENT_DIM, _HIDDEN), dtype=np.float32) / np.sqrt(np.float32(_LATENT_DIM))
    outwards = shape.standard_normal((_HIDDEN, _DIM), dtype=np.float32) / np.sqrt(np.float32(_HIDDEN))
    result = np.empty((count, _DIM), dtype=np.float32)
    for start in range(0, count, _CHUNK):
        rows = result[start : start + _CHUNK]
        latent = generator.standard_normal((len(rows), _LATENT_DIM), dtype=np.float32)
        rows[:] = np.tanh(latent @ inwards) @ outwards
        rows += 0.02 * generator.standard_normal(rows.shape, dtype=np.float32)
    return result


def measure_index(
    embeddings: str | None,
    query_embeddings: str | None,
    count: int,
    num_queries: int,
    kind: str | None,
    recall: float,
    seed: int,
) -> dict[str, object]:
    """Builds, searches, saves and loads an index.

    Args:
        embeddings: Embedding file to index, or None for made-up ones.
        query_embeddings: Embedding file to search with; by default as many of the others, which are not indexed.
        count: Greatest number of vectors.
        num_queries: Greatest number of queries in a batch.
        kind: Kind of index, or None.
        recall: Recall wanted.
        seed: Seed.

    Returns:
        Measurements by name: seconds, queries a second, milliseconds, shares.

    Raises:
        ValueError: If a number is not positive, or the files do not fit each other.
    """
    if count < 2 or num_queries < 1:
        raise ValueError(f"Expected at least 2 vectors and 1 query. Received: {count} and {num_queries}")
    vectors, queries = _data(embeddings, query_embeddings, count, num_queries, seed)
    ids = {"id": [str(number) for number in range(len(vectors))]}
    build_seconds, index = _timed(lambda: PoseIndex.build(vectors, ids, "benchmark", kind, seed, recall=recall))
    facts = index.info()
    batch = statistics.median(_timed(lambda: index.search(queries, 1))[0] for _ in range(_RUNS))
    batch_20 = statistics.median(_timed(lambda: index.search(queries, min(20, len(index))))[0] for _ in range(_RUNS))
    single = [_timed(lambda row=row: index.search(queries[row : row + 1], 1))[0] for row in _rows(queries)]
    some = queries[:_EXACT_QUERIES]
    exact = index.search(some, 1, within=np.arange(len(index))).distances
    found = index.search(some, 1).distances
    with tempfile.TemporaryDirectory() as folder:
        save_seconds, _ = _timed(lambda: index.save(folder))
        size = sum(entry.stat().st_size for entry in os.scandir(folder))
        load_seconds, loaded = _timed(lambda: PoseIndex.load(folder))
        before, after = index.search(some, 1), loaded.search(some, 1)
    return {
        "data": embeddings or f"made up, {_LATENT_DIM} dimensions curved in {_DIM}",
        "vectors": len(vectors),
        "kind": facts["kind"],
        "effort": facts["effort"],
        "recall_at_1": float(np.mean(found <= exact * (1 + 1e-5))),
        "build_seconds": build_seconds,
        "queries_in_batch": len(queries),
        "queries_per_second_top_1": len(queries) / batch,
        "queries_per_second_top_20": len(queries) / batch_20,
        "single_query_ms_median": 1000 * statistics.median(single),
        "single_query_ms_99th": 1000 * float(np.quantile(single, 0.99)),
        "save_seconds": save_seconds,
        "load_seconds": load_seconds,
        "megabytes": size / 1e6,
        "loaded_answers_identical": all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)),
        "load_average": os.getloadavg()[0],
        "cpus": len(os.sched_getaffinity(0)),
    }


def _data(
    embeddings: str | None, query_embeddings: str | None, count: int, num_queries: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if embeddings is None:
        vectors = made_up_embeddings(count + num_queries, seed)
    else:
        vectors = read_embedding_file(embeddings).embeddings
        vectors = vectors[np.random.default_rng(seed).permutation(len(vectors))]
    if query_embeddings is not None:
        return vectors[:count], read_embedding_file(query_embeddings).embeddings[:num_queries]
    if len(vectors) < 2:
        raise ValueError(f"Expected at least 2 embeddings in {embeddings}. Received: {len(vectors)}")
    num_queries = min(num_queries, len(vectors) // 2)
    return vectors[num_queries : num_queries + count], vectors[:num_queries]


def _rows(queries: np.ndarray) -> range:
    return range(min(_SINGLE_QUERIES, len(queries)))


def _timed(function: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result
