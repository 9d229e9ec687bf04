"""Skeletons in matplotlib axes."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from vvipe_tf.apps.skeleton_plot import Window, draw_ghost, draw_skeleton
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR, view_keypoints, view_pose
from vvipe_tf.keypoints import COCO_13


@pytest.fixture
def axes():
    figure = Figure(figsize=(2, 3), dpi=50)
    FigureCanvasAgg(figure)
    return figure.add_axes((0, 0, 1, 1))


def pixels_of(axes):
    axes.figure.canvas.draw()
    return np.asarray(axes.figure.canvas.buffer_rgba())[..., :3] / 255


def rows_with(pixels, colour):
    return np.flatnonzero((np.abs(pixels - to_rgb(colour)) < 0.02).all(axis=-1).any(axis=1))


def headless(low, high):
    """A view of twelve joints between two corners."""
    mask = np.ones(13)
    mask[COCO_13.index("nose")] = 0
    return view_keypoints(np.concatenate([[low], np.linspace(low, high, 12)]), mask)


def test_a_window_holds_every_group_at_one_scale():
    window = Window.around([[headless((0, 0), (1, 2))], [headless((5, 5), (6, 12))]])
    assert window.width == pytest.approx(1 + 0.06 * 7)
    assert window.height == pytest.approx(7 + 0.06 * 7)


def test_views_of_one_group_share_a_centre(axes):
    group = [headless((0, 0), (1, 2)), headless((3, 1), (4, 3))]
    Window.around([group]).show(axes, group)
    assert np.mean(axes.get_xlim()) == pytest.approx(2.0)
    assert np.mean(axes.get_ylim()) == pytest.approx(1.5)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_aspect() == 1.0


def test_both_sides_of_the_body_are_painted_in_their_colours(axes):
    view = view_pose(np.random.default_rng(2).normal(size=(13, 3)))
    draw_skeleton(axes, view)
    Window.around([[view]]).show(axes, [view])
    pixels = pixels_of(axes)
    assert rows_with(pixels, LEFT_COLOUR).size > 5
    assert rows_with(pixels, RIGHT_COLOUR).size > 5


def test_keypoints_low_in_the_image_are_painted_low(axes):
    keypoints = np.zeros((13, 2))
    keypoints[:, 0] = np.linspace(0, 1, 13)
    keypoints[[1, 3, 5], 1] = 1.0  # The left arm; y points down.
    view = view_keypoints(keypoints)
    draw_skeleton(axes, view, line_width=8)
    Window.around([[view]]).show(axes, [view])
    pixels = pixels_of(axes)
    assert rows_with(pixels, LEFT_COLOUR).mean() > rows_with(pixels, RIGHT_COLOUR).mean()


def test_a_ghost_is_grey_and_lies_below(axes):
    view = view_pose(np.random.default_rng(2).normal(size=(13, 3)))
    draw_skeleton(axes, view)
    lowest_bone = max(collection.get_zorder() for collection in axes.collections)
    draw_ghost(axes, view)
    ghost = axes.collections[-1]
    assert ghost.get_zorder() < lowest_bone
    assert len(ghost.get_segments()) == len(view.strokes)
    red, green, blue, _ = ghost.get_colors()[0]
    assert red == green == blue
