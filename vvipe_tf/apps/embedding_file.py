"""Embeddings in a `.npz` file: plain arrays, with the model that made them and what is known about each row.

`embeddings` (n, dim) and `model_id` (one string) are always there. `poses` (n, joints, 3) may be. Every other array has
n strings or numbers and is a column of metadata, `id` for instance.
"""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.npz_arrays import read_npz_arrays

_RESERVED = ("embeddings", "model_id", "poses")


class EmbeddingFile(NamedTuple):
    """What is in an embedding file.

    Args:
        embeddings: Embeddings (n, dim).
        model_id: What made them, e.g. the SHA-256 of the model file.
        columns: Metadata, n values each.
        poses: 3D poses (n, joints, 3) in torso units, or None.
    """

    embeddings: np.ndarray
    model_id: str
    columns: Mapping[str, Sequence]
    poses: np.ndarray | None = None


def write_embedding_file(path: str | os.PathLike, content: EmbeddingFile) -> None:
    """Writes an embedding file, whole or not at all.

    Args:
        path: File to write; its name ends in `.npz`.
        content: What shall be in it; columns without None.

    Raises:
        ValueError: If the name ends otherwise, or a column is not a plain array of n values.
    """
    if not str(path).lower().endswith(".npz"):
        raise ValueError(f"Expected a file name that ends in .npz. Received: {path}")
    columns = {name: np.asarray(values) for name, values in content.columns.items()}
    _check_columns(columns, len(content.embeddings))
    poses = {} if content.poses is None else {"poses": content.poses}
    # NumPy adds .npz to the name of a file that does not end exactly so, but not to an open file.
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, embeddings=content.embeddings, model_id=np.array(content.model_id), **poses, **columns)


def read_embedding_file(path: str | os.PathLike) -> EmbeddingFile:
    """Reads an embedding file; nothing is unpickled.

    Args:
        path: File to read.

    Returns:
        Its content; the values of embeddings and poses are checked by those who use them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or an array is not as it should be.
    """
    arrays = read_npz_arrays(path, ("embeddings", "model_id"), "file of embeddings")
    embeddings, model_id = arrays["embeddings"], arrays["model_id"]
    if embeddings.ndim != 2 or model_id.shape != () or model_id.dtype.kind != "U":
        raise ValueError(
            f"{path}: expected embeddings of shape (n, dim) and one string model_id. "
            f"Received: shape={embeddings.shape} and {model_id.dtype} {model_id.shape}"
        )
    columns = {name: array for name, array in arrays.items() if name not in _RESERVED}
    try:
        _check_columns(columns, len(embeddings))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return EmbeddingFile(embeddings, str(model_id), columns, arrays.get("poses"))


def _check_columns(columns: Mapping[str, np.ndarray], count: int) -> None:
    for name, column in columns.items():
        if name in _RESERVED or column.shape != (count,) or column.dtype.kind not in "Uiufb":
            raise ValueError(
                f"Expected {count} strings or numbers in column {name!r}. "
                f"Received: {column.dtype} of shape {column.shape}"
            )
