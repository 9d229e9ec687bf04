"""Keypoints and poses on a photo."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tests.apps.scenes import share_of
from vvipe_tf.apps.pose_overlay import draw_keypoints, draw_photo, draw_reprojection
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR
from vvipe_tf.keypoints import COCO_13

PHOTO = np.full((240, 320, 3), (90, 200, 90), np.uint8)
NAMES = COCO_13.keypoint_names


@pytest.fixture
def axes():
    figure = Figure(figsize=(3.2, 2.4), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    # One pixel of the photo is one pixel of the figure.
    axes.set(xlim=(-0.5, 319.5), ylim=(239.5, -0.5))
    draw_photo(axes, PHOTO)
    return axes


@pytest.fixture
def person():
    points = {
        "nose": (160, 20), "left_shoulder": (190, 60), "right_shoulder": (130, 60), "left_elbow": (230, 90),
        "right_elbow": (90, 90), "left_wrist": (270, 60), "right_wrist": (50, 60), "left_hip": (180, 130),
        "right_hip": (140, 130), "left_knee": (190, 175), "right_knee": (130, 175), "left_ankle": (200, 225),
        "right_ankle": (120, 225),
    }  # fmt: skip
    return np.array([points[name] for name in NAMES], np.float64)


def painted(axes):
    axes.figure.canvas.draw()
    return np.asarray(axes.figure.canvas.buffer_rgba())[..., :3]


def around(pixels, point, reach=2):
    x, y = np.round(point).astype(int)
    return pixels[y - reach : y + reach + 1, x - reach : x + reach + 1]


def middle(person, *names):
    return np.mean([person[NAMES.index(name)] for name in names], axis=0)


def test_bones_lie_where_the_keypoints_are(axes, person):
    draw_keypoints(axes, person, np.full(13, 0.9), COCO_13)
    pixels = painted(axes)
    assert share_of(around(pixels, middle(person, "left_elbow", "left_wrist")), LEFT_COLOUR) > 0.1
    assert share_of(around(pixels, middle(person, "right_knee", "right_ankle")), RIGHT_COLOUR) > 0.1
    assert share_of(pixels, "#5AC85A", 2) > 0.8


def test_a_dot_is_as_solid_as_its_score(axes, person):
    scores = np.full(13, 1.0)
    scores[NAMES.index("left_wrist")] = 0.4
    draw_keypoints(axes, person, scores, COCO_13, line_width=3)
    pixels = painted(axes)
    wrist, ankle = (around(pixels, middle(person, name), 1) for name in ("left_wrist", "left_ankle"))
    assert share_of(ankle, LEFT_COLOUR) == 1.0
    assert share_of(wrist, LEFT_COLOUR) == 0.0
    assert wrist.mean() > ankle.mean() + 50


def test_a_keypoint_below_the_threshold_is_a_ring_and_a_missing_one_is_not_there(axes, person):
    scores = np.full(13, 0.8)
    scores[NAMES.index("left_wrist")], scores[NAMES.index("right_wrist")] = 0.2, 0.0
    draw_keypoints(axes, person, scores, COCO_13, score_threshold=0.3)
    pixels = painted(axes)
    for name, colour in (("left", LEFT_COLOUR), ("right", RIGHT_COLOUR)):
        assert share_of(around(pixels, middle(person, f"{name}_elbow", f"{name}_wrist")), colour) == 0.0
    left, right = (around(pixels, middle(person, f"{side}_wrist"), 6) for side in ("left", "right"))
    assert share_of(left, "#5AC85A", 2) < 0.95
    assert (right == PHOTO[0, 0]).all()


def test_bones_to_guessed_joints_are_dotted(axes, person):
    seen = np.ones(13, bool)
    seen[NAMES.index("left_wrist")] = False
    draw_reprojection(axes, person, seen, COCO_13, line_width=3)
    pixels = painted(axes)
    start, end = (person[NAMES.index(name)] for name in ("left_elbow", "left_wrist"))
    mirrored = [person[NAMES.index(name)] for name in ("right_elbow", "right_wrist")]
    guessed, known = (
        [share_of(around(pixels, point, 0), colour, 40) for point in np.linspace(*ends, 40)[4:-4]]
        for ends, colour in (((start, end), LEFT_COLOUR), (mirrored, RIGHT_COLOUR))
    )
    assert np.mean(known) == 1.0
    assert 0.2 < np.mean(guessed) < 0.9


def test_nothing_is_drawn_of_nobody(axes, person):
    draw_keypoints(axes, person, np.zeros(13), COCO_13)
    assert (painted(axes) == PHOTO[0, 0]).all()
