"""Pictures of detections, matched by name, by number, or by place in a video."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.apps.scenes import waving_scene
from vvipe_tf.apps.frame_images import open_images
from vvipe_tf.apps.video_file import write_mp4


@pytest.fixture
def table():
    return waving_scene(3, (4,)).keypoints


def save(path, level, size=(6, 4)):
    Image.new("RGB", size, (level, level, level)).save(path)


def test_pictures_of_a_folder_are_found_by_the_number_of_their_name(table, tmp_path):
    for number in (9, 10, 12):
        save(tmp_path / f"cam2_{number:04}.png", number)
    (tmp_path / "notes.txt").write_text("11")
    images = open_images(tmp_path, table)
    assert images.size == (6, 4)
    assert images.fps is None
    assert images.read(10).max() == 10
    assert images.read(11) is None
    assert images.read(12).shape == (4, 6, 3)


def test_the_name_that_a_detection_gives_comes_first(table, tmp_path):
    table = replace(table, image=np.array(["a/walk.png", "jump.jpg", "10.png"]))
    for level, name in ((3, "walk.png"), (7, "jump.png"), (9, "10.png")):
        save(tmp_path / name, level)
    images = open_images(tmp_path, table)
    assert [images.read(frame) is None for frame in (10, 11, 12)] == [False, True, False]
    assert (images.read(10).max(), images.read(12).max()) == (3, 9)


def test_a_single_picture_belongs_to_the_only_frame(table, tmp_path):
    save(tmp_path / "any.png", 5)
    assert open_images(tmp_path / "any.png", table.select([1])).read(11).max() == 5
    with pytest.raises(ValueError, match="Received: none that matches"):
        open_images(tmp_path / "any.png", table)


def test_a_photo_is_turned_as_its_camera_was_held(table, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(tmp_path / "photo.jpg", exif=exif)
    assert open_images(tmp_path / "photo.jpg", table.select([0])).size == (4, 6)


def test_frames_of_a_video_are_counted_from_0_in_any_order(table, tmp_path):
    write_mp4(tmp_path / "video.mp4", [np.full((32, 48, 3), 18 * number, np.uint8) for number in range(13)], 12.5)
    images = open_images(tmp_path / "video.mp4", table)
    assert (images.size, images.fps) == ((48, 32), 12.5)
    for frame in (2, 11, 11, 3):
        assert images.read(frame).mean() == pytest.approx(18 * frame, abs=4)
    assert images.read(13) is None
    assert images.read(20) is None
    assert images.read(-1) is None


@pytest.mark.parametrize("name", ["broken.png", "broken.mp4"])
def test_a_damaged_file_is_named(table, tmp_path, name):
    (tmp_path / name).write_bytes(b"no picture at all")
    with pytest.raises(ValueError, match=name):
        open_images(tmp_path / name, table.select([0]))


def test_a_missing_file_is_named(table, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        open_images(tmp_path / "none.png", table)
