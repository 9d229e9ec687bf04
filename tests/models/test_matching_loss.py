"""PR-VIPE's loss terms against values worked by hand."""

import numpy as np
import pytest
import tensorflow as tf

from vvipe_tf.models.matching_loss import (
    MatchingProbability,
    gaussian_kl,
    matching_distance,
    matching_triplet_loss,
    pairwise_matching_distance,
)

LN2, LN3, LN9 = np.log([2.0, 3.0, 9.0])


def matching(raw_a=0.0, b=0.0):
    """By default a = 1 and b = 0, so that at distance ln r the probability is 0.9 / (1 + r) + 0.05."""
    layer = MatchingProbability(dtype="float32", name="matching")
    layer.build(())
    layer.raw_a.assign(raw_a)
    layer.b.assign(b)
    return layer


def on_a_line(*places):
    """Embeddings of one dimension and one sample."""
    return tf.reshape(tf.constant(places, tf.float32), (-1, 1, 1))


def test_matching_probability_worked_by_hand():
    found = matching()(tf.constant([0.0, LN3, LN9, 200.0], tf.float32))
    np.testing.assert_allclose(found, [0.5, 0.275, 0.14, 0.05], rtol=1e-6)
    # a = 2: ln 3 at distance 0, -ln 3 at ln 3.
    steeper = matching(raw_a=1.0, b=LN3)(tf.constant([0.0, LN3], tf.float32))
    np.testing.assert_allclose(steeper, [0.725, 0.275], rtol=1e-6)


def test_slope_stays_positive_below_zero_and_starts_where_the_released_code_starts():
    started = MatchingProbability(dtype="float32", name="matching")
    started.build(())
    expected = 0.9 / (1 + np.exp(np.exp(-0.65) * 2.0 + 0.5)) + 0.05
    np.testing.assert_allclose(started(tf.constant(2.0)), expected, rtol=1e-6)


def test_matching_distance_is_the_log_of_the_mean_over_all_pairs_of_samples():
    """Samples 0 and ln 3 against 0: probabilities 0.5 and 0.275."""
    a = tf.constant([[[0.0], [LN3]]], tf.float32)
    b = tf.constant([[[0.0], [0.0], [0.0]]], tf.float32)
    np.testing.assert_allclose(matching_distance(a, b, matching()), [-np.log((0.5 + 0.275) / 2)], rtol=1e-5)


def test_all_pairs_equal_pair_by_pair():
    rng = np.random.default_rng(0)
    a = tf.constant(rng.normal(size=(5, 4, 6)) + 30, tf.float32)
    b = tf.constant(rng.normal(size=(7, 4, 6)) + 30, tf.float32)
    layer = matching(-0.65, -0.5)
    expected = [[matching_distance(x[None], y[None], layer)[0] for y in b] for x in a]
    np.testing.assert_allclose(pairwise_matching_distance(a, b, layer), expected, rtol=1e-5)


def test_triplets_worked_by_hand():
    """Anchors 0 and 100, positives ln 3 and -ln 9, each the other's negative.

    anchor 0:    d_ap = -ln 0.275, d_an = -ln 0.14, so the loss is ln(2 * 0.14 / 0.275)
    anchor 100:  both are as far as can be: no negative beyond the positive; a hard one has the loss ln 2
    """
    anchors, positives = on_a_line(0, 100), on_a_line(LN3, -LN9)
    others = ~tf.eye(2, dtype=tf.bool)
    first = np.log(2 * 0.14 / 0.275)
    result = matching_triplet_loss(anchors, positives, others, matching(), margin=LN2)
    np.testing.assert_allclose(result.loss, first, atol=1e-5)
    np.testing.assert_allclose(result.active_ratio, 1 / 2)
    np.testing.assert_allclose(result.positive_distance, [-np.log(0.275), -np.log(0.05)], rtol=1e-5)
    np.testing.assert_allclose(result.negative_distance, -np.log(0.14), rtol=1e-5)
    hard = matching_triplet_loss(anchors, positives, others, matching(), margin=LN2, semi_hard=False)
    np.testing.assert_allclose(hard.loss, (first + LN2) / 2, atol=1e-5)


def test_the_nearest_pose_that_is_another_is_the_negative():
    """From anchor 0 at 0, ln 3 is its positive, ln 3.1 shows the same pose, -ln 9 and 5 others: -ln 9 is nearer."""
    anchors = on_a_line(0, 50, 60, 70)
    positives = on_a_line(LN3, np.log(3.1), -LN9, 5)
    is_negative = tf.constant([[False, False, True, True]] + [[False] * 4] * 3)
    result = matching_triplet_loss(anchors, positives, is_negative, matching(), margin=LN2)
    np.testing.assert_allclose(result.negative_distance, -np.log(0.14), rtol=1e-5)
    np.testing.assert_allclose(result.active_ratio, 1 / 4)


def test_without_any_negative_the_triplet_loss_is_zero():
    none = tf.zeros((3, 3), tf.bool)
    result = matching_triplet_loss(on_a_line(0, 1, 2), on_a_line(0, 1, 2), none, matching(), margin=LN2)
    assert (float(result.loss), float(result.active_ratio), float(result.negative_distance)) == (0, 0, 0)


def test_gradients_are_finite_where_samples_meet_and_reach_the_slope():
    layer, samples = matching(-0.65, -0.5), tf.Variable(tf.ones((4, 3, 2)))
    others = ~tf.eye(4, dtype=tf.bool)
    with tf.GradientTape() as tape:
        result = matching_triplet_loss(samples, samples, others, layer, margin=LN2, semi_hard=False)
        loss = result.loss + tf.reduce_mean(result.positive_distance)
    to_samples, to_b = tape.gradient(loss, [samples, layer.b.value])
    assert np.isfinite(to_samples).all()
    assert float(to_b) < 0


def test_kl_worked_by_hand():
    """Half of (s^2 + m^2 - 1 - 2 ln s), summed over dimensions: (4 + 9 - 1 - 2 ln 2) / 2 and 0."""
    found = gaussian_kl(tf.constant([[3.0, 0.0]]), tf.constant([[2.0, 1.0]]))
    assert float(found[0]) == pytest.approx((12 - 2 * LN2) / 2)
