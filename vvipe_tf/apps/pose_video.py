"""Poses in motion: frames painted one by one, and GIFs of them."""

import os
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from vvipe_tf.apps.figure_sheet import FOOTER, HEADER, INK, MARGIN, Sheet
from vvipe_tf.apps.pose_panels import ScenePanels
from vvipe_tf.apps.pose_sheet import CAPTION, GAP, LABEL, cell_width, label_cell, place_cell
from vvipe_tf.formats.atomic import atomic_path

# Browsers show a GIF's shorter delays at a speed of their own.
GIF_MAX_FPS = 50.0
_TOP = HEADER - 0.2


class PoseAnimation:
    """Paints the moments of scenes side by side, all of them on one sheet.

    Args:
        scenes: What to show.
        fps: Frames per second of the frame numbers, for the clock.
        title: Title.
        note: Small line at the bottom.
        columns: Scenes in a row.
        height: Height of the panels in inches.
        dpi: Pixels per inch.
    """

    def __init__(
        self,
        scenes: Sequence[ScenePanels],
        fps: float,
        title: str,
        note: str,
        columns: int | None = None,
        height: float = 2.8,
        dpi: int = 100,
    ):
        self._scenes, self._fps = scenes, fps
        aspects = [scene.aspects() for scene in scenes]
        wide = max(cell_width(each, height) for each in aspects)
        tall = CAPTION + height + LABEL
        columns = min(len(scenes), columns or 2)
        rows = -(-len(scenes) // columns)
        width = 2 * MARGIN + columns * wide + (columns - 1) * GAP
        self._sheet = Sheet(width, _TOP + rows * (tall + GAP) + FOOTER, title, note, synthetic=False)
        figure = self._sheet.figure
        figure.set_dpi(dpi)
        # Video codecs take even sizes only.
        figure.set_size_inches([round(side * dpi / 2) * 2 / dpi for side in figure.get_size_inches()])
        inset = (self._sheet.width - width) / 2
        self._axes = []
        for number, (scene, each) in enumerate(zip(scenes, aspects, strict=True)):
            row, column = divmod(number, columns)
            left, top = inset + MARGIN + column * (wide + GAP), _TOP + row * (tall + GAP)
            axes = place_cell(self._sheet, left, top, height, each)
            label_cell(self._sheet, axes, top, height, scene.panels)
            if len(scenes) > 1:
                self._sheet.write(left + GAP, top + CAPTION / 2, scene.scene.title, size=8.5, ha="left", color=INK)
            self._axes.append(axes)
        self._clock = figure.text(1 - MARGIN / self._sheet.width, 0.17 / self._sheet.height, "", size=7.5, ha="right",
                                  va="center", family="monospace", color=INK)  # fmt: skip

    def render(self, frame: int) -> np.ndarray:
        """Picture (height, width, 3) uint8 of a moment; both sides are even."""
        for scene, axes in zip(self._scenes, self._axes, strict=True):
            scene.draw(axes, frame)
        self._clock.set_text(f"frame {frame:4d} {frame / self._fps:6.2f} s")
        canvas = self._sheet.figure.canvas
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def write_gif(
    path: str | os.PathLike, frames: Iterable[np.ndarray], fps: float, sample: Sequence[np.ndarray], colours: int = 128
) -> None:
    """Writes a GIF that loops, whole or not at all.

    Delays of a GIF are hundredths of a second: they are rounded so that the mean speed is exact.

    Args:
        path: File to write.
        frames: Pictures (height, width, 3) uint8 of one size.
        fps: Frames per second, at most `GIF_MAX_FPS`.
        sample: Some of the pictures, from which the one palette of all frames is chosen; so nothing flickers.
        colours: Size of the palette.

    Raises:
        ValueError: If there is no picture, or the speed is too high.
    """
    if not 0 < fps <= GIF_MAX_FPS:
        raise ValueError(f"Expected at most {GIF_MAX_FPS:g} frames per second for a GIF. Received: {fps:g}")
    palette = Image.fromarray(np.concatenate(sample)).quantize(colours, dither=Image.Dither.NONE)
    # The entry nearest to white becomes white: the picture has no edge on a white page.
    white = Image.new("RGB", (1, 1), "white").quantize(palette=palette, dither=Image.Dither.NONE).getpixel((0, 0))
    pictures = (_to_palette(Image.fromarray(frame), palette, white) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError("Expected at least one picture. Received: none")
    pictures = list(pictures)
    ends = np.round(np.arange(len(pictures) + 2) * 100 / fps).astype(int)
    delays = (10 * np.diff(ends)).tolist()
    with atomic_path(path) as temporary:
        first.save(temporary, save_all=True, append_images=pictures, duration=delays, loop=0, optimize=False)


def _to_palette(frame, palette, white) -> Image.Image:
    picture = frame.quantize(palette=palette, dither=Image.Dither.NONE)
    colours = picture.getpalette()
    colours[3 * white : 3 * white + 3] = [255, 255, 255]
    picture.putpalette(colours)
    return picture
