import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from vvipe_tf.models.lifter import Lifter, LifterNetworks
from vvipe_tf.models.networks import ClippedDense
from vvipe_tf.models.run_folder import load_any_run, load_run, save_run

ABOUT = {"seed": 1, "train": {}, "data": {"data": "synthetic"}, "versions": {}, "commit": None}


def examples(number, seed=0):
    """Camera poses on a sheet of three dimensions, and their keypoints seen from afar, without the mask channel."""
    rng = np.random.default_rng(seed)
    sheet = np.random.default_rng(9).normal(size=(3, 17, 3))
    sheet -= sheet[:, :1]
    pose = np.tensordot(rng.uniform(-1, 1, size=(number, 3)), sheet, axes=1).astype(np.float32)
    return 3.0 + 0.1 * pose[:, 4:, :2], pose


def make_model(config, optimizer=None):
    keras.utils.set_random_seed(1)
    model = Lifter(LifterNetworks.build(dataclasses.replace(config, use_mask=False, dropout=0.0)))
    model.compile(optimizer=optimizer or keras.optimizers.Adam(1e-2))
    model.set_statistics(*examples(200, seed=3))
    return model


def batches(number, seed=0):
    return tf.data.Dataset.from_tensor_slices(examples(number, seed)).batch(16)


def test_it_learns_to_lift(small_networks):
    model = make_model(dataclasses.replace(small_networks, width=64))
    history = model.fit(batches(320), epochs=20, verbose=0, shuffle=False).history
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    keypoints, pose = examples(50, seed=1)
    error = np.linalg.norm(model(keypoints).numpy() - pose, axis=-1).mean()
    assert error < 0.5 * np.linalg.norm(pose - pose.mean(axis=0), axis=-1).mean()


def test_the_pelvis_is_the_origin_and_the_loss_is_of_standardised_coordinates(small_networks):
    model = make_model(small_networks)
    keypoints, pose = examples(16)
    lifted = model(keypoints).numpy()
    np.testing.assert_array_equal(lifted[:, 0], 0)
    std = examples(200, seed=3)[1][:, 1:].std(axis=0)
    terms = model.compute_terms((keypoints, pose), training=False)
    np.testing.assert_allclose(terms["loss"], np.mean(np.square((lifted - pose)[:, 1:] / std)), rtol=1e-4)
    np.testing.assert_allclose(terms["pose_error"], np.linalg.norm(lifted - pose, axis=-1).mean(), rtol=1e-5)


def test_kernels_count_as_clipped_to_a_norm_of_one():
    layer = ClippedDense(4)
    layer.build((None, 3))
    kernel = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    inputs = np.ones((2, 3), np.float32)
    for size in (5.0, 0.5):
        layer.kernel.assign(size * kernel / np.linalg.norm(kernel))
        expected = min(size, 1.0) * inputs @ kernel / np.linalg.norm(kernel)
        np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5)


def test_a_fresh_kernel_of_full_width_is_clipped_in_half_precision_too():
    layer = ClippedDense(1024, dtype="mixed_float16")
    layer.build((None, 1024))
    # The sum of squares, 10^5, is more than float16 can hold.
    layer.kernel.assign(np.full((1024, 1024), 300 / 1024, np.float32))
    np.testing.assert_allclose(layer(np.ones((2, 1024), np.float32)), np.ones((2, 1024)), rtol=1e-2)


def test_a_coordinate_that_never_changes_does_not_divide_by_zero(small_networks):
    model = make_model(small_networks)
    keypoints, pose = examples(40)
    keypoints[:, 3] = 7.0
    model.set_statistics(keypoints, pose)
    assert np.isfinite(model(keypoints)).all()


def test_mixed_precision_makes_updates_of_the_same_size(small_networks):
    steps = {}
    for policy in ("float32", "mixed_float16"):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            optimizer = keras.optimizers.SGD(1e-2)
            if policy != "float32":
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            model = make_model(small_networks, optimizer)
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        before = model.lifter.get_layer("head").kernel.numpy()
        model.fit(batches(16), verbose=0, shuffle=False)
        steps[policy] = np.linalg.norm(model.lifter.get_layer("head").kernel.numpy() - before)
    assert steps["mixed_float16"] == pytest.approx(steps["float32"], rel=0.3)


def test_a_loaded_run_lifts_to_the_last_bit_as_before(tmp_path, small_networks):
    model = make_model(small_networks)
    config = dataclasses.replace(small_networks, use_mask=False, dropout=0.0)
    save_run(tmp_path, LifterNetworks(model.lifter), config, ABOUT, "lifter")
    keypoints = np.random.default_rng(3).normal(size=(11, 13, 2))
    first, second = (load_any_run(tmp_path).embed_keypoints(keypoints) for _ in range(2))
    assert first.shape == (11, 17, 3)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first).max() > 0
    with pytest.raises(ValueError, match="Expected a run of V-VIPE. Received: .*--model lifter"):
        load_run(tmp_path)
