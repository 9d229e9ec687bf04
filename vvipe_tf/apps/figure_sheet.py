"""A sheet of paper for figures: panels placed in inches, matplotlib's object interface, written whole or not at all."""

import os
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR
from vvipe_tf.formats.atomic import atomic_path

INK, SOFT_INK, SYNTHETIC_COLOUR = "#222222", "#6B6B6B", "#B3261E"
MARGIN, HEADER, FOOTER = 0.2, 0.75, 0.35
_DPI = 150
_LEAST_WIDTH = 8.4
# Without these, the time and the version would be written.
_UNDATED = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_CARD_COLOUR = "#FAFAF8"


class Sheet:
    """A figure measured in inches from its top left corner, with a title and a legend of the sides of the body.

    Args:
        width: Width in inches; widened where title and legend need it.
        height: Height in inches.
        title: Title.
        note: What was drawn from what; a small line at the bottom.
        synthetic: Whether to write SYNTHETIC POSES beside it.
    """

    def __init__(self, width: float, height: float, title: str, note: str, synthetic: bool):
        width = max(width, _LEAST_WIDTH)
        self.figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.width, self.height = width, height
        self.write(MARGIN, 0.26, title, size=12, ha="left", weight="bold")
        self.write(MARGIN, height - 0.17, note, size=7.5, ha="left", color=SOFT_INK)
        right = width - MARGIN
        self.write(right, 0.26, "right limbs", ha="right", color=RIGHT_COLOUR, weight="bold")
        self.write(right - 0.9, 0.26, "left limbs", ha="right", color=LEFT_COLOUR, weight="bold")
        if synthetic:
            self.write(right - 1.8, 0.26, "SYNTHETIC POSES", ha="right", color=SYNTHETIC_COLOUR, weight="bold")

    def panel(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes without a frame; all in inches."""
        bottom = self.height - top - height
        axes = self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))
        axes.set_axis_off()
        return axes

    def card(self, left: float, top: float, width: float, height: float) -> None:
        """A pale background that holds panels together; all in inches."""
        axes = self.panel(left, top, width, height)
        axes.set(xlim=(0, width), ylim=(0, height), zorder=-1)
        corner = "round,pad=0,rounding_size=0.08"
        axes.add_patch(FancyBboxPatch((0, 0), width, height, boxstyle=corner, facecolor=_CARD_COLOUR, edgecolor="none"))

    def write(
        self, left: float, top: float, text: str, size: float = 9, color: str = INK, ha: str = "center", **style
    ) -> None:
        """A line of text; its place in inches, its size in points, `style` as `Figure.text` takes it."""
        self.figure.text(
            left / self.width, 1 - top / self.height, text, size=size, color=color, ha=ha, va="center", **style
        )


def save_figure(figure: Figure, path: str | os.PathLike) -> None:
    """Writes a figure as PNG, SVG or PDF, whole or not at all; the same figure gives the same bytes.

    Args:
        figure: Figure to write.
        path: File to write, `.png`, `.svg` or `.pdf`; its folder is created if it is missing.
    """
    suffix = Path(path).suffix.lower()
    with atomic_path(path) as temporary, rc_context({"svg.hashsalt": "vvipe"}):
        figure.savefig(temporary, format=suffix[1:], dpi=_DPI, metadata=_UNDATED[suffix])
