"""Smaller weights: float16, dynamic-range int8, and integer activations, by ai-edge-quantizer.

The first and the last layer of each network keep float activations and float16 weights: they are 3 % of the weights
and, in 8 bits, most of the error. The normalisation of the keypoints is float in every variant.
"""

import io
import re
import warnings
from collections.abc import Mapping
from contextlib import redirect_stderr
from typing import NamedTuple

import numpy as np
from ai_edge_quantizer import qtyping
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.quantizer import Quantizer

from export.flatbuffer_model import iterate_ops, read_model, tensor_name
from export.folded_network import FoldedNetwork, run_network
from export.op_versions import correct_versions
from export.output_scales import move_scales_out

_FULLY_CONNECTED = qtyping.TFLOperationName.FULLY_CONNECTED
_ADD = qtyping.TFLOperationName.ADD
_ENDS = r".*/(stem|head)(_again)?;?$"
_INNER = r".*/block\d+_(first|second);?$"
_SUMS = r".*/block\d+_sum;?$"
_CLIP_CANDIDATES = np.linspace(0.3, 1.0, 29)
_MAX_SAMPLED = 200_000


class Range(NamedTuple):
    """Range of an activation."""

    low: float
    high: float


def cast_to_float16(content: bytes) -> bytes:
    """Stores the weights in float16; the arithmetic stays float32.

    Args:
        content: Float32 model with `name_layers` applied, as for all functions here.

    Returns:
        The quantised model.
    """
    quantizer = Quantizer(bytearray(content))
    _add_float16(quantizer, ".*")
    return _finish(quantizer)


def quantise_dynamically(content: bytes) -> bytes:
    """Stores the weights of the inner layers in int8, a scale for each output; activations are rounded at run time."""
    quantizer = Quantizer(bytearray(content))
    _add_float16(quantizer, _ENDS)
    quantizer.add_dynamic_config(regex=_INNER, operation_name=_FULLY_CONNECTED, num_bits=8)
    return correct_versions(move_scales_out(_finish(quantizer)))


def quantise_statically(content: bytes, ranges: Mapping[str, Range], activation_bits: int) -> bytes:
    """Computes the inner layers and the residual sums in integers.

    Args:
        content: Float32 model.
        ranges: Range of each place, `network/place`, as `find_ranges` gives them.
        activation_bits: 8 or 16.

    Returns:
        The quantised model.
    """
    quantizer = Quantizer(bytearray(content))
    _add_float16(quantizer, _ENDS)
    for regex, operation in ((_INNER, _FULLY_CONNECTED), (_SUMS, _ADD)):
        quantizer.add_static_config(
            regex=regex, operation_name=operation, activation_num_bits=activation_bits, weight_num_bits=8
        )
    return _finish(quantizer, _measured_tensors(read_model(content), ranges))


def find_ranges(networks: Mapping[str, tuple[FoldedNetwork, np.ndarray]], clip: bool) -> dict[str, Range]:
    """Ranges of all hidden activations.

    Args:
        networks: Network and typical inputs (batch, features in), by name.
        clip: Whether rare large values are cut off where that makes the mean squared error of 8 bits smaller.

    Returns:
        Range by `network/place`.
    """
    ranges = {}
    for name, (network, inputs) in networks.items():

        def record(place, hidden, name=name):
            high = _best_limit(hidden) if clip else float(hidden.max())
            ranges[f"{name}/{place}"] = Range(0.0, max(high, 1e-6))

        run_network(network, inputs, record)
    return ranges


def _best_limit(hidden):
    values = hidden.ravel()[:: max(1, hidden.size // _MAX_SAMPLED)]
    limits = _CLIP_CANDIDATES * hidden.max()
    errors = [np.mean((np.clip(np.round(values / s), 0, 255) * s - values) ** 2) for s in limits / 255 + 1e-12]
    return float(limits[int(np.argmin(errors))])


def _add_float16(quantizer, regex):
    quantizer.update_quantization_recipe(
        regex=regex,
        operation_name=_FULLY_CONNECTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
            compute_precision=qtyping.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        algorithm_key=AlgorithmName.FLOAT_CASTING,
    )


def _measured_tensors(model, ranges):
    """The ranges by tensor name, for every tensor between layers."""
    measured = {}
    for op in iterate_ops(model):
        name = tensor_name(model, op.subgraph, op.outputs[0])
        place = re.sub(r"^[^/]+/|_again$", "", name)
        if place in ranges:
            low, high = ranges[place]
            measured[name] = {"min": np.array([[low]], np.float32), "max": np.array([[high]], np.float32)}
    return measured


def _finish(quantizer, measured=None):
    # The quantizer shows its progress, and runs the float model in a way that its interpreter warns about.
    with redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors", category=UserWarning)
        result = quantizer.quantize(measured, enable_progress_bar=False, enable_progress_report=False)
    return correct_versions(bytes(result.quantized_model))
