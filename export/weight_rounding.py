"""Rounds weights to 8 bits so that the rounding errors of a layer cancel on real inputs (GPTQ, Frantar et al. 2023).

Rounding each weight to the nearest step is what converters do; it costs these networks about 1 mm more. Here the error
of each rounded row is handed on to the rows that are not rounded yet, as the correlation of the inputs tells. The
result is still float, but already on the grid that a symmetric per-channel quantiser chooses, which then adds nothing.
"""

import numpy as np

from export.folded_network import DenseLayer, FoldedNetwork, named_layers

_LARGEST = 127
_DAMPING = 0.01
_BLOCK_ROWS = 128


def round_network(network: FoldedNetwork, inputs: np.ndarray, integer_activations: bool) -> FoldedNetwork:
    """Rounds the weights of all layers whose inputs are hidden units, block by block.

    The first and the last layer are left alone: their errors are the largest and their weights the fewest.

    Args:
        network: Network.
        inputs: Typical inputs (batch, features in).
        integer_activations: Whether layers see inputs rounded to 8 bits at run time.

    Returns:
        The network with rounded weights, and biases that take up the mean of what error is left.
    """
    exact = rounded = np.maximum(inputs @ network.stem.kernel + network.stem.bias, 0.0)
    layers = dict(named_layers(network))
    blocks = []

    def step(name, exact, rounded):
        layer = layers[name]
        seen = _round_rows(rounded) if integer_activations else rounded
        kernel = round_kernel(layer.kernel, seen)
        wanted = exact @ layer.kernel
        layer = DenseLayer(kernel, layer.bias + (wanted - seen @ kernel).mean(axis=0))
        return layer, np.maximum(wanted + layers[name].bias, 0.0), np.maximum(seen @ kernel + layer.bias, 0.0)

    for block in range(len(network.blocks)):
        first, exact_inner, rounded_inner = step(f"block{block}_first", exact, rounded)
        second, exact_added, rounded_added = step(f"block{block}_second", exact_inner, rounded_inner)
        exact, rounded = exact + exact_added, rounded + rounded_added
        blocks.append((first, second))
    return FoldedNetwork(network.stem, tuple(blocks), network.head)


def round_kernel(kernel: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Rounds one kernel to 8 bits with one scale for each output.

    Args:
        kernel: (features in, features out).
        inputs: What the layer sees (batch, features in).

    Returns:
        Kernel of the same shape; each column holds multiples of its largest magnitude / 127, that one included.
    """
    scale = np.abs(kernel).max(axis=0) / _LARGEST
    scale = np.where(scale > 0, scale, 1.0)
    power = np.square(inputs).mean(axis=0)
    order = np.argsort(-power, kind="stable")
    kernel, inputs = kernel[order], inputs[:, order]
    # A quantiser finds the scale again if the weight that set it stays the largest.
    is_largest = np.zeros(kernel.shape, bool)
    is_largest[np.abs(kernel).argmax(axis=0), np.arange(kernel.shape[1])] = True
    extremes = np.where(is_largest, np.sign(kernel) * _LARGEST, 0.0)
    hand_on = _inverse_factor(inputs)
    remaining, rounded = kernel.copy(), np.empty_like(kernel)
    for start in range(0, len(kernel), _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, len(kernel))
        errors = np.empty((stop - start, kernel.shape[1]))
        for row in range(start, stop):
            steps = np.clip(np.round(remaining[row] / scale), -_LARGEST, _LARGEST)
            rounded[row] = np.where(is_largest[row], extremes[row], steps) * scale
            errors[row - start] = (remaining[row] - rounded[row]) / hand_on[row, row]
            remaining[row + 1 : stop] -= np.outer(hand_on[row, row + 1 : stop], errors[row - start])
        remaining[stop:] -= hand_on[start:stop, stop:].T @ errors
    result = np.empty_like(rounded)
    result[order] = rounded
    return result


def _inverse_factor(inputs):
    """Upper Cholesky factor of the inverse of the inputs' second moment, damped."""
    moment = inputs.T @ inputs / len(inputs)
    silent = np.diag(moment) <= 0
    moment[silent, silent] = 1.0
    moment[np.diag_indices(len(moment))] += _DAMPING * np.mean(np.diag(moment))
    return np.linalg.cholesky(np.linalg.inv(moment)).T


def _round_rows(hidden):
    """Inputs as the dynamic-range kernels see them: 8 bits over the range of each row."""
    low, high = np.minimum(hidden.min(axis=1), 0.0), np.maximum(hidden.max(axis=1), 0.0)
    scale = np.where(high > low, (high - low) / 255, 1.0)[:, None]
    return np.round(hidden / scale) * scale
