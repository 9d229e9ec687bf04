import json

import pytest

from training.evaluate import FORMAT, VERSION
from training.summarise import main, summarise


def results(hit, mpjpe_mm, frames="abc"):
    measured = {"hit_at_k": {"1": hit, "5": 0.9}}
    rig = {
        "model": {"COCO_13": measured},
        "keypoints_2d": {"COCO_13": {"hit_at_k": {"1": 0.25, "5": 0.5}}},
        "lifting": {"mean": {"mpjpe_mm": mpjpe_mm, "n_mpjpe_mm": 50.0, "p_mpjpe_mm": 40.0}},
    }
    chance = {"COCO_13": {"hit_at_k": {"1": 0.01, "5": 0.05}}}
    entry = {"data": "few", "split": "test", "synthetic": True, "gallery_size": 1234, "frames_sha256": frames,
             "metrics": ["COCO_13"], "chance": chance, "rigs": {"chest": rig}}  # fmt: skip
    return {"few/test": entry}


def test_mean_and_spread_worked_by_hand():
    table = summarise([results(0.80, 60.0), results(0.82, 66.0), results(0.84, 63.0)])
    assert "SYNTHETIC" in table
    assert "1,234 poses in each gallery, 3 runs" in table
    row = next(line for line in table.splitlines() if line.startswith("| V-VIPE, chest"))
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    assert cells == ["82.0 ± 2.0", "90.0", "63.0 ± 3.0", "50.0", "40.0"]


def test_runs_on_different_galleries_are_not_averaged():
    with pytest.raises(ValueError, match="same gallery"):
        summarise([results(0.8, 60.0), results(0.8, 60.0, frames="def")])


def test_the_command_reads_folders_and_files(tmp_path, capsys):
    content = {"format": FORMAT, "version": VERSION, "results": results(0.5, 70.0)}
    (tmp_path / "results.json").write_text(json.dumps(content))
    assert main([str(tmp_path), str(tmp_path / "results.json")]) == 0
    assert "| 2D keypoints, chest | " in capsys.readouterr().out
    assert main([str(tmp_path / "nowhere.json")]) == 2
