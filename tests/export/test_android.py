"""The assets of the camera app."""

import json

import pytest

import export.movenet
from export.android import main


@pytest.fixture
def _known_package(monkeypatch, tmp_path):
    """MoveNet itself is converted by android_demo/test; here the file is small."""
    monkeypatch.setattr(export.movenet, "read_package", lambda content: ({}, content))
    monkeypatch.setattr(export.movenet, "convert_graph", lambda document, weights: weights + b" converted")
    (tmp_path / "package.tgz").write_bytes(b"package")


@pytest.mark.usefixtures("_known_package")
def test_the_assets_belong_together(export_dir, tmp_path):
    folder = tmp_path / "assets"
    model = export_dir / "vvipe_dynamic_range.tflite"
    folder.mkdir()
    (folder / "vvipe_float16.tflite").write_bytes(b"of an earlier version of the app")
    assert main(["--model", str(model), "--package", str(tmp_path / "package.tgz"), "--output", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "vvipe_dynamic_range.tflite",
        "model.json",
        "gallery.json",
        "movenet_lightning_float16.tflite",
        "detector.json",
    }
    assert (folder / model.name).read_bytes() == model.read_bytes()
    manifest = json.loads((folder / "model.json").read_text())
    gallery = json.loads((folder / "gallery.json").read_text())
    assert gallery["model_sha256"] == manifest["files"][model.name]["sha256"]
    assert (folder / "movenet_lightning_float16.tflite").read_bytes() == b"package converted"


def test_a_model_without_its_model_json_is_refused_before_anything_is_written(tmp_path, capsys):
    (tmp_path / "lonely.tflite").write_bytes(b"TFL3")
    assert main(["--model", str(tmp_path / "lonely.tflite"), "--output", str(tmp_path / "assets")]) == 2
    assert capsys.readouterr().err.startswith("error: Expected model.json beside")
    assert not (tmp_path / "assets").exists()
