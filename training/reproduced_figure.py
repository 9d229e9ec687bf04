"""A reproduced table as a picture: Hit@1 of every system in every gallery, a panel for each gallery."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.reproduced_table import CHANCE, NOT_RUN
from training.summarise import mean_and_spread
from vvipe_tf.apps.figure_sheet import INK, SOFT_INK, SYNTHETIC_COLOUR

_PANELS_PER_LINE = 3
_WIDTH, _LINE, _AROUND = 11.0, 0.24, 0.75
_BEST_COLOUR, _COLOUR = "#4477AA", "#BBCCDD"


def table_figure(
    title: str, galleries: Mapping[str, Mapping[str, Sequence[float]]], note: str, synthetic: bool = False
) -> Figure:
    """Draws the systems of a table.

    Args:
        title: Title of the table.
        galleries: Hit@1 in per cent by gallery and system, one value for each seed, as `first_hits` gives them; all
            galleries have the same systems.
        note: What was measured on what; a small line at the bottom.
        synthetic: Whether to write SYNTHETIC POSES above it.

    Returns:
        The figure: bars are means over the seeds, dots are seeds, the best mean is darker, chance is a dashed line.
    """
    systems = [name for name in next(iter(galleries.values())) if name != CHANCE]
    lines = -(-len(galleries) // _PANELS_PER_LINE)
    height = lines * (_LINE * len(systems) + _AROUND) + 0.7
    figure = Figure(figsize=(_WIDTH, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, size=12, weight="bold", color=INK, x=0.01, ha="left")
    figure.supxlabel(note, size=7.5, color=SOFT_INK, x=0.01, ha="left")
    if synthetic:
        figure.text(
            0.99, 0.995, "SYNTHETIC POSES", size=10, weight="bold", color=SYNTHETIC_COLOUR, ha="right", va="top"
        )
    panels = figure.subplots(lines, _PANELS_PER_LINE, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, (name, hits) in zip(panels, galleries.items(), strict=False):
        _draw_gallery(axes, name, systems, hits)
    for axes in panels[len(galleries) :]:
        axes.set_visible(False)
    panels[0].set_yticks(range(len(systems)), systems)
    panels[0].invert_yaxis()
    return figure


def _draw_gallery(axes: Axes, title: str, systems: Sequence[str], hits: Mapping[str, Sequence[float]]) -> None:
    means = {name: float(np.mean(hits[name])) for name in systems if hits[name]}
    best = max(means.values(), default=None)
    for place, name in enumerate(systems):
        if name not in means:
            axes.text(102, place, NOT_RUN, size=7.5, va="center", color=SOFT_INK)
            continue
        is_best = means[name] == best
        axes.barh(place, means[name], height=0.72, color=_BEST_COLOUR if is_best else _COLOUR)
        if len(hits[name]) > 1:
            axes.plot(hits[name], [place] * len(hits[name]), "o", color=INK, markersize=2.2)
        axes.text(
            102, place, mean_and_spread(hits[name]), size=7.5, va="center", weight="bold" if is_best else "normal"
        )
    axes.axvline(np.mean(hits[CHANCE]), color=SOFT_INK, linewidth=0.9, linestyle="--")
    axes.set_title(title, size=9, loc="left", color=INK)
    axes.set_xlim(0, 124)
    axes.set_xticks(range(0, 101, 25))
    axes.tick_params(labelsize=8, length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color="#EEEEEE")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
