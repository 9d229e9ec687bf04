"""Generated poses as a picture: one panel each, marked where no body could take the pose."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vvipe_tf.apps.figure_sheet import FOOTER, HEADER, MARGIN, SOFT_INK, Sheet
from vvipe_tf.apps.skeleton_plot import Window, draw_skeleton
from vvipe_tf.apps.skeleton_view import view_pose

MOST_SHOWN = 32
_COLUMNS, _PANEL = 8, 1.15
_IMPLAUSIBLE = "#B3261E"


def generated_figure(
    poses: np.ndarray, labels: Sequence[str], plausible: np.ndarray, title: str, note: str = ""
) -> Figure:
    """Draws poses in rows of eight; of more than 32, evenly chosen ones.

    Args:
        poses: Canonical poses (n, 13, 3), torso units.
        labels: What to write below each (n,).
        plausible: Which are plausible (n,) bool.
        title: Title.
        note: A small line at the bottom.

    Returns:
        The figure.
    """
    shown = np.unique(np.linspace(0, len(poses) - 1, min(len(poses), MOST_SHOWN)).round().astype(int))
    views = [view_pose(poses[row]) for row in shown]
    window = Window.around([[view] for view in views])
    height = _PANEL * window.height / window.width
    columns, pitch = min(_COLUMNS, len(shown)), height + 0.45
    lines = -(-len(shown) // columns)
    sheet = Sheet(2 * MARGIN + columns * (_PANEL + 0.1), HEADER + lines * pitch + FOOTER, title, note, False)
    for number, (row, view) in enumerate(zip(shown, views, strict=True)):
        line, column = divmod(number, columns)
        left, top = MARGIN + column * (_PANEL + 0.1), HEADER - 0.15 + line * pitch
        sheet.card(left, top, _PANEL, pitch - 0.08)
        axes = sheet.panel(left, top, _PANEL, height)
        draw_skeleton(axes, view, line_width=2.2)
        window.show(axes, [view])
        sheet.write(left + _PANEL / 2, top + height + 0.1, labels[row], size=7.5, color=SOFT_INK)
        if not plausible[row]:
            sheet.write(left + _PANEL / 2, top + height + 0.25, "implausible", size=7.5, color=_IMPLAUSIBLE)
    return sheet.figure
