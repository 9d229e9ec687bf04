"""What is measured, and drawn, at each validation of a stage."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from training.tensorboard_images import write_lifts, write_projector, write_reconstructions
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.near_duplicates import select_gallery
from vvipe_tf.data.rigs import CHEST
from vvipe_tf.evaluation.distribution_neighbours import nearest_distributions
from vvipe_tf.evaluation.hit_at_k import PosePairErrors
from vvipe_tf.evaluation.neighbours import nearest_neighbours
from vvipe_tf.evaluation.protocol import evaluate_retrieval, metric_profiles
from vvipe_tf.geometry.pose_error import mpjpe, p_mpjpe
from vvipe_tf.keypoints import COCO_13, map_keypoints
from vvipe_tf.models.lifter import LIFTED_PROFILE
from vvipe_tf.models.losses import kl_divergence
from vvipe_tf.models.pose_vae import LIVE_DIMENSION_KL
from vvipe_tf.models.run_folder import TrainedModel
from vvipe_tf.models.trained_baselines import TrainedLifter, TrainedPRVipe

_GALLERY_SIZE = 1000
_NUM_DRAWN = 6


class ValidationSet:
    """Held-out poses with what is needed to measure a model on them again and again.

    Args:
        dataset: Held-out poses; near-duplicates are left out, and at most 1,000 poses are kept.
        seed: Seed of the choice of poses and of the cameras.
        rotation: Whether true poses are canonical, or stand as in the world.
    """

    def __init__(self, dataset: PoseDataset, seed: int, rotation: bool = True):
        self.dataset = dataset.select(select_gallery(dataset, min(_GALLERY_SIZE, len(dataset)), seed))
        self.seed = seed
        self.canonical = self.dataset.canonical(COCO_13) if rotation else self.dataset.centred(COCO_13)
        self.keypoints = CHEST.project(self.dataset, seed)
        self.pose_errors = PosePairErrors(self.dataset.centred(metric_profiles(self.dataset.profile)[0]))

    def measure_vae(self, model: TrainedModel) -> dict[str, float]:
        """Reconstruction error in mm, KL, live dimensions, and the KL of each dimension as a histogram."""
        z_mean, z_log_var = model.networks.pose_encoder(self.canonical, training=False)
        kl = keras.ops.convert_to_numpy(kl_divergence(z_mean, z_log_var)).mean(axis=0)
        reconstruction = model.decode(keras.ops.convert_to_numpy(z_mean))
        tf.summary.histogram("validation/kl_per_dim", kl)
        for dim, value in enumerate(np.sort(kl)[::-1]):
            tf.summary.scalar(f"kl_per_dim_sorted/{dim:02d}", value)
        return {
            "mpjpe_mm": self._mpjpe_mm(reconstruction),
            "kl": float(kl.sum()),
            "live_dims": float((kl > LIVE_DIMENSION_KL).sum()),
        }

    def measure_mapping(self, model: TrainedModel) -> dict[str, float]:
        """Hit@k between chest cameras, in percent, and the lifting error in mm."""
        embeddings = np.stack([model.embed_keypoints(view) for view in self.keypoints])
        lifted = model.decode(embeddings.reshape(-1, embeddings.shape[-1]))
        return self._hits(embeddings, nearest_neighbours) | {
            "mpjpe_mm": self._mpjpe_mm(lifted.reshape(len(embeddings), *self.canonical.shape))
        }

    def measure_pr_vipe(self, model: TrainedPRVipe) -> dict[str, float]:
        """Hit@k between chest cameras, in percent."""
        samples = np.stack([model.embed_keypoints(view) for view in self.keypoints])
        return self._hits(samples, nearest_distributions)

    def measure_lifter(self, model: TrainedLifter) -> dict[str, float]:
        """Lifting error between chest cameras in mm on COCO_13, in the axes of each camera and after alignment."""
        truth = CHEST.camera_poses(self.dataset, self.seed, COCO_13)
        lifted = np.stack([model.embed_keypoints(view) for view in self.keypoints])
        lifted = map_keypoints(lifted, LIFTED_PROFILE, COCO_13)
        lengths = self.dataset.torso_lengths_mm
        return {
            "mpjpe_mm": float(np.mean(mpjpe(lifted, truth) * lengths)),
            "p_mpjpe_mm": float(np.mean(p_mpjpe(lifted, truth) * lengths)),
        }

    def draw_vae(self, model: TrainedModel, step: int) -> None:
        """Writes images of poses and their reconstructions."""
        poses = self.canonical[:_NUM_DRAWN]
        write_reconstructions(step, poses, model.decode(model.embed_poses(poses)))

    def draw_mapping(self, model: TrainedModel, step: int) -> None:
        """Writes an image of one pose lifted from each camera."""
        views = self.keypoints[:, 0]
        write_lifts(step, self.canonical[0], views, model.decode(model.embed_keypoints(views)))

    def _hits(self, embeddings, find_neighbours):
        ks = tuple(k for k in (1, 5, 10, 20) if k <= len(self.dataset))
        result = evaluate_retrieval(embeddings, CHEST.pairs, self.pose_errors, ks, find_neighbours=find_neighbours)
        return {f"hit_at_{k}": 100.0 * hit for k, hit in result.hit_at_k.items()}

    def _mpjpe_mm(self, poses):
        return float(np.mean(mpjpe(poses, self.canonical) * self.dataset.torso_lengths_mm))

    def write_embeddings(self, model: TrainedModel, log_dir: Path) -> None:
        """Writes the embeddings of the held-out poses for TensorBoard's projector."""
        labels = [
            f"{subject} {sequence}"
            for subject, sequence in zip(self.dataset.subject, self.dataset.sequence, strict=True)
        ]
        write_projector(log_dir, model.embed_poses(self.canonical), self.canonical, labels)
