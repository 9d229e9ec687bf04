"""State of an unfinished run, saved whole or not at all, from which training goes on bit for bit."""

import os
from pathlib import Path

import keras
import numpy as np

from vvipe_tf.models.run_folder import read_arrays, write_arrays

_MODEL, _OPTIMIZER, _STEP = "model", "optimizer", "step"


def save_state(path: str | os.PathLike, model: keras.Model, step: int, extra: dict[str, np.ndarray]) -> None:
    """Saves the variables of a model and of its optimizer, seeds and moving averages included.

    Args:
        path: File, `.npz`.
        model: Compiled model.
        step: Steps done.
        extra: Further plain arrays, e.g. the best validation so far.
    """
    arrays = {f"{_MODEL}/{i:04d}": _value(v) for i, v in enumerate(_model_variables(model))}
    arrays |= {f"{_OPTIMIZER}/{i:04d}": _value(v) for i, v in enumerate(model.optimizer.variables)}
    write_arrays(path, arrays | {_STEP: np.int64(step)} | {f"extra/{key}": value for key, value in extra.items()})


def restore_state(path: str | os.PathLike, model: keras.Model) -> tuple[int, dict[str, np.ndarray]]:
    """Restores what `save_state` saved into a model that was built the same way.

    Args:
        path: File, `.npz`.
        model: Compiled model whose optimizer is built.

    Returns:
        Steps done, and the extra arrays.

    Raises:
        ValueError: If the file is damaged, or is the state of another model.
    """
    arrays = read_arrays(path)
    for prefix, variables in ((_MODEL, _model_variables(model)), (_OPTIMIZER, model.optimizer.variables)):
        saved = [arrays[name] for name in sorted(arrays) if name.startswith(f"{prefix}/")]
        shapes = [tuple(variable.shape) for variable in variables]
        if [value.shape for value in saved] != shapes:
            raise ValueError(f"Expected the state of this {prefix} in {Path(path).name}. Received: another {prefix}'s")
        for variable, value in zip(variables, saved, strict=True):
            variable.assign(value)
    return int(arrays[_STEP]), {
        name.removeprefix("extra/"): value for name, value in arrays.items() if name.startswith("extra/")
    }


def _model_variables(model):
    """All variables but the running means of metrics, which start anew at each epoch."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    return [variable for variable in model.variables if id(variable) not in metrics]


def _value(variable):
    return np.asarray(variable.value.numpy())
