"""Small pictures of skeletons as arrays, a fraction of a millisecond each: for TensorBoard and sprites."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from vvipe_tf.apps.skeleton_view import TRUNK_COLOUR, SkeletonView

_OVERSAMPLING = 3
_FLOOR_COLOUR, _TRUNK_FILL = "#F1F1EE", "#E4E4E4"
_BONE_SHARE = 0.028
_MARGIN = 0.05


def draw_thumbnails(views: Iterable[SkeletonView], size: int, shared_scale: bool = True) -> np.ndarray:
    """Draws each view into a square on white.

    Args:
        views: What to draw.
        size: Width and height of a picture in pixels.
        shared_scale: Whether all pictures have one scale; else each skeleton fills its own.

    Returns:
        Pictures (views, size, size, 3) uint8, RGB.

    Raises:
        ValueError: If there are no views, or the size is not positive.
    """
    views = list(views)
    if not views or size < 1:
        raise ValueError(f"Expected at least one view and a positive size. Received: {len(views)} views, size={size}")
    bounds = np.stack([view.bounds() for view in views])
    extents = np.maximum((bounds[:, 1] - bounds[:, 0]).max(axis=1), np.finfo(float).tiny)
    if shared_scale:
        extents = np.full(len(views), extents.max())
    centres = bounds.mean(axis=1)
    return np.stack(
        [_thumbnail(view, centre, extent, size) for view, centre, extent in zip(views, centres, extents, strict=True)]
    )


def tile(pictures: np.ndarray | Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Joins pictures into one, row by row; places left over stay white.

    Args:
        pictures: Pictures (n, height, width, 3) uint8.
        columns: Pictures in a row.

    Returns:
        One picture (rows * height, columns * width, 3) uint8.

    Raises:
        ValueError: If the shape is wrong or there are no columns.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or columns < 1:
        raise ValueError(
            f"Expected pictures of shape (n, height, width, 3) and columns. Received: {pictures.shape}, {columns}"
        )
    number, height, width, channels = pictures.shape
    rows = -(-number // columns)
    sheet = np.full((rows * columns, height, width, channels), 255, dtype=pictures.dtype)
    sheet[:number] = pictures
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, channels)


def _thumbnail(view: SkeletonView, centre: np.ndarray, extent: float, size: int) -> np.ndarray:
    pixels = size * _OVERSAMPLING
    scale = (1 - 2 * _MARGIN) * pixels / extent
    image = Image.new("RGB", (pixels, pixels), "white")
    draw = ImageDraw.Draw(image)

    def place(points):
        return [tuple(point) for point in ((points - centre) * scale + pixels / 2).tolist()]

    if view.floor is not None:
        draw.polygon(place(view.floor), fill=_FLOOR_COLOUR)
    if view.trunk is not None:
        draw.polygon(place(view.trunk), fill=_TRUNK_FILL)
    width = max(_OVERSAMPLING, round(_BONE_SHARE * pixels))
    for stroke in view.strokes:
        ends = place(stroke.points)
        draw.line(ends, fill=stroke.colour, width=width)
        for x, y in ends:
            draw.circle((x, y), width / 2, fill=stroke.colour)
    if view.head is not None:
        draw.circle(place(view.head[None])[0], view.head_radius * scale, fill=TRUNK_COLOUR)
    return np.asarray(image.reduce(_OVERSAMPLING))
