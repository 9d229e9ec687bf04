"""Stage two: a keypoint encoder that reaches the embedding through the frozen decoder (paper 3.3)."""

import keras
import tensorflow as tf

from vvipe_tf.models.losses import reconstruction_loss
from vvipe_tf.models.metric_learning import MetricLearningModel


class MappingNetwork(MetricLearningModel):
    """Maps 2D keypoints to the embedding; only the keypoint encoder learns.

    Fit it on batches (keypoints_2d, pose): normalised keypoints (batch, joints, 2 or 3) and the true canonical poses
    (batch, joints, 3) in torso units. A batch should hold each pose in two views or more: views of one pose are each
    other's positives, at distance 0.

    Args:
        keypoint_encoder: Keypoints -> embedding, (batch, embedding_dim).
        decoder: Decoder of stage one. It is frozen here and runs in inference mode.
        pose_encoder: Encoder of stage one, the teacher of the distillation. It is frozen here.
        distillation_weight: Weight of |e_2D - z_mean_3D|^2, whose gradient reaches the keypoint encoder alone.
        freeze_decoder: Whether the decoder is frozen; False is the ablation without pre-training.
        **kwargs: See `MetricLearningModel`.
    """

    def __init__(
        self,
        keypoint_encoder: keras.Model,
        decoder: keras.Model,
        pose_encoder: keras.Model,
        distillation_weight: float = 1.0,
        freeze_decoder: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.keypoint_encoder, self.decoder, self.pose_encoder = keypoint_encoder, decoder, pose_encoder
        self.distillation_weight = distillation_weight
        self.freeze_decoder = freeze_decoder
        self.decoder.trainable = not freeze_decoder
        self.pose_encoder.trainable = False
        self.add_trackers("loss", "pose_loss", *(("distillation_loss",) if distillation_weight else ()))

    def call(self, keypoints_2d, training=None):
        """Lifts keypoints: (batch, joints, 2 or 3) -> canonical pose (batch, joints, 3), torso units."""
        embedding = self.keypoint_encoder(keypoints_2d, training=training)
        return self.decoder(embedding, training=training and not self.freeze_decoder)

    def compute_terms(self, data, training: bool) -> dict[str, tf.Tensor]:
        """Loss terms of a batch (keypoints_2d, pose)."""
        keypoints_2d, pose = data
        pose = tf.cast(pose, tf.float32)
        embedding = self.keypoint_encoder(keypoints_2d, training=training)
        # Inference mode: fixed batch statistics and no dropout, so that the embedding keeps its meaning.
        lifted = self.decoder(embedding, training=training and not self.freeze_decoder)
        pose_loss = reconstruction_loss(pose, lifted)
        terms = {"loss": pose_loss, "pose_loss": pose_loss}
        if self.distillation_weight:
            target, _ = self.pose_encoder(pose, training=False)
            difference = tf.math.squared_difference(embedding, tf.stop_gradient(target))
            terms["distillation_loss"] = tf.reduce_mean(tf.reduce_sum(difference, axis=-1))
            terms["loss"] += self.distillation_weight * terms["distillation_loss"]
        self.add_triplet_terms(terms, embedding, pose)
        return terms
