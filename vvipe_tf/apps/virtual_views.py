"""3D poses for models without an encoder of poses: virtual cameras see them, and what they see is embedded."""

from typing import TYPE_CHECKING

import numpy as np

from vvipe_tf.geometry.camera import project_view, view_rotation
from vvipe_tf.keypoints import COCO_13

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder

NUM_CAMERAS = 4
_ELEVATION = np.radians(8.0)
# Torso lengths; 4.5 m for an adult.
_DISTANCE = 9.0


def has_pose_encoder(embedder: "PoseEmbedder") -> bool:
    """Whether `embedder.encode_pose` works: exported models may come without that signature."""
    files = embedder.description.get("files", {}).values()
    return all("encode_pose" in file.get("signatures", ("encode_pose",)) for file in files)


def see_poses(poses: np.ndarray, azimuth: np.ndarray | float) -> np.ndarray:
    """What a camera sees that looks at the pelvis, 8 degrees above it, 9 torso lengths away.

    Args:
        poses: Poses (poses, 13, 3), z up, pelvis at the origin, torso units.
        azimuth: Where the camera stands (poses,) or one for all, radians.

    Returns:
        Keypoints (poses, 13, 2) on the plane at focal length 1, y down.
    """
    azimuth = np.broadcast_to(np.asarray(azimuth, np.float64), len(poses))
    rotation = view_rotation(azimuth, np.full(len(poses), _ELEVATION), np.zeros(len(poses)))
    return project_view(np.asarray(poses, np.float64), rotation, np.full(len(poses), _DISTANCE))


def embed_seen_poses(embedder: "PoseEmbedder", poses: np.ndarray) -> np.ndarray:
    """Embeds 3D poses without a pose encoder: the mean of the embeddings of four views around them.

    Args:
        embedder: Model.
        poses: Poses COCO_13 (poses, 13, 3), z up, pelvis at the origin, torso units.

    Returns:
        Embeddings (poses, embedding_dim) float32.
    """
    azimuths = 2 * np.pi * (np.arange(NUM_CAMERAS) + 0.5) / NUM_CAMERAS
    views = [embedder.embed(see_poses(poses, azimuth), profile=COCO_13) for azimuth in azimuths]
    return np.mean(views, axis=0)
