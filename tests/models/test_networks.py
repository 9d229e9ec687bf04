import keras
import numpy as np
import pytest

from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.networks import build_keypoint_encoder, build_pose_decoder, build_pose_encoder

BUILDERS = [(build_pose_encoder, (13, 3)), (build_pose_decoder, (5,)), (build_keypoint_encoder, (13, 3))]


@pytest.mark.parametrize(("build", "shape"), BUILDERS)
def test_a_network_survives_its_config_and_its_weights(build, shape, small_networks):
    network = build(small_networks)
    twin = keras.Model.from_config(network.get_config())
    twin.set_weights(network.get_weights())
    inputs = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    expected, found = keras.tree.flatten(network(inputs)), keras.tree.flatten(twin(inputs))
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("build", "shape"), BUILDERS)
@pytest.mark.parametrize("jit", [False, True])
def test_eager_and_compiled_calls_agree(build, shape, jit, small_networks):
    network = build(small_networks)
    network.compile(jit_compile=jit)
    inputs = np.random.default_rng(1).normal(size=(6, *shape)).astype(np.float32)
    eager = keras.tree.flatten(network(inputs, training=False))
    for a, b in zip(eager, keras.tree.flatten(network.predict(inputs, verbose=0)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_outputs_stay_float32_under_mixed_precision(small_networks):
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        network = build_pose_encoder(small_networks)
        hidden = network.get_layer("trunk").stem.dense.compute_dtype
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    outputs = network(np.ones((2, 13, 3), np.float32))
    assert hidden == "float16"
    assert {keras.backend.standardize_dtype(output.dtype) for output in outputs} == {"float32"}


def test_the_posterior_starts_with_unit_variance(small_networks):
    _, z_log_var = build_pose_encoder(small_networks)(np.random.default_rng(2).normal(size=(4, 13, 3)))
    np.testing.assert_array_equal(z_log_var, np.zeros((4, 5)))


def test_the_networks_of_the_paper_have_four_million_parameters_each():
    sizes = [build(NetworkConfig()).count_params() for build, _ in BUILDERS]
    assert all(4.2e6 < size < 4.4e6 for size in sizes)


def test_without_the_mask_the_keypoint_encoder_takes_two_channels():
    assert build_keypoint_encoder(NetworkConfig(width=7, use_mask=False)).input_shape == (None, 13, 2)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"dropout": 1.0}, {"embedding_dim": -1}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Expected {next(iter(wrong))}"):
        NetworkConfig(**wrong)
