"""New poses out of the embedding space (paper 4.6)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import TrainedModel

ALPHAS = (0.2, 0.3, 0.4, 0.5)
# Rounds of drawing anew before nearly everything is taken to be implausible.
_MAX_ROUNDS = 50


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


class GeneratedPoses(NamedTuple):
    """Poses drawn from a model.

    Args:
        embeddings: Embeddings (n, embedding_dim).
        poses: What they decode to (n, 13, 3), canonical, torso units.
        num_drawn: Draws that it took, the refused ones included.
    """

    embeddings: np.ndarray
    poses: np.ndarray
    num_drawn: int


def draw_poses(
    decode: Callable[[np.ndarray], np.ndarray],
    draw: Callable[[int, int], np.ndarray],
    num_poses: int,
    seed: int,
    accept: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> GeneratedPoses:
    """Draws embeddings and decodes them; with `accept`, refused ones are drawn anew.

    Args:
        decode: Embeddings (n, dim) -> poses (n, 13, 3).
        draw: Number and seed -> embeddings (n, dim).
        num_poses: Number of poses wanted.
        seed: Seed of the first round; each further round takes one of its own.
        accept: Embeddings (n, dim) and poses (n, 13, 3) -> which to keep (n,) bool. None keeps all.

    Returns:
        The poses in the order they were drawn.

    Raises:
        ValueError: If `num_poses` is below 1, or nearly everything is refused.
    """
    if num_poses < 1:
        raise ValueError(f"Expected at least 1 pose to draw. Received: {num_poses}")
    seeds = np.random.SeedSequence(seed).spawn(_MAX_ROUNDS)
    kept_embeddings, kept_poses, kept, drawn = [], [], 0, 0
    for round_seed in seeds:
        embeddings = draw(num_poses, int(round_seed.generate_state(1)[0]))
        poses = decode(embeddings)
        rows = np.arange(num_poses) if accept is None else np.flatnonzero(accept(embeddings, poses))
        rows = rows[: num_poses - kept]
        kept += len(rows)
        # Draws after the last one that was wanted were not needed.
        drawn += num_poses if kept < num_poses else int(rows[-1]) + 1
        kept_embeddings.append(embeddings[rows])
        kept_poses.append(poses[rows])
        if kept == num_poses:
            return GeneratedPoses(np.concatenate(kept_embeddings), np.concatenate(kept_poses), drawn)
    raise ValueError(f"Expected draws of which some are plausible. Received: {kept} of {drawn}")


def interpolate_keys(key_embeddings: np.ndarray, num_steps: int) -> np.ndarray:
    """Embeddings on straight lines from key to key.

    Args:
        key_embeddings: Embeddings of the key poses (keys, dim), at least two.
        num_steps: Steps from one key to the next.

    Returns:
        Embeddings ((keys - 1) * num_steps + 1, dim); row `k * num_steps` is key k.

    Raises:
        ValueError: If there are fewer than two keys or `num_steps` is below 1.
    """
    keys = np.asarray(key_embeddings, np.float64)
    if keys.ndim != 2 or len(keys) < 2 or num_steps < 1:
        raise ValueError(
            f"Expected at least two key poses and one step. Received: {len(keys)} and num_steps={num_steps}"
        )
    times = np.arange((len(keys) - 1) * num_steps + 1) / num_steps
    return np.stack([np.interp(times, np.arange(len(keys)), column) for column in keys.T], axis=1)
