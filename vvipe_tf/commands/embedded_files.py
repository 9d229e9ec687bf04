"""Any file that the search commands take, embedded: 2D keypoints, 3D poses, or embeddings as they are."""

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vvipe_tf.apps.embedding_file import read_embedding_file
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.detections.detection_table import UNTRACKED
from vvipe_tf.formats.detections.json_document import read_json
from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.formats.pose_files.pose_json import FORMAT, read_pose_json
from vvipe_tf.formats.pose_files.pose_npz import read_pose_npz
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.geometry.canonical import torso_length
from vvipe_tf.keypoints import COCO_13, get_profile, map_keypoints

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
        num_skipped: Rows left out because they could not be embedded.
    """

    embeddings: np.ndarray
    model_id: str
    metadata: Mapping[str, Sequence]
    poses: np.ndarray | None
    num_skipped: int


def embedder_source(model: str | None) -> Callable[[], "PoseEmbedder"]:
    """A function that loads the model when it is first needed.

    Args:
        model: A `.tflite` file, a run folder, or None for the model that comes with the package.
    """

    @cache
    def load() -> "PoseEmbedder":
        from vvipe_tf.apps.embedder import PoseEmbedder

        if model is None:
            return PoseEmbedder.from_pretrained()
        return PoseEmbedder.from_run(model) if os.path.isdir(model) else PoseEmbedder.from_tflite(model)

    return load


def embed_file(
    path: str | os.PathLike, load_embedder: Callable[[], "PoseEmbedder"], profile: str | None = None
) -> EmbeddedFile:
    """Embeds a file, whatever it is.

    Args:
        path: Keypoints in any known format (a folder of OpenPose too), 3D poses (`.json`, `.npz`, `.poses.npz`), or an
            embedding file.
        load_embedder: Gives the model; not called for an embedding file.
        profile: Name of the keypoint profile, where a keypoint file leaves it open.

    Returns:
        The embeddings and what is known about each.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is of no known kind or damaged.
    """
    members = _npz_members(path)
    if "embeddings" in members:
        return _from_embeddings(path)
    if {"poses", "torso_lengths_mm"} <= members:
        return _from_dataset(path, load_embedder())
    if "poses" in members:
        return _from_poses(path, read_pose_npz(path), load_embedder())
    if _is_pose_json(path):
        return _from_poses(path, read_pose_json(path), load_embedder())
    return _from_keypoints(path, load_embedder(), profile)


def join_embedded(files: Sequence[EmbeddedFile]) -> EmbeddedFile:
    """One of several, in their order; columns that a file does not have are None there.

    Raises:
        ValueError: If they are of different models.
    """
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
    return EmbeddedFile(embeddings, models[0], metadata, poses, sum(file.num_skipped for file in files))


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
    embeddings = embedder.encode_pose(dataset.poses, dataset.profile)
    return _finite(embeddings, embedder.model_id, metadata, dataset.centred(COCO_13))


def _from_poses(path: str | os.PathLike, sequence: PoseSequence, embedder: "PoseEmbedder") -> EmbeddedFile:
    poses = map_keypoints(sequence.poses, sequence.profile, COCO_13)
    lengths = torso_length(np.asarray(sequence.poses, dtype=np.float64), sequence.profile)
    with np.errstate(divide="ignore", invalid="ignore"):
        poses = np.where(lengths[:, None, None] > 0, poses / lengths[:, None, None], np.nan)
    embeddings = embedder.encode_pose(sequence.poses, sequence.profile)
    metadata = _people(path, "3d", sequence.frame, sequence.person)
    return _finite(embeddings, embedder.model_id, metadata, poses.astype(np.float32))


def _from_keypoints(path: str | os.PathLike, embedder: "PoseEmbedder", profile: str | None) -> EmbeddedFile:
    table = read_detections(path, get_profile(profile) if profile else None)
    embeddings = embedder.embed(table.keypoints_2d, scores=table.scores, profile=table.profile)
    return _finite(embeddings, embedder.model_id, _people(path, "2d", table.frame, table.person), None)


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
    embeddings: np.ndarray, model_id: str, metadata: Mapping[str, list], poses: np.ndarray | None
) -> EmbeddedFile:
    """Fills in empty columns and leaves out what the model refused to embed, which it answers with NaN."""
    kept = np.isfinite(embeddings).all(axis=1)
    columns = {}
    for name in COLUMNS:
        values = metadata.get(name, [None] * len(kept))
        columns[name] = [value for value, keep in zip(values, kept, strict=True) if keep]
    return EmbeddedFile(embeddings[kept], model_id, columns, None if poses is None else poses[kept], int((~kept).sum()))


def _distinct(texts) -> list[str]:
    """Texts, with `#2`, `#3` ... behind those that occur again: people without track ids in one frame."""
    counts: dict[str, int] = {}
    result = []
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
        result.append(text if counts[text] == 1 else f"{text}#{counts[text]}")
    return result


def _npz_members(path: str | os.PathLike) -> set[str]:
    if not Path(path).is_file() or not zipfile.is_zipfile(path):
        return set()
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def _is_pose_json(path: str | os.PathLike) -> bool:
    if Path(path).suffix.lower() != ".json":
        return False
    content = read_json(path)
    return isinstance(content, dict) and content.get("format") == FORMAT


def _text(path: str | os.PathLike) -> str:
    return Path(path).as_posix()
