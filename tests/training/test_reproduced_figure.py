"""A reproduced table as a picture: panels, bars, seeds, and what was not run."""

import numpy as np
import pytest
from PIL import Image

from training.reproduced_figure import table_figure
from training.reproduced_table import CHANCE, NOT_RUN
from vvipe_tf.apps.figure_sheet import save_figure

GALLERIES = {
    "lab, chest": {"ours": [80.0, 84.0, 88.0], "theirs": [], "untrained": [25.0], CHANCE: [2.0]},
    "lab, unseen": {"ours": [40.0, 41.0, 42.0], "theirs": [60.0, 61.0, 62.0], "untrained": [12.0], CHANCE: [2.0]},
    "street": {"ours": [], "theirs": [], "untrained": [10.0], CHANCE: [5.0]},
    "roof": {"ours": [], "theirs": [], "untrained": [], CHANCE: [5.0]},
}


@pytest.fixture(scope="module")
def figure():
    return table_figure("Table 1", GALLERIES, "five poses")


def panels_of(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}


def bars_of(axes):
    return {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in axes.patches}


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def test_every_gallery_has_a_panel_with_the_means_of_its_systems(figure):
    panels = panels_of(figure)
    assert list(panels) == list(GALLERIES)
    assert bars_of(panels["lab, chest"]) == {0: 84.0, 2: 25.0}
    assert bars_of(panels["lab, unseen"]) == {0: 41.0, 1: 61.0, 2: 12.0}
    assert bars_of(panels["roof"]) == {}
    names = [label.get_text() for label in panels["lab, chest"].get_yticklabels()]
    assert names == ["ours", "theirs", "untrained"]
    assert figure.axes[0].yaxis_inverted()


def test_seeds_are_dots_and_chance_is_a_line(figure):
    *dots, chance = panels_of(figure)["lab, unseen"].lines
    assert [list(each.get_xdata()) for each in dots] == [[40.0, 41.0, 42.0], [60.0, 61.0, 62.0]]
    assert list(chance.get_xdata()) == [2.0, 2.0]


def test_numbers_stand_beside_the_bars_and_the_best_is_bold(figure):
    panels = panels_of(figure)
    assert texts_of(panels["lab, chest"]) == ["84.0 ± 4.0", NOT_RUN, "25.0"]
    assert texts_of(panels["lab, unseen"]) == ["41.0 ± 1.0", "61.0 ± 1.0", "12.0"]
    assert [text.get_weight() for text in panels["lab, unseen"].texts] == ["normal", "bold", "normal"]
    assert texts_of(panels["roof"]) == [NOT_RUN] * 3


@pytest.mark.parametrize("synthetic", [False, True])
def test_a_picture_says_what_it_is_of_and_whether_that_is_synthetic(synthetic, tmp_path):
    figure = table_figure("Table 1", GALLERIES, "five poses", synthetic)
    assert ("SYNTHETIC POSES" in [text.get_text() for text in figure.texts]) == synthetic
    assert (figure.get_suptitle(), figure.get_supxlabel()) == ("Table 1", "five poses")
    save_figure(figure, tmp_path / "table.png")
    with Image.open(tmp_path / "table.png") as image:
        assert np.ptp(np.asarray(image.convert("L"))) > 200
