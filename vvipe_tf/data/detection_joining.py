"""Detections joined to the poses they show: by subject, action, camera and frame, and within a frame by nearness.

Rule for a frame with several people: the one nearest to the projected truth is taken, by the mean distance of the
joints that both have, in sizes of the true person (twice the root mean square distance of the joints from their mean).
Nobody is taken who is farther than half a size away or shares fewer than three joints. A view without anybody stays
missing; nothing is filled in.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.formats.motion_capture.human36m import CAMERAS
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH
from vvipe_tf.keypoints import KeypointProfile

MAX_DISTANCE = 0.5
_MIN_COMMON_JOINTS = 3
# Words in the names of files and folders that name no video.
_WORDS = {"alphapose", "openpose", "results", "result", "keypoints", "pose", "json", "video", "cam", "camera", "c"}


class Video(NamedTuple):
    """What one camera filmed of one sequence."""

    subject: str
    sequence: str
    camera: str


@dataclass(frozen=True)
class JoinedCount:
    """What became of the views of one subject in one camera, in views.

    Args:
        subject: Name of the subject.
        camera: Name of the camera.
        views: Views that have a projected truth.
        joined: Views with a detection near the truth.
        undetected: Views in which nobody was detected, or whose video has no file.
        far: Views with detections that are all too far from the truth.
    """

    subject: str
    camera: str
    views: int
    joined: int
    undetected: int
    far: int


def find_detection_files(folder: str | os.PathLike, videos: Iterable[Video]) -> tuple[dict[Video, Path], list[str]]:
    """Finds the result file, or the folder with one file a picture, of each video by its name.

    The words of the path below `folder` must be those of subject, sequence and camera, in this order: the files
    `S1/Directions 1.54138969.json`, `S1_Directions 1_54138969_alphapose-results.json` and the folders
    `S1/Seq1/video_0` and `S1/Seq1/cam0_json` are found. Subject and sequence may be left out where all videos share
    them.

    Args:
        folder: Folder to search.
        videos: Videos wanted.

    Returns:
        Path by video, and the `.json` files that belong to none, relative to the folder.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If two files belong to one video, or the names of two videos cannot be told apart.
    """
    folder, videos = Path(folder), list(dict.fromkeys(videos))
    if not folder.is_dir():
        raise FileNotFoundError(f"Expected a folder of detections. Received: {folder}")
    by_name: dict[tuple[str, ...], Video] = {}
    for video in videos:
        for name in _names_of(video, videos):
            if by_name.setdefault(name, video) != video:
                raise ValueError(f"Expected videos with distinct names. Received: {by_name[name]} and {video}")
    found: dict[Video, Path] = {}
    foreign = []
    for file in sorted(path for path in folder.rglob("*.json") if path.is_file()):
        # The file itself, or the folder it lies in with the other pictures of the video.
        places = [place for place in (file, file.parent) if place != folder]
        matches = [(by_name[name], place) for place in places if (name := _words(place, folder)) in by_name]
        if not matches:
            foreign.append(str(file.relative_to(folder)))
            continue
        video, place = matches[0]
        if found.setdefault(video, place) != place:
            raise ValueError(f"Expected one result for {video}. Received: {found[video]} and {place}")
    return found, foreign


def read_video_tables(
    files: Mapping[Video, Path], profile: KeypointProfile | None = None
) -> Iterator[tuple[Video, DetectionTable]]:
    """Reads the detections of each video, one after the other.

    Args:
        files: Result file or folder by video.
        profile: Profile of the keypoints where the files leave it open.

    Yields:
        Video and detections.

    Raises:
        ValueError: If a file is damaged; the file is named.
    """
    for video, path in files.items():
        yield video, read_detections(path, profile)


def read_archive_tables(
    folder: str | os.PathLike, keypoints: str, videos: Iterable[Video]
) -> Iterator[tuple[Video, DetectionTable]]:
    """Takes the detections of each video from a VideoPose3D archive of Human3.6M.

    Args:
        folder: Folder of the archive.
        keypoints: Which one, e.g. "cpn_ft_h36m_dbb".
        videos: Videos wanted.

    Yields:
        Video and detections, of those videos that the archive has.

    Raises:
        ValueError: If the archive is damaged.
    """
    table = read_detections(Path(folder, f"data_2d_h36m_{keypoints}.npz"))
    # The archive numbers the cameras of a subject's action, and each of them is a track.
    tracks = dict(zip(table.image.tolist(), table.person.tolist(), strict=True))
    for video in (video for video in videos if video.camera in CAMERAS):
        name = f"{video.subject}/{video.sequence}/{CAMERAS.index(video.camera)}"
        if name in tracks:
            yield video, table.of_person(tracks[name])


def join_detections(
    views: ViewSet, kind: str, tables: Iterable[tuple[Video, DetectionTable]], first_picture: int = 0
) -> tuple[ViewSet, list[JoinedCount]]:
    """Adds the detections of one detector to recorded views.

    Args:
        views: Views with the projected truth, kind `"ground_truth"`.
        kind: Name of the detector.
        tables: Detections by video; videos without any stay missing.
        first_picture: Number that the detector gave the picture of frame 0.

    Returns:
        The views with keypoints of kind `kind` beside the others, and counts by subject and camera.

    Raises:
        ValueError: If there is no projected truth, or `kind` exists already.
    """
    truth = views.of_kind(GROUND_TRUTH)
    keypoints, scores = np.zeros_like(truth.keypoints_2d), np.zeros_like(truth.scores)
    detected = np.zeros(truth.scores.shape[:2], dtype=bool)
    rows_of = {key[1:]: rows for key, rows in views.poses.sequence_frames().items()}
    for video, table in tables:
        camera, rows = views.cameras.index(video.camera), rows_of[video.subject, video.sequence]
        people = RecordedKeypoints.from_joints(table.keypoints_2d[None], table.scores[None], table.profile)
        place, person = _equal_numbers(views.poses.frame[rows] + first_picture, table.frame)
        row = rows[place]
        detected[camera, row] = True
        distance = _distances(truth, camera, row, people, person)
        # The nearest of each frame comes first, and np.unique takes the first.
        order = np.argsort(distance, kind="stable")
        order = order[distance[order] <= MAX_DISTANCE]
        row, first = np.unique(row[order], return_index=True)
        person = person[order][first]
        keypoints[camera, row], scores[camera, row] = people.keypoints_2d[0, person], people.scores[0, person]
    joined = RecordedKeypoints(keypoints, scores)
    return views.with_kind(kind, joined), _count(views, truth, joined, detected)


def format_counts(counts: Sequence[JoinedCount]) -> str:
    """One line for each subject and camera."""
    return "\n".join(
        f"{each.subject} camera {each.camera}: {each.joined:,} of {each.views:,} views joined, "
        f"{each.undetected:,} without a detection, {each.far:,} with none near the truth"
        for each in counts
    )


def videos_of(views: ViewSet) -> list[Video]:
    """Every camera of every sequence."""
    return [
        Video(subject, sequence, camera)
        for _, subject, sequence in views.poses.sequence_frames()
        for camera in views.cameras
    ]


def _names_of(video: Video, videos: Sequence[Video]) -> set[tuple[str, ...]]:
    """Word sequences that may name a video."""
    subject, sequence, camera = (_words_of(name) for name in video)
    names = {subject + sequence + camera}
    if len({each.subject for each in videos}) == 1:
        names.add(sequence + camera)
    if len({each[:2] for each in videos}) == 1:
        names.add(camera)
    return names


def _words(path: Path, folder: Path) -> tuple[str, ...]:
    name = str(path.relative_to(folder))
    return _words_of(name.removesuffix(path.suffix) if path.is_file() else name)


def _words_of(name: str) -> tuple[str, ...]:
    words = re.findall(r"[a-z]+|\d+", name.lower())
    return tuple(str(int(word)) if word.isdigit() else word for word in words if word not in _WORDS)


def _equal_numbers(frames: np.ndarray, detected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of frames and of the detections in them, every pair of equal numbers."""
    order = np.argsort(frames, kind="stable")
    place = np.minimum(np.searchsorted(frames[order], detected), len(frames) - 1)
    matched = frames[order][place] == detected
    return order[place[matched]], np.flatnonzero(matched)


def _distances(
    truth: RecordedKeypoints, camera: int, row: np.ndarray, people: RecordedKeypoints, person: np.ndarray
) -> np.ndarray:
    """Distance of each detection from the truth of its frame, in sizes of the true person; infinite if unknown."""
    points, seen = truth.keypoints_2d[camera, row], truth.visible[camera, row][..., None]
    count = np.maximum(seen.sum(axis=1), 1)
    centre = points.sum(axis=1) / count
    spread = np.where(seen, np.square(points - centre[:, None]), 0.0).sum(axis=(1, 2))
    size = 2 * np.sqrt(spread / count[:, 0])
    common = truth.visible[camera, row] & people.visible[0, person]
    gap = np.linalg.norm(points - people.keypoints_2d[0, person], axis=-1)
    mean = np.where(common, gap, 0.0).sum(axis=1) / np.maximum(common.sum(axis=1), 1)
    known = (common.sum(axis=1) >= _MIN_COMMON_JOINTS) & (size > 0)
    return np.where(known, mean / np.where(known, size, 1.0), np.inf)


def _count(
    views: ViewSet, truth: RecordedKeypoints, joined: RecordedKeypoints, detected: np.ndarray
) -> list[JoinedCount]:
    seen, taken = truth.visible.any(axis=-1), joined.visible.any(axis=-1)
    counts = []
    for subject in np.unique(views.poses.subject).tolist():
        mine = views.poses.subject == subject
        for camera, name in enumerate(views.cameras):
            total, done = int((seen[camera] & mine).sum()), int((taken[camera] & mine).sum())
            far = int((seen[camera] & detected[camera] & ~taken[camera] & mine).sum())
            counts.append(JoinedCount(subject, name, total, done, total - done - far, far))
    return counts
