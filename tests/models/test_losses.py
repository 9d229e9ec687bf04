import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from vvipe_tf.models.losses import embedding_distance, kl_divergence, reconstruction_loss, triplet_loss
from vvipe_tf.models.mining import Triplets


def triplets(positive, negative, valid):
    return Triplets(tf.constant(positive), tf.constant(negative), tf.constant(valid))


def test_kl_divergence_equals_tensorflow_probability():
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(2, 4, 6)).astype(np.float32)
    normal = tfp.distributions.Normal(mean, np.exp(0.5 * log_var))
    expected = normal.kl_divergence(tfp.distributions.Normal(tf.zeros(6), tf.ones(6)))
    np.testing.assert_allclose(kl_divergence(mean, log_var), expected, rtol=1e-4, atol=1e-5)


def test_reconstruction_loss_worked_by_hand():
    pose = np.zeros((1, 2, 3), np.float32)
    guess = np.array([[[3.0, 4.0, 0.0], [0.0, 0.0, 1.0]]], np.float32)
    assert reconstruction_loss(pose, guess).numpy() == pytest.approx((25 + 1) / 2)


def test_triplet_loss_worked_by_hand():
    """Embeddings 0, 1 and 3 on a line, margin 1.

    anchor 0: |0-1| - |0-3| + 1 = -1 -> 0       anchor 2: |3-1| - |3-0| + 1 = 0 -> 0
    anchor 1: |1-3| - |1-0| + 1 = 2
    """
    line = tf.constant([[0.0], [1.0], [3.0]])
    result = triplet_loss(line, line, triplets([1, 2, 1], [2, 0, 0], [True] * 3), margin=1.0)
    assert result.loss.numpy() == pytest.approx(2 / 3, abs=1e-5)
    assert result.active_ratio.numpy() == pytest.approx(1 / 3, abs=1e-5)
    assert result.positive_distance.numpy() == pytest.approx((1 + 2 + 2) / 3, abs=1e-5)
    assert result.negative_distance.numpy() == pytest.approx((3 + 1 + 3) / 3, abs=1e-5)


def test_an_anchor_without_a_negative_adds_nothing():
    line = tf.constant([[0.0], [1.0], [3.0]])
    result = triplet_loss(line, line, triplets([1, 2, 1], [2, 0, 0], [True, False, True]), margin=1.0)
    assert result.loss.numpy() == pytest.approx(0.0, abs=1e-5)
    assert result.negative_distance.numpy() == pytest.approx(3.0, abs=1e-5)


def test_descending_the_triplet_loss_pulls_the_positive_and_pushes_the_negative():
    embedding = tf.Variable([[0.0, 0.0], [1.0, 0.0], [0.0, 1.2]])
    with tf.GradientTape() as tape:
        loss = triplet_loss(embedding, embedding, triplets([1, 0, 0], [2, 2, 1], [True, False, False]), 1.0).loss
    gradient = tape.gradient(loss, embedding).numpy()
    assert gradient[1, 0] > 0
    assert gradient[2, 1] < 0


def test_the_gradient_of_equal_embeddings_is_finite():
    same = tf.Variable(tf.ones((3, 4)))
    with tf.GradientTape() as tape:
        distance = tf.reduce_sum(embedding_distance(same, tf.gather(same, [1, 2, 0])))
    np.testing.assert_array_equal(tape.gradient(distance, same), np.zeros((3, 4)))
