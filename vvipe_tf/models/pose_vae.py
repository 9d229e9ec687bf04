"""Stage one: the variational autoencoder of 3D poses that defines the embedding (paper 3.2)."""

import keras
import tensorflow as tf

from vvipe_tf.models.losses import kl_divergence, reconstruction_loss
from vvipe_tf.models.metric_learning import MetricLearningModel
from vvipe_tf.models.sampling import draw_noise

# A posterior dimension is live when it carries at least this much information (Burda et al. 2016 use 0.01).
LIVE_DIMENSION_KL = 0.01


class PoseVAE(MetricLearningModel):
    """Variational autoencoder of canonical poses, trained with MSE + KL + in-batch triplets (Eq. 2).

    Fit it on batches of canonical poses (batch, joints, 3) in torso units.

    Args:
        encoder: Pose encoder, pose -> (z_mean, z_log_var).
        decoder: Pose decoder, embedding -> pose.
        kl_weight: Weight of the KL term. Eq. 2 prints 1, which collapses the embedding in torso units.
        kl_warmup_steps: Steps over which the KL weight grows linearly from 0.
        triplet_on_sample: Whether the triplet term sees the sampled embedding instead of its mean.
        seed: Seed of the noise of the reparameterisation.
        **kwargs: See `MetricLearningModel`.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        kl_weight: float = 1e-3,
        kl_warmup_steps: int = 1000,
        triplet_on_sample: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.kl_weight, self.kl_warmup_steps = kl_weight, kl_warmup_steps
        self.triplet_on_sample = triplet_on_sample
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.add_trackers("loss", "reconstruction_loss", "kl_loss", "live_dims")

    def call(self, pose, training=None):
        """Reconstructs poses through the mean of the posterior: (batch, joints, 3) -> (batch, joints, 3)."""
        z_mean, _ = self.encoder(pose, training=training)
        return self.decoder(z_mean, training=training)

    def sample(self, z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
        """Draws z = mean + std * noise, with other noise on each replica.

        Args:
            z_mean: (batch, embedding_dim).
            z_log_var: (batch, embedding_dim).

        Returns:
            (batch, embedding_dim).
        """
        noise = draw_noise(self.seed_generator, tf.shape(z_mean), z_mean.dtype)
        return z_mean + tf.exp(0.5 * z_log_var) * noise

    def compute_terms(self, data, training: bool) -> dict[str, tf.Tensor]:
        """Loss terms of a batch of canonical poses (batch, joints, 3), torso units (Eq. 2)."""
        pose = tf.cast(data, tf.float32)
        z_mean, z_log_var = self.encoder(pose, training=training)
        z = self.sample(z_mean, z_log_var) if training else z_mean
        reconstruction = reconstruction_loss(pose, self.decoder(z, training=training))
        kl_per_dim = tf.reduce_mean(kl_divergence(z_mean, z_log_var), axis=0)
        kl = tf.reduce_sum(kl_per_dim)
        terms = {
            "loss": reconstruction + self._warm_kl_weight() * kl,
            "reconstruction_loss": reconstruction,
            "kl_loss": kl,
            "live_dims": tf.reduce_sum(tf.cast(kl_per_dim > LIVE_DIMENSION_KL, tf.float32)),
        }
        self.add_triplet_terms(terms, z if self.triplet_on_sample else z_mean, pose)
        return terms

    def _warm_kl_weight(self):
        if not self.kl_warmup_steps:
            return self.kl_weight
        steps = tf.cast(self.optimizer.iterations, tf.float32)
        return self.kl_weight * tf.minimum(1.0, steps / self.kl_warmup_steps)
