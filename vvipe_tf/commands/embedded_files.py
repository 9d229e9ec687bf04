"""Any file that the search commands take, embedded: 2D keypoints, 3D poses, or embeddings as they are."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vvipe_tf.apps.embedding_file import read_embedding_file
from vvipe_tf.commands.embedding_progress import embed_in_pieces
from vvipe_tf.commands.keypoint_source import load_embedder, read_keypoints
from vvipe_tf.commands.pose_source import holds_poses, read_poses
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.detections.detection_table import UNTRACKED
from vvipe_tf.formats.npz_arrays import npz_members
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.geometry.canonical import torso_length
from vvipe_tf.keypoints import COCO_13, map_keypoints

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder

# Columns that every file can give; None where it does not, and person -1.
COLUMNS = ("id", "file", "content", "source", "subject", "sequence", "frame", "person")


class EmbeddedFile(NamedTuple):
    """What a file holds, embedded.

    Args:
        embeddings: Embeddings (n, dim).
        model_id: What made them.
        metadata: Columns of n values.
        poses: 3D poses (n, 13, 3) COCO_13 in torso units, or None.
        num_refused: Rows left out because they show too little of a body.
    """

    embeddings: np.ndarray
    model_id: str
    metadata: Mapping[str, Sequence]
    poses: np.ndarray | None
    num_refused: int


def embed_files(paths: Sequence[str], arguments: argparse.Namespace) -> EmbeddedFile:
    """Embeds files, whatever they are, and says on stderr what had to be left out.

    Args:
        paths: Keypoints in any known format (a folder of OpenPose too), 3D poses (what `lift` writes, `.bvh`,
            `.poses.npz`), or embedding files. The model is loaded only where there is something to embed.
        arguments: What `add_keypoint_arguments` and `add_model_argument` added.

    Returns:
        The embeddings and what is known about each, in the order of the files; columns that a file does not have are
        None there.

    Raises:
        FileNotFoundError: If a file or the model is not there.
        ValueError: If a file is of no known kind or damaged, holds nothing that can be embedded, or the embeddings are
            of different models.
    """
    embedder = cache(lambda: load_embedder(arguments.model))
    files = [_embed_file(path, embedder, arguments) for path in paths]
    for path, file in zip(paths, files, strict=True):
        if not len(file.embeddings):
            raise ValueError(f"{path}: expected bodies that can be embedded. Received: none")
        if file.num_refused:
            print(f"warning: {path}: {file.num_refused} left out, which show too little of a body", file=sys.stderr)
    return _joined(files)


def _embed_file(path: str, embedder: Callable[[], "PoseEmbedder"], arguments: argparse.Namespace) -> EmbeddedFile:
    members = set() if Path(path).is_dir() else npz_members(path)
    if "embeddings" in members:
        return _from_embeddings(path)
    if {"poses", "torso_lengths_mm"} <= members:
        return _from_dataset(path, embedder())
    if holds_poses(path):
        return _from_poses(path, read_poses(path), embedder())
    table = read_keypoints(path, arguments)
    embeddings = embed_in_pieces(lambda rows: embedder().embed(table.select(rows)), len(table))
    return _finite(embedder(), embeddings, _people(path, "2d", table.frame, table.person), None)


def _joined(files: Sequence[EmbeddedFile]) -> EmbeddedFile:
    models = sorted({file.model_id for file in files})
    if len(models) != 1:
        raise ValueError(f"Expected embeddings of one model. Received: {models}")
    names = list(dict.fromkeys(name for file in files for name in file.metadata))
    metadata = {
        name: [value for file in files for value in file.metadata.get(name, [None] * len(file.embeddings))]
        for name in names
    }
    poses = None
    if any(file.poses is not None for file in files):
        joints = next(file.poses.shape[1] for file in files if file.poses is not None)
        parts = [
            np.full((len(file.embeddings), joints, 3), np.nan, np.float32) if file.poses is None else file.poses
            for file in files
        ]
        poses = np.concatenate(parts)
    embeddings = np.concatenate([file.embeddings for file in files])
    return EmbeddedFile(embeddings, models[0], metadata, poses, sum(file.num_refused for file in files))


def _from_embeddings(path: str | os.PathLike) -> EmbeddedFile:
    content = read_embedding_file(path)
    count = len(content.embeddings)
    columns = {name: np.asarray(values).tolist() for name, values in content.columns.items()}
    metadata = {
        "id": [f"{_text(path)}:{row}" for row in range(count)],
        "file": [_text(path)] * count,
        "content": ["embedding"] * count,
    }
    return EmbeddedFile(content.embeddings, content.model_id, metadata | columns, content.poses, 0)


def _from_dataset(path: str | os.PathLike, embedder: "PoseEmbedder") -> EmbeddedFile:
    dataset = PoseDataset.load(path)
    names = zip(dataset.source, dataset.subject, dataset.sequence, dataset.frame, strict=True)
    metadata = {
        "id": _distinct("/".join(map(str, row)) for row in names),
        "file": [_text(path)] * len(dataset),
        "content": ["3d"] * len(dataset),
        **{name: getattr(dataset, name).tolist() for name in ("source", "subject", "sequence", "frame")},
        "person": [UNTRACKED] * len(dataset),
    }
    embeddings = embed_in_pieces(lambda rows: embedder.encode_pose(dataset.poses[rows], dataset.profile), len(dataset))
    return _finite(embedder, embeddings, metadata, dataset.centred(COCO_13))


def _from_poses(path: str | os.PathLike, sequence: PoseSequence, embedder: "PoseEmbedder") -> EmbeddedFile:
    poses = map_keypoints(sequence.poses, sequence.profile, COCO_13)
    lengths = torso_length(np.asarray(sequence.poses, dtype=np.float64), sequence.profile)
    with np.errstate(divide="ignore", invalid="ignore"):
        poses = np.where(lengths[:, None, None] > 0, poses / lengths[:, None, None], np.nan)
    embeddings = embed_in_pieces(
        lambda rows: embedder.encode_pose(sequence.poses[rows], sequence.profile, sequence.is_canonical), len(sequence)
    )
    metadata = _people(path, "3d", sequence.frame, sequence.person)
    return _finite(embedder, embeddings, metadata, poses.astype(np.float32))


def _people(path: str | os.PathLike, content: str, frame: np.ndarray, person: np.ndarray) -> dict[str, list]:
    frame, person = frame.tolist(), person.tolist()
    return {
        "id": _distinct(f"{_text(path)}:{f}:{p}" for f, p in zip(frame, person, strict=True)),
        "file": [_text(path)] * len(frame),
        "content": [content] * len(frame),
        "frame": frame,
        "person": person,
    }


def _finite(
    embedder: "PoseEmbedder", embeddings: np.ndarray, metadata: Mapping[str, list], poses: np.ndarray | None
) -> EmbeddedFile:
    """Fills in empty columns and leaves out what the model refused to embed, which it answers with NaN."""
    kept = np.isfinite(embeddings).all(axis=1)
    columns = {}
    for name in COLUMNS:
        values = metadata.get(name, [None] * len(kept))
        columns[name] = [value for value, keep in zip(values, kept, strict=True) if keep]
    return EmbeddedFile(
        embeddings[kept], embedder.model_id, columns, None if poses is None else poses[kept], int((~kept).sum())
    )


def _distinct(texts: Iterable[str]) -> list[str]:
    """Texts, with `#2`, `#3` ... behind those that occur again: people without track ids in one frame."""
    counts: dict[str, int] = {}
    result = []
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
        result.append(text if counts[text] == 1 else f"{text}#{counts[text]}")
    return result


def _text(path: str | os.PathLike) -> str:
    return Path(path).as_posix()
