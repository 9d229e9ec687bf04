"""The `.poses.npz` file: plain arrays, strings as codes into a table, metadata as one JSON string.

Arrays: `poses`, `torso_lengths_mm`, `frame`; for each of subject, sequence and source `<name>_names` (unicode table)
and `<name>_codes` (int32 into it); `metadata`, a JSON object with format, version, profile, keypoint names, frame rate,
licences by source and whether anything in the file is synthetic.
"""

import json
import os
from typing import Any

import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.formats.npz_arrays import read_npz_arrays
from vvipe_tf.keypoints import get_profile

DATASET_SUFFIX = ".poses.npz"
STRING_COLUMNS = ("subject", "sequence", "source")
NUMBER_COLUMNS = {"poses": np.float32, "torso_lengths_mm": np.float32, "frame": np.int32}

_FORMAT, _VERSION = "vvipe-poses", 1
_DTYPES = {**NUMBER_COLUMNS, **{f"{column}_codes": np.int32 for column in STRING_COLUMNS}}
_TABLES = tuple(f"{column}_names" for column in STRING_COLUMNS)
DATASET_ARRAYS = ("metadata", *_DTYPES, *_TABLES)
_METADATA_TYPES = {"profile": str, "keypoint_names": list, "fps": float, "licenses": dict, "synthetic": bool}


def write_dataset_file(path: str | os.PathLike, fields: dict[str, Any]) -> None:
    """Writes the fields of a `PoseDataset` to one file, whole or not at all.

    Args:
        path: File to write; its name ends in `.poses.npz`.
        fields: The arguments of `PoseDataset` by name.

    Raises:
        ValueError: If the name ends otherwise.
    """
    if not str(path).endswith(DATASET_SUFFIX):
        raise ValueError(f"Expected a file name that ends in {DATASET_SUFFIX}. Received: {path}")
    arrays = encode_fields(fields)
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)


def read_dataset_file(path: str | os.PathLike) -> dict[str, Any]:
    """Reads the fields of a `PoseDataset`; types are checked here, shapes and values by the class.

    Args:
        path: File that `write_dataset_file` wrote, or another that holds the arrays of one.

    Returns:
        The arguments of `PoseDataset` by name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, of another format or version, or of other types.
    """
    return decode_fields(read_npz_arrays(path, DATASET_ARRAYS, "pose data set"))


def encode_fields(fields: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of the file, from the arguments of `PoseDataset` by name."""
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "profile": fields["profile"].name,
        "keypoint_names": list(fields["profile"].keypoint_names),
        "units": "torso length of each frame; world with Z up",
        "fps": fields["fps"],
        "licenses": dict(fields["licenses"]),
        "synthetic": fields["synthetic"],
    }
    arrays = {"metadata": np.array(json.dumps(metadata, sort_keys=True))}
    arrays |= {name: fields[name] for name in NUMBER_COLUMNS}
    for column in STRING_COLUMNS:
        names, codes = np.unique(fields[column], return_inverse=True)
        arrays[f"{column}_names"], arrays[f"{column}_codes"] = names, codes.astype(np.int32)
    return arrays


def decode_fields(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The arguments of `PoseDataset` by name, from the arrays of the file.

    Raises:
        ValueError: If the arrays are of another format or version, or of other types.
    """
    metadata = _metadata(arrays["metadata"])
    profile = get_profile(metadata["profile"])
    if metadata["keypoint_names"] != list(profile.keypoint_names):
        raise ValueError(f"Expected the joints of {profile.name}. Received: {metadata['keypoint_names']}")
    for name, dtype in _DTYPES.items():
        if arrays[name].dtype != dtype:
            raise ValueError(f"Expected {name} of {np.dtype(dtype)}. Received: dtype={arrays[name].dtype}")
    fields = {name: arrays[name] for name in NUMBER_COLUMNS}
    for column in STRING_COLUMNS:
        fields[column] = _decoded(column, arrays[f"{column}_names"], arrays[f"{column}_codes"])
    return {"profile": profile, **fields, **{name: metadata[name] for name in ("fps", "licenses", "synthetic")}}


def _metadata(array: np.ndarray) -> dict[str, Any]:
    """The metadata, with every entry of the right type."""
    if array.dtype.kind != "U" or array.shape != ():
        raise ValueError(f"Expected metadata as one string. Received: dtype={array.dtype}, shape={array.shape}")
    metadata = json.loads(array.item())
    if not isinstance(metadata, dict) or metadata.get("format") != _FORMAT:
        raise ValueError(f"Expected format {_FORMAT!r} in the metadata. Received: {array.item()[:80]}")
    if metadata.get("version") != _VERSION:
        raise ValueError(f"Expected version {_VERSION} of {_FORMAT}. Received: {metadata.get('version')!r}")
    for name, kind in _METADATA_TYPES.items():
        if not isinstance(metadata.get(name), kind):
            raise ValueError(f"Expected {name} in the metadata, a {kind.__name__}. Received: {metadata.get(name)!r}")
    return metadata


def _decoded(column: str, names: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Strings of a column from its table and codes, of the shape of the codes."""
    if names.dtype.kind != "U" or names.ndim != 1:
        raise ValueError(f"Expected {column}_names as strings. Received: dtype={names.dtype}, shape={names.shape}")
    if codes.size and not 0 <= codes.min() <= codes.max() < len(names):
        raise ValueError(f"Expected {column}_codes in [0, {len(names)}). Received: {codes.min()} to {codes.max()}")
    return names[codes]
