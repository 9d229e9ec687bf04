"""Which runtimes can run a model, by the versions of its ops.

Measured by loading files with raised versions into each runtime; the versions of the other ops are those that
TensorFlow 2.14 registers (tensorflow/lite/core/kernels/register.cc), which later runtimes kept.
"""

from collections.abc import Mapping

_COMMON = {
    "ABS": 5,
    "ADD": 5,
    "CAST": 5,
    "CONCATENATION": 4,
    "DEQUANTIZE": 5,
    "EQUAL": 4,
    "GATHER": 6,
    "GREATER": 2,
    "GREATER_EQUAL": 3,
    "LESS_EQUAL": 2,
    "LOGICAL_AND": 1,
    "LOGICAL_OR": 1,
    "MUL": 7,
    "NOT_EQUAL": 3,
    "PACK": 4,
    "QUANTIZE": 3,
    "REDUCE_ALL": 1,
    "REDUCE_MAX": 3,
    "RESHAPE": 1,
    "RSQRT": 2,
    "SELECT_V2": 2,
    "STRIDED_SLICE": 8,
    "SUB": 5,
    "SUM": 2,
}

# Oldest first. Highest version of each op.
RUNTIMES: Mapping[str, Mapping[str, int]] = {
    "TFLite 2.14.0": _COMMON | {"FULLY_CONNECTED": 10},
    "TFLite 2.16.1": _COMMON | {"FULLY_CONNECTED": 11},
    "LiteRT 1.0.1": _COMMON | {"FULLY_CONNECTED": 13},
    "LiteRT 2.3.0": _COMMON | {"FULLY_CONNECTED": 14},
}


def supporting_runtimes(versions: Mapping[str, int]) -> tuple[str, ...]:
    """Names of the runtimes that can run a model with these ops, oldest first.

    Args:
        versions: Highest version of each op in use, as `flatbuffer_model.op_versions` gives them.
    """
    return tuple(
        name
        for name, known in RUNTIMES.items()
        if all(known.get(operation, 0) >= version for operation, version in versions.items())
    )
