import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from vvipe_tf.models.pr_vipe import PRVipe, PRVipeNetworks
from vvipe_tf.models.run_folder import load_any_run, load_run, save_run

ABOUT = {"seed": 1, "train": {}, "data": {"data": "synthetic"}, "versions": {}, "commit": None}


def make_model(config, optimizer=None, **options):
    keras.utils.set_random_seed(5)
    model = PRVipe(PRVipeNetworks.build(config), seed=2, num_samples=6, **options)
    model.compile(optimizer=optimizer or keras.optimizers.Adagrad(0.05))
    return model


def pairs(number, seed=0):
    """Keypoints of poses seen from two sides, with the mask channel."""
    pose = np.random.default_rng(seed).normal(size=(number, 13, 3)).astype(np.float32)
    views = np.stack([pose[..., 1:], pose[..., [0, 2]]], axis=1)
    keypoints = np.concatenate([views, np.ones((number, 2, 13, 1), np.float32)], axis=-1)
    return tf.data.Dataset.from_tensor_slices((keypoints, pose)).batch(16)


def test_it_learns_to_find_the_other_view(small_networks):
    model = make_model(dataclasses.replace(small_networks, width=64))
    keypoints, _ = next(iter(pairs(64).unbatch().batch(64)))

    def share_found():
        first, second = (model(keypoints[:, view])[0].numpy() for view in (0, 1))
        distance = np.linalg.norm(first[:, None] - second[None], axis=-1)
        return np.mean(distance.argmin(axis=1) == np.arange(64))

    before = share_found()
    history = model.fit(pairs(64), epochs=60, verbose=0, shuffle=False).history
    assert history["loss"][-1] < history["loss"][0]
    assert before < 0.2
    assert share_found() > 0.5


def test_the_terms_add_up_to_the_loss(small_networks):
    model = make_model(small_networks, triplet_weight=0.7, positive_weight=0.2, kl_weight=0.03)
    terms = model.compute_terms(next(iter(pairs(16))), training=False)
    expected = 0.7 * terms["triplet_loss"] + 0.2 * terms["positive_loss"] + 0.03 * terms["kl_loss"]
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-6)
    assert set(terms) == set(model.trackers)


def test_without_weight_the_triplet_term_is_gone(small_networks):
    model = make_model(small_networks, triplet_weight=0.0)
    terms = model.compute_terms(next(iter(pairs(16))), training=False)
    assert set(terms) == set(model.trackers) == {"loss", "positive_loss", "kl_loss", "mean_std"}


def test_deviations_are_positive(small_networks):
    model = make_model(small_networks)
    _, z_std = model(100 * np.random.default_rng(0).normal(size=(40, 13, 3)).astype(np.float32))
    assert z_std.numpy().min() >= 0
    assert z_std.numpy().max() > 1


def test_every_step_draws_other_noise(small_networks):
    model = make_model(small_networks)
    batch = next(iter(pairs(16)))
    assert float(model.compute_terms(batch, False)["loss"]) != float(model.compute_terms(batch, False)["loss"])


def test_mixed_precision_makes_updates_of_the_same_size(small_networks):
    steps = {}
    for policy in ("float32", "mixed_float16"):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            optimizer = keras.optimizers.SGD(1e-3)
            if policy != "float32":
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            model = make_model(dataclasses.replace(small_networks, dropout=0.0), optimizer)
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        before = model.keypoint_encoder.get_layer("z_mean").kernel.numpy()
        model.fit(pairs(16), verbose=0, shuffle=False)
        steps[policy] = np.linalg.norm(model.keypoint_encoder.get_layer("z_mean").kernel.numpy() - before)
    assert steps["mixed_float16"] == pytest.approx(steps["float32"], rel=0.3)


def test_a_loaded_run_embeds_to_the_last_bit_as_before(tmp_path, small_networks):
    networks = PRVipeNetworks.build(small_networks)
    networks.matching.b.assign(0.25)
    save_run(tmp_path, networks, small_networks, ABOUT, "pr_vipe")
    keypoints = np.random.default_rng(3).normal(size=(11, 13, 2))
    trained = load_any_run(tmp_path)
    samples = trained.embed_keypoints(keypoints)
    assert samples.shape == (11, 20, 5)
    np.testing.assert_array_equal(samples, trained.embed_keypoints(keypoints))
    assert float(trained.networks.matching.b.numpy()) == 0.25
    again = load_any_run(tmp_path)
    np.testing.assert_array_equal(samples, again.embed_keypoints(keypoints))
    np.testing.assert_array_equal(trained.embed_means(keypoints), again.embed_means(keypoints))
    with pytest.raises(ValueError, match="Expected a run of V-VIPE. Received: .*--model pr_vipe"):
        load_run(tmp_path)


def test_two_cameras_that_see_the_same_get_unrelated_noise(tmp_path, small_networks):
    """Noise that went with the row would bring each frame near itself in the other camera."""
    save_run(tmp_path, PRVipeNetworks.build(small_networks), small_networks, ABOUT, "pr_vipe")
    trained = load_any_run(tmp_path)
    keypoints = np.random.default_rng(4).normal(size=(30, 13, 2))
    views = (keypoints, keypoints + 1e-3)
    first, second = (trained.embed_keypoints(view) - trained.embed_means(view)[:, None] for view in views)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1
