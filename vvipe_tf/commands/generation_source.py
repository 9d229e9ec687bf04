"""Where generation starts from: a pose in a file or an index, and poses of reference."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vvipe_tf.apps.index import PoseIndex
from vvipe_tf.apps.index.generations import MANIFEST
from vvipe_tf.commands.embedded_files import embed_files
from vvipe_tf.commands.person_track import read_track

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder


def embedding_of(place: str, arguments: argparse.Namespace, embedder: "PoseEmbedder") -> np.ndarray:
    """Embeds the pose that a command starts from.

    Args:
        place: `FILE` for its first pose, `FILE@FRAME`, or `INDEX@ID` for an item of an index.
        arguments: What `add_keypoint_arguments` added, and `person`.
        embedder: Model.

    Returns:
        Embedding (embedding_dim,).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, has no such frame or item, or is of another model.
    """
    path, at, which = (place, "", "") if Path(place).exists() else place.partition("@")
    if _is_index(path):
        index = PoseIndex.load(path)
        index.check_model(embedder.model_id)
        return index.embeddings(np.array([index.find(which)]))[0]
    track = read_track(path, arguments.person, arguments, embedder)
    if not at:
        return track.embeddings[0]
    if not which.lstrip("-").isdigit() or int(which) not in track.frame:
        raise ValueError(f"{path}: expected a frame from {track.frame[0]} to {track.frame[-1]}. Received: {which!r}")
    return track.embeddings[int(np.flatnonzero(track.frame == int(which))[0])]


def read_reference(arguments: argparse.Namespace, embedder: "PoseEmbedder") -> np.ndarray | None:
    """Embeddings (n, embedding_dim) of `--reference`, or None without.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, holds nothing that can be embedded, or is of another model.
    """
    if not arguments.reference:
        return None
    if _is_index(arguments.reference):
        index = PoseIndex.load(arguments.reference)
        index.check_model(embedder.model_id)
        return index.embeddings(np.arange(len(index)))
    content = embed_files([arguments.reference], arguments)
    if content.model_id != embedder.model_id:
        raise ValueError(
            f"{arguments.reference}: expected embeddings of model {embedder.model_id}. Received: {content.model_id}"
        )
    return content.embeddings


def _is_index(path: str) -> bool:
    return (Path(path) / MANIFEST).is_file()
