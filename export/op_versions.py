"""Versions of the ops of a quantised model."""

from export.flatbuffer_model import iterate_ops, read_model, tensor_type, write_model


def correct_versions(content: bytes) -> bytes:
    """Writes the versions of ops whose types changed; the quantizer leaves all of them at that of the float op.

    Without this an old runtime loads the file and computes wrong poses instead of refusing it. The rules are those of
    TensorFlow's `tflite::GetBuiltinOperatorVersion`.

    Args:
        content: Quantised model.

    Returns:
        The model with one operator code for each version of an op in use.
    """
    model = read_model(content)
    codes = list(model.operatorCodes)
    for op, operator in zip(
        iterate_ops(model), (each for subgraph in model.subgraphs for each in subgraph.operators), strict=True
    ):
        version = _needed_version(model, op, operator)
        code = codes[operator.opcodeIndex]
        if version is None or version == code.version:
            continue
        matching = [
            i for i, each in enumerate(codes) if each.builtinCode == code.builtinCode and each.version == version
        ]
        if not matching:
            fresh = type(code)()
            fresh.builtinCode, fresh.deprecatedBuiltinCode = code.builtinCode, code.deprecatedBuiltinCode
            fresh.version = version
            codes.append(fresh)
            matching = [len(codes) - 1]
        operator.opcodeIndex = matching[0]
    used = sorted({operator.opcodeIndex for subgraph in model.subgraphs for operator in subgraph.operators})
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            operator.opcodeIndex = used.index(operator.opcodeIndex)
    model.operatorCodes = [codes[index] for index in used]
    return write_model(model)


def _needed_version(model, op, operator):
    types = [tensor_type(model, op.subgraph, tensor) if tensor >= 0 else "NONE" for tensor in op.inputs]
    if op.name == "FULLY_CONNECTED":
        return _fully_connected_version(model, op, operator, types)
    if op.name == "ADD":
        return {"INT8": 2, "INT16": 3}.get(types[0], 1)
    if op.name == "DEQUANTIZE":
        return {"INT8": 2, "INT16": 3, "FLOAT16": 3}.get(types[0], 1)
    if op.name == "QUANTIZE":
        return 2 if "INT16" in (types[0], tensor_type(model, op.subgraph, op.outputs[0])) else 1
    return None


def _fully_connected_version(model, op, operator, types):
    inputs, weights = types[:2]
    if inputs == "INT16":
        return 11 if getattr(operator.builtinOptions, "quantizedBiasType", 0) else 7
    if inputs == "INT8":
        return 4
    if weights == "INT8":
        scales = model.subgraphs[op.subgraph].tensors[op.inputs[1]].quantization.scale
        if len(scales) > 1:
            return 12
        return 9 if operator.builtinOptions.asymmetricQuantizeInputs else 3
    return 6 if len(types) == 2 else 1
