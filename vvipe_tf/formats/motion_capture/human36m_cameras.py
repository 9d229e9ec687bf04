"""Cameras of Human3.6M, from the official `metadata.xml`.

Its element `w0` is one vector: for each camera and subject (the subject runs faster) three angles and the centre in
millimetres, then for each camera fx, fy, cx, cy, k1, k2, k3, p1, p2. The rotation is Rx(a) Ry(b) Rz(c), world to
camera. Subjects stand in the first row of `mapping`, cameras in `dbcameras/index2id`.

The official projection has the tangential terms p1 x y + p2 (2 x x + y y) where Brown's model, and so `Camera`, has
2 p1 x y + p2 (3 x x + y y). With the official coefficients that is at most 0.4 pixels in the middle half of the picture
and 1.4 in its corners: `Camera.project` reproduces `D2_Positions` no better than that.
"""

import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np

from vvipe_tf.geometry.camera import Camera

METADATA = "metadata.xml"
_EXTRINSIC, _INTRINSIC = 6, 9
_METRES_PER_MILLIMETRE = 1e-3


def find_subject_cameras(root: str | os.PathLike, subject: str) -> tuple[Camera, ...] | None:
    """Reads the cameras of one subject, if a folder has a `metadata.xml`.

    Args:
        root: Folder that holds `metadata.xml`, or a folder such as `Release-v1.2` with it.
        subject: Subject, e.g. "S11".

    Returns:
        The cameras as `read_human36m_cameras` gives them, or None if there is no such file.

    Raises:
        ValueError: If the file is damaged or has no cameras of this subject.
    """
    found = sorted([*Path(root).glob(METADATA), *Path(root).glob(f"*/{METADATA}")])
    if not found:
        return None
    cameras = read_human36m_cameras(found[0])
    if subject not in cameras:
        raise ValueError(f"Expected cameras of {subject} in {found[0]}. Received: those of {', '.join(cameras)}")
    return cameras[subject]


def read_human36m_cameras(path: str | os.PathLike) -> dict[str, tuple[Camera, ...]]:
    """Reads the calibration of all subjects.

    Args:
        path: The `metadata.xml`.

    Returns:
        By subject ("S1" to "S11") its cameras, metres, Z up, in the order of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not the official file or is damaged.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"Expected the metadata.xml of Human3.6M. Received: {path}: {error}") from error
    subjects = [text for text in _texts(root, "mapping/*[1]/*") if re.fullmatch(r"S\d+", text)]
    names = _texts(root, "dbcameras/index2id/*")
    try:
        numbers = np.array((root.findtext("w0") or "").strip().strip("[]").split(), dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"Expected numbers in w0 of {path}. Received: {error}") from error
    expected = len(names) * (len(subjects) * _EXTRINSIC + _INTRINSIC)
    if not expected or numbers.shape != (expected,):
        raise ValueError(
            f"Expected {expected} numbers in w0 of {path} for {len(names)} cameras and {len(subjects)} subjects, at "
            f"least one of each. Received: {numbers.size}"
        )
    extrinsics, intrinsics = np.split(numbers, [len(names) * len(subjects) * _EXTRINSIC])
    extrinsics = extrinsics.reshape(len(names), len(subjects), _EXTRINSIC)
    intrinsics = intrinsics.reshape(len(names), _INTRINSIC)
    return {
        subject: tuple(
            _camera(name, extrinsics[camera, place], intrinsics[camera]) for camera, name in enumerate(names)
        )
        for place, subject in enumerate(subjects)
    }


def _texts(root: ElementTree.Element, where: str) -> list[str]:
    return [(element.text or "").strip() for element in root.findall(where)]


def _camera(name: str, extrinsic: np.ndarray, intrinsic: np.ndarray) -> Camera:
    from scipy.spatial.transform import Rotation  # A quarter of a second that only this file costs.

    fx, fy, cx, cy, k1, k2, k3, p1, p2 = intrinsic
    return Camera(
        name=name,
        rotation=Rotation.from_euler("XYZ", extrinsic[:3]).as_matrix(),
        centre=extrinsic[3:] * _METRES_PER_MILLIMETRE,
        intrinsics=((fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)),
        distortion=(k1, k2, p1, p2, k3),
    )
