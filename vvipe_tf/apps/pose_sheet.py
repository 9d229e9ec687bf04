"""Poses on paper: a contact sheet of moments of one or several scenes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vvipe_tf.apps.figure_sheet import FOOTER, HEADER, INK, MARGIN, SOFT_INK, Sheet
from vvipe_tf.apps.pose_panels import PANELS, ScenePanels

CAPTION, LABEL, GAP = 0.28, 0.2, 0.12
_SINGLE_HEIGHT, _HEIGHT = 4.2, 2.3
_SHAPE = 1.5  # Width of a sheet, in heights.


def cell_width(aspects: Sequence[float], height: float) -> float:
    """Width in inches of panels of some aspects beside each other, and of the space around them."""
    return sum(aspects) * height + GAP * (len(aspects) + 1)


def place_cell(sheet: Sheet, left: float, top: float, height: float, aspects: Sequence[float]) -> list:
    """Card with panels beside each other.

    Args:
        sheet: Sheet to place it on.
        left: Left edge in inches.
        top: Top edge in inches.
        height: Height of the panels in inches.
        aspects: Widths of the panels, in heights.

    Returns:
        The axes, one a panel.
    """
    sheet.card(left, top, cell_width(aspects, height), CAPTION + height + LABEL)
    starts = left + GAP + np.cumsum([0.0, *(aspect * height + GAP for aspect in aspects[:-1])])
    return [
        sheet.panel(start, top + CAPTION, aspect * height, height)
        for start, aspect in zip(starts, aspects, strict=True)
    ]


def label_cell(sheet: Sheet, axes: Sequence, top: float, height: float, panels: Sequence[str]) -> None:
    """Writes what each panel shows below it; places in inches."""
    for each, panel in zip(axes, panels, strict=True):
        box = each.get_position(original=True)
        middle = (box.x0 + box.x1) / 2 * sheet.width
        sheet.write(middle, top + CAPTION + height + LABEL / 2, PANELS[panel], size=7, color=SOFT_INK)


def draw_pose_sheet(
    scenes: Sequence[ScenePanels],
    frames: Sequence[int],
    title: str,
    note: str,
    columns: int | None = None,
    height: float | None = None,
) -> Figure:
    """Draws a cell for each moment and scene, row by row.

    Args:
        scenes: What to show.
        frames: The moments.
        title: Title of the sheet.
        note: Small line at its bottom.
        columns: Cells in a row; None for a sheet of the shape of a page.
        height: Height of the panels in inches; None to choose it.

    Returns:
        The figure, which `figure_sheet.save_figure` writes.
    """
    cells = [(scene, frame) for frame in frames for scene in scenes]
    height = height or (_SINGLE_HEIGHT if len(cells) == 1 else _HEIGHT)
    aspects = [scene.aspects() for scene in scenes]
    wide = max(cell_width(each, height) for each in aspects)
    tall = CAPTION + height + LABEL
    if columns is None:
        columns = max(1, round(np.sqrt(len(cells) * _SHAPE * tall / wide)))
        # Views of one moment stay in one row.
        columns = min(len(cells), max(columns // len(scenes), 1) * len(scenes))
    rows = -(-len(cells) // columns)
    width = 2 * MARGIN + columns * wide + (columns - 1) * GAP
    sheet = Sheet(width, HEADER - 0.2 + rows * (tall + GAP) + FOOTER, title, note, synthetic=False)
    inset = (sheet.width - width) / 2
    for number, (scene, frame) in enumerate(cells):
        row, column = divmod(number, columns)
        left = inset + MARGIN + column * (wide + GAP)
        top = HEADER - 0.2 + row * (tall + GAP)
        axes = place_cell(sheet, left, top, height, aspects[number % len(scenes)])
        scene.draw(axes, frame, line_width=2.4 * np.sqrt(height / _HEIGHT))
        label_cell(sheet, axes, top, height, scene.panels)
        caption = f"frame {frame}" + (f"  ·  {scene.scene.title}" if len(scenes) > 1 else "")
        sheet.write(left + GAP, top + CAPTION / 2, caption, size=8, ha="left", color=INK)
    return sheet.figure
