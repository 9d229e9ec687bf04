"""The pictures that keypoints were found in: one file, a folder, or the frames of a video, matched to detections."""

import os
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vvipe_tf.apps.video_file import VideoReader
from vvipe_tf.formats.detections.detection_table import DetectionTable

_VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class FrameImages:
    """Pictures of frames, RGB uint8, upright as their EXIF orientation says. Made by `open_images`.

    Args:
        size: Width and height in pixels.
        fps: Frames per second of a video, None for pictures.
    """

    def __init__(self, size: tuple[int, int], fps: float | None = None):
        self.size, self.fps = size, fps

    def read(self, frame: int) -> np.ndarray | None:
        """Picture (height, width, 3) of a frame; None if there is none."""
        raise NotImplementedError


class _Pictures(FrameImages):
    def __init__(self, paths: dict[int, Path]):
        self._paths = paths
        first = _read_image(next(iter(paths.values())))
        super().__init__((first.shape[1], first.shape[0]))

    def read(self, frame: int) -> np.ndarray | None:
        path = self._paths.get(frame)
        return None if path is None else _read_image(path)


class _Video(FrameImages):
    def __init__(self, path: Path):
        self._reader = VideoReader(path)
        super().__init__(self._reader.size, self._reader.fps)
        self._number, self._shown = -1, None

    def read(self, frame: int) -> np.ndarray | None:
        """Decodes forward; asking for an earlier frame starts over."""
        if frame < 0:
            return None
        if frame < self._number:
            self._reader.restart()
            self._number = -1
        while self._number < frame:
            self._shown = self._reader.next_frame()
            self._number += 1
        return self._shown


def open_images(path: str | os.PathLike, table: DetectionTable) -> FrameImages:
    """Opens the pictures of detections.

    A picture of a folder belongs to the frame whose detections name it, else to the frame whose number its name ends
    with. Frame 0 is the first one of a video. A single picture belongs to the frame that names it, or to the only one.

    Args:
        path: Picture, folder of pictures, or video.
        table: The detections.

    Returns:
        The pictures.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If it cannot be read, or no picture belongs to a frame of the detections.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a picture, a folder of pictures or a video. Received: no such file")
    if path.is_file() and path.suffix.lower() in _VIDEO_SUFFIXES:
        return _Video(path)
    if path.is_file():
        paths = _named(table, [path])
        if not paths and len(np.unique(table.frame)) == 1:
            paths = {int(table.frame[0]): path}
    else:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in _IMAGE_SUFFIXES)
        paths = _named(table, files) or _numbered(table, files)
    if not paths:
        raise ValueError(f"{path}: expected pictures of the frames of the detections. Received: none that matches")
    return _Pictures(paths)


def _named(table: DetectionTable, files: list[Path]) -> dict[int, Path]:
    """Frames whose detections name one of the files, with or without its ending."""
    if table.image is None:
        return {}
    by_name = {name: file for file in files for name in (file.stem, file.name)}
    names = zip(table.frame.tolist(), (re.split(r"[\\/]", str(name))[-1] for name in table.image), strict=True)
    return {frame: by_name[name] for frame, name in names if name in by_name}


def _numbered(table: DetectionTable, files: list[Path]) -> dict[int, Path]:
    numbers = {int(found[-1]): file for file in files if (found := re.findall(r"\d+", file.stem))}
    return {frame: numbers[frame] for frame in np.unique(table.frame).tolist() if frame in numbers}


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except FileNotFoundError:
        raise
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: expected a picture. Received: {error}") from error
