"""Pictures for TensorBoard, read back by TensorBoard itself."""

import io
import json
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from werkzeug.test import Client

from training.tensorboard_images import MAX_PROJECTED, write_lifts, write_projector, write_reconstructions

with warnings.catch_warnings():
    # TensorBoard 2.19 imports modules that Python and setuptools want to see gone.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin

RNG = np.random.default_rng(9)


def image_of(log_dir, tag):
    """The image of a tag at its only step, and that step."""
    events = EventAccumulator(str(log_dir), size_guidance={"tensors": 0})
    events.Reload()
    (event,) = events.Tensors(tag)
    encoded = tf.make_ndarray(event.tensor_proto)[2]
    return np.asarray(Image.open(io.BytesIO(encoded))), event.step


def test_reconstructions_stand_below_their_poses(tmp_path):
    poses = RNG.normal(size=(5, 13, 3))
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        write_reconstructions(30, poses, poses)
    picture, step = image_of(tmp_path, "reconstructions")
    assert step == 30
    height, width, _ = picture.shape
    assert 2 * width == 5 * height
    np.testing.assert_array_equal(picture[: height // 2], picture[height // 2 :])
    assert (picture < 255).any(axis=-1).mean() > 0.05


def test_lifts_stand_below_their_views_and_the_truth_before_them(tmp_path):
    pose = RNG.normal(size=(13, 3))
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        write_lifts(7, pose, RNG.normal(size=(3, 13, 2)), np.stack([pose, 0.5 * pose, pose]))
    picture, step = image_of(tmp_path, "lifts")
    assert step == 7
    above, below = np.split(picture, 2)
    (blank, *views), (truth, *lifts) = np.split(above, 4, axis=1), np.split(below, 4, axis=1)
    assert (blank == 255).all()
    assert all((view < 255).any() for view in views)
    assert [np.array_equal(lift, truth) for lift in lifts] == [True, False, True]


def test_reconstructions_of_other_poses_are_refused():
    with pytest.raises(ValueError, match=r"Received: shapes=\(5, 13, 3\), \(4, 13, 3\)"):
        write_reconstructions(1, np.zeros((5, 13, 3)), np.zeros((4, 13, 3)))


def test_a_lift_for_each_view_is_expected():
    with pytest.raises(ValueError, match="Received: 3 views, 2 lifts"):
        write_lifts(1, np.zeros((13, 3)), np.zeros((3, 13, 2)), np.zeros((2, 13, 3)))


@pytest.fixture
def projected(tmp_path):
    """A run with events and a projector beside another run without one, as the projector's pages see them."""
    embeddings, poses = RNG.normal(size=(11, 6)).astype(np.float32), RNG.normal(size=(11, 13, 3))
    for run in ("mapping", "vae"):
        with tf.summary.create_file_writer(str(tmp_path / run)).as_default():
            tf.summary.scalar("loss", 1.0, step=1)
    labels = [f"walk\t{number}\n" for number in range(10)] + ["Füße"]
    write_projector(tmp_path / "mapping", embeddings, poses, labels)
    events = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    events.Reload()
    plugin = ProjectorPlugin(
        TBContext(logdir=str(tmp_path), data_provider=MultiplexerDataProvider(events, str(tmp_path)))
    )
    return plugin.get_plugin_apps(), embeddings


def fetch(apps, route):
    path, _, query = route.partition("?")
    response = Client(apps[path]).get(path, query_string=query)
    assert response.status_code == 200, response.text
    return response


def test_tensorboard_finds_the_projector_in_a_run_with_events(projected):
    apps, _ = projected
    assert fetch(apps, "/runs").json == ["mapping"]
    (entry,) = json.loads(fetch(apps, "/info?run=mapping").data)["embeddings"]
    assert entry["tensorName"] == "embeddings"
    assert entry["tensorShape"] == [11, 6]
    assert entry["sprite"]["singleImageDim"] == [64, 64]


def test_tensorboard_serves_the_embeddings_themselves(projected):
    apps, embeddings = projected
    served = np.frombuffer(fetch(apps, "/tensor?run=mapping&name=embeddings").data, np.float32).reshape(11, 6)
    np.testing.assert_allclose(served, embeddings, rtol=1e-5)


def test_tensorboard_serves_one_line_of_metadata_for_each_embedding(projected):
    apps, _ = projected
    lines = fetch(apps, "/metadata?run=mapping&name=embeddings").text.splitlines()
    assert lines == [f"walk {number}" for number in range(10)] + ["Füße"]


def test_tensorboard_serves_a_sprite_with_a_thumbnail_for_each_embedding(projected):
    apps, _ = projected
    response = fetch(apps, "/sprite_image?run=mapping&name=embeddings")
    assert response.mimetype == "image/png"
    sprite = np.asarray(Image.open(io.BytesIO(response.data)))
    # Eleven thumbnails in rows of four, as square as can be.
    assert sprite.shape == (3 * 64, 4 * 64, 3)
    cells = sprite.reshape(3, 64, 4, 64, 3).swapaxes(1, 2).reshape(12, -1)
    assert [(cell < 255).any() for cell in cells] == [True] * 11 + [False]


def test_writing_again_replaces_the_files(tmp_path):
    for number in (9, 4):
        write_projector(tmp_path, np.ones((number, 2)), RNG.normal(size=(number, 13, 3)), ["x"] * number)
    assert len((tmp_path / "embeddings.tsv").read_text().splitlines()) == 4
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ("embeddings", "num_poses", "num_labels", "message"),
    [
        (np.zeros((3, 2)), 3, 4, "4 labels"),
        (np.zeros((3, 2)), 2, 3, "Expected embeddings"),
        (np.zeros(3), 3, 3, "Expected embeddings"),
        (np.zeros((0, 2)), 0, 0, "Received: 0"),
        (np.full((3, 2), np.nan), 3, 3, "finite embeddings"),
        (np.zeros((MAX_PROJECTED + 1, 2)), MAX_PROJECTED + 1, MAX_PROJECTED + 1, "Received: 1001"),
    ],
)
def test_what_the_projector_cannot_show_is_refused(tmp_path, embeddings, num_poses, num_labels, message):
    with pytest.raises(ValueError, match=message):
        write_projector(tmp_path, embeddings, np.zeros((num_poses, 13, 3)), ["label"] * num_labels)
    assert not list(tmp_path.iterdir())
