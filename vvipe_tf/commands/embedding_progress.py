"""Embeds many rows piece by piece, with a bar on stderr where a person is looking."""

import sys
from collections.abc import Callable

import numpy as np
from tqdm import tqdm

_PIECE = 4096


def embed_in_pieces(embed: Callable[[np.ndarray], np.ndarray], num_rows: int) -> np.ndarray:
    """Embeds rows and shows how far it is.

    Args:
        embed: Row numbers (n,) -> embeddings (n, embedding_dim).
        num_rows: Number of rows.

    Returns:
        Embeddings (num_rows, embedding_dim).
    """
    parts = []
    with tqdm(total=num_rows, unit="pose", desc="embed", leave=False, disable=None, file=sys.stderr) as bar:
        for start in range(0, max(num_rows, 1), _PIECE):
            rows = np.arange(start, min(start + _PIECE, num_rows))
            parts.append(embed(rows))
            bar.update(len(rows))
    return np.concatenate(parts)
