"""Folding and equalising leave the function of a network as it is."""

import numpy as np

from export.folded_network import DenseLayer, FoldedNetwork, equalise_network, fold_network, named_layers, run_network


def _inputs(features, seed=0, rows=31):
    return np.random.default_rng(seed).normal(size=(rows, features))


def test_a_folded_network_says_what_keras_says(trained):
    networks = trained.networks
    for model, head, features in (
        (networks.keypoint_encoder, "z_mean", (13, 3)),
        (networks.pose_decoder, "pose", (7,)),
    ):
        inputs = _inputs(int(np.prod(features)))
        wanted = np.asarray(model(inputs.reshape(-1, *features).astype("float32"), training=False))
        found = run_network(fold_network(model, head), inputs)
        np.testing.assert_allclose(found, wanted.reshape(len(inputs), -1), atol=2e-5)


def test_a_layer_is_folded_as_worked_by_hand(trained):
    layer = trained.networks.pose_decoder.get_layer("trunk").stem
    folded = fold_network(trained.networks.pose_decoder, "pose").stem
    unit = 11
    norm = layer.norm
    scale = float(norm.gamma[unit]) / np.sqrt(float(norm.moving_variance[unit]) + norm.epsilon)
    np.testing.assert_allclose(folded.kernel[:, unit], np.asarray(layer.dense.kernel)[:, unit] * scale, rtol=1e-6)
    shift = (float(layer.dense.bias[unit]) - float(norm.moving_mean[unit])) * scale + float(norm.beta[unit])
    assert abs(folded.bias[unit] - shift) < 1e-6


def test_an_equalised_network_is_the_same_function_with_more_even_ranges(trained):
    network = fold_network(trained.networks.keypoint_encoder, "z_mean")
    uneven = np.exp(np.random.default_rng(4).normal(0, 2, 48))
    first, second = network.blocks[0]
    network = FoldedNetwork(
        network.stem,
        ((first.scaled(outputs=uneven), second.scaled(inputs=1 / uneven)), network.blocks[1]),
        network.head,
    )
    inputs = _inputs(39, 2, 300)
    equalised = equalise_network(network, inputs, balance=1.0)
    np.testing.assert_allclose(run_network(equalised, inputs), run_network(network, inputs), rtol=1e-9, atol=1e-9)

    def spread(candidate):
        ranges = {}
        run_network(candidate, inputs, lambda place, hidden: ranges.setdefault(place, hidden.max(axis=0)))
        return np.std(np.log(ranges["block0_first"][ranges["block0_first"] > 0]))

    assert spread(network) > 1.5
    assert spread(equalised) < 1e-6


def test_units_that_never_fire_are_left_alone():
    silent = FoldedNetwork(
        DenseLayer(np.eye(3), np.array([0.0, 0.0, -100.0])),
        ((DenseLayer(np.eye(3), np.zeros(3)), DenseLayer(np.eye(3), np.zeros(3))),),
        DenseLayer(np.ones((3, 2)), np.zeros(2)),
    )
    inputs = np.abs(_inputs(3))
    equalised = equalise_network(silent, inputs)
    assert all(np.isfinite(layer.kernel).all() for _, layer in named_layers(equalised))
    np.testing.assert_allclose(run_network(equalised, inputs), run_network(silent, inputs))


def test_layers_are_named_in_the_order_in_which_they_are_applied(trained):
    network = fold_network(trained.networks.pose_decoder, "pose")
    names = [name for name, _ in named_layers(network)]
    assert names == ["stem", "block0_first", "block0_second", "block1_first", "block1_second", "head"]
    assert [layer for _, layer in named_layers(network)] == list(network.layers)
