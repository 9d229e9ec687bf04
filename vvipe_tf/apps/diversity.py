"""How varied generated poses are, alone and beside poses of reference."""

from typing import NamedTuple

import numpy as np

from vvipe_tf.evaluation.neighbours import nearest_neighbours

NUM_CLUSTERS = 20
_MOST_FITTED = 20_000


class Diversity(NamedTuple):
    """Variety of embeddings.

    Args:
        mean_distance: Mean distance between two of them.
        clusters: Number of clusters of the reference; 0 without one.
        covered: Share of the clusters that hold at least one.
        largest_share: Share of the embeddings in the fullest cluster: near 1 means that all look alike.
    """

    mean_distance: float
    clusters: int = 0
    covered: float | None = None
    largest_share: float | None = None


def mean_pairwise_distance(embeddings: np.ndarray) -> float:
    """Mean Euclidean distance between two different rows of embeddings (n, dim); 0 for a single one."""
    embeddings = np.asarray(embeddings, np.float64)
    if len(embeddings) < 2:
        return 0.0
    from scipy.spatial.distance import pdist

    return float(pdist(embeddings).mean())


class ReferenceClusters:
    """Kinds of poses that a reference holds, by k-means of its embeddings.

    Args:
        embeddings: Embeddings of the reference (n, dim).
        num_clusters: Number of kinds, at most n.
        seed: Seed of k-means and of the draws for comparison.
    """

    def __init__(self, embeddings: np.ndarray, num_clusters: int = NUM_CLUSTERS, seed: int = 0):
        """Finds the clusters."""
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        self._rng = np.random.default_rng(seed)
        self._embeddings = np.asarray(embeddings, np.float64)
        rows = np.sort(self._rng.permutation(len(embeddings))[:_MOST_FITTED])
        count = min(num_clusters, len(np.unique(self._embeddings[rows], axis=0)))
        with threadpool_limits(1):
            kmeans = KMeans(count, n_init=4, random_state=seed).fit(self._embeddings[rows])
        self.centres = kmeans.cluster_centers_

    def measure(self, embeddings: np.ndarray) -> Diversity:
        """Variety of embeddings (n, dim) over the clusters."""
        labels = nearest_neighbours(np.asarray(embeddings, np.float64), self.centres, 1)[:, 0]
        counts = np.bincount(labels, minlength=len(self.centres))
        return Diversity(
            mean_pairwise_distance(embeddings),
            len(counts),
            float((counts > 0).mean()),
            float(counts.max() / len(labels)),
        )

    def measure_reference(self, count: int) -> Diversity:
        """Variety of as many poses drawn from the reference, without replacement: what could be reached."""
        rows = self._rng.permutation(len(self._embeddings))[:count]
        return self.measure(self._embeddings[rows])


def nearest_distances(embeddings: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distance (n,) of each embedding (n, dim) to the nearest one of a reference (m, dim)."""
    embeddings, reference = np.asarray(embeddings, np.float64), np.asarray(reference, np.float64)
    nearest = nearest_neighbours(embeddings, reference, 1)[:, 0]
    return np.linalg.norm(embeddings - reference[nearest], axis=1)
