"""TFLite flatbuffers as Python objects: order of subgraphs, ops and their versions, tensors by signature."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
_TYPE_NAMES = {value: name for name, value in vars(schema.TensorType).items() if not name.startswith("_")}
_OP_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


class Op(NamedTuple):
    """One operation.

    Args:
        subgraph: Index of its subgraph.
        name: Name in the schema, e.g. `"FULLY_CONNECTED"`.
        version: Version of the op.
        inputs: Indices of the input tensors; -1 for one that is left out.
        outputs: Indices of the output tensors.
    """

    subgraph: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_model(content: bytes) -> schema.ModelT:
    """Parses a TFLite file.

    Raises:
        ValueError: If it is none, or damaged.
    """
    if content[4:8] != _IDENTIFIER:
        raise ValueError("Expected a TFLite model. Received: a file without its identifier TFL3")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        for buffer in model.buffers:
            # Some writers keep the weights behind the flatbuffer.
            if buffer.offset > 1:
                buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
                buffer.offset = buffer.size = 0
        return model
    except (struct.error, IndexError, ValueError, TypeError, OverflowError, MemoryError, AttributeError) as error:
        raise ValueError(f"Expected a TFLite model. Received: a damaged one ({error})") from error


def write_model(model: schema.ModelT) -> bytes:
    """Serialises a model."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def move_first(model: schema.ModelT, signature: str) -> None:
    """Makes the subgraph of a signature the first: metadata, and tools that know no signatures, see only that one."""
    chosen = next(item.subgraphIndex for item in model.signatureDefs if item.signatureKey.decode() == signature)
    order = [chosen, *(index for index in range(len(model.subgraphs)) if index != chosen)]
    model.subgraphs = [model.subgraphs[index] for index in order]
    for item in model.signatureDefs:
        item.subgraphIndex = order.index(item.subgraphIndex)


def iterate_ops(model: schema.ModelT) -> Iterator[Op]:
    """All operations, subgraph by subgraph."""
    for index, subgraph in enumerate(model.subgraphs):
        for operator in subgraph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            yield Op(index, op_name(code), code.version, tuple(operator.inputs), tuple(operator.outputs))


def op_name(code: schema.OperatorCodeT) -> str:
    """Name of an operator code; custom and Flex ops have their own."""
    if code.customCode:
        return code.customCode.decode()
    # Files for old runtimes hold codes up to 127 in the deprecated field only.
    return _OP_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


def op_versions(model: schema.ModelT) -> dict[str, int]:
    """Highest version of each op in use."""
    versions: dict[str, int] = {}
    for op in iterate_ops(model):
        versions[op.name] = max(op.version, versions.get(op.name, 0))
    return dict(sorted(versions.items()))


def tensor_type(model: schema.ModelT, subgraph: int, tensor: int) -> str:
    """Name of a tensor's type, e.g. `"FLOAT32"`."""
    return _TYPE_NAMES[model.subgraphs[subgraph].tensors[tensor].type]


def tensor_name(model: schema.ModelT, subgraph: int, tensor: int) -> str:
    """Name of a tensor."""
    return model.subgraphs[subgraph].tensors[tensor].name.decode()


def tensor_shape(model: schema.ModelT, subgraph: int, tensor: int) -> tuple[int, ...]:
    """Shape of a tensor, with -1 where any size will do."""
    found = model.subgraphs[subgraph].tensors[tensor]
    signature = found.shapeSignature
    shape = found.shape if signature is None or len(np.atleast_1d(signature)) == 0 else signature
    return tuple(int(size) for size in np.atleast_1d(shape if shape is not None else ()))


def add_metadata(model: schema.ModelT, name: str, content: bytes) -> None:
    """Adds a named buffer to a model."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]


def find_metadata(model: schema.ModelT, name: str) -> bytes | None:
    """A named buffer of a model, or None."""
    for entry in model.metadata or []:
        if entry.name.decode() == name:
            return bytes(model.buffers[entry.buffer].data)
    return None
