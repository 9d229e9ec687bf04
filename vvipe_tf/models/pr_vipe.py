"""PR-VIPE, the baseline (Sun et al., ECCV 2020): a keypoint encoder of distributions, trained without 3D output."""

from dataclasses import dataclass
from math import log

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from vvipe_tf.models.matching_loss import MatchingProbability, gaussian_kl, matching_triplet_loss
from vvipe_tf.models.metric_learning import MetricLearningModel
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.network_set import NetworkSet
from vvipe_tf.models.networks import build_trunk
from vvipe_tf.models.pose_matching import pairwise_np_mpjpe
from vvipe_tf.models.sampling import draw_noise

NUM_SAMPLES = 20


@dataclass(frozen=True)
class PRVipeNetworks(NetworkSet):
    """The networks of PR-VIPE.

    Attributes:
        keypoint_encoder: keypoints -> (z_mean, z_std).
        matching: distance of two embeddings -> probability that they show one pose.
    """

    keypoint_encoder: keras.Model
    matching: MatchingProbability

    @classmethod
    def build(cls, config: NetworkConfig) -> "PRVipeNetworks":
        """Builds the networks with fresh weights."""
        matching = MatchingProbability(dtype="float32", name="matching")
        matching.build(())
        return cls(build_gaussian_encoder(config), matching)


def build_gaussian_encoder(config: NetworkConfig) -> keras.Model:
    """Normalised keypoints (batch, joints, 2 or 3) -> mean, deviation = ELU + 1, each (batch, embedding_dim)."""
    channels = 3 if config.use_mask else 2
    keypoints = keras.Input((config.num_joints, channels), name="keypoints_2d")
    hidden = build_trunk(config)(layers.Reshape((config.num_joints * channels,), name="flatten")(keypoints))

    def head(name):
        # All He, biases too, as in the released code.
        dense = layers.Dense(
            config.embedding_dim,
            kernel_initializer="he_normal",
            bias_initializer="he_normal",
            dtype="float32",
            name=name,
        )
        return dense(hidden)

    return keras.Model(keypoints, [head("z_mean"), ops.elu(head("z_std")) + 1.0], name="keypoint_encoder")


class PRVipe(MetricLearningModel):
    """PR-VIPE as released: triplets of distributions with semi-hard negatives, a positive-pair term, and a prior.

    Fit it on batches (keypoints_2d, pose): normalised keypoints (pairs, views, joints, 2 or 3) of which the first view
    is the anchor and the second its positive, and the poses (pairs, joints, 3) in any orientation, torso units. With
    more views than two all ordered pairs of neighbouring views are anchors and positives.

    Args:
        networks: Networks to train.
        margin: Margin of the triplet term, nats.
        positive_weight: Weight of the mean distance from anchor to positive.
        kl_weight: Weight of the KL term.
        num_samples: Samples of each distribution.
        semi_hard: Whether a negative must be farther away than the positive.
        seed: Seed of the samples.
        **kwargs: See `MetricLearningModel`; the triplets are mined in the batch of each replica.
    """

    def __init__(
        self,
        networks: PRVipeNetworks,
        margin: float = log(2),
        positive_weight: float = 0.005,
        kl_weight: float = 1e-3,
        num_samples: int = NUM_SAMPLES,
        semi_hard: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(margin=margin, **kwargs)
        self.keypoint_encoder, self.matching = networks.keypoint_encoder, networks.matching
        self.positive_weight, self.kl_weight = positive_weight, kl_weight
        self.num_samples, self.semi_hard = num_samples, semi_hard
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.add_trackers("loss", "positive_loss", "kl_loss", "mean_std")

    def call(self, keypoints_2d, training=None):
        """Embeds keypoints: (batch, joints, 2 or 3) -> z_mean, z_std (batch, embedding_dim)."""
        return self.keypoint_encoder(keypoints_2d, training=training)

    def compute_terms(self, data, training: bool) -> dict[str, tf.Tensor]:
        """Loss terms of a batch (keypoints_2d, pose)."""
        keypoints_2d, pose = data
        num_views = keypoints_2d.shape[1]
        # One pass over the views of all poses together, as batch normalisation wants it: view after view.
        stacked = tf.concat(tf.unstack(keypoints_2d, axis=1), axis=0)
        z_mean, z_std = self.keypoint_encoder(stacked, training=training)
        noise = draw_noise(self.seed_generator, (tf.shape(z_mean)[0], self.num_samples, z_mean.shape[1]), tf.float32)
        samples = tf.split(z_mean[:, None] + z_std[:, None] * noise, num_views)
        is_negative = pairwise_np_mpjpe(pose, pose) >= self.negative_distance
        triplets = [
            matching_triplet_loss(anchor, positive, is_negative, self.matching, self.margin, self.semi_hard)
            for anchor, positive in zip(samples[:-1], samples[1:], strict=True)
        ]
        positive_loss = tf.reduce_mean([each.positive_distance for each in triplets])
        kl = tf.reduce_mean(gaussian_kl(z_mean, z_std))
        terms = {
            "loss": self.positive_weight * positive_loss + self.kl_weight * kl,
            "positive_loss": positive_loss,
            "kl_loss": kl,
            "mean_std": tf.reduce_mean(z_std),
        }
        if self.triplet_weight:
            terms |= {
                "triplet_loss": tf.reduce_mean([each.loss for each in triplets]),
                "active_triplet_ratio": tf.reduce_mean([each.active_ratio for each in triplets]),
                "positive_distance": positive_loss,
                "negative_distance": tf.reduce_mean([each.negative_distance for each in triplets]),
            }
            terms["loss"] += self.triplet_weight * terms["triplet_loss"]
        return terms


def draw_samples(z_mean: np.ndarray, z_std: np.ndarray, rng: np.random.Generator, num_samples: int = NUM_SAMPLES):
    """Samples of distributions for use: (poses, embedding_dim) twice -> (poses, samples, embedding_dim) float32."""
    noise = rng.standard_normal((len(z_mean), num_samples, z_mean.shape[1]), dtype=np.float32)
    return z_mean[:, None] + z_std[:, None] * noise
