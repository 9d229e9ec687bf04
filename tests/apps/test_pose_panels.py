"""Moments of scenes in panels, on sheets, as GIF and as MP4."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from tests.apps.scenes import PLACES, SCALE, share_of, waving_scene
from vvipe_tf.apps.figure_sheet import save_figure
from vvipe_tf.apps.pose_panels import ScenePanels, match_windows
from vvipe_tf.apps.pose_sheet import draw_pose_sheet
from vvipe_tf.apps.pose_video import PoseAnimation, write_gif
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR
from vvipe_tf.apps.video_file import VideoReader, write_mp4

FRAMES = range(10, 15)


def panels_of(scene, names=("keypoints", "pose"), frames=FRAMES, **options):
    return ScenePanels(scene, frames, names, None, dict.fromkeys(frames, -30.0), 14.0, **options)


def painted(panels, frame):
    """Pixels of each panel at a moment."""
    figure = Figure(figsize=(6, 3), dpi=80)
    FigureCanvasAgg(figure)
    count = len(panels.panels)
    axes = [figure.add_axes((number / count, 0, 1 / count, 1)) for number in range(count)]
    panels.draw(axes, frame)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    return np.split(pixels, count, axis=1), axes


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_both_people_are_in_both_panels():
    (flat, space), axes = painted(panels_of(waving_scene()), 10)
    for pixels in (flat, space):
        for half in np.split(pixels, 2, axis=1):
            assert share_of(half, LEFT_COLOUR) > 0.0005
            assert share_of(half, RIGHT_COLOUR) > 0.0005
    assert [texts(each) for each in axes] == [[], []]


def test_a_person_who_was_not_lifted_is_told_and_not_drawn():
    panels = panels_of(waving_scene(), still=True)
    (_, both), _ = painted(panels, 10)
    (_, one), axes = painted(panels, 11)
    assert share_of(np.split(both, 2, axis=1)[1], LEFT_COLOUR) > 0.0005
    assert share_of(np.split(one, 2, axis=1)[1], LEFT_COLOUR) == 0.0
    assert [texts(each) for each in axes] == [[], ["one not lifted: too little of a body"]]


def test_a_moment_without_anybody_says_so():
    scene = waving_scene()
    panels = panels_of(scene.select(scene.frame != 12))
    _, axes = painted(panels, 12)
    assert [texts(each) for each in axes] == [["nobody found"], ["nobody found"]]


def test_windows_of_a_video_stand_still_and_those_of_a_sheet_follow():
    scene = waving_scene(people=(4,))
    shift = 50.0 * (scene.frame - 10)[:, None, None] * [1.0, 0.0]
    moved = replace(scene.keypoints, keypoints_2d=(scene.keypoints.keypoints_2d + shift).astype(np.float32))
    scene = replace(scene, keypoints=moved, reprojected=scene.reprojected + shift)
    still, following = panels_of(scene, still=True), panels_of(scene)
    limits = {}
    for name, panels in (("still", still), ("following", following)):
        limits[name] = [painted(panels, frame)[1][0].get_xlim() for frame in (10, 14)]
    assert limits["still"][0] == limits["still"][1]
    assert limits["following"][1][0] - limits["following"][0][0] == pytest.approx(200.0, abs=1e-3)


def test_scenes_beside_each_other_have_one_scale():
    small, large = waving_scene(people=(4,)), waving_scene(people=(9,))
    large = replace(large, poses=2 * large.poses)
    panels = [panels_of(scene, still=True) for scene in (small, large)]
    match_windows(panels)
    limits = [painted(each, 10)[1][1].get_ylim() for each in panels]
    assert limits[0] == pytest.approx(limits[1])
    assert panels[0].aspects() == pytest.approx(panels[1].aspects())


class Photos:
    """Pictures of one colour, 700 x 500."""

    size, fps = (700, 500), None

    def read(self, frame):
        return None if frame == 13 else np.full((500, 700, 3), (90, 200, 90), np.uint8)


def test_the_overlay_lies_on_the_picture_where_the_camera_sees_the_joints():
    scene = waving_scene(people=(4,))
    panels = ScenePanels(scene, FRAMES, ["overlay"], Photos(), dict.fromkeys(FRAMES, 0.0), 0.0, whole_image=True)
    (pixels,), (axes,) = painted(panels, 12)
    assert axes.get_xlim() == (-0.5, 699.5)
    ankle = (np.array(PLACES[4]) + SCALE * np.array([0.22, 1.65])).reshape(1, 2)
    x, y = axes.transData.transform(ankle).round().astype(int)[0]
    around = pixels[::-1][y - 5 : y + 6, x - 5 : x + 6]
    assert share_of(around, LEFT_COLOUR) > 0.1
    assert share_of(pixels, "#5AC85A", 3) > 0.5
    _, (axes,) = painted(panels, 13)
    assert texts(axes) == ["no picture"]


def test_the_part_of_a_picture_with_the_people_is_shown():
    scene = waving_scene(people=(9,))
    panels = ScenePanels(scene, FRAMES, ["keypoints"], Photos(), dict.fromkeys(FRAMES, 0.0), 0.0)
    _, (axes,) = painted(panels, 10)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    points = scene.keypoints.keypoints_2d[0]
    assert -0.5 <= left < points[:, 0].min() < points[:, 0].max() < right <= 699.5
    assert -0.5 <= top < points[:, 1].min() < points[:, 1].max() < bottom <= 499.5
    assert right - left < 400


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_sheet_has_a_cell_for_each_moment_and_is_the_same_each_time(tmp_path, suffix):
    contents = []
    for name in ("a", "b"):
        figure = draw_pose_sheet([panels_of(waving_scene(3))], [10, 12], "Waving", "a note", columns=1)
        written = [text.get_text() for text in figure.texts]
        assert {"Waving", "a note", "frame 10", "frame 12"} <= set(written)
        assert written.count("3D pose") == 2
        save_figure(figure, tmp_path / f"{name}{suffix}")
        contents.append((tmp_path / f"{name}{suffix}").read_bytes())
    assert contents[0] == contents[1]
    assert len(contents[0]) > 5000


@pytest.fixture(scope="module")
def animation():
    scene = waving_scene(people=(4,))
    panels = panels_of(scene, still=True)
    return PoseAnimation([panels], 20.0, "Waving", "", height=1.2, dpi=50)


def test_a_gif_has_every_frame_at_the_mean_speed(animation, tmp_path):
    frames = [animation.render(frame) for frame in FRAMES]
    write_gif(tmp_path / "wave.gif", iter(frames), 15.0, frames[:2])
    with Image.open(tmp_path / "wave.gif") as gif:
        assert gif.n_frames == 5
        assert gif.size == frames[0].shape[1::-1]
        assert gif.info["loop"] == 0
        delays = []
        for number, frame in enumerate(frames):
            gif.seek(number)
            delays.append(gif.info["duration"])
            shown = np.asarray(gif.convert("RGB"))
            assert np.abs(shown.astype(int) - frame).mean() < 2
            assert (shown[1, 1] == 255).all()
    assert sum(delays) == 330
    assert set(delays) == {60, 70}


def test_the_wrist_moves_in_the_video(animation):
    first, last = (animation.render(frame).astype(int) for frame in (10, 14))
    assert first.shape == last.shape
    assert first.shape[0] % 2 == first.shape[1] % 2 == 0
    assert (np.abs(first - last).max(axis=-1) > 60).sum() > 20


def test_an_mp4_has_every_frame(animation, tmp_path):
    frames = [animation.render(frame) for frame in FRAMES]
    write_mp4(tmp_path / "wave.mp4", iter(frames), 12.5)
    reader = VideoReader(tmp_path / "wave.mp4")
    assert (reader.fps, reader.size) == (12.5, frames[0].shape[1::-1])
    for frame in frames:
        assert np.abs(reader.next_frame().astype(int) - frame).mean() < 4
    assert reader.next_frame() is None


def test_an_encoder_that_fails_is_told(tmp_path):
    with pytest.raises(RuntimeError, match=r"odd\.mp4: the encoder failed: .*not divisible by 2"):
        write_mp4(tmp_path / "odd.mp4", [np.zeros((31, 48, 3), np.uint8)], 9.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["wave.gif", "wave.mp4"])
def test_a_video_that_fails_midway_leaves_nothing_behind(animation, tmp_path, name):
    def failing():
        yield animation.render(10)
        yield animation.render(11)
        raise KeyboardInterrupt

    sample = [animation.render(10)]
    (tmp_path / name).write_bytes(b"the one before")
    with pytest.raises(KeyboardInterrupt):
        write_mp4(tmp_path / name, failing(), 9.0) if name.endswith("4") else write_gif(
            tmp_path / name, failing(), 9.0, sample
        )
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"the one before"


def test_videos_that_cannot_be_are_refused(animation, tmp_path):
    frame = animation.render(10)
    with pytest.raises(ValueError, match="at most 50 frames per second"):
        write_gif(tmp_path / "a.gif", [frame], 60.0, [frame])
    with pytest.raises(ValueError, match="at least one picture"):
        write_gif(tmp_path / "a.gif", [], 9.0, [frame])
    with pytest.raises(ValueError, match="at least one picture"):
        write_mp4(tmp_path / "a.mp4", [], 9.0)
