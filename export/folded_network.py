"""The networks as they leave for a phone: dense layers with the batch normalisation folded in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import keras
import numpy as np


@dataclass(frozen=True)
class DenseLayer:
    """Weights of one dense layer.

    Args:
        kernel: (features in, features out).
        bias: (features out,).
    """

    kernel: np.ndarray
    bias: np.ndarray

    def scaled(self, inputs: np.ndarray | float = 1.0, outputs: np.ndarray | float = 1.0) -> "DenseLayer":
        """The layer for inputs divided, and outputs multiplied, by positive factors (features in,), (features out,)."""
        inputs = np.broadcast_to(inputs, self.kernel.shape[:1])[:, None]
        return DenseLayer(self.kernel * inputs * outputs, self.bias * outputs)


@dataclass(frozen=True)
class FoldedNetwork:
    """A residual multilayer perceptron in inference: ReLU after every layer but the head.

    Args:
        stem: First layer.
        blocks: Two layers each; a block adds its result to its input.
        head: Last layer, linear.
    """

    stem: DenseLayer
    blocks: tuple[tuple[DenseLayer, DenseLayer], ...]
    head: DenseLayer

    @property
    def layers(self) -> tuple[DenseLayer, ...]:
        """All layers in the order in which they are applied."""
        return (self.stem, *(layer for block in self.blocks for layer in block), self.head)


def fold_network(model: keras.Model, head: str) -> FoldedNetwork:
    """Folds the batch normalisation of a trained network into its dense layers.

    Args:
        model: Network of `vvipe_tf.models.networks`.
        head: Name of the output layer to keep, e.g. `"z_mean"`.

    Returns:
        The same function in inference, with float64 weights.
    """
    trunk = model.get_layer("trunk")
    return FoldedNetwork(
        stem=_fold_layer(trunk.stem),
        blocks=tuple((_fold_layer(first), _fold_layer(second)) for first, second in trunk.blocks),
        head=_dense(model.get_layer(head)),
    )


def equalise_network(network: FoldedNetwork, inputs: np.ndarray, balance: float = 0.65) -> FoldedNetwork:
    """Scales hidden units so that they share one range, which makes one scale for all of them enough in 8 bits.

    ReLU commutes with positive factors, so the function stays the same (Nagel et al. 2019, "Data-Free Quantization
    Through Weight Equalization and Bias Correction"). The factor of a unit weighs the range of its activation against
    that of the weights that read it (Xiao et al. 2023, "SmoothQuant").

    Args:
        network: Network.
        inputs: Typical inputs (batch, features in).
        balance: 1 gives all activations one range, 0 all columns of weights; in between both share the burden.

    Returns:
        The equalised network.
    """
    ranges = {}
    run_network(network, inputs, record=lambda place, hidden: ranges.setdefault(place, hidden.max(axis=0)))
    stream_range = np.max([ranges[place] for place in ranges if place.endswith(("stem", "sum"))], axis=0)
    stream = _factors(stream_range, [first for first, _ in network.blocks] + [network.head], balance)
    blocks = []
    for index, (first, second) in enumerate(network.blocks):
        inner = _factors(ranges[f"block{index}_first"], [second], balance)
        blocks.append((first.scaled(stream, 1 / inner), second.scaled(inner, 1 / stream)))
    return replace(
        network,
        stem=network.stem.scaled(outputs=1 / stream),
        blocks=tuple(blocks),
        head=network.head.scaled(inputs=stream),
    )


def run_network(
    network: FoldedNetwork,
    inputs: np.ndarray,
    record: Callable[[str, np.ndarray], object] = lambda place, hidden: None,
) -> np.ndarray:
    """Applies a network in NumPy.

    Args:
        network: Network.
        inputs: (batch, features in).
        record: Called with each place, `stem`, `block0_first`, `block0_second`, `block0_sum` ..., and the activations
            there.

    Returns:
        (batch, features out).
    """
    hidden = _relu(network.stem, inputs)
    record("stem", hidden)
    for index, (first, second) in enumerate(network.blocks):
        inner = _relu(first, hidden)
        record(f"block{index}_first", inner)
        added = _relu(second, inner)
        record(f"block{index}_second", added)
        hidden = hidden + added
        record(f"block{index}_sum", hidden)
    return hidden @ network.head.kernel + network.head.bias


def named_layers(network: FoldedNetwork) -> Iterator[tuple[str, DenseLayer]]:
    """The layers with names that tell their place."""
    yield "stem", network.stem
    for index, (first, second) in enumerate(network.blocks):
        yield f"block{index}_first", first
        yield f"block{index}_second", second
    yield "head", network.head


def _fold_layer(layer) -> DenseLayer:
    dense, norm = _dense(layer.dense), layer.norm
    scale = _value(norm.gamma) / np.sqrt(_value(norm.moving_variance) + norm.epsilon)
    return DenseLayer(dense.kernel * scale, (dense.bias - _value(norm.moving_mean)) * scale + _value(norm.beta))


def _dense(layer) -> DenseLayer:
    return DenseLayer(_value(layer.kernel), _value(layer.bias))


def _value(variable) -> np.ndarray:
    return variable.value.numpy().astype(np.float64)


def _relu(layer, inputs):
    return np.maximum(inputs @ layer.kernel + layer.bias, 0.0)


def _factors(activation_range, readers, balance):
    """Factor of each unit; units that never fire keep 1."""
    weights = np.max([np.abs(reader.kernel).max(axis=1) for reader in readers], axis=0)
    alive = (activation_range > 0) & (weights > 0)
    activation_range = np.where(alive, activation_range, 1.0)
    factors = activation_range**balance / np.where(alive, weights, 1.0) ** (1.0 - balance)
    typical = np.exp(np.mean(np.log(factors[alive]))) if alive.any() else 1.0
    return np.where(alive, factors / typical, 1.0)
