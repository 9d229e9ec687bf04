"""Frame lists: which view of which pose is measured, in files, so that everybody measures the same frames.

The form of PR-VIPE's published lists, one key a line, frames counted from 0: `S11:Directions 1:54138969:000020` is
subject, action, camera, frame (Human3.6M); `S1:Seq1:V0:C0:003370` is subject, sequence, video, camera, frame
(MPI-INF-3DHP, where video and camera are the same number). A list may be one file, or a folder with one file a camera.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.atomic import atomic_path

_DIGITS = re.compile(r"\d{1,9}")


class FrameKey(NamedTuple):
    """One camera's view of one pose; `frame` counts from 0."""

    subject: str
    sequence: str
    camera: str
    frame: int

    def __str__(self) -> str:
        """The key as it stands in a list."""
        number = re.fullmatch(r"C(\d+)", self.camera)
        camera = f"V{number[1]}:{self.camera}" if number else self.camera
        return f"{self.subject}:{self.sequence}:{camera}:{self.frame:06d}"

    @classmethod
    def parse(cls, text: str) -> "FrameKey":
        """Reads a key.

        Raises:
            ValueError: If it is malformed.
        """
        *names, frame = text.strip().split(":")
        numbered = len(names) == 4 and re.fullmatch(r"V(\d+)", names[2])
        if numbered and names[3] == f"C{numbered[1]}":
            del names[2]
        if len(names) != 3 or not all(names) or not _DIGITS.fullmatch(frame):
            raise ValueError(
                "Expected a frame key such as S11:Directions 1:54138969:000020 or S1:Seq1:V0:C0:003370. "
                f"Received: {text.strip()[:80]!r}"
            )
        return cls(*names, int(frame))


class FrameList:
    """The keys of a list, and which of them were found in the data so far.

    Args:
        keys: Keys in the order of the list.

    Raises:
        ValueError: If there is no key, or a key occurs twice.
    """

    def __init__(self, keys: Iterable[FrameKey]):
        self.keys = tuple(keys)
        self._frames: dict[tuple[str, str], dict[str, list[int]]] = {}
        for subject, sequence, camera, frame in self.keys:
            self._frames.setdefault((subject, sequence), {}).setdefault(camera, []).append(frame)
        self._missing = set(self.keys)
        self._known: dict[tuple[str, str], tuple[set[str], int]] = {}
        if not self.keys:
            raise ValueError("Expected at least one frame key. Received: none")
        if len(self._missing) < len(self.keys):
            raise ValueError(f"Expected distinct frame keys. Received: {len(self.keys) - len(self._missing)} repeated")

    def __len__(self) -> int:
        """Number of keys."""
        return len(self.keys)

    def find(self, subjects: np.ndarray, sequences: np.ndarray, frames: np.ndarray, cameras: Sequence[str]):
        """Marks the listed views among those of some data, and remembers that they were found.

        Args:
            subjects: Subject of each pose (N,).
            sequences: Sequence of each pose (N,).
            frames: Frame number of each pose (N,), from 0.
            cameras: Names of the cameras.

        Returns:
            Booleans (cameras, N): whether the list holds the view.
        """
        listed = np.zeros((len(cameras), len(frames)), dtype=bool)
        names = np.stack([subjects, sequences], axis=1)
        for subject, sequence in np.unique(names, axis=0).tolist():
            rows = np.flatnonzero((subjects == subject) & (sequences == sequence))
            known_cameras, last = self._known.get((subject, sequence), (set(), -1))
            self._known[subject, sequence] = known_cameras | set(cameras), max(last, int(frames[rows].max()))
            wanted = self._frames.get((subject, sequence), {})
            for place, camera in enumerate(cameras):
                found = np.isin(frames[rows], wanted.get(camera, []))
                listed[place, rows] = found
                self._missing -= {FrameKey(subject, sequence, camera, frame) for frame in frames[rows[found]].tolist()}
        return listed

    def check_found(self) -> None:
        """Raises `ValueError` if a key was not found in any data, with the first one and what is wrong with it."""
        if self._missing:
            key = next(key for key in self.keys if key in self._missing)
            raise ValueError(
                f"Expected the frames of the list in the data. Received: {len(self._missing)} of {len(self)} keys "
                f"that are not, the first {str(key)!r}: {self._reason(key)}"
            )

    def _reason(self, key: FrameKey) -> str:
        if (key.subject, key.sequence) not in self._known:
            return "unknown subject or sequence"
        cameras, last = self._known[key.subject, key.sequence]
        if key.camera not in cameras:
            return f"unknown camera, there are {', '.join(sorted(cameras))}"
        return f"out of range, the last frame is {last}" if key.frame > last else "this frame is not in the data"


def read_frame_list(path: str | os.PathLike) -> FrameList:
    """Reads a frame list.

    Args:
        path: A text file, or a folder whose `.txt` files together are the list.

    Returns:
        The list.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is no key (empty lines are passed over); file and line are named.
    """
    path = Path(path)
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    keys = []
    for file in files:
        if not file.exists():
            raise FileNotFoundError(f"Expected a frame list. Received: {file}, which does not exist")
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise ValueError(f"Expected a frame list in UTF-8. Received: {file} ({error.reason})") from error
        for number, line in enumerate(lines, start=1):
            try:
                if line.strip():
                    keys.append(FrameKey.parse(line))
            except ValueError as error:
                raise ValueError(f"{file}, line {number}: {error}") from None
    try:
        return FrameList(keys)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write_frame_list(path: str | os.PathLike, poses: PoseDataset, cameras: Sequence[str], views: np.ndarray) -> int:
    """Writes a frame list, camera by camera, whole or not at all.

    Args:
        path: File to write.
        poses: The N poses.
        cameras: Names of the cameras.
        views: Which views to list (cameras, N).

    Returns:
        Number of keys.

    Raises:
        ValueError: If there is no view, or a name cannot stand in a key.
    """
    keys = [
        FrameKey(str(poses.subject[row]), str(poses.sequence[row]), camera, int(poses.frame[row]))
        for camera, seen in zip(cameras, views, strict=True)
        for row in np.flatnonzero(seen)
    ]
    for name in {name for key in FrameList(keys).keys for name in key[:3]}:
        if not name or ":" in name or name != name.strip():
            raise ValueError(f"Expected names without a colon and without spaces around them. Received: {name!r}")
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")
    return len(keys)
