"""Pictures for TensorBoard: reconstructions, lifts, and the embedding projector."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import ProjectorConfig

from vvipe_tf.apps.skeleton_thumbnail import draw_thumbnails, tile
from vvipe_tf.apps.skeleton_view import view_keypoints, view_pose
from vvipe_tf.formats.atomic import atomic_path

PROJECTOR_FILE = "projector_config.pbtxt"  # The name that TensorBoard looks for.
MAX_PROJECTED = 1000
_TENSOR_FILE, _METADATA_FILE, _SPRITE_FILE = "embeddings.tsv", "embeddings_labels.tsv", "embeddings_sprite.png"
_PICTURE_SIZE = 192
_SPRITE_SIZE = 64


def write_reconstructions(step: int, poses: np.ndarray, reconstructions: np.ndarray) -> None:
    """Writes an image to the current default writer: poses above, what the VAE makes of them below.

    Args:
        step: Training step.
        poses: Canonical poses (n, 13, 3), torso units.
        reconstructions: Decoded poses (n, 13, 3).

    Raises:
        ValueError: If the shapes differ, or there are no poses.
    """
    if np.shape(poses) != np.shape(reconstructions):
        raise ValueError(
            "Expected as many reconstructions as poses. "
            f"Received: shapes={np.shape(poses)}, {np.shape(reconstructions)}"
        )
    views = [view_pose(pose) for pose in (*poses, *reconstructions)]
    _write_image("reconstructions", draw_thumbnails(views, _PICTURE_SIZE), len(poses), step)


def write_lifts(step: int, pose: np.ndarray, keypoints_2d: np.ndarray, lifts: np.ndarray) -> None:
    """Writes an image to the current default writer: the 2D views above, the pose lifted from each below.

    The true pose stands in a first column of its own.

    Args:
        step: Training step.
        pose: True canonical pose (13, 3), torso units.
        keypoints_2d: Keypoints (views, 13, 2), y down.
        lifts: Decoded poses (views, 13, 3).

    Raises:
        ValueError: If the shapes do not fit, or there are no views.
    """
    if len(keypoints_2d) != len(lifts):
        raise ValueError(f"Expected a lift for each view. Received: {len(keypoints_2d)} views, {len(lifts)} lifts")
    inputs = draw_thumbnails([view_keypoints(view) for view in keypoints_2d], _PICTURE_SIZE, shared_scale=False)
    truth, *outputs = draw_thumbnails([view_pose(solid) for solid in (pose, *lifts)], _PICTURE_SIZE)
    blank = np.full_like(truth, 255)
    _write_image("lifts", [blank, *inputs, truth, *outputs], 1 + len(lifts), step)


def write_projector(
    log_dir: str | os.PathLike, embeddings: np.ndarray, poses: np.ndarray, labels: Sequence[str]
) -> None:
    """Writes embeddings, labels and pose thumbnails for TensorBoard's projector; the file that names them comes last.

    Args:
        log_dir: The folder that TensorBoard is started with, or a run in it that has event files: the projector looks
            nowhere else.
        embeddings: Embeddings (n, embedding_dim), at most 1,000.
        poses: Canonical poses (n, 13, 3), torso units.
        labels: A label (n,) for each.

    Raises:
        ValueError: If the numbers differ, there are none or too many, or an embedding is not finite.
    """
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 2 or not len(embeddings) == len(poses) == len(labels):
        raise ValueError(
            "Expected embeddings (n, embedding_dim), poses (n, 13, 3) and labels (n,). "
            f"Received: shapes={embeddings.shape}, {np.shape(poses)}, {len(labels)} labels"
        )
    if not 1 <= len(embeddings) <= MAX_PROJECTED or not np.isfinite(embeddings).all():
        raise ValueError(f"Expected 1 to {MAX_PROJECTED} finite embeddings. Received: {len(embeddings)}, or others")
    log_dir = Path(log_dir)
    with atomic_path(log_dir / _TENSOR_FILE) as temporary:
        np.savetxt(temporary, embeddings, fmt="%.6g", delimiter="\t")
    with atomic_path(log_dir / _METADATA_FILE) as temporary:
        # One column and no header, as the projector wants it; white space in a label would start another column.
        temporary.write_text("".join(" ".join(str(label).split()) + "\n" for label in labels), encoding="utf-8")
    sprite = tile(draw_thumbnails([view_pose(pose) for pose in poses], _SPRITE_SIZE), int(np.ceil(len(poses) ** 0.5)))
    with atomic_path(log_dir / _SPRITE_FILE) as temporary:
        Image.fromarray(sprite).save(temporary)
    config = ProjectorConfig()
    entry = config.embeddings.add(
        tensor_name="embeddings",
        tensor_path=_TENSOR_FILE,
        metadata_path=_METADATA_FILE,
        tensor_shape=embeddings.shape,
    )
    entry.sprite.image_path = _SPRITE_FILE
    entry.sprite.single_image_dim.extend((_SPRITE_SIZE, _SPRITE_SIZE))
    with atomic_path(log_dir / PROJECTOR_FILE) as temporary:
        temporary.write_text(text_format.MessageToString(config), encoding="utf-8")


def _write_image(name, pictures, columns, step):
    tf.summary.image(name, tile(pictures, columns)[None], step=step)
