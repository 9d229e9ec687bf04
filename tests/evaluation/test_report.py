"""The printed tables: aligned, complete, and honest about what they show."""

import copy

import pytest

from vvipe_tf.evaluation.report import format_report, format_table


def retrieval(first):
    return {"hit_at_k": {"1": first, "20": first + 0.1}, "first_neighbour_np_mpjpe": 0.1234}


def by_metric(first):
    return {"H36M_17": retrieval(first), "COCO_13": retrieval(first + 0.01)}


@pytest.fixture
def entry():
    chance = {
        "hit_at_k": {"1": 0.011, "20": 0.203},
        "mean_matches": 21.04,
        "only_own_frame": 0.125,
        "gallery_size": 1987,
        "queries": 1987,
        "threshold": 0.1,
    }
    errors = {
        "mpjpe": 0.1501,
        "n_mpjpe": 0.14,
        "p_mpjpe": 0.12,
        "mpjpe_mm": 70.25,
        "n_mpjpe_mm": 66.0,
        "p_mpjpe_mm": 55.5,
        "pck_150mm": 0.951,
        "auc_150mm": 0.604,
    }
    rig = {
        "virtual": True,
        "pairs": 12,
        "model": by_metric(0.841),
        "keypoints_2d": by_metric(0.287),
        "cross_3d": by_metric(0.872),
        "lifting": {"mean": errors, "cameras": []},
    }
    return {
        "data": "mocap.poses.npz",
        "split": "test_unseen_lab",
        "synthetic": False,
        "split_size": 12345,
        "gallery_size": 1987,
        "near_duplicate_threshold": 0.02,
        "seed": 3,
        "metrics": ["H36M_17", "COCO_13"],
        "chance": {"H36M_17": chance, "COCO_13": chance},
        "oracle_3d": by_metric(0.61),
        "canonical_3d": by_metric(0.66),
        "rigs": {"chest": rig},
        "command": "python -m training.evaluate --run-dir runs/a",
        "commit": "abc123",
        "versions": {"numpy": "2.1.3"},
    }


def test_table_columns_are_aligned():
    table = format_table(["", "Hit@1", "mm"], [["V-VIPE", "84.1", "62"], ["2D", "100.0", "1234.5"]])
    assert table.splitlines() == [
        "|        | Hit@1 |     mm |",
        "| ------ | ----: | -----: |",
        "| V-VIPE |  84.1 |     62 |",
        "| 2D     | 100.0 | 1234.5 |",
    ]


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match="Expected rows of 2 cells. Received: 3 in row 1"):
        format_table(["a", "b"], [["1", "2"], ["1", "2", "3"]])


def test_report_carries_everything_that_a_number_needs(entry):
    report = format_report(entry)
    for fact in (
        "mocap.poses.npz, split test_unseen_lab",
        "1,987 poses of 12,345",
        "seed 3",
        "virtual cameras: chest (12 ordered camera pairs)",
        "21.0 matches",
        "12.5 % have no other",
        "python -m training.evaluate --run-dir runs/a",
        "abc123",
        "numpy 2.1.3",
    ):
        assert fact in report


def test_report_shows_model_baseline_chance_and_oracles_in_percent(entry):
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for cells in (line.split("|") for line in format_report(entry).splitlines() if line.startswith("|"))
    }
    assert rows["V-VIPE, 2D to 2D"] == ["84.1", "94.1", "0.123"]
    assert rows["V-VIPE, 2D to 2D, joints of COCO_13"] == ["85.1", "95.1", "0.123"]
    assert rows["V-VIPE, 3D to 2D"] == ["87.2", "97.2", "0.123"]
    assert rows["2D keypoints, no training"] == ["28.7", "38.7", "0.123"]
    assert rows["chance: random order"] == ["1.1", "20.3", ""]
    assert rows["oracle: V-VIPE, 3D to other 3D"] == ["61.0", "71.0", "0.123"]
    assert rows["oracle: canonical pose to other 3D"] == ["66.0", "76.0", "0.123"]
    assert rows["chest"] == ["70.2", "66.0", "55.5", "0.150", "95.1", "60.4"]


def test_synthetic_poses_are_called_so(entry):
    assert "SYNTHETIC" not in format_report(entry)
    assert "- SYNTHETIC poses" in format_report({**entry, "synthetic": True})


def test_virtual_and_real_cameras_never_share_a_table(entry):
    entry["rigs"]["lab"] = {**copy.deepcopy(entry["rigs"]["chest"]), "virtual": False, "pairs": 6}
    report = format_report(entry)
    assert "### Retrieval, real cameras: lab (6 ordered camera pairs)" in report
    virtual, real = report.split("### Lifting, virtual cameras")[1].split("### Lifting, real cameras")
    assert "| chest" in virtual
    assert "| lab" not in virtual
    assert "| lab" in real
    assert "| chest" not in real


def test_chance_that_was_sampled_says_so(entry):
    entry["chance"]["H36M_17"]["queries"] = 500
    assert "(counted on 500 queries)" in format_report(entry)


def test_what_is_not_known_is_said(entry):
    report = format_report({**entry, "command": None, "commit": None, "versions": {}})
    assert "`none, called from Python`" in report
    assert "Commit: unknown. Versions: unknown." in report
