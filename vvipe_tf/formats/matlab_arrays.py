"""Reading MATLAB `.mat` files: numbers and cells of numbers, in both the old (5) and the HDF5 (7.3) format."""

import os
from collections.abc import Collection

import numpy as np


def read_matlab_arrays(path: str | os.PathLike, names: Collection[str]) -> dict[str, np.ndarray | list[np.ndarray]]:
    """Reads some variables of a `.mat` file.

    Args:
        path: File to read.
        names: Variables wanted.

    Returns:
        Each variable with its axes as MATLAB has them; a cell is a list of its arrays.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no undamaged `.mat`, lacks a variable, or one holds anything but numbers.
    """
    import h5py  # Both libraries cost a quarter of a second that only these files need.
    import scipy.io

    if not os.path.exists(path):
        raise FileNotFoundError(f"Expected a .mat file. Received: {path}, which does not exist")
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                return {name: _from_hdf5(file, file[name]) for name in names}
        content = scipy.io.loadmat(path, variable_names=list(names))
        return {name: _from_matlab_5(content[name]) for name in names}
    # A damaged file can make either library raise nearly anything: all of it means the same to the caller.
    except Exception as error:
        raise ValueError(
            f"Expected a .mat file with {', '.join(names)}. Received: {path}: {error or type(error).__name__}"
        ) from error


def _from_hdf5(file, dataset) -> np.ndarray | list[np.ndarray]:
    content = dataset[()]
    if content.dtype.kind == "O":
        return [_numeric(file[reference][()].T) for reference in content.T.ravel(order="F")]
    return _numeric(content.T)


def _from_matlab_5(content: np.ndarray) -> np.ndarray | list[np.ndarray]:
    if content.dtype.kind == "O":
        return [_numeric(cell) for cell in content.ravel(order="F")]
    return _numeric(content)


def _numeric(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiub":
        raise ValueError(f"numbers expected, not {array.dtype}")
    return array
