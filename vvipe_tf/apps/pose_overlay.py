"""Paints on a photo: keypoints with their scores, and lifted poses as their fitted camera sees them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from vvipe_tf.apps.skeleton_plot import draw_skeleton
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR, TRUNK_COLOUR, view_keypoints
from vvipe_tf.keypoints import KeypointProfile

_UNUSED_COLOUR = "#8A8A8A"
_LEAST_OPACITY = 0.25


def draw_photo(axes: Axes, image: np.ndarray) -> None:
    """Shows a picture (height, width, 3) uint8, its pixels centred on whole coordinates; the limits are left alone."""
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(image, zorder=0, interpolation="antialiased")
    axes.set(xlim=limits[0], ylim=limits[1])


def draw_keypoints(
    axes: Axes,
    keypoints_2d: np.ndarray,
    scores: np.ndarray,
    profile: KeypointProfile,
    score_threshold: float = 0.0,
    line_width: float = 2.0,
) -> None:
    """Paints the keypoints of a detection: bones between those that count, and a dot on each, solid at score 1.

    Keypoints below the threshold are grey rings without bones; missing ones (score 0) are not there.

    Args:
        axes: Axes to paint into, y down.
        keypoints_2d: Keypoints (joints, 2), pixels.
        scores: Their scores (joints,) in [0, 1].
        profile: Their profile.
        score_threshold: Least score of a keypoint that counts.
        line_width: Width of a bone in points.
    """
    scores = np.asarray(scores, np.float64)
    used = (scores > 0) & (scores >= score_threshold)
    size = (2.6 * line_width) ** 2
    if used.any():
        # The head is where its keypoints are; a disc would hide the face.
        draw_skeleton(axes, view_keypoints(keypoints_2d, used, profile)._replace(trunk=None, head=None), line_width)
        colours = [
            to_rgba(_side_colour(name), max(_LEAST_OPACITY, score))
            for name, score, use in zip(profile.keypoint_names, scores, used, strict=True)
            if use
        ]
        at = keypoints_2d[used]
        axes.scatter(at[:, 0], at[:, 1], s=size, c="white", linewidths=0, zorder=6)
        axes.scatter(at[:, 0], at[:, 1], s=0.6 * size, c=colours, linewidths=0, zorder=7)
    unused = keypoints_2d[(scores > 0) & ~used]
    axes.scatter(
        unused[:, 0], unused[:, 1], s=0.7 * size, facecolors="none", edgecolors=_UNUSED_COLOUR, linewidths=0.8, zorder=6
    )


def draw_reprojection(
    axes: Axes, points: np.ndarray, seen: np.ndarray, profile: KeypointProfile, line_width: float = 2.6
) -> None:
    """Paints a lifted pose where its fitted camera sees it; bones to joints that were not seen are dotted.

    Args:
        axes: Axes to paint into, y down.
        points: Projected joints (joints, 2), pixels.
        seen: Joints that were seen (joints,) bool.
        profile: Profile of the pose.
        line_width: Width of a bone in points.
    """
    view = view_keypoints(points, profile=profile, seen=seen)
    draw_skeleton(axes, view._replace(trunk=None, head=None), line_width)


def _side_colour(name: str) -> str:
    return {"left": LEFT_COLOUR, "right": RIGHT_COLOUR}.get(name.partition("_")[0], TRUNK_COLOUR)
