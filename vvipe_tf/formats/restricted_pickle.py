"""Object arrays of foreign .npz files, unpickled without running foreign code.

Only what NumPy needs to rebuild numeric arrays, and plain containers, are admitted; everything else is refused by
name before it is looked up.
"""

import codecs
import os
import pickle
import zipfile
from collections import OrderedDict
from typing import IO

import numpy as np

MAX_MEMBER_BYTES = 4 << 30


def _reconstruct(subtype: type, shape: tuple, typecode: object) -> np.ndarray:
    if subtype is not np.ndarray or tuple(shape) not in ((0,), ()):
        raise pickle.UnpicklingError("an array of an unusual kind")
    return np.ndarray(shape, dtype=np.uint8)


def _scalar(dtype: np.dtype, data: bytes) -> np.generic:
    if not isinstance(dtype, np.dtype) or dtype.hasobject or len(data) != dtype.itemsize:
        raise pickle.UnpicklingError("a scalar of an unusual kind")
    return np.frombuffer(data, dtype)[0]


def _from_buffer(data: object, dtype: np.dtype, shape: tuple, order: str) -> np.ndarray:
    return np.frombuffer(data, dtype=dtype).reshape(shape, order=order)


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"text encoded as {encoding!r}")
    return codecs.encode(text, "latin1")


_ADMITTED = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        admitted = _ADMITTED.get((module, name))
        if admitted is None:
            raise pickle.UnpicklingError(f"the foreign class {module}.{name}")
        return admitted

    def persistent_load(self, pid: object) -> object:
        raise pickle.UnpicklingError("a persistent reference")


def read_object_array(stream: IO[bytes], where: str) -> np.ndarray:
    """Reads one .npy stream, object arrays included, without `allow_pickle`.

    Args:
        stream: Binary stream at the start of the .npy data.
        where: File and member, for the message.

    Returns:
        The array; an object array holds only numbers, text, bytes, plain containers and numeric arrays.

    Raises:
        ValueError: If the data are no .npy, are damaged, or contain anything else; a foreign class is named.
    """
    try:
        version = np.lib.format.read_magic(stream)
        header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if header is None:
            raise ValueError(f"version {version} of .npy")
        shape, _, dtype = header(stream)
        if not dtype.hasobject:
            raise ValueError("an array without objects")
        array = _RestrictedUnpickler(stream, encoding="latin1").load()
    # A hostile or damaged pickle can raise nearly anything: all of it means the same to the caller.
    except Exception as error:
        raise ValueError(
            f"{where}: expected an array of numbers and plain containers. Received: {error or type(error).__name__}"
        ) from error
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"{where}: expected an array of shape {shape}. Received: {type(array).__name__}")
    return array


def read_pickled_member(path: str | os.PathLike, name: str) -> object:
    """Reads one pickled array of an .npz, without `allow_pickle`.

    Args:
        path: The .npz file.
        name: Name of the array.

    Returns:
        The array, or the container it wraps.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, has no such array, or the array holds a foreign class.
    """
    where = f"{os.fspath(path)}, {name}"
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(f"{name}.npy").file_size > MAX_MEMBER_BYTES:
                raise ValueError(f"{where}: expected at most {MAX_MEMBER_BYTES} bytes")
            with archive.open(f"{name}.npy") as stream:
                return read_object_array(stream, where)[()]
    except KeyError as error:
        raise ValueError(f"{where}: expected a VideoPose3D archive with this array. Received: none") from error
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"{where}: expected an undamaged .npz. Received: {error}") from error
