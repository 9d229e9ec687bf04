"""Paints skeletons into matplotlib axes; no pyplot, no global state."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle, Polygon

from vvipe_tf.apps.skeleton_view import TRUNK_COLOUR, SkeletonView

_FLOOR_COLOUR, _SHADOW_COLOUR, _TRUNK_FILL = "#F1F1EE", "#D4D4CF", "#E4E4E4"
_GHOST_COLOUR = "#BDBDBD"
_PADDING = 0.03
# The white edge of a bone stops short of its ends, so that joints stay whole.
_EDGE_SHARE = 0.16
_WHOLE, _DOTTED = "solid", (0, (0.2, 1.7))


class Window:
    """A part of the plane that several panels show, so that what they show has one scale.

    Args:
        width: Width, unit of the views.
        height: Height.
    """

    def __init__(self, width: float, height: float):
        self.width, self.height = width, height

    @classmethod
    def around(cls, groups: Iterable[Iterable[SkeletonView]]) -> "Window":
        """The smallest window that holds each group of views, with a margin; the views of a group share a centre."""
        sizes = np.array([np.diff(_bounds(group), axis=0)[0] for group in groups])
        width, height = sizes.max(axis=0)
        margin = 2 * _PADDING * max(width, height)
        return cls(width + margin, height + margin)

    def show(self, axes: Axes, group: Iterable[SkeletonView]) -> None:
        """Points the axes at the centre of a group of views; y down, equal aspect, no frame."""
        x, y = _bounds(group).mean(axis=0)
        axes.set(
            xlim=(x - self.width / 2, x + self.width / 2),
            ylim=(y + self.height / 2, y - self.height / 2),
            aspect="equal",
        )
        axes.set_axis_off()


def draw_skeleton(axes: Axes, view: SkeletonView, line_width: float = 2.6) -> None:
    """Paints a skeleton: floor, shadow, trunk, then bones and head from far to near, each with a light edge.

    Bones whose place is a guess are dotted, and such a head is a ring.

    Args:
        axes: Axes to paint into; their limits are left alone (`Window.show`).
        view: What to paint.
        line_width: Width of a bone in points.
    """
    if view.floor is not None:
        axes.add_patch(Polygon(view.floor, closed=True, facecolor=_FLOOR_COLOUR, edgecolor="none", zorder=1))
    if view.shadows is not None:
        axes.add_collection(
            LineCollection(view.shadows, colors=_SHADOW_COLOUR, linewidths=line_width, capstyle="round", zorder=2)
        )
    if view.trunk is not None:
        axes.add_patch(Polygon(view.trunk, closed=True, facecolor=_TRUNK_FILL, edgecolor="none", zorder=3))
    # Each bone twice, white below: what passes in front is told from what passes behind.
    segments = [part for stroke in view.strokes for part in (_inner(stroke.points), stroke.points)]
    colours = [colour for stroke in view.strokes for colour in ("white", stroke.colour)]
    widths = np.tile([1.7 * line_width, line_width], len(view.strokes))
    styles = [style for stroke in view.strokes for style in (_WHOLE, _WHOLE if stroke.seen else _DOTTED)]
    bones = LineCollection(segments, colors=colours, linewidths=widths, linestyles=styles, capstyle="round", zorder=4)
    axes.add_collection(bones)
    if view.head is not None:
        fill, edge = (TRUNK_COLOUR, "white") if view.head_seen else ("white", TRUNK_COLOUR)
        axes.add_patch(Circle(view.head, view.head_radius, facecolor=fill, edgecolor=edge, linewidth=0.8, zorder=5))


def draw_ghost(axes: Axes, view: SkeletonView, line_width: float = 2.0) -> None:
    """Paints the bones of a skeleton in pale grey, to compare another one with.

    Args:
        axes: Axes to paint into.
        view: What to paint.
        line_width: Width of a bone in points.
    """
    segments = np.array([stroke.points for stroke in view.strokes])
    axes.add_collection(
        LineCollection(segments, colors=_GHOST_COLOUR, linewidths=line_width, capstyle="round", zorder=2.5)
    )
    if view.head is not None:
        axes.add_patch(Circle(view.head, view.head_radius, facecolor="none", edgecolor=_GHOST_COLOUR, zorder=2.5))


def _inner(points: np.ndarray) -> np.ndarray:
    """Ends (2, 2) of a bone, moved towards each other."""
    return points + _EDGE_SHARE * (points[::-1] - points)


def _bounds(group: Iterable[SkeletonView]) -> np.ndarray:
    bounds = np.array([view.bounds() for view in group])
    return np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])
