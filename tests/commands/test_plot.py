"""`python -m vvipe_tf plot`, from keypoint and pose files to pictures, viewers and videos."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.apps.scenes import share_of
from tests.commands.keypoint_files import HIPS, detected_people, write_alphapose
from vvipe_tf.__main__ import main
from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR
from vvipe_tf.apps.video_file import VideoReader


@pytest.fixture(scope="module")
def people():
    return detected_people(frames=6)


@pytest.fixture
def keypoint_file(people, tmp_path):
    return write_alphapose(tmp_path / "alphapose.json", people)


@pytest.fixture
def plot(small_model, capsys):
    """Runs the command with the small model; gives the exit code, stdout and stderr."""

    def run(*arguments):
        code = main(["plot", "--model", str(small_model), *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_sheet_shows_moments_of_all_people(plot, keypoint_file, tmp_path):
    code, out, err = plot(keypoint_file, "--output", tmp_path / "sheet.png", "--frames", "1:5:2", "--title", "Two")
    assert (code, err) == (0, "")
    assert out.startswith(f"{tmp_path / 'sheet.png'}: 2 frames, 4 poses")
    pixels = pixels_of(tmp_path / "sheet.png")
    for colour in (LEFT_COLOUR, RIGHT_COLOUR):
        assert share_of(pixels, colour) > 0.0002


def test_refused_people_are_counted_and_not_invented(plot, people, tmp_path):
    people = people[:1].copy()
    people[0, 2:4, HIPS, 2] = 0.1
    path = write_alphapose(tmp_path / "a.json", people)
    _, out, _ = plot(path, "--output", tmp_path / "sheet.svg", "--format", "json")
    summary = json.loads(out)
    assert (summary["frames"], summary["poses"], summary["refused"]) == (6, 4, 2)
    assert summary["bytes"] == (tmp_path / "sheet.svg").stat().st_size


def test_nobody_to_draw_ends_in_one_line(plot, people, tmp_path):
    hidden = people.copy()
    hidden[..., HIPS, 2] = 0.05
    code, out, err = plot(write_alphapose(tmp_path / "half.json", hidden), "--output", tmp_path / "a.png")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Received: none in 12 detections" in err
    assert not (tmp_path / "a.png").exists()


def test_keypoints_are_drawn_on_the_pictures_that_they_name(plot, people, tmp_path):
    (tmp_path / "pictures").mkdir()
    for frame in (0, 3):
        Image.new("RGB", (2400, 900), (90, 200, 90)).save(tmp_path / "pictures" / f"{frame}.png")
    path = write_alphapose(tmp_path / "a.json", people[:1])
    code, _, err = plot(path, "--output", tmp_path / "a.png", "--image", tmp_path / "pictures", "--frames", "3")
    assert (code, err) == (0, "")
    pixels = pixels_of(tmp_path / "a.png")
    # Two of three panels have the picture below them.
    assert 0.15 < share_of(pixels, "#5AC85A", 3) < 0.7
    assert share_of(pixels, LEFT_COLOUR) > 0.0005


def test_a_viewer_has_the_people_of_every_frame(plot, keypoint_file, tmp_path):
    code, out, _ = plot(keypoint_file, "--output", tmp_path / "poses.html")
    page = (tmp_path / "poses.html").read_text()
    assert code == 0
    assert "6 frames, 12 poses" in out
    assert f"{len(page.encode()) / 1e6:.2f} MB" in out
    assert '"person 9"' not in page
    assert "person 9\\u003c" in page or "person 9<" in page


def test_a_gif_keeps_the_speed_of_the_source(plot, keypoint_file, tmp_path):
    code, out, _ = plot(keypoint_file, "--output", tmp_path / "a.gif", "--person", "4", "--fps", 50, "--speed", 0.8)
    assert code == 0
    assert "3 frames at 20 frames per second" in out
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3
        assert gif.info["duration"] == 50


def test_an_mp4_of_two_inputs_has_every_frame(plot, people, tmp_path):
    paths = [write_alphapose(tmp_path / f"{name}.json", people[row : row + 1]) for row, name in enumerate("ab")]
    code, out, _ = plot(*paths, "--output", tmp_path / "a.mp4", "--fps", 12, "--labels", "one", "two", "--columns", 1)
    assert code == 0
    assert "6 frames at 12 frames per second, 12 poses" in out
    reader = VideoReader(tmp_path / "a.mp4")
    assert reader.fps == 12.0
    for _ in range(6):
        # One below the other.
        for half in np.array_split(reader.next_frame(), 2):
            assert share_of(half, LEFT_COLOUR, 40) > 0.0005
    assert reader.next_frame() is None


@pytest.mark.parametrize("suffix", [".json", ".csv", ".npz", ".bvh", ".trc"])
def test_pose_files_are_shown_as_they_are(plot, small_model, keypoint_file, tmp_path, suffix):
    lifted = str(tmp_path / f"poses{suffix}")
    arguments = ["lift", "--model", str(small_model), keypoint_file, "--output", lifted, "--fps", "25"]
    assert main([*arguments, "--person", "9"]) == 0
    code, out, err = plot(lifted, "--output", tmp_path / "poses.png", "--frames", ":2")
    assert (code, err) == (0, "")
    assert f"{tmp_path / 'poses.png'}: " in out
    pixels = pixels_of(tmp_path / "poses.png")
    for colour in (LEFT_COLOUR, RIGHT_COLOUR):
        assert share_of(pixels, colour) > 0.0001


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output", "a.bmp"), "ends in .png, .svg, .pdf, .html, .gif, .mp4"),
        (("--output", "a.png", "--frames", "77"), "Expected frames from 0 to 5. Received: [77]"),
        (("--output", "a.png", "--person", "5"), "Expected a person among [4, 9]. Received: 5"),
        (("--output", "a.png", "--image", "a", "--image", "b"), "Expected one --image for each of 1 inputs"),
        (("--output", "a.png", "--labels", "a", "b"), "Expected one --labels for each of 1 inputs"),
        (("--output", "a.png", "--image", "none.png"), "none.png: expected a picture"),
        (("--output", "a.gif", "--fps", "0"), "Expected --fps above 0"),
        (("--output", "a.gif", "--frames", "2"), "Expected at least two frames for a video. Received: 1"),
        (("--output", "a.png", "--columns", "0"), "Expected --columns above 0"),
        (("--output", "a.html", "--panels", "pose"), "Received: a 3D viewer"),
        (("--output", "a.png", "--view", "nan", "3"), "Expected finite degrees of --view. Received: nan 3.0"),
        (("--output", "a.gif", "--sway", "inf"), "Expected finite degrees of --sway"),
    ],
)
def test_bad_arguments_end_in_one_line(plot, keypoint_file, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, out, err = plot(keypoint_file, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
