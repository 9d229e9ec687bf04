"""The loader: what it runs, and all that it refuses."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from export.conversion import convert_networks
from export.folded_network import DenseLayer, FoldedNetwork
from export.lift_module import LiftConfig
from export.model_description import describe_lite_model
from vvipe_tf.apps import lite_model
from vvipe_tf.apps.lite_manifest import LiteManifest
from vvipe_tf.apps.lite_model import LiteModel
from vvipe_tf.models.network_config import NetworkConfig

NAME = "tiny.tflite"


def _network(sizes, seed):
    random = np.random.default_rng(seed)

    def layer(inputs, outputs):
        return DenseLayer(random.normal(0, 0.3, (inputs, outputs)), random.normal(0, 0.1, outputs))

    inputs, width, outputs = sizes
    return FoldedNetwork(layer(inputs, width), ((layer(width, width), layer(width, width)),), layer(width, outputs))


@pytest.fixture(scope="module")
def config():
    return LiftConfig(NetworkConfig(embedding_dim=5, width=8, num_blocks=1))


@pytest.fixture(scope="module")
def content(config):
    networks = {"keypoint_encoder": _network((39, 8, 5), 0), "pose_decoder": _network((5, 8, 39), 1)}
    return convert_networks(config, networks)


@pytest.fixture(scope="module")
def manifest(config, content):
    about = describe_lite_model("tiny", "1", "none", config, {}, 490.0)
    return about | {"files": {NAME: {"sha256": hashlib.sha256(content).hexdigest()}}}


@pytest.fixture
def folder(tmp_path, content, manifest):
    (tmp_path / NAME).write_bytes(content)
    (tmp_path / "model.json").write_text(json.dumps(manifest))
    return tmp_path


def _refused(path, **settings):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        LiteModel.load(path, **settings)
    assert "\n" not in str(caught.value)
    assert str(path.parent) in str(caught.value) or path.name in str(caught.value)
    return str(caught.value)


def test_a_model_runs_in_batches_of_any_size(folder):
    model = LiteModel.load(folder / NAME)
    keypoints = np.random.default_rng(2).uniform(0, 1, (601, 17, 3)) * [640, 480, 1]
    lifted = model.lift(keypoints)
    assert (lifted.embedding.shape, lifted.pose.shape, lifted.valid.shape) == ((601, 5), (601, 13, 3), (601,))
    assert 0 < lifted.valid.mean() < 1
    embedding, valid = model.embed(keypoints[:3])
    np.testing.assert_allclose(embedding, lifted.embedding[:3], atol=1e-5)
    np.testing.assert_array_equal(valid, lifted.valid[:3])
    np.testing.assert_allclose(model.decode(lifted.embedding[:7]), lifted.pose[:7], atol=1e-5)
    one = model.lift(keypoints[600:])
    np.testing.assert_allclose(one.pose, lifted.pose[600:], atol=1e-5)
    assert model.lift(keypoints[:0]).pose.shape == (0, 13, 3)
    assert model.manifest.pose_joints[0] == "nose"


@pytest.mark.parametrize("workers", [1, 3])
def test_many_poses_are_shared_among_workers_and_come_back_in_order(folder, monkeypatch, workers):
    monkeypatch.setattr(lite_model, "_num_processors", lambda: workers)
    model = LiteModel.load(folder / NAME)
    embeddings = np.random.default_rng(4).normal(size=(4 * 256 + 11, 5))
    poses = model.decode(embeddings)
    assert len(model._workers) == workers
    one_by_one = [model.decode(embeddings[[row]])[0] for row in (0, 255, 256, 700, 1024, 1034)]
    np.testing.assert_allclose(poses[[0, 255, 256, 700, 1024, 1034]], one_by_one, atol=1e-5)


def test_outputs_do_not_change_when_the_model_runs_again(folder):
    model = LiteModel.load(folder / NAME)
    first = model.decode(np.ones((2, 5)))
    kept = first.copy()
    model.decode(np.full((2, 5), 9.0))
    np.testing.assert_array_equal(first, kept)


def test_wrong_shapes_are_refused(folder):
    model = LiteModel.load(folder / NAME)
    with pytest.raises(ValueError, match=r"keypoints of shape \(poses, 17, 3\). Received: shape=\(13, 3\)"):
        model.lift(np.zeros((13, 3)))
    with pytest.raises(ValueError, match="embedding of shape"):
        model.decode(np.zeros((2, 6)))
    with pytest.raises(ValueError, match="at least 1 thread"):
        LiteModel.load(folder / NAME, num_threads=0)


def test_encoding_3d_poses_without_an_encoder_says_what_to_do(folder):
    with pytest.raises(ValueError, match=r"encodes 3D poses\. .*from_run.*--model.*--encode-pose full") as error:
        LiteModel.load(folder / NAME).encode_pose(np.zeros((2, 13, 3)))
    assert "\n" not in str(error.value)


def test_an_explicit_hash_stands_in_for_model_json(folder, content):
    (folder / "model.json").unlink()
    assert "beside" in _refused(folder / NAME)
    digest = hashlib.sha256(content).hexdigest()
    model = LiteModel.load(folder / NAME, sha256=digest.upper())
    assert model.manifest is None
    assert "SHA-256" in _refused(folder / NAME, sha256="0" * 64)
    assert "SHA-256" in _refused(folder / NAME, sha256="ä")


def test_what_model_json_does_not_name_is_refused(folder):
    shutil.copy(folder / NAME, folder / "other.tflite")
    assert "names: ['tiny.tflite']" in _refused(folder / "other.tflite")
    assert "does not exist" in _refused(folder / "nothing.tflite")


def test_a_foreign_model_is_refused_even_with_the_right_hash(tmp_path):
    foreign = [b"", b"TFL3", b"\x1c\x00\x00\x00TFL3" + bytes(200), b"PK\x03\x04" + bytes(50), b"<html></html>"]
    for number, content in enumerate(foreign):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(content)
        _refused(path, sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "{",
        lambda text: "[]",
        lambda text: text.replace("vvipe-lite", "other"),
        lambda text: text.replace('"files"', '"Files"'),
        lambda text: text.replace('"sha256": "', '"sha256": "x'),
        lambda text: text.replace('"joints": ["nose"', '"joints": [7'),
        lambda text: text.replace('"dim": 5', '"dim": "5"'),
        lambda text: text.replace('"dim": 5', '"dim": 0'),
        lambda text: text.replace("tiny.tflite", "../tiny.tflite"),
        lambda text: "[" * 100_000,
    ],
)
def test_a_damaged_model_json_is_refused(folder, change):
    path = folder / "model.json"
    changed = change(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    _refused(folder / NAME)


def mutations(content, count):
    """Truncated, flipped, lengthened, foreign and zipped versions of a model, none of them the model itself."""
    random = np.random.default_rng(11)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.txt", "x" * 50)
    for index in range(count):
        kind = index % 6
        changed = bytearray(content)
        if kind == 0:
            changed = changed[: random.integers(0, len(content))]
        elif kind == 1:
            for place in random.integers(0, len(content), random.integers(1, 9)):
                changed[place] ^= 1 << random.integers(0, 8)
        elif kind == 2:
            changed += random.bytes(random.integers(1, 64))
        elif kind == 3:
            changed = bytearray(changed[:8] + random.bytes(random.integers(1, 400)))
        elif kind == 4:
            changed += archive.getvalue()
        else:
            start = random.integers(0, len(content) - 32)
            changed[start : start + 32] = random.bytes(32)
        if changed != content:
            yield bytes(changed)


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_mutated_files_are_refused_before_the_interpreter_sees_them(folder, content, count, monkeypatch):
    import ai_edge_litert.interpreter

    def forbidden(*args, **kwargs):
        raise AssertionError("the interpreter saw an unverified file")

    monkeypatch.setattr(ai_edge_litert.interpreter, "Interpreter", forbidden)
    refused = 0
    for changed in mutations(content, count):
        (folder / NAME).write_bytes(changed)
        assert "SHA-256" in _refused(folder / NAME)
        refused += 1
    assert refused > 0.95 * count


def test_the_loader_needs_no_tensorflow(folder):
    code = (
        "import sys, numpy; from vvipe_tf.apps.lite_model import LiteModel;"
        f"LiteModel.load({str(folder / NAME)!r}).lift(numpy.zeros((1, 17, 3)));"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_manifest_is_read_back_as_it_was_written(manifest, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(LiteManifest.from_content(manifest).to_text(), encoding="utf-8")
    read = LiteManifest.read(path)
    assert read.hashes == {NAME: manifest["files"][NAME]["sha256"]}
    assert read.embedding_dim == 5
    assert read.score_threshold == pytest.approx(0.3)
