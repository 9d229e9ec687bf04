"""Poses to turn with the mouse: one HTML file that holds everything it needs, plotly.js included."""

import html
import os
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from vvipe_tf.apps.figure_sheet import INK, SOFT_INK
from vvipe_tf.apps.pose_scene import PoseScene
from vvipe_tf.apps.pose_staging import is_rooted, spread_people, upright_rotation, view_from
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR, TRUNK_COLOUR, bones_of
from vvipe_tf.formats.atomic import atomic_path

_SHADOW_COLOUR, _GRID_COLOUR, _WALL_COLOUR = "#D4D4CF", "#E3E3DF", "#FAFAF8"
_BONE_WIDTH, _GUESS_WIDTH, _SHADOW_WIDTH = 9, 6, 5
_JOINT_SIZE, _HEAD_SIZE = 6, 16
_MARGIN = 0.08
_EYE_DISTANCE = 1.8
# The scene is shown a little higher, so that the labels of its floor fit in.
_LOOK_BELOW = 0.14
_UNITS = {"torso": "torso lengths", "m": "m", "mm": "mm"}
_AXES = {
    "canonical": ("x, backwards", "y, to the right", "z, along the spine"),
    "world": ("x", "y", "z, up"),
    "camera": ("x, right", "y, down", "z, forward"),
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ margin: 0; height: 100%; background: white; color: {ink};
  font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }}
body {{ display: flex; flex-direction: column; }}
header {{ padding: 14px 22px 0; display: flex; flex-wrap: wrap; gap: 4px 22px; align-items: baseline; }}
h1 {{ font-size: 17px; margin: 0; flex: 1; overflow-wrap: anywhere; }}
.key {{ font-size: 13px; white-space: nowrap; }}
.key b {{ display: inline-block; width: 20px; height: 5px; border-radius: 3px; margin-right: 6px;
  vertical-align: 2px; }}
main {{ flex: 1; min-height: 0; }}
main > div {{ height: 100%; }}
footer {{ padding: 0 22px 12px; font-size: 12px; color: {soft}; }}
</style>
</head>
<body>
<header><h1>{title}</h1>{key}</header>
<main>{plot}</main>
<footer>{note}</footer>
</body>
</html>
"""


def write_pose_viewer(
    path: str | os.PathLike,
    scenes: Sequence[PoseScene],
    frames: Sequence[int],
    title: str,
    note: str,
    fps: float = 30.0,
    view: tuple[float, float] = (-30.0, 14.0),
) -> None:
    """Writes the viewer, whole or not at all. It asks no server for anything, so it opens offline.

    All axes have one scale. People whose places are unknown (pelvis at the origin) stand beside each other; others
    stand where they are. Bones to joints that were not seen are dotted, and such joints are rings; a person without a
    pose in a frame is not there in it.

    Args:
        path: File to write.
        scenes: What to show; of one coordinate frame and unit.
        frames: Moments, each a stop of the slider.
        title: Title.
        note: Small line below.
        fps: Frames per second of the play button.
        view: Azimuth and elevation of the first view in degrees, as in `view_from`.

    Raises:
        ValueError: If the scenes do not fit together, or no pose is among them.
    """
    kinds = sorted({(scene.coordinate_frame, scene.unit) for scene in scenes})
    if len(kinds) != 1:
        raise ValueError(f"Expected inputs of one coordinate frame and unit for one viewer. Received: {kinds}")
    tracks = _tracks(scenes)
    if not tracks:
        raise ValueError("Expected at least one pose. Received: none")
    points = np.concatenate([track.poses.reshape(-1, 3) for track in tracks])
    up = upright_rotation(scenes[0])[2]
    figure = go.Figure(
        data=_traces(tracks, frames[0], up),
        layout=_layout(scenes[0], points, view),
        frames=[go.Frame(data=_traces(tracks, frame, up), name=str(frame)) for frame in frames]
        if len(frames) > 1
        else [],
    )
    if len(frames) > 1:
        _add_controls(figure, frames, fps)
    plot = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        auto_play=False,
        config={"displaylogo": False, "responsive": True, "scrollZoom": True},
        default_height="100%",
        div_id="poses",
    )
    page = _PAGE.format(
        title=html.escape(title), note=html.escape(note), ink=INK, soft=SOFT_INK, plot=plot, key=_key(scenes)
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


class _Track:
    """A person of a scene over time."""

    def __init__(self, scene: PoseScene, person: int, label: str):
        rows = (scene.person == person) & scene.valid
        self.profile, self.label = scene.profile, label
        self.poses, self.seen = scene.poses[rows], scene.seen[rows]
        self.row = {frame: row for row, frame in enumerate(scene.frame[rows].tolist())}


def _tracks(scenes) -> list[_Track]:
    tracks = []
    for scene in scenes:
        for person in scene.people:
            names = [scene.title] * (len(scenes) > 1) + [f"person {person}"] * (person >= 0)
            tracks.append(_Track(scene, person, ", ".join(names) or scene.title))
    if len(tracks) > 1 and all(is_rooted(scene) for scene in scenes):
        level = upright_rotation(scenes[0])[:2]
        places = spread_people([2 * np.linalg.norm(track.poses @ level.T, axis=-1).max() for track in tracks])
        for track, place in zip(tracks, places, strict=True):
            track.poses = track.poses - place * level[1]
    return tracks


def _traces(tracks, frame, up) -> list[go.Scatter3d]:
    traces = []
    for track in tracks:
        row = track.row.get(frame)
        pose = np.full((track.profile.num_joints, 3), np.nan) if row is None else track.poses[row]
        seen = np.ones(len(pose), bool) if row is None else track.seen[row]
        lines = {LEFT_COLOUR: [], RIGHT_COLOUR: [], TRUNK_COLOUR: [], "guess": []}
        for (start, end), colour in bones_of(track.profile):
            ends = np.stack([pose[list(joints)].mean(axis=0) for joints in (start, end)])
            lines[colour if seen[[*start, *end]].all() else "guess"].append(ends)
        bones = [ends for group in lines.values() for ends in group]
        floor = (pose @ up).min()
        dropped = [ends + np.outer(floor - ends @ up, up) for ends in bones]
        traces.append(_line(dropped, _SHADOW_COLOUR, _SHADOW_WIDTH))
        traces += [
            _line(group, TRUNK_COLOUR, _GUESS_WIDTH, dash="dot")
            if colour == "guess"
            else _line(group, colour, _BONE_WIDTH)
            for colour, group in lines.items()
        ]
        traces.append(_joints(track, pose, seen))
    return traces


def _line(bones, colour, width, dash="solid") -> go.Scatter3d:
    gap = np.full((1, 3), np.nan)
    # Never empty: a trace that plotly once drew without points stays without.
    points = np.concatenate([part for ends in bones for part in (ends, gap)] or [np.repeat(gap, 3, axis=0)])
    x, y, z = points.astype(np.float32).T
    line = {"color": colour, "width": width, "dash": dash}
    return go.Scatter3d(x=x, y=y, z=z, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _joints(track, pose, seen) -> go.Scatter3d:
    names = track.profile.keypoint_names
    x, y, z = pose.astype(np.float32).T
    sides = {"left": LEFT_COLOUR, "right": RIGHT_COLOUR}
    head = track.profile.index("nose") if track.profile.has("nose") else -1
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="markers",
        marker={
            "size": [_HEAD_SIZE if joint == head else _JOINT_SIZE for joint in range(len(names))],
            "color": [sides.get(name.partition("_")[0], TRUNK_COLOUR) for name in names],
            "symbol": ["circle" if visible else "circle-open" for visible in seen],
            "opacity": 1.0,
            "line": {"width": 0},
        },
        text=[
            name.replace("_", " ") + ("" if visible else " (a guess)")
            for name, visible in zip(names, seen, strict=True)
        ],
        hovertemplate="<b>%{text}</b><br>%{x:.3f}, %{y:.3f}, %{z:.3f}<extra>" + html.escape(track.label) + "</extra>",
        showlegend=False,
    )


def _layout(scene, points, view) -> dict:
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    pad = _MARGIN * (high - low).max()
    low, high = low - pad, high + pad
    # The floor is where the lowest joint stands.
    up = upright_rotation(scene)[2]
    low, high = np.where(up > 0.5, low + pad, low), np.where(up < -0.5, high - pad, high)
    size = (high - low) / (high - low).max()
    eye = upright_rotation(scene).T @ -view_from(*view)[2] * _EYE_DISTANCE
    axes = {
        f"{name}axis": {
            "range": [float(low[axis]), float(high[axis])],
            "title": {"text": f"{label} ({_UNITS[scene.unit]})", "font": {"size": 11, "color": SOFT_INK}},
            "tickfont": {"size": 10, "color": SOFT_INK},
            "gridcolor": _GRID_COLOUR,
            "zerolinecolor": _GRID_COLOUR,
            "backgroundcolor": _WALL_COLOUR,
            "showspikes": False,
        }
        for axis, (name, label) in enumerate(zip("xyz", _AXES[scene.coordinate_frame], strict=True))
    }
    return {
        "scene": axes
        | {
            "aspectmode": "manual",
            "aspectratio": dict(zip("xyz", size.tolist(), strict=True)),
            "camera": {
                "eye": dict(zip("xyz", eye.tolist(), strict=True)),
                "up": dict(zip("xyz", up.tolist(), strict=True)),
                "center": dict(zip("xyz", (-_LOOK_BELOW * up).tolist(), strict=True)),
            },
            "dragmode": "orbit",
        },
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": "white",
        "font": {"family": "system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif", "color": INK},
        # Turned by hand, it stays so while it plays.
        "uirevision": "view",
    }


def _add_controls(figure, frames, fps) -> None:
    step = float(np.median(np.diff(frames)))
    play = {
        "frame": {"duration": 1000 * step / fps, "redraw": True},
        "transition": {"duration": 0},
        "fromcurrent": True,
        "mode": "immediate",
    }
    stop = {"frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}, "mode": "immediate"}
    figure.update_layout(
        margin={"b": 10},
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "x": 0.02,
                "y": 0,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 26, "r": 10},
                "showactive": False,
                "buttons": [
                    {"label": "▶", "method": "animate", "args": [None, play]},
                    {"label": "❚❚", "method": "animate", "args": [[None], stop]},
                ],
            }
        ],
        sliders=[
            {
                "x": 0.14,
                "y": 0,
                "len": 0.84,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 0, "b": 10},
                "currentvalue": {"prefix": "frame ", "xanchor": "left", "font": {"size": 13, "color": INK}},
                "ticklen": 0,
                "minorticklen": 0,
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
                "steps": [{"label": str(frame), "method": "animate", "args": [[str(frame)], stop]} for frame in frames],
            }
        ],
    )


def _key(scenes) -> str:
    entries = [("left limbs", LEFT_COLOUR), ("right limbs", RIGHT_COLOUR), ("trunk", TRUNK_COLOUR)]
    lines = [f'<span class="key"><b style="background:{colour}"></b>{name}</span>' for name, colour in entries]
    if any((~scene.seen[scene.valid]).any() for scene in scenes):
        dotted = f"background:none;height:0;border-top:4px dotted {TRUNK_COLOUR}"
        lines.append(f'<span class="key"><b style="{dotted}"></b>not seen, a guess</span>')
    return "".join(lines)
