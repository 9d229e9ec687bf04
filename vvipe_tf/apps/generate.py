"""New poses out of the embedding space (paper 4.6)."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import TrainedModel

ALPHAS = (0.2, 0.3, 0.4, 0.5)


def random_directions(num_directions: int, embedding_dim: int, seed: int) -> np.ndarray:
    """Directions `z_i` of the paper: standard normal noise, so that |z| is about sqrt(embedding_dim).

    Args:
        num_directions: Number of directions.
        embedding_dim: Size of the embedding.
        seed: Seed of the noise.

    Returns:
        Directions (num_directions, embedding_dim) float64.
    """
    return np.random.default_rng(seed).standard_normal((num_directions, embedding_dim))


def perturb(model: "TrainedModel", embedding: np.ndarray, directions: np.ndarray, alphas=ALPHAS) -> np.ndarray:
    """Decodes `embedding + alpha * z` for every direction and magnitude (Figure 7 of the paper).

    Args:
        model: Trained model.
        embedding: Embedding (embedding_dim,) to start from.
        directions: Directions z (num_directions, embedding_dim); their length counts, it is not normalised away.
        alphas: Magnitudes (num_alphas,).

    Returns:
        Canonical poses (num_directions, num_alphas, joints, 3), torso units.

    Raises:
        ValueError: If the shapes do not fit or a number is not finite.
    """
    embedding, directions, alphas = (np.asarray(array, dtype=np.float64) for array in (embedding, directions, alphas))
    if embedding.ndim != 1 or alphas.ndim != 1 or directions.shape != (len(directions), len(embedding)):
        raise ValueError(
            "Expected an embedding (embedding_dim,), directions (num_directions, embedding_dim) and alphas "
            f"(num_alphas,). Received: shapes={embedding.shape}, {directions.shape}, {alphas.shape}"
        )
    if not all(np.isfinite(array).all() for array in (embedding, directions, alphas)):
        raise ValueError("Expected a finite embedding, directions and alphas. Received: others")
    moved = embedding + alphas[:, None] * directions[:, None, :]
    poses = model.decode(moved.reshape(-1, len(embedding)))
    return poses.reshape(len(directions), len(alphas), *poses.shape[1:])
