"""Keypoint files of any known tool, told apart by their content."""

import os
import re
from pathlib import Path

from vvipe_tf.formats.detections import (
    alphapose,
    coco_json,
    keypoint_array,
    keypoint_csv,
    mediapipe,
    mmpose,
    openpose,
    videopose3d,
)
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.json_document import JsonDocument, brief, read_json
from vvipe_tf.formats.npz_arrays import npz_members
from vvipe_tf.keypoints import KeypointProfile

# In this order: an AlphaPose `open` file of one picture is an OpenPose file.
_JSON_FORMATS = (openpose, coco_json, alphapose, mmpose, mediapipe)
_KNOWN = "AlphaPose, COCO, OpenPose, MediaPipe, MMPose, VideoPose3D, CSV, .npy or .npz"


def read_detections(
    path: str | os.PathLike,
    profile: KeypointProfile | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Reads the people in a keypoint file, or in a folder with one JSON file per picture.

    Args:
        path: File or folder of AlphaPose, COCO, OpenPose, MediaPipe, MMPose or VideoPose3D, or a plain table.
        profile: Profile of the keypoints, where the file leaves it open or names it wrongly.
        image_size: Width and height of the pictures in pixels, where normalised coordinates need it.

    Returns:
        All people, with their track ids where the file has them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is of no known format, or is damaged; file and record are named.
    """
    path = Path(path)
    if path.is_dir():
        return _read_documents(_folder_documents(path), str(path), profile, image_size)
    kind = _kind_of(path)
    if kind == "json":
        document = JsonDocument(str(path), path.name, read_json(path))
        return _read_documents([document], str(path), profile, image_size)
    if kind == "csv":
        return keypoint_csv.read_csv(path, profile, image_size)
    if kind == "videopose3d":
        return videopose3d.read(path, profile, image_size)
    return keypoint_array.read_array(path, profile, image_size)


def _kind_of(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(256)
    if not head.strip():
        raise ValueError(f"{path}: expected keypoints ({_KNOWN}). Received: an empty file")
    if head.startswith(b"PK\x03\x04"):
        return "videopose3d" if "positions_2d" in npz_members(path) else "array"
    if head.startswith(b"\x93NUMPY"):
        return "array"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return "json"
    if text.startswith(b"HIERARCHY") or text.startswith(b"PathFileType"):
        raise ValueError(f"{path}: expected 2D keypoints ({_KNOWN}). Received: 3D motion (BVH or TRC)")
    if b"\x00" in head or head[:1] == b"\x80":
        raise ValueError(f"{path}: expected keypoints ({_KNOWN}). Received: an unknown binary file")
    return "csv"


def _folder_documents(folder: Path) -> list[JsonDocument]:
    paths = sorted((path for path in folder.iterdir() if path.suffix.lower() == ".json"), key=_natural_key)
    if not paths:
        raise ValueError(f"{folder}: expected a folder of .json files, one per picture. Received: none")
    return [JsonDocument(str(path), path.name, read_json(path)) for path in paths]


def _natural_key(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _read_documents(
    documents: list[JsonDocument],
    where: str,
    profile: KeypointProfile | None,
    image_size: tuple[int, int] | None,
) -> DetectionTable:
    filled = [document for document in documents if document.content not in ([], {}, None)]
    if not filled:
        raise ValueError(f"{where}: expected at least one person with keypoints. Received: none")
    for json_format in _JSON_FORMATS:
        if json_format.matches(filled[0].content):
            return json_format.read(documents if json_format is openpose else filled, where, profile, image_size)
    raise ValueError(f"{filled[0].where}: expected keypoints ({_KNOWN}). Received: {brief(filled[0].content)}")
