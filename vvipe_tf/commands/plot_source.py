"""What `plot` shows: inputs read, keypoints lifted, pictures opened, moments chosen."""

import argparse
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vvipe_tf.apps.frame_images import FrameImages, open_images
from vvipe_tf.apps.pose_moments import choose_moments, spread_out, timeline
from vvipe_tf.apps.pose_scene import PoseScene, lifted_scene, recorded_scene
from vvipe_tf.apps.pose_tracks import choose_people, choose_poses
from vvipe_tf.commands.keypoint_source import load_embedder, read_keypoints
from vvipe_tf.commands.pose_source import holds_poses, read_poses
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence

if TYPE_CHECKING:
    from vvipe_tf.apps.embedder import PoseEmbedder


class PlotSource(NamedTuple):
    """What is shown.

    Args:
        scenes: One scene an input, with only the rows of the moments.
        images: The pictures of each input, or None.
        moments: Frame numbers (moments,), ascending.
        fps: Frames per second of the frame numbers; None if no input says.
    """

    scenes: list[PoseScene]
    images: list[FrameImages | None]
    moments: np.ndarray
    fps: float | None


def read_plot_source(arguments: argparse.Namespace, most: int | None = None) -> PlotSource:
    """Reads the inputs of `plot`; the model is loaded only where there are keypoints to lift.

    Args:
        arguments: Arguments of the command.
        most: Greatest number of moments where `--frames` is not given, evenly spread; None for all.

    Raises:
        FileNotFoundError: If a file or the model is not there.
        ValueError: If a file cannot be read, or there is nothing to show in the frames asked for.
    """
    sources = [_read(path, arguments) for path in arguments.input]
    moments = choose_moments(timeline([source.frame for source in sources]), arguments.frames)
    if most is not None and arguments.frames is None:
        moments = spread_out(moments, most)
    embedder = cache(lambda: load_embedder(arguments.model))
    titles = arguments.labels or _titles(arguments.input)
    scenes = [
        _scene(title, source, moments, embedder, arguments) for title, source in zip(titles, sources, strict=True)
    ]
    if not any(map(len, scenes)):
        raise ValueError("Expected somebody in the frames asked for. Received: nobody")
    if not any(scene.valid.any() for scene in scenes):
        raise ValueError(
            f"Expected somebody with both hips, a shoulder and 6 joints. Received: none in {sum(map(len, scenes))} "
            "detections"
        )
    images = [None] * len(scenes)
    if arguments.image is not None:
        images = [_images(path, scene) for path, scene in zip(arguments.image, scenes, strict=True)]
    rates = [arguments.fps, *(scene.fps for scene in scenes), *(each.fps for each in images if each is not None)]
    return PlotSource(scenes, images, moments, next((rate for rate in rates if rate), None))


def _read(path: str, arguments: argparse.Namespace) -> DetectionTable | PoseSequence:
    if holds_poses(path):
        return choose_poses(read_poses(path), arguments.person)
    table = read_keypoints(path, arguments)
    # People keep their places beside each other from frame to frame only if it is known who is who.
    return choose_people(table, arguments.person, need_tracks=len(np.unique(table.frame)) < len(table))


def _scene(
    title: str,
    source: DetectionTable | PoseSequence,
    moments: np.ndarray,
    embedder: Callable[[], "PoseEmbedder"],
    arguments: argparse.Namespace,
) -> PoseScene:
    if isinstance(source, PoseSequence):
        scene = recorded_scene(title, source)
        return scene.select(np.isin(scene.frame, moments))
    table = source.select(np.isin(source.frame, moments))
    result = embedder().lift(table, uncertainty=False)
    return lifted_scene(title, table, result, embedder().score_threshold, None, arguments.coordinate_frame)


def _images(path: str, scene: PoseScene) -> FrameImages:
    if scene.keypoints is None:
        raise ValueError(f"Expected --image with keypoints. Received: {scene.title}, which holds 3D poses")
    return open_images(path, scene.keypoints)


def _titles(paths: Sequence[str]) -> list[str]:
    """File names without ending, as far as they differ."""
    names = [Path(path).stem or str(path) for path in paths]
    return names if len(set(names)) == len(names) else list(map(str, paths))
