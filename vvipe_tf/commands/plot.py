"""`python -m vvipe_tf plot`: pictures, a 3D viewer and videos of poses."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vvipe_tf.commands.keypoint_source import add_keypoint_arguments, add_model_argument

if TYPE_CHECKING:
    from vvipe_tf.apps.pose_panels import ScenePanels
    from vvipe_tf.commands.plot_source import PlotSource

_SHEETS, _VIEWER, _VIDEOS = (".png", ".svg", ".pdf"), ".html", (".gif", ".mp4")
_PANELS = ("keypoints", "overlay", "pose")
_DEFAULT_FPS = 30.0
_SHEET_MOMENTS = 12
_GIF_FPS = 25.0
_SWAY_SECONDS = 8.0
_PALETTE_FRAMES = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument(
        "input",
        nargs="+",
        metavar="INPUT",
        help="keypoint file or folder, which is lifted, or 3D poses (.json, .csv, .npz, .bvh, .trc); several inputs "
        "are shown beside each other, frame by frame",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help=".png, .svg, .pdf: a sheet of moments; .html: a 3D viewer in one file; .gif, .mp4: a video",
    )
    parser.add_argument(
        "--image",
        action="append",
        metavar="PATH",
        help="picture, folder of pictures or video in which the keypoints were found; once for each input",
    )
    parser.add_argument(
        "--panels",
        nargs="+",
        choices=_PANELS,
        help="what is shown of a moment (keypoints and pose; a sheet with --image has the overlay too)",
    )
    parser.add_argument("--title", help="title (the names of the inputs)")
    parser.add_argument("--labels", nargs="+", help="names of the inputs, one each (the names of the files)")
    parser.add_argument("--person", default="all", help="all, main or a track id (%(default)s)")
    parser.add_argument(
        "--frames", help="frame numbers: 3,7,12 or START:STOP:STEP, STOP not included (all; 12 of them in a sheet)"
    )
    parser.add_argument("--fps", type=float, help="frames per second, where the input does not say (30)")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="of videos and the viewer, 0.5 is slow motion (%(default)s)"
    )
    parser.add_argument(
        "--view",
        nargs=2,
        type=float,
        default=(-30.0, 14.0),
        metavar=("AZIMUTH", "ELEVATION"),
        help="degrees from which poses are seen: 0 0 is the front, 90 0 the person's left side (-30 14)",
    )
    parser.add_argument(
        "--sway", type=float, default=25.0, help="degrees by which poses turn to and fro in a video (%(default)s)"
    )
    parser.add_argument("--columns", type=int, help="cells in a row")
    parser.add_argument("--whole-image", action="store_true", help="show whole pictures, not the part with the people")
    parser.add_argument(
        "--coordinate-frame",
        choices=("canonical", "camera"),
        default="canonical",
        help="of lifted poses: upright on the hips, or as the camera sees them (%(default)s)",
    )
    add_keypoint_arguments(parser)
    add_model_argument(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what is printed (%(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    suffix = _checked_suffix(arguments)
    from vvipe_tf.commands.plot_source import read_plot_source

    source = read_plot_source(arguments, _SHEET_MOMENTS if suffix in _SHEETS else None)
    title = arguments.title or ", ".join(dict.fromkeys(scene.title for scene in source.scenes))
    if suffix == _VIEWER:
        extra = _write_viewer(arguments, source, title)
    elif suffix in _VIDEOS:
        extra = _write_video(arguments, source, title)
    else:
        extra = _write_sheet(arguments, source, title)
    summary = {
        "inputs": arguments.input,
        "poses": int(sum(scene.valid.sum() for scene in source.scenes)),
        "refused": int(sum((~scene.valid).sum() for scene in source.scenes)),
        "guessed_joints": int(sum((~scene.seen[scene.valid]).sum() for scene in source.scenes)),
        **extra,
        "output": arguments.output,
        "bytes": Path(arguments.output).stat().st_size,
    }
    print(json.dumps(summary) if arguments.format == "json" else _text(summary))


def _checked_suffix(arguments: argparse.Namespace) -> str:
    suffix, known = Path(arguments.output).suffix.lower(), (*_SHEETS, _VIEWER, *_VIDEOS)
    if suffix not in known:
        raise ValueError(f"Expected a file name that ends in {', '.join(known)}. Received: {arguments.output}")
    for name in ("image", "labels"):
        values = getattr(arguments, name)
        if values is not None and len(values) != len(arguments.input):
            raise ValueError(
                f"Expected one --{name} for each of {len(arguments.input)} inputs. Received: {len(values)}"
            )
    for name in ("fps", "speed", "columns"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"Expected --{name} above 0. Received: {value}")
    for name, angles in (("view", arguments.view), ("sway", [arguments.sway])):
        if not all(map(math.isfinite, angles)):
            raise ValueError(f"Expected finite degrees of --{name}. Received: {' '.join(map(str, angles))}")
    if suffix == _VIEWER and (arguments.image or arguments.panels):
        raise ValueError("Expected --image and --panels with a sheet or a video. Received: a 3D viewer")
    return suffix


def _write_sheet(arguments: argparse.Namespace, source: "PlotSource", title: str) -> dict:
    from vvipe_tf.apps.figure_sheet import save_figure
    from vvipe_tf.apps.pose_sheet import draw_pose_sheet

    moments = source.moments.tolist()
    azimuths = dict.fromkeys(moments, arguments.view[0])
    panels = _panels(arguments, source, moments, azimuths, still=False)
    figure = draw_pose_sheet(panels, moments, title, _note(source), arguments.columns)
    save_figure(figure, arguments.output)
    return {"frames": len(moments)}


def _write_viewer(arguments: argparse.Namespace, source: "PlotSource", title: str) -> dict:
    from vvipe_tf.apps.pose_viewer import write_pose_viewer

    fps = (source.fps or _DEFAULT_FPS) * arguments.speed
    moments = source.moments.tolist()
    write_pose_viewer(
        arguments.output, source.scenes, moments, title, _note(source, keypoints=False), fps, tuple(arguments.view)
    )
    return {"frames": len(moments)}


def _write_video(arguments: argparse.Namespace, source: "PlotSource", title: str) -> dict:
    import numpy as np
    from tqdm import tqdm

    from vvipe_tf.apps.pose_moments import spread_out
    from vvipe_tf.apps.pose_video import PoseAnimation, write_gif
    from vvipe_tf.apps.video_file import write_mp4

    moments = source.moments
    if len(moments) < 2:
        raise ValueError(f"Expected at least two frames for a video. Received: {len(moments)}")
    clock = source.fps or _DEFAULT_FPS
    fps = clock * arguments.speed / float(np.median(np.diff(moments)))
    is_gif = Path(arguments.output).suffix.lower() == ".gif"
    if is_gif and fps > _GIF_FPS:
        stride = int(np.ceil(fps / _GIF_FPS))
        moments, fps = moments[::stride], fps / stride
    moments = moments.tolist()
    # Whole swings, so that a loop has no jump.
    swings = max(1, round(len(moments) / fps / _SWAY_SECONDS))
    phases = 2 * np.pi * swings * np.arange(len(moments)) / len(moments)
    angles = arguments.view[0] + arguments.sway * np.sin(phases)
    azimuths = dict(zip(moments, angles.tolist(), strict=True))
    panels = _panels(arguments, source, moments, azimuths, still=True)
    animation = PoseAnimation(panels, clock, title, _note(source), arguments.columns)
    shown = tqdm(moments, unit="frame", desc="plot", leave=False, disable=None, file=sys.stderr)
    frames = (animation.render(frame) for frame in shown)
    if is_gif:
        palette = [animation.render(frame) for frame in spread_out(np.array(moments), _PALETTE_FRAMES).tolist()]
        write_gif(arguments.output, frames, fps, palette)
    else:
        write_mp4(arguments.output, frames, fps)
    return {"frames": len(moments), "fps": fps}


def _panels(arguments, source: "PlotSource", moments, azimuths, still) -> "list[ScenePanels]":
    from vvipe_tf.apps.pose_panels import ScenePanels, match_windows

    panels = []
    for scene, images in zip(source.scenes, source.images, strict=True):
        names = arguments.panels or [
            "keypoints",
            *(["overlay"] if images is not None and not still else []),
            "pose",
        ]
        if scene.keypoints is None:
            names = ["pose"]
        panels.append(
            ScenePanels(
                scene,
                moments,
                names,
                images,
                azimuths,
                arguments.view[1],
                still=still,
                whole_image=arguments.whole_image,
            )
        )
    match_windows(panels)
    return panels


def _note(source: "PlotSource", keypoints: bool = True) -> str:
    notes = []
    if any((~scene.seen[scene.valid]).any() for scene in source.scenes):
        notes.append("dotted: a joint was not seen, its place is a guess")
    if keypoints and any(
        ((s.keypoints.scores > 0) & (s.keypoints.scores < s.score_threshold)).any()
        for s in source.scenes
        if s.keypoints
    ):
        notes.append(f"grey ring: a keypoint of a score below {source.scenes[0].score_threshold:g}, not used")
    if any(scene.coordinate_frame == "canonical" for scene in source.scenes):
        notes.append("poses stand upright on their hips, whatever the camera")
    if any(len(scene.people) > 1 for scene in source.scenes):
        notes.append("people beside each other, not in their places")
    return "; ".join(notes)


def _text(summary: dict) -> str:
    refused = (
        f", {summary['refused']} detections refused, which show too little of a body" if summary["refused"] else ""
    )
    guessed = f", {summary['guessed_joints']} joints unseen" if summary["guessed_joints"] else ""
    rate = f" at {summary['fps']:g} frames per second" if "fps" in summary else ""
    return (
        f"{summary['output']}: {summary['frames']} frames{rate}, {summary['poses']} poses{guessed}{refused}; "
        f"{summary['bytes'] / 1e6:.2f} MB"
    )
