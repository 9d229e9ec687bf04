"""Reading `.npz` files that come from anywhere: plain arrays or one clear error, never a pickle."""

import os
import tokenize
import zipfile
import zlib
from collections.abc import Collection

import numpy as np

# What NumPy and zipfile raise over damaged bytes; RuntimeError includes NotImplementedError, of a compression unknown.
UNREADABLE_NPZ = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    TypeError,
    AttributeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz_arrays(path: str | os.PathLike, required: Collection[str], kind: str) -> dict[str, np.ndarray]:
    """Reads all arrays of an `.npz` file into memory, without unpickling anything.

    Args:
        path: File to read.
        required: Names of the arrays it must hold.
        kind: What the file should be, for the error, e.g. `"pose data set"`.

    Returns:
        Arrays by name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not an intact `.npz` of plain arrays, or an array of `required` is missing.
    """
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive of arrays")
            missing = sorted(set(required) - set(archive.files))
            if missing:
                raise ValueError(f"arrays {sorted(archive.files)}, without {missing}")
            return {name: _plain(name, archive[name]) for name in archive.files}
    except FileNotFoundError:
        raise FileNotFoundError(f"Expected a {kind}. Received: {path}, which does not exist") from None
    except UNREADABLE_NPZ as error:
        raise ValueError(f"Expected a {kind} (.npz of plain arrays). Received: {path}: {error}") from error


def npz_members(path: str | os.PathLike) -> set[str]:
    """Names of the arrays in an `.npz` file, without reading them; none where the file is of another kind.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file begins as an `.npz` does, but is damaged.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return set()
        try:
            with zipfile.ZipFile(file) as archive:
                return {name.removesuffix(".npy") for name in archive.namelist()}
        except UNREADABLE_NPZ as error:
            raise ValueError(f"{path}: expected an undamaged .npz. Received: {error}") from error


def _plain(name: str, array) -> np.ndarray:
    # A member of the zip that is no array comes back from NumPy as raw bytes.
    if not isinstance(array, np.ndarray):
        raise ValueError(f"member {name!r} is not an array")
    return array
