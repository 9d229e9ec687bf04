"""Turns multi-camera recordings into one `.views.npz`: what `python -m training.prepare_data --views` does."""

import argparse
import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from training.pose_conversion import Converted, convert_poses, every_frame, print_report, show_progress
from vvipe_tf.data.detection_joining import (
    find_detection_files,
    format_counts,
    join_detections,
    read_archive_tables,
    read_video_tables,
    videos_of,
)
from vvipe_tf.data.frame_list import FrameList, read_frame_list, write_frame_list
from vvipe_tf.data.near_duplicates import select_gallery
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.data.view_set_file import VIEWS_SUFFIX
from vvipe_tf.evaluation.protocol import metric_profiles
from vvipe_tf.formats.motion_capture.human36m_archives import keypoint_archives
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH, MultiViewCapture
from vvipe_tf.formats.motion_capture.official_folders import OfficialRecording, find_captures
from vvipe_tf.formats.motion_capture.pose2sim import SOURCE, is_pose2sim_recording, read_pose2sim_recording
from vvipe_tf.keypoints import KeypointProfile, get_profile

_LIST_SEED = 0


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that only recordings of several cameras have."""
    group = parser.add_argument_group("recordings of several cameras")
    group.add_argument(
        "--views",
        action="store_true",
        help=f"keep what the cameras saw: official folders of Human3.6M and MPI-INF-3DHP, VideoPose3D's archives, "
        f"Pose2Sim recordings; --output ends in {VIEWS_SUFFIX}",
    )
    group.add_argument("--measured", action="store_true", help="measured poses, not those of a universal skeleton")
    group.add_argument("--frame-list", type=Path, help="keep these views only: a list in PR-VIPE's form, or a folder")
    group.add_argument("--detections", type=Path, help="folder of detections to join: one file or folder a video")
    group.add_argument("--detector", help="name of the detector, e.g. alphapose")
    group.add_argument("--detection-profile", help="joints of the detections, where the files leave it open")
    group.add_argument("--first-picture", type=int, default=0, help="number that the detector gave to frame 0")
    group.add_argument("--write-frame-list", type=Path, help="write a list of frames that are no near-duplicates")
    group.add_argument("--list-size", type=int, default=2000, help="most frames in it (%(default)s)")


def prepare_views(arguments: argparse.Namespace) -> None:
    """Runs the command.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If an argument, a file or a list is wrong.
    """
    _check(arguments)
    frame_list = read_frame_list(arguments.frame_list) if arguments.frame_list else None
    profile = get_profile(arguments.profile) if arguments.profile else None
    recordings, notes = find_recordings(arguments.input, not arguments.measured)
    parts: list[ViewSet] = []
    results = []
    converted = (convert_recording(recording, frame_list, profile, arguments.fps) for recording in recordings)
    for views, result in show_progress(converted, len(recordings), "recording"):
        results.append(result)
        parts += [views] if len(views) else []
    print_report(results, [])
    for note in notes:
        print(note)
    if frame_list is not None:
        frame_list.check_found()
    if not parts:
        raise ValueError(f"Expected at least one usable pose. Received: none in {len(recordings)} recordings")
    views = ViewSet.concatenate(parts)
    if arguments.detections:
        views = _join(views, arguments)
    if arguments.write_frame_list:
        _write_list(views, arguments)
    views.save(arguments.output)
    for row in views.poses.summary():
        print(f"{row.source}: {row.subjects} subjects, {row.sequences} sequences; licence: {row.license}")
    print(
        f"wrote {arguments.output}: {len(views):,} poses, {views.poses.profile.name}, "
        f"{len(views.cameras)} cameras, keypoints: {', '.join(views.keypoints)}"
    )


def find_recordings(inputs: Iterable[Path], universal: bool) -> tuple[list[OfficialRecording], list[str]]:
    """Finds the recordings of several cameras in files and folders.

    Args:
        inputs: Official folders, archives' folders, Pose2Sim recordings, or folders of them.
        universal: Whether poses of a universal skeleton are wanted, where there are any.

    Returns:
        Recordings that are not read yet, and notes for the user.

    Raises:
        FileNotFoundError: If an input does not exist.
        ValueError: If an input holds none.
    """
    recordings: list[OfficialRecording] = []
    notes: list[str] = []
    for path in inputs:
        if not path.exists():
            raise FileNotFoundError(f"Expected a file or folder. Received: {path}, which does not exist")
        official = find_captures(path, universal) if path.is_dir() else None
        if official is not None:
            recordings += official.recordings
            notes += official.notes
            continue
        files = sorted(path.rglob("*.npz")) if path.is_dir() else [path]
        found = [file for file in files if is_pose2sim_recording(file)]
        if not found:
            raise ValueError(
                "Expected a folder of Human3.6M or MPI-INF-3DHP, VideoPose3D's archives, or a Pose2Sim recording. "
                f"Received: {path}"
            )
        recordings += [
            OfficialRecording(SOURCE, str(file), functools.partial(read_pose2sim_recording, file)) for file in found
        ]
    return recordings, notes


def convert_recording(
    recording: OfficialRecording, frame_list: FrameList | None, profile: KeypointProfile | None, fps: float
) -> tuple[ViewSet, Converted]:
    """Reads a recording and keeps the views wanted.

    Args:
        recording: The recording.
        frame_list: Views wanted, or None for `fps` frames a second.
        profile: Joints wanted; None for 17 where the recording has them, else 13.
        fps: Frame rate wanted; nominal where a list chooses the frames.

    Returns:
        The views, with the projected truth beside detections where the cameras are calibrated, and what became of the
        frames.

    Raises:
        ValueError: If the files are damaged, or the joints cannot be had.
    """
    read = recording.read()
    capture = read.capture
    if frame_list is None:
        rows = every_frame(capture.sequence, max(1, round(capture.fps / fps)))
    else:
        listed = frame_list.find(capture.subject, capture.sequence, capture.frame, read.cameras)
        rows = np.flatnonzero(listed.any(axis=0))
    poses, rows, counts = convert_poses(capture, rows, profile or metric_profiles(capture.profile)[0], fps)
    counts["kept"] = len(poses)
    kinds = {read.kind: RecordedKeypoints.from_recording(read, rows)}
    if read.kind != GROUND_TRUTH and read.calibration is not None:
        kinds = {GROUND_TRUTH: _project(read, rows), **kinds}
    views = ViewSet(poses, read.cameras, kinds)
    if frame_list is not None:
        views = views.keep_views(listed[:, rows])
    remark = f"{recording.name}: {'; '.join(read.notes)}" if read.notes else ""
    return views, Converted(capture.source, poses, counts, remark)


def _project(recording: MultiViewCapture, rows: np.ndarray) -> RecordedKeypoints:
    """True projections of a recording that comes with detections."""
    poses = recording.capture.poses[rows].astype(np.float64)
    pixels = np.stack([camera.project(poses) for camera in recording.calibration])
    return RecordedKeypoints.from_joints(pixels, None, recording.capture.profile)


def _join(views: ViewSet, arguments: argparse.Namespace) -> ViewSet:
    profile = get_profile(arguments.detection_profile) if arguments.detection_profile else None
    videos = videos_of(views)
    first_picture = arguments.first_picture
    if arguments.detector in keypoint_archives(arguments.detections):
        tables, first_picture = read_archive_tables(arguments.detections, arguments.detector, videos), 0
    else:
        files, foreign = find_detection_files(arguments.detections, videos)
        if not files:
            raise ValueError(
                f"Expected detections named by subject, sequence and camera in {arguments.detections}, such as "
                f"{'/'.join(videos[0])}.json. Received: {len(foreign)} files that are not"
            )
        print(f"detections: {len(files):,} of {len(videos):,} videos, {len(foreign):,} other files")
        tables = read_video_tables(files, profile)
    views, counts = join_detections(views, arguments.detector, tables, first_picture)
    print(format_counts(counts))
    return views


def _write_list(views: ViewSet, arguments: argparse.Namespace) -> None:
    kind = GROUND_TRUTH if GROUND_TRUTH in views.keypoints else next(iter(views.keypoints))
    distinct = np.zeros(len(views), dtype=bool)
    distinct[select_gallery(views.poses, arguments.list_size, _LIST_SEED)] = True
    count = write_frame_list(
        arguments.write_frame_list, views.poses, views.cameras, views.of_kind(kind).usable() & distinct
    )
    print(f"wrote {arguments.write_frame_list}: {int(distinct.sum()):,} frames, {count:,} views")


def _check(arguments: argparse.Namespace) -> None:
    if not str(arguments.output).endswith(VIEWS_SUFFIX):
        raise ValueError(f"Expected --output with a name that ends in {VIEWS_SUFFIX}. Received: {arguments.output}")
    if bool(arguments.detections) != bool(arguments.detector):
        raise ValueError("Expected --detections and --detector together. Received: one of them")
    if arguments.detector == GROUND_TRUTH:
        raise ValueError(f"Expected the name of a detector. Received: {arguments.detector}")
    if arguments.list_size < 1:
        raise ValueError(f"Expected --list-size of at least 1. Received: {arguments.list_size}")
