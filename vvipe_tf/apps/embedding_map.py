"""Figure 8: a map of the embedding space, and key poses to read it by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.rigs import CHEST, Rig
from vvipe_tf.geometry.pose_error import pairwise_mpjpe
from vvipe_tf.keypoints import COCO_13

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import TrainedModel

NUM_KEY_POSES = 10
_PERPLEXITY = 30.0
# Key poses are chosen among the commoner poses: farthest points alone would be ten oddities that nothing resembles.
_ODD_SHARE = 0.05


@dataclass(frozen=True)
class EmbeddingMap:
    """Embeddings in the plane, each pose with the key pose it resembles most.

    Args:
        points: Places (n, 2).
        labels: Index of the nearest key pose (n,).
        key_indices: Where the key poses stand among the points (keys,).
        key_poses: Key poses, canonical (keys, 13, 3), torso units.
    """

    points: np.ndarray
    labels: np.ndarray
    key_indices: np.ndarray
    key_poses: np.ndarray


def embedding_map(
    model: "TrainedModel", dataset: PoseDataset, seed: int, rig: Rig = CHEST, num_keys: int = NUM_KEY_POSES
) -> EmbeddingMap:
    """Embeds each pose from one camera, drawn at random, and lays the embeddings out with t-SNE.

    Colours come from the true 3D poses, places from the 2D views: clusters of one colour mean that poses which are
    alike lie together whichever camera saw them.

    Args:
        model: Trained model.
        dataset: Poses, more than `num_keys` of them.
        seed: Seed of the cameras and of t-SNE.
        rig: Cameras.
        num_keys: Number of key poses.

    Returns:
        The map.

    Raises:
        ValueError: If there are too few poses.
    """
    if len(dataset) <= num_keys:
        raise ValueError(f"Expected more than {num_keys} poses for the map. Received: {len(dataset)}")
    poses, views = dataset.canonical(COCO_13), rig.project(dataset, seed)
    camera = np.random.default_rng(seed).integers(len(views), size=len(dataset))
    embeddings = model.embed_keypoints(views[camera, np.arange(len(dataset))])
    keys = key_poses(poses, num_keys)
    perplexity = min(_PERPLEXITY, (len(dataset) - 1) / 3)
    # On one thread the map does not depend on the number of processors.
    with threadpool_limits(1):
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(embeddings)
    return EmbeddingMap(points, pairwise_mpjpe(poses, poses[keys]).argmin(axis=1), keys, poses[keys])


def key_poses(poses: np.ndarray, num_keys: int) -> np.ndarray:
    """Visually different poses by farthest-point sampling in MPJPE.

    Args:
        poses: Canonical poses (n, joints, 3).
        num_keys: Number of poses to choose.

    Returns:
        Indices (num_keys,), all different; the first is the most usual pose.

    Raises:
        ValueError: If there are fewer poses than that.
    """
    if not 1 <= num_keys <= len(poses):
        raise ValueError(f"Expected 1 <= num_keys <= {len(poses)} poses. Received: num_keys={num_keys}")
    from_mean = pairwise_mpjpe(poses, poses.mean(axis=0, keepdims=True))[:, 0]
    pool = np.argsort(from_mean, kind="stable")[: max(num_keys, round((1 - _ODD_SHARE) * len(poses)))]
    chosen = [0]
    nearest = np.full(len(pool), np.inf)
    while len(chosen) < num_keys:
        nearest = np.minimum(nearest, pairwise_mpjpe(poses[pool], poses[pool[chosen[-1:]]])[:, 0])
        nearest[chosen] = -np.inf
        chosen.append(int(nearest.argmax()))
    return pool[chosen]
