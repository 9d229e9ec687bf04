"""Small pictures of skeletons."""

import numpy as np
import pytest
from PIL import ImageColor

from vvipe_tf.apps.skeleton_thumbnail import draw_thumbnails, tile
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR, view_keypoints, view_pose


def pixels_of(picture, colour):
    """Rows and columns (pixels, 2) of a colour."""
    return np.argwhere((picture == ImageColor.getrgb(colour)).all(axis=-1))


def test_a_thumbnail_shows_both_sides_on_white():
    (picture,) = draw_thumbnails([view_pose(np.random.default_rng(1).normal(size=(13, 3)))], 64)
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    assert (picture[0] == 255).all()
    assert len(pixels_of(picture, LEFT_COLOUR)) > 10
    assert len(pixels_of(picture, RIGHT_COLOUR)) > 10


def test_what_is_low_in_the_view_is_low_in_the_picture():
    keypoints = np.zeros((13, 2))
    keypoints[:, 0] = np.linspace(0, 1, 13)
    keypoints[[1, 3, 5], 1] = 1.0  # The left arm; y points down.
    (picture,) = draw_thumbnails([view_keypoints(keypoints)], 80)
    assert pixels_of(picture, LEFT_COLOUR)[:, 0].mean() > 40 > pixels_of(picture, RIGHT_COLOUR)[:, 0].mean() - 20


@pytest.mark.parametrize(("shared_scale", "smaller"), [(True, True), (False, False)])
def test_a_child_looks_smaller_than_an_adult_only_at_a_shared_scale(shared_scale, smaller):
    keypoints = np.random.default_rng(4).normal(size=(13, 2))
    adult, child = draw_thumbnails([view_keypoints(keypoints), view_keypoints(keypoints / 3)], 90, shared_scale)
    heights = [np.ptp(np.flatnonzero((picture < 255).any(axis=(1, 2)))) for picture in (adult, child)]
    assert (heights[1] < 0.5 * heights[0]) == smaller


def test_pictures_are_tiled_row_by_row_and_places_left_over_are_white():
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((5, 2, 3, 3), np.uint8)
    sheet = tile(pictures, 2)
    assert sheet.shape == (6, 6, 3)
    np.testing.assert_array_equal(sheet[::2, ::3, 0], [[0, 1], [2, 3], [4, 255]])


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="Expected at least one view and a positive size. Received: 0 views, size=7"):
        draw_thumbnails([], 7)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"Received: \(4, 5, 3\), 2"):
        tile(np.zeros((4, 5, 3)), 2)
