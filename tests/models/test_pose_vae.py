import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from vvipe_tf.models.networks import build_pose_decoder, build_pose_encoder
from vvipe_tf.models.pose_vae import PoseVAE


def make_vae(config, optimizer=None, compile_options=None, **options):
    keras.utils.set_random_seed(3)
    model = PoseVAE(build_pose_encoder(config), build_pose_decoder(config), seed=5, **options)
    model.compile(optimizer=optimizer or keras.optimizers.Adam(1e-2), **(compile_options or {}))
    return model


def poses(number, seed=0):
    """Poses on a two-dimensional sheet, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    sheet = rng.normal(size=(2, 13, 3))
    return np.tensordot(rng.uniform(-1, 1, size=(number, 2)), sheet, axes=1).astype(np.float32)


def batches(data, size):
    return tf.data.Dataset.from_tensor_slices(data).batch(size, drop_remainder=True)


def fit(model, data, size=16, epochs=1):
    return model.fit(batches(data, size), epochs=epochs, verbose=0, shuffle=False).history


def test_the_loss_falls_and_reconstructions_come_near(small_networks):
    history = fit(make_vae(small_networks, kl_warmup_steps=20), poses(160), epochs=12)
    assert history["loss"][-1] < 0.4 * history["loss"][0]
    assert history["reconstruction_loss"][-1] < 0.3 * history["reconstruction_loss"][0]


def test_the_kl_weight_that_the_paper_prints_switches_more_of_the_embedding_off(small_networks):
    live = {}
    for weight in (1.0, 1e-3):
        model = make_vae(small_networks, kl_weight=weight, kl_warmup_steps=0, triplet_weight=0.0)
        live[weight] = fit(model, 0.5 * poses(160), epochs=25)["live_dims"][-1]
    assert live[1.0] < 1
    assert live[1e-3] > 2


def test_every_term_is_reported(small_networks):
    history = fit(make_vae(small_networks), poses(32))
    assert set(history) == {
        "loss",
        "reconstruction_loss",
        "kl_loss",
        "live_dims",
        "triplet_loss",
        "active_triplet_ratio",
        "positive_distance",
        "negative_distance",
    }


def test_without_weight_the_triplet_term_is_gone(small_networks):
    assert "triplet_loss" not in fit(make_vae(small_networks, triplet_weight=0.0), poses(32))


def without_noise(model):
    """Pins the posterior to its mean: XLA, and each replica, draw other random numbers from the same seed."""
    log_var = model.encoder.get_layer("z_log_var")
    log_var.bias.assign(tf.fill(log_var.bias.shape, -60.0))
    log_var.trainable = False
    return model


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"steps_per_execution": 4}])
def test_compilation_does_not_change_what_is_learnt(options, small_networks):
    config = dataclasses.replace(small_networks, dropout=0.0)
    learnt = []
    for compile_options in ({"jit_compile": False}, options):
        model = without_noise(make_vae(config, keras.optimizers.SGD(1e-2), compile_options))
        fit(model, poses(128))
        learnt.append(model.encoder.get_layer("z_mean").kernel.numpy())
    np.testing.assert_allclose(learnt[0], learnt[1], atol=1e-5)


def test_mixed_precision_makes_updates_of_the_same_size(small_networks):
    """Without loss scaling inside train_step the updates would be tens of thousands of times too small."""
    steps = {}
    for policy in ("float32", "mixed_float16"):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            optimizer = keras.optimizers.SGD(1e-3)
            if policy != "float32":
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            model = make_vae(small_networks, optimizer, {"jit_compile": False})
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        before = model.decoder.get_layer("pose").kernel.numpy()
        fit(model, poses(16))
        steps[policy] = np.linalg.norm(model.decoder.get_layer("pose").kernel.numpy() - before)
    assert steps["mixed_float16"] == pytest.approx(steps["float32"], rel=0.3)


@pytest.mark.parametrize("global_mining", [True, False])
def test_two_replicas_learn_what_one_device_learns_if_they_mine_together(global_mining, small_networks, two_devices):
    def train(strategy, synchronized):
        config = dataclasses.replace(small_networks, dropout=0.0, synchronized_batch_norm=synchronized)
        with strategy.scope():
            optimizer = keras.optimizers.SGD(1e-2)
            model = make_vae(config, optimizer, {"jit_compile": False}, global_mining=global_mining)
            fit(without_noise(model), poses(64, seed=2))
        return model.encoder.get_layer("z_mean").kernel.numpy()

    alone, together = train(tf.distribute.get_strategy(), False), train(two_devices, True)
    assert np.allclose(alone, together, atol=1e-5) == global_mining


def test_replicas_with_different_numbers_of_examples_mine_as_one_device_does(small_networks, two_devices):
    """A partial last batch: 7 examples here, 5 there; the loss of the 12 is the mean weighted by their numbers."""
    data, sizes = poses(12, seed=4), (7, 5)
    embedding = np.random.default_rng(5).normal(size=(12, 5)).astype(np.float32)
    with two_devices.scope():
        model = make_vae(small_networks)

    def share(context):
        rows = slice(0, 7) if context.replica_id_in_sync_group == 0 else slice(7, 12)
        return tf.constant(embedding[rows]), tf.constant(data[rows])

    @tf.function
    def measure(values):
        return two_devices.run(lambda pair: model.compute_triplet_loss(*pair).loss, args=(values,))

    values = two_devices.experimental_distribute_values_from_function(share)
    losses = two_devices.experimental_local_results(measure(values))
    expected = make_vae(small_networks).compute_triplet_loss(tf.constant(embedding), tf.constant(data)).loss
    np.testing.assert_allclose(np.dot(losses, sizes) / 12, expected, rtol=1e-5)


def test_replicas_draw_different_noise(small_networks, two_devices):
    with two_devices.scope():
        model = make_vae(small_networks)

    @tf.function
    def draw():
        return two_devices.run(lambda: model.sample(tf.zeros((3, 5)), tf.zeros((3, 5))))

    first, second = two_devices.experimental_local_results(draw())
    assert not np.allclose(first, second)


def test_samples_have_the_spread_of_the_posterior(small_networks):
    model = make_vae(small_networks)
    mean, log_var = tf.fill((4000, 5), 2.0), tf.fill((4000, 5), float(np.log(0.25)))
    drawn = model.sample(mean, log_var).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), np.full(5, 2.0), atol=0.05)
    np.testing.assert_allclose(drawn.std(axis=0), np.full(5, 0.5), atol=0.05)


def test_the_kl_weight_grows_over_the_warm_up(small_networks):
    model = make_vae(small_networks, kl_weight=1.0, kl_warmup_steps=8)
    weights = []
    for step in (0, 2, 8, 11):
        model.optimizer.iterations.assign(step)
        weights.append(float(model._warm_kl_weight()))
    assert weights == [0.0, 0.25, 1.0, 1.0]
