import numpy as np
import pytest


@pytest.fixture
def cloud():
    """Vectors (n, 6) in clusters, some of them equal, with text ids and further columns."""

    def make(count, seed=0, prefix="item"):
        generator = np.random.default_rng(seed)
        centres = np.random.default_rng(9).normal(size=(23, 6))
        vectors = centres[generator.integers(23, size=count)] + 0.2 * generator.normal(size=(count, 6))
        vectors[count // 3 : count // 2] = vectors[:1]
        metadata = {
            "id": [f"{prefix}-{number}" for number in range(count)],
            "frame": np.arange(count),
            "camera": [("left", "right")[number % 2] for number in range(count)],
            "score": generator.random(count),
        }
        return vectors.astype(np.float32), metadata

    return make
