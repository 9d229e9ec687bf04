"""Loss terms of V-VIPE (paper 3.2, 3.3). Each is a plain function of tensors."""

from typing import NamedTuple

import tensorflow as tf

from vvipe_tf.models.mining import Triplets

# Keeps the gradient of a norm finite where the difference is zero.
_EPSILON = 1e-12


class TripletLoss(NamedTuple):
    """Triplet loss and what one wants to watch of it; all scalars.

    Attributes:
        loss: Mean over the anchors; anchors without a negative count as 0.
        active_ratio: Share of anchors whose loss is above 0.
        positive_distance: Mean embedding distance from anchor to positive.
        negative_distance: Mean embedding distance from anchor to negative, over anchors that have one.
    """

    loss: tf.Tensor
    active_ratio: tf.Tensor
    positive_distance: tf.Tensor
    negative_distance: tf.Tensor


def reconstruction_loss(pose: tf.Tensor, reconstruction: tf.Tensor) -> tf.Tensor:
    """Squared distance of each joint, mean over joints and batch (paper 3.2, L_mse).

    Args:
        pose: (batch, joints, 3), torso units.
        reconstruction: (batch, joints, 3), torso units.

    Returns:
        Scalar, squared torso units.
    """
    return tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(pose, reconstruction), axis=-1))


def kl_divergence(z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
    """KL divergence of the posterior from a standard normal, for each dimension (paper 3.2, L_KL).

    Args:
        z_mean: (batch, embedding_dim).
        z_log_var: (batch, embedding_dim).

    Returns:
        (batch, embedding_dim), nats; the KL of the whole posterior is the sum over the last axis.
    """
    return 0.5 * (tf.square(z_mean) + tf.exp(z_log_var) - 1.0 - z_log_var)


def embedding_distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Euclidean distance over the last axis, with a finite gradient at zero: (..., embedding_dim) -> (...,)."""
    return tf.sqrt(tf.reduce_sum(tf.math.squared_difference(a, b), axis=-1) + _EPSILON)


def triplet_loss(anchors: tf.Tensor, candidates: tf.Tensor, triplets: Triplets, margin: float) -> TripletLoss:
    """relu(|e_i - e_j| - |e_i - e_k| + margin); the paper prints the sign the wrong way round.

    Args:
        anchors: (anchors, embedding_dim).
        candidates: (candidates, embedding_dim), what the indices of `triplets` point into.
        triplets: Mined triplets of the anchors.
        margin: Margin in embedding units.

    Returns:
        TripletLoss.
    """
    to_positive = embedding_distance(anchors, tf.gather(candidates, triplets.positive))
    to_negative = embedding_distance(anchors, tf.gather(candidates, triplets.negative))
    losses = tf.where(triplets.valid, tf.nn.relu(to_positive - to_negative + margin), 0.0)
    return TripletLoss(
        loss=tf.reduce_mean(losses),
        active_ratio=tf.reduce_mean(tf.cast(losses > 0, tf.float32)),
        positive_distance=tf.reduce_mean(to_positive),
        negative_distance=tf.math.divide_no_nan(
            tf.reduce_sum(tf.where(triplets.valid, to_negative, 0.0)),
            tf.reduce_sum(tf.cast(triplets.valid, tf.float32)),
        ),
    )
