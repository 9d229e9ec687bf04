"""Loss terms of PR-VIPE (Sun et al., ECCV 2020): matching probability, triplets of distributions, prior."""

from typing import NamedTuple

import keras
import tensorflow as tf
from keras import layers

# Label smoothing of the matching probability.
_SMOOTHING = 0.1
_EPSILON = 1e-12


class MatchingTriplets(NamedTuple):
    """Triplet loss of PR-VIPE and what one wants to watch of it.

    Attributes:
        loss: Scalar, mean over the active anchors.
        active_ratio: Scalar, share of anchors whose loss is above 0.
        positive_distance: (anchors,) distance from anchor to positive.
        negative_distance: Scalar, mean distance from anchor to negative, over anchors that have one.
    """

    loss: tf.Tensor
    active_ratio: tf.Tensor
    positive_distance: tf.Tensor
    negative_distance: tf.Tensor


@keras.saving.register_keras_serializable("vvipe_tf")
class MatchingProbability(layers.Layer):
    """Probability that two embeddings show one pose: 0.9 sigmoid(-a |z - z'| + b) + 0.05.

    a = ELU(raw_a) + 1 stays positive; raw_a and b are trained, from where the released code starts them.
    """

    def build(self, input_shape):
        """Adds the two scalars."""
        self.raw_a = self.add_weight(shape=(), initializer=keras.initializers.Constant(-0.65), name="raw_a")
        self.b = self.add_weight(shape=(), initializer=keras.initializers.Constant(-0.5), name="b")

    def slope(self) -> tf.Tensor:
        """a, above 0."""
        return tf.nn.elu(tf.convert_to_tensor(self.raw_a)) + 1.0

    def call(self, distance):
        """Distances of any shape -> probabilities in (0.05, 0.95)."""
        return _smooth(tf.sigmoid(tf.convert_to_tensor(self.b) - self.slope() * distance))


def _smooth(probability):
    return (1.0 - _SMOOTHING) * probability + _SMOOTHING / 2


def matching_distance(a: tf.Tensor, b: tf.Tensor, matching: MatchingProbability) -> tf.Tensor:
    """-log of the mean matching probability over all pairs of samples.

    Args:
        a: Samples (..., samples, embedding_dim).
        b: Samples (..., samples, embedding_dim).
        matching: Matching probability.

    Returns:
        Distances (...), nats.
    """
    difference = tf.math.squared_difference(a[..., :, None, :], b[..., None, :, :])
    # Keeps the gradient of the norm finite where two samples meet.
    distance = tf.sqrt(tf.reduce_sum(difference, axis=-1) + _EPSILON)
    return -tf.math.log(tf.reduce_mean(matching(distance), axis=(-2, -1)))


def pairwise_matching_distance(a: tf.Tensor, b: tf.Tensor, matching: MatchingProbability) -> tf.Tensor:
    """`matching_distance` between all anchors and all candidates, for mining: no gradient passes.

    One anchor at a time, so that (anchors, candidates, samples, samples) never exists.

    Args:
        a: Samples (anchors, samples, embedding_dim).
        b: Samples (candidates, samples, embedding_dim).
        matching: Matching probability.

    Returns:
        (anchors, candidates), nats.
    """
    num_candidates, num_samples, dim = b.shape[0] or tf.shape(b)[0], b.shape[1], b.shape[2]
    # Centred, so that little is lost where |z|^2 + |z'|^2 - 2 z.z' cancels, which is one product of matrices: of
    # (-2 z, |z|^2, 1) and (z', 1, |z'|^2). The slope goes into z, the smoothing behind the mean: few passes are left.
    centre, slope, offset = tf.reduce_mean(b, axis=(0, 1)), matching.slope(), tf.convert_to_tensor(matching.b)
    rows, columns = (tf.stop_gradient(slope * (samples - centre)) for samples in (a, b))
    columns = tf.reshape(columns, (-1, dim))
    rows_sq, columns_sq = (tf.reduce_sum(tf.square(points), axis=-1, keepdims=True) for points in (rows, columns))
    rows = tf.concat((-2.0 * rows, rows_sq, tf.ones_like(rows_sq)), axis=-1)
    columns = tf.concat((columns, tf.ones_like(columns_sq), columns_sq), axis=-1)

    def from_anchor(rows_of_anchor):
        distance = tf.sqrt(tf.nn.relu(tf.matmul(rows_of_anchor, columns, transpose_b=True)))
        return tf.reduce_sum(tf.sigmoid(offset - distance), axis=0)

    probability = tf.map_fn(from_anchor, rows, parallel_iterations=1)
    mean = tf.reduce_mean(tf.reshape(probability, (-1, num_candidates, num_samples)), axis=-1) / num_samples
    return tf.stop_gradient(-tf.math.log(_smooth(mean)))


def matching_triplet_loss(
    anchors: tf.Tensor,
    positives: tf.Tensor,
    is_negative: tf.Tensor,
    matching: MatchingProbability,
    margin: float,
    semi_hard: bool = True,
) -> MatchingTriplets:
    """relu(d_ap + margin - d_an), averaged over the active anchors.

    The positive of an anchor is the same row. Its negative is the nearest of the positives of the batch that shows
    another pose; semi-hard: among those farther away than the positive. An anchor without one adds nothing.

    Args:
        anchors: Samples (anchors, samples, embedding_dim).
        positives: Samples (anchors, samples, embedding_dim).
        is_negative: (anchors, anchors) bool, whether anchor i and positive k show different poses.
        matching: Matching probability.
        margin: Margin, nats.
        semi_hard: Whether a negative must be farther away than the positive.

    Returns:
        MatchingTriplets.
    """
    to_positive = matching_distance(anchors, positives, matching)
    to_all = pairwise_matching_distance(anchors, positives, matching)
    allowed = is_negative
    if semi_hard:
        allowed &= to_all > tf.stop_gradient(to_positive)[:, None]
    negative = tf.argmin(tf.where(allowed, to_all, float("inf")), axis=1)
    valid = tf.reduce_any(allowed, axis=1)
    # Only the distances of the chosen pairs need a gradient.
    to_negative = matching_distance(anchors, tf.gather(positives, negative), matching)
    losses = tf.where(valid, tf.nn.relu(to_positive + margin - to_negative), 0.0)
    num_active = tf.reduce_sum(tf.cast(losses > 0, tf.float32))
    return MatchingTriplets(
        loss=tf.math.divide_no_nan(tf.reduce_sum(losses), num_active),
        active_ratio=num_active / tf.cast(tf.shape(losses)[0], tf.float32),
        positive_distance=to_positive,
        negative_distance=tf.math.divide_no_nan(
            tf.reduce_sum(tf.where(valid, to_negative, 0.0)), tf.reduce_sum(tf.cast(valid, tf.float32))
        ),
    )


def gaussian_kl(z_mean: tf.Tensor, z_std: tf.Tensor) -> tf.Tensor:
    """KL divergence of N(z_mean, z_std^2) from a standard normal: (batch, embedding_dim) -> (batch,), nats."""
    log_std = tf.math.log(tf.maximum(z_std, _EPSILON))
    return 0.5 * tf.reduce_sum(tf.square(z_std) + tf.square(z_mean) - 1.0 - 2.0 * log_std, axis=-1)
