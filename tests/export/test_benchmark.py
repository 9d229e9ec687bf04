"""The benchmark and inspect commands."""

import json
import shutil

import pytest

from export import benchmark, inspect


@pytest.fixture
def folder(export_dir, tmp_path):
    """One file of the export, with a model.json that names it alone."""
    chosen = "vvipe_dynamic_range.tflite"
    content = json.loads((export_dir / "model.json").read_text())
    content["files"] = {chosen: content["files"][chosen]}
    (tmp_path / "model.json").write_text(json.dumps(content))
    for name in (chosen, "MODEL_CARD.md"):
        shutil.copy(export_dir / name, tmp_path)
    return tmp_path


def test_command_measures_every_file_and_writes_the_card_once(folder, capsys):
    for _ in range(2):
        assert benchmark.main(["--model-dir", str(folder), "--repeats", "20"]) == 0
    table = capsys.readouterr().out
    row = [line for line in table.splitlines() if "vvipe_dynamic_range" in line][-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert 0 < float(cells[2]) <= float(cells[3]) < 100
    assert 0 < float(cells[6]) < 500
    card = (folder / "MODEL_CARD.md").read_text()
    assert card.count("## Speed") == 1
    assert row in card
    assert "## Training data" in card


def test_command_measures_no_file_that_was_changed(folder, capsys):
    file = folder / "vvipe_dynamic_range.tflite"
    file.write_bytes(file.read_bytes()[:-1])
    assert benchmark.main(["--model-dir", str(folder), "--repeats", "3"]) == 2
    assert "SHA-256" in capsys.readouterr().err


def test_inspect_shows_signatures_ops_metadata_and_the_hash_check(export_dir, capsys):
    assert inspect.main([str(export_dir / "vvipe_int8.tflite")]) == 0
    printed = capsys.readouterr().out
    assert "(matches)" in printed
    assert "lift(keypoints: float32 (any, 17, 3)) -> " in printed
    assert "FULLY_CONNECTED 4" in printed
    assert "License: Apache-2.0" in printed
    assert "pose_joints.txt: nose left_shoulder" in printed


def test_inspect_says_when_a_hash_is_wrong_or_not_known(export_dir, tmp_path, capsys):
    file = tmp_path / "vvipe_int8.tflite"
    shutil.copy(export_dir / "vvipe_int8.tflite", file)
    assert inspect.main([str(file)]) == 0
    assert "NOT CHECKED" in capsys.readouterr().out
    assert inspect.main([str(file), "--sha256", "0" * 64]) == 2
    assert capsys.readouterr().err.startswith("error: Expected a model with the SHA-256 000")


@pytest.mark.parametrize("size", [0, 7, 100, 5000])
def test_inspect_refuses_a_truncated_file_in_one_line(export_dir, tmp_path, capsys, size):
    file = tmp_path / "short.tflite"
    file.write_bytes((export_dir / "vvipe_int8.tflite").read_bytes()[:size])
    assert inspect.main([str(file)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
