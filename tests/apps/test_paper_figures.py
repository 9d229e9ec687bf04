"""The four figures as drawings."""

import numpy as np
import pytest
from PIL import Image

from vvipe_tf.apps.embedding_map import EmbeddingMap
from vvipe_tf.apps.figure_examples import GenerationExample, LiftExamples, RetrievalExamples
from vvipe_tf.apps.figure_sheet import save_figure
from vvipe_tf.apps.paper_figures import generation_figure, lift_figure, map_figure, retrieval_figure

RNG = np.random.default_rng(8)
LIFTS = LiftExamples(
    poses=RNG.normal(size=(3, 13, 3)),
    keypoints_2d=RNG.normal(size=(3, 2, 13, 2)),
    lifted=RNG.normal(size=(3, 2, 13, 3)),
    errors_mm=np.array([[11.2, 12.4], [33.6, 47.0], [81.0, 99.9]]),
    quantiles=(0.1, 0.5, 0.95),
)
RETRIEVALS = RetrievalExamples(
    query_keypoints=RNG.normal(size=(4, 13, 2)),
    query_poses=RNG.normal(size=(4, 13, 3)),
    found_keypoints=RNG.normal(size=(4, 13, 2)),
    found_poses=RNG.normal(size=(4, 13, 3)),
    np_mpjpe=np.array([0.0, 0.031, 0.1, 0.234]),
    mpjpe_mm=np.array([0.0, 17.0, 52.0, 141.0]),
    same_frame=np.array([True, False, False, False]),
    cameras=(("front", "above"), ("front", "left"), ("left", "above"), ("above", "front")),
    threshold=0.1,
)
GENERATION = GenerationExample(
    start=RNG.normal(size=(13, 3)),
    generated=RNG.normal(size=(2, 3, 13, 3)),
    alphas=(0.2, 0.35, 0.5),
    moved=np.array([[0.05, 0.1, 0.15], [0.2, 0.25, 0.3]]),
)
MAP = EmbeddingMap(
    points=RNG.normal(size=(60, 2)),
    labels=np.arange(60) % 10,
    key_indices=np.arange(10),
    key_poses=RNG.normal(size=(10, 13, 3)),
)
FIGURES = {
    "lifts": (lift_figure, LIFTS),
    "retrievals": (retrieval_figure, RETRIEVALS),
    "generation": (generation_figure, GENERATION),
    "map": (map_figure, MAP),
}


def texts_of(figure):
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("synthetic", [True, False])
def test_a_figure_says_what_it_was_drawn_from_and_whether_that_is_synthetic(name, synthetic):
    draw, examples = FIGURES[name]
    texts = texts_of(draw(examples, "mocap, split test, 60 poses", synthetic))
    assert "mocap, split test, 60 poses" in texts
    assert any("SYNTHETIC" in text for text in texts) == synthetic


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_reaches_over_the_edge_of_a_figure(name):
    draw, examples = FIGURES[name]
    figure = draw(examples, "a note", True)
    width, height = figure.canvas.get_width_height()
    for text in figure.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width, text
        assert 0 <= box.y0 < box.y1 <= height, text
    for axes in figure.axes:
        box = axes.get_window_extent()
        assert box.x0 >= -1 < width + 1 >= box.x1
        assert box.y0 >= -1 < height + 1 >= box.y1


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_lies_on_another(name):
    draw, examples = FIGURES[name]
    boxes = [text.get_window_extent() for text in draw(examples, "a note", True).texts]
    for number, box in enumerate(boxes):
        assert box.count_overlaps(boxes[number + 1 :]) == 0, number


def test_each_lift_carries_its_error():
    texts = texts_of(lift_figure(LIFTS))
    for label in ("11 mm", "12 mm", "34 mm", "47 mm", "81 mm", "100 mm", "camera 2: input, output"):
        assert label in texts
    assert "50 % of poses are easier" in texts


def test_hits_and_misses_are_told_apart_at_the_threshold():
    texts = texts_of(retrieval_figure(RETRIEVALS))
    assert [text for text in texts if text.startswith(("hit", "miss"))] == ["hit, same moment", "hit", "hit", "miss"]
    assert "NP-MPJPE 0.234   MPJPE 141 mm" in texts
    assert texts.count("above") == 3


def test_each_direction_has_a_row_and_each_magnitude_a_column():
    figure = generation_figure(GENERATION)
    texts = texts_of(figure)
    assert r"$\alpha$ = 0.35" in texts
    assert {"$z_1$", "$z_2$", "moved 0.05 torso", "moved 0.30 torso"} <= set(texts)
    assert len([axes for axes in figure.axes if axes.collections]) == 1 + 2 * 3


def test_lines_from_key_poses_to_their_points_do_not_cross():
    collections = [collection for axes in map_figure(MAP).axes for collection in axes.collections]
    (lines,) = (collection.get_segments() for collection in collections if not collection.get_clip_on())
    assert len(lines) == 10

    def turn(a, b, c):
        """Positive where c lies to the left of the line from a to b."""
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    for number, (a, b) in enumerate(lines):
        for c, d in lines[number + 1 :]:
            assert turn(a, b, c) * turn(a, b, d) > 0 or turn(c, d, a) * turn(c, d, b) > 0


def test_key_poses_carry_the_share_of_poses_like_them():
    assert texts_of(map_figure(MAP)).count("10 %") == 10


def test_more_key_poses_than_colours_are_refused():
    crowd = EmbeddingMap(MAP.points, MAP.labels, np.arange(11), RNG.normal(size=(11, 13, 3)))
    with pytest.raises(ValueError, match="Expected at most 10 key poses. Received: 11"):
        map_figure(crowd)


def test_a_figure_is_written_whole_and_the_same_each_time(tmp_path):
    for name in ("a", "b"):
        save_figure(lift_figure(LIFTS), tmp_path / "figures" / f"{name}.png")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["a.png", "b.png"]
    first, second = ((tmp_path / "figures" / f"{name}.png").read_bytes() for name in ("a", "b"))
    assert first == second
    with Image.open(tmp_path / "figures" / "a.png") as image:
        assert image.width > 800
