"""Rounding that hands errors on."""

import numpy as np
import pytest

from export.folded_network import fold_network, run_network
from export.weight_rounding import round_kernel, round_network


def _nearest(kernel):
    scale = np.abs(kernel).max(axis=0) / 127
    return np.round(kernel / scale) * scale


@pytest.fixture
def correlated():
    random = np.random.default_rng(0)
    return np.maximum(random.normal(size=(400, 6)) @ random.normal(size=(6, 150)), 0) + 0.01 * random.random((400, 150))


def test_a_rounded_kernel_lies_on_the_grid_that_a_quantiser_finds_again(correlated):
    kernel = np.random.default_rng(1).normal(size=(150, 21))
    rounded = round_kernel(kernel, correlated)
    steps = rounded / (np.abs(rounded).max(axis=0) / 127)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    np.testing.assert_allclose(np.abs(rounded).max(axis=0), np.abs(kernel).max(axis=0))


def test_rounding_on_correlated_inputs_errs_much_less_than_the_nearest_step(correlated):
    kernel = np.random.default_rng(2).normal(size=(150, 21))
    error = np.abs(correlated @ (round_kernel(kernel, correlated) - kernel)).mean()
    nearest = np.abs(correlated @ (_nearest(kernel) - kernel)).mean()
    assert error < 0.5 * nearest


def test_inputs_without_correlation_leave_nothing_to_hand_on():
    kernel = np.random.default_rng(3).normal(size=(9, 5))
    np.testing.assert_allclose(round_kernel(kernel, np.eye(9)), _nearest(kernel))


def test_a_column_of_zeros_and_inputs_that_never_fire_are_harmless():
    kernel = np.random.default_rng(4).normal(size=(8, 3))
    kernel[:, 1] = 0.0
    inputs = np.random.default_rng(5).random((30, 8))
    inputs[:, 2] = 0.0
    rounded = round_kernel(kernel, inputs)
    assert np.isfinite(rounded).all()
    assert not rounded[:, 1].any()


@pytest.mark.parametrize("integer_activations", [True, False])
def test_a_rounded_network_stays_close_and_keeps_its_ends(trained, integer_activations):
    network = fold_network(trained.networks.keypoint_encoder, "z_mean")
    inputs = np.random.default_rng(6).normal(size=(500, 39))
    rounded = round_network(network, inputs, integer_activations)
    assert rounded.stem is network.stem
    assert rounded.head is network.head
    wanted = run_network(network, inputs)
    error = np.abs(run_network(rounded, inputs) - wanted).mean()
    assert 0 < error < 0.02 * np.abs(wanted).mean()
