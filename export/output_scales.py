"""Takes the scales of 8-bit weights out of the layers, so that older runtimes can run them.

A dynamic-range layer with a scale for each output is version 12 of FULLY_CONNECTED, which no TFLite before LiteRT has.
Here its integers count as they are, and a product with the scales and the sum with the bias follow as ops of their own:
the same arithmetic, in versions that TFLite 2.14 has.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from export.flatbuffer_model import op_name, read_model, write_model


def move_scales_out(content: bytes) -> bytes:
    """Rewrites every layer with float inputs and int8 weights whose outputs have scales of their own.

    Args:
        content: Model; the versions of its ops are not touched.

    Returns:
        The rewritten model. The output of a layer keeps its name.
    """
    model = read_model(content)
    multiply, add = (_add_code(model, operator) for operator in ("MUL", "ADD"))
    buffers: dict[int, int] = {}
    for subgraph in model.subgraphs:
        scales: dict[int, int] = {}
        operators = []
        for operator in subgraph.operators:
            operators.append(operator)
            if not _is_dynamic(model, subgraph, operator):
                continue
            weights = operator.inputs[1]
            if weights not in scales:
                if len(subgraph.tensors[weights].quantization.scale) == 1:
                    continue
                scales[weights] = _move_scale(model, subgraph, subgraph.tensors[weights], buffers)
            operators += _split(subgraph, operator, scales[weights], multiply, add)
        subgraph.operators = operators
    return write_model(model)


def _is_dynamic(model, subgraph, operator):
    if op_name(model.operatorCodes[operator.opcodeIndex]) != "FULLY_CONNECTED":
        return False
    types = [subgraph.tensors[tensor].type for tensor in operator.inputs[:2]]
    return types == [schema.TensorType.FLOAT32, schema.TensorType.INT8]


def _move_scale(model, subgraph, weights, buffers):
    """Makes the scales of weights a tensor; subgraphs that share the weights share its buffer. Returns its index."""
    if weights.buffer not in buffers:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.asarray(weights.quantization.scale, np.float32).tobytes(), np.uint8)
        model.buffers.append(buffer)
        buffers[weights.buffer] = len(model.buffers) - 1
    count = len(weights.quantization.scale)
    weights.quantization.scale, weights.quantization.zeroPoint = np.ones(1, np.float32), np.zeros(1, np.int64)
    weights.quantization.quantizedDimension = 0
    return _add_tensor(subgraph, weights.name + b"/scale", (count,), None, buffers[weights.buffer])


def _split(subgraph, layer, scale, multiply, add):
    """Turns a layer into one without bias and activation; returns the ops that put them behind it."""
    output, bias, activation = layer.outputs[0], layer.inputs[2], layer.builtinOptions.fusedActivationFunction
    like = subgraph.tensors[output]
    product, scaled = (
        _add_tensor(subgraph, like.name + suffix, like.shape, like.shapeSignature)
        for suffix in (b"/product", b"/scaled")
    )
    layer.inputs, layer.outputs = _indices(layer.inputs[0], layer.inputs[1], -1), _indices(product)
    layer.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.NONE
    # What LiteRT does anyway: inputs behind a ReLU would otherwise have 7 bits.
    layer.builtinOptions.asymmetricQuantizeInputs = True
    times, plus = schema.OperatorT(), schema.OperatorT()
    times.opcodeIndex, times.inputs, times.outputs = multiply, _indices(product, scale), _indices(scaled)
    times.builtinOptionsType, times.builtinOptions = schema.BuiltinOptions.MulOptions, schema.MulOptionsT()
    plus.opcodeIndex, plus.inputs, plus.outputs = add, _indices(scaled, bias), _indices(output)
    plus.builtinOptionsType, plus.builtinOptions = schema.BuiltinOptions.AddOptions, schema.AddOptionsT()
    plus.builtinOptions.fusedActivationFunction = activation
    return [times, plus]


def _add_code(model, operator):
    """Index of a code of version 1; whether it was there already does not matter."""
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, operator)
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _add_tensor(subgraph, name, shape, signature, buffer=0):
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer, tensor.hasRank = name, schema.TensorType.FLOAT32, buffer, True
    tensor.shape, tensor.shapeSignature = np.array(shape, np.int32), signature
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _indices(*tensors):
    return np.array(tensors, np.int32)
