"""One person over time out of any file: 2D keypoints, 3D poses or embeddings."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vvipe_tf.apps.compare import PoseTrack
from vvipe_tf.apps.embedding_file import read_embedding_file
from vvipe_tf.apps.pose_tracks import choose_people, choose_poses
from vvipe_tf.apps.virtual_views import embed_seen_poses, has_pose_encoder
from vvipe_tf.commands.embedding_progress import embed_in_pieces
from vvipe_tf.commands.keypoint_source import read_keypoints
from vvipe_tf.commands.pose_source import holds_poses, read_poses
from vvipe_tf.formats.detections.detection_table import UNTRACKED
from vvipe_tf.formats.npz_arrays import npz_members
from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.keypoints import COCO_13, map_keypoints

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder


def read_track(path: str, person: str, arguments: argparse.Namespace, embedder: "PoseEmbedder") -> PoseTrack:
    """Reads one person's track and embeds it.

    Args:
        path: Keypoints in any known format, 3D poses (`.json` or `.npz` of `lift`, `.bvh`), or an embedding file.
        person: `"main"` or a track id.
        arguments: What `add_keypoint_arguments` added.
        embedder: Model.

    Returns:
        The track. Its poses are what the file holds in 3D, else what the model decodes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is of no known kind or damaged, there is no such person, nothing of them can be
            embedded, or the embeddings are of another model.
    """
    if not Path(path).is_dir() and "embeddings" in npz_members(path):
        frame, embeddings, poses = _read_embeddings(path, person, embedder)
    elif holds_poses(path):
        frame, embeddings, poses = _read_poses(path, person, embedder)
    else:
        table = choose_people(read_keypoints(path, arguments), person)
        embeddings = embed_in_pieces(lambda rows: embedder.embed(table.select(rows)), len(table))
        frame, poses = table.frame, None
    frame, first = np.unique(frame, return_index=True)
    embeddings = embeddings[first]
    kept = np.isfinite(embeddings).all(axis=1)
    if not kept.any():
        raise ValueError(f"{path}: expected a body that can be embedded. Received: none in {len(kept)} frames")
    decoded = embedder.decode(embeddings[kept]) if poses is None else poses[first][kept]
    missing = int(frame[-1] - frame[0] + 1 - len(frame))
    return PoseTrack(frame[kept], embeddings[kept], decoded, int((~kept).sum()), missing)


def _read_poses(path, person, embedder):
    sequence = choose_poses(read_poses(path), person)
    if not len(sequence):
        raise ValueError(f"{path}: expected at least one pose. Received: none")
    poses = sequence.poses
    if (sequence.coordinate_frame, sequence.unit) != ("canonical", "torso"):
        poses, _ = canonicalise(np.asarray(poses, np.float64), sequence.profile)
    poses = map_keypoints(poses, sequence.profile, COCO_13)
    if has_pose_encoder(embedder):
        embeddings = embed_in_pieces(lambda rows: embedder.encode_pose(poses[rows], canonical=True), len(poses))
        return sequence.frame, embeddings, poses
    print(f"note: {path}: the model has no encoder of 3D poses; four virtual cameras see them instead", file=sys.stderr)
    return sequence.frame, embed_seen_poses(embedder, poses), poses


def _read_embeddings(path, person, embedder):
    content = read_embedding_file(path)
    if content.model_id != embedder.model_id:
        raise ValueError(f"{path}: expected embeddings of model {embedder.model_id}. Received: {content.model_id}")
    count = len(content.embeddings)
    people = np.asarray(content.columns.get("person", np.full(count, UNTRACKED)))
    known, counts = np.unique(people, return_counts=True)
    if not len(known) or person != "main" and person not in map(str, known):
        raise ValueError(f"{path}: expected a person among {known.tolist()}. Received: {person}")
    wanted = known[counts.argmax()] if person == "main" else known[list(map(str, known)).index(person)]
    rows = np.flatnonzero(people == wanted)
    frame = np.asarray(content.columns.get("frame", np.arange(count)))
    if frame.dtype.kind not in "iu":
        raise ValueError(f"{path}: expected whole numbers in column 'frame'. Received: {frame.dtype}")
    return frame[rows].astype(np.int64), content.embeddings[rows], None
