"""Cameras of MPI-INF-3DHP, from the text files of the tool it was captured with.

`camera.calibration` of the training set lists cameras with 4 x 4 matrices `intrinsic` and `extrinsic` (world to
camera); the `.calib` files of the test set describe one camera by sensor, lens and axes. Both count in millimetres in
a world with Y up; the cameras returned have metres and Z up.
"""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.geometry.camera import Camera

# Rows are the new axes: (x, y, z) with Y up becomes (x, -z, y) with Z up.
_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_METRES_PER_MILLIMETRE = 1e-3
_HEADER = "Skeletool Camera Calibration File"


def read_training_cameras(path: str | os.PathLike) -> dict[int, Camera]:
    """Reads a `camera.calibration`.

    Args:
        path: The file.

    Returns:
        Cameras by number, named "C0", "C1", ...

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or a camera lacks a matrix.
    """
    lines = _lines(path)
    if not lines or not " ".join(lines[0]).startswith(_HEADER):
        raise ValueError(
            f"Expected {_HEADER!r} at the head of {path}. Received: {' '.join(lines[0]) if lines else ''!r}"
        )
    entries: list[dict[str, list[str]]] = []
    for key, *values in lines[1:]:
        if key == "name":
            entries.append({})
        if entries:
            entries[-1][key] = values
    cameras = {}
    for entry in entries:
        number = int(_numbers(entry, "name", 1, path)[0])
        intrinsic = _numbers(entry, "intrinsic", 16, path).reshape(4, 4)
        extrinsic = _numbers(entry, "extrinsic", 16, path).reshape(4, 4)
        rotation = extrinsic[:3, :3]
        cameras[number] = _camera(
            f"C{number}",
            rotation,
            -rotation.T @ extrinsic[:3, 3],
            intrinsic[:3, :3],
            np.zeros(5),
            _numbers(entry, "size", 2, path),
        )
    if not cameras:
        raise ValueError(f"Expected at least one camera in {path}. Received: none")
    return cameras


def read_test_camera(path: str | os.PathLike, image_size: tuple[int, int]) -> Camera:
    """Reads a `.calib` file of the test set.

    Args:
        path: The file; its first camera is read.
        image_size: Width and height of the pictures, which the file does not tell.

    Returns:
        The camera, named "C0".

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If an entry is missing or not numeric.
    """
    entry: dict[str, list[str]] = {}
    for key, *values in _lines(path):
        entry.setdefault(key, values)
    sensor = _numbers(entry, "sensorSize", 2, path)
    focal = _numbers(entry, "focalLength", 1, path)[0]
    aspect = _numbers(entry, "pixelAspect", 1, path)[0]
    offset = _numbers(entry, "centerOffset", 2, path)
    up, right = _numbers(entry, "up", 3, path), _numbers(entry, "right", 3, path)
    pixels = np.array(image_size) / sensor * (1.0, aspect)  # a millimetre of the sensor
    intrinsics = np.eye(3)
    intrinsics[[0, 1], [0, 1]] = focal * pixels
    intrinsics[:2, 2] = (sensor / 2 + offset) * pixels
    distortion = _numbers(entry, "distortion", 5, path) if len(entry.get("distortion", ())) == 5 else np.zeros(5)
    rotation = np.stack([right, -up, np.cross(up, right)])
    return _camera("C0", rotation, _numbers(entry, "origin", 3, path), intrinsics, distortion, image_size)


def _camera(name, rotation, centre_mm, intrinsics, distortion, image_size) -> Camera:
    return Camera(
        name=name,
        rotation=rotation @ _TO_Z_UP.T,
        centre=_TO_Z_UP @ centre_mm * _METRES_PER_MILLIMETRE,
        intrinsics=intrinsics,
        distortion=distortion,
        image_size=(int(image_size[0]), int(image_size[1])),
    )


def _lines(path: str | os.PathLike) -> list[list[str]]:
    try:
        return [words for line in Path(path).read_text(encoding="utf-8").splitlines() if (words := line.split())]
    except UnicodeDecodeError as error:
        raise ValueError(f"Expected a calibration in text. Received: {path} ({error.reason})") from error


def _numbers(entry: dict[str, list[str]], key: str, count: int, path: str | os.PathLike) -> np.ndarray:
    try:
        numbers = np.array(entry.get(key, ()), dtype=np.float64)
    except ValueError:
        numbers = np.full(0, np.nan)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(
            f"Expected {count} numbers as {key!r} in {path}. Received: {' '.join(entry.get(key, ())) or 'none'}"
        )
    return numbers
