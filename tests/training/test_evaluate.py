"""The evaluate command, with models whose results are known."""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from training.evaluate import choose_splits, evaluate_model, main, measure_split, read_results
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.data.rigs import CHEST, UNSEEN, CalibratedRig, ordered_pairs
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.keypoints import COCO_13


class PerfectModel:
    """Knows the canonical pose of every view: it embeds a view as the pose of the same row."""

    def __init__(self, poses=None, data="synthetic"):
        self.poses = poses
        self.config = {"data": {"data": data}}

    def embed_poses(self, canonical_pose):
        self.poses = canonical_pose
        return canonical_pose.reshape(len(canonical_pose), 39)

    def embed_keypoints(self, keypoints_2d, mask=None):
        return self.poses.reshape(len(self.poses), 39)

    def decode(self, embedding):
        return embedding.reshape(len(embedding), 13, 3)


class RandomModel(PerfectModel):
    """Embeds every view as noise."""

    def embed_keypoints(self, keypoints_2d, mask=None):
        return np.random.default_rng(zlib.crc32(keypoints_2d.tobytes())).normal(size=(len(keypoints_2d), 39))


class MaskKeeper(PerfectModel):
    """Remembers the masks it was given."""

    def __init__(self):
        super().__init__()
        self.masks = []

    def embed_keypoints(self, keypoints_2d, mask=None):
        self.masks.append(mask)
        return super().embed_keypoints(keypoints_2d, mask)


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(num_poses=210, seed=2, num_subjects=3)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "people.poses.npz"
    generate_synthetic(num_poses=700, seed=4, num_subjects=10).save(path)
    return path


@pytest.fixture
def run_dir(tmp_path, monkeypatch, saved):
    """A run folder whose model is perfect."""
    folder = tmp_path / "run"
    folder.mkdir()
    run_folder = pytest.importorskip("vvipe_tf.models.run_folder")
    monkeypatch.setattr(run_folder, "load_any_run", lambda path: PerfectModel(data=str(saved)))
    return folder


def test_a_perfect_model_hits_always_and_lifts_without_error(dataset):
    entry = measure_split(PerfectModel(), dataset, gallery_size=83, seed=1)
    assert list(entry["rigs"]) == ["chest", "unseen"]
    assert entry["gallery_size"] == 83
    assert entry["split_size"] == 210
    assert entry["metrics"] == ["H36M_17", "COCO_13"]
    for rig, pairs in (("chest", 12), ("unseen", 32)):
        measured = entry["rigs"][rig]
        assert measured["pairs"] == pairs
        for metric in entry["metrics"]:
            assert set(measured["model"][metric]["hit_at_k"].values()) == {1.0}
            assert set(measured["cross_3d"][metric]["hit_at_k"].values()) == {1.0}
            assert entry["chance"][metric]["hit_at_k"]["1"] < measured["keypoints_2d"][metric]["hit_at_k"]["1"] < 1
        assert measured["lifting"]["mean"]["mpjpe_mm"] == 0
        assert measured["lifting"]["mean"]["pck_150mm"] == 1
        assert len(measured["lifting"]["cameras"]) == (4 if rig == "chest" else 8)
    assert entry["oracle_3d"] == entry["canonical_3d"]


def test_a_random_model_hits_by_chance(dataset):
    entry = measure_split(RandomModel(), dataset, [CHEST], gallery_size=150)
    chance = entry["chance"]["H36M_17"]["hit_at_k"]
    for k, hit in entry["rigs"]["chest"]["model"]["H36M_17"]["hit_at_k"].items():
        assert abs(hit - chance[k]) < 0.03, k


def test_the_same_seed_measures_the_same_frames(dataset):
    first, again, other = (
        measure_split(PerfectModel(), dataset, [CHEST], gallery_size=60, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["frames_sha256"] != other["frames_sha256"]


def test_a_split_smaller_than_the_gallery_is_taken_whole_and_says_so(dataset):
    few = dataset.select(np.arange(0, 210, 30))
    entry = measure_split(PerfectModel(), few, [CHEST], gallery_size=2000)
    assert entry["gallery_size"] <= 7
    assert list(entry["chance"]["COCO_13"]["hit_at_k"]) == ["1", "5"]


def test_joints_that_a_real_camera_does_not_see_are_masked(dataset):
    few = dataset.select(np.arange(0, 210, 10))
    axes = np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]])
    far = Camera("far", axes, [9.0, 0, 1], np.eye(3), np.zeros(5), None)
    amid = Camera("amid", axes, few.poses[0, 0] * few.torso_lengths_mm[0] / 1000, np.eye(3), np.zeros(5), None)
    model = MaskKeeper()
    entry = measure_split(model, few, [CalibratedRig("lab", (far, amid), ordered_pairs(2))])
    assert entry["rigs"]["lab"]["virtual"] is False
    assert model.masks[0] is None
    assert model.masks[1].shape == (entry["gallery_size"], COCO_13.num_joints)
    assert 0 < model.masks[1].mean() < 1


def test_results_of_other_splits_are_kept(dataset, tmp_path):
    model = PerfectModel(data="folder/first.poses.npz")
    first = evaluate_model(model, {"test_a": dataset}, tmp_path, 40, "make tables", rigs=[CHEST])
    evaluate_model(model, {"test_b": dataset}, tmp_path, 41, rigs=[CHEST])
    evaluate_model(model, {"test_a": dataset}, tmp_path, 42, rigs=[UNSEEN], data="other/second.poses.npz", seed=7)
    evaluate_model(model, {"test_b": dataset}, tmp_path, 43, rigs=[CHEST])
    results = read_results(tmp_path / "results.json")
    assert {key: entry["gallery_size"] for key, entry in results.items()} == {
        "first.poses.npz/test_a": 40,
        "first.poses.npz/test_b": 43,
        "second.poses.npz/test_a": 42,
    }
    assert results["first.poses.npz/test_a"]["command"] == "make tables"
    assert {"python", "numpy"} <= set(results["first.poses.npz/test_a"]["versions"])
    assert results["second.poses.npz/test_a"]["seed"] == 7
    assert "## first.poses.npz, split test_a" in first
    assert "SYNTHETIC" in first
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "vvipe-results", "version": 2, "results": {}}'])
def test_a_foreign_results_file_is_refused_and_left_alone(dataset, tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError, match="results.json"):
        evaluate_model(PerfectModel(), {"test": dataset}, tmp_path, 20, rigs=[CHEST])
    assert (tmp_path / "results.json").read_text() == content


def test_splits_are_chosen_by_name_and_test_splits_by_default(dataset):
    splits = {"train": dataset, "validation": dataset, "test_seen": dataset, "test_unseen": dataset}
    assert list(choose_splits(splits, None)) == ["test_seen", "test_unseen"]
    assert list(choose_splits(splits, ["validation", "test_seen"])) == ["validation", "test_seen"]
    with pytest.raises(ValueError, match="among train, validation, test_seen, test_unseen. Received: stress"):
        choose_splits(splits, ["test_seen", "stress"])


def test_too_little_to_measure_is_refused(dataset, tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        measure_split(PerfectModel(), dataset, gallery_size=1)
    with pytest.raises(ValueError, match="0 rigs"):
        measure_split(PerfectModel(), dataset, [])
    with pytest.raises(ValueError, match="at least one split"):
        evaluate_model(PerfectModel(), {}, tmp_path)


def test_command_measures_the_test_splits_of_the_runs_own_data(run_dir, saved, capsys):
    assert main(["--run-dir", str(run_dir), "--gallery-size", "30", "--rig", "chest", "--seed", "5"]) == 0
    expected = [name for name in load_splits(str(saved)) if name not in ("train", "validation")]
    results = read_results(run_dir / "results.json")
    assert list(results) == [f"people.poses.npz/{name}" for name in expected]
    entry = results[f"people.poses.npz/{expected[0]}"]
    assert list(entry["rigs"]) == ["chest"]
    assert (entry["seed"], entry["synthetic"]) == (5, True)
    assert entry["command"].startswith("python -m training.evaluate --run-dir")
    printed = capsys.readouterr().out
    assert printed.count("## people.poses.npz, split") == len(expected)
    assert "| V-VIPE, 2D to 2D " in printed


def test_command_measures_other_data_and_named_splits(run_dir, tmp_path, capsys):
    other = tmp_path / "other.poses.npz"
    generate_synthetic(num_poses=600, seed=9, num_subjects=10).save(other)
    arguments = ["--run-dir", str(run_dir), "--data", str(other), "--split", "validation", "--gallery-size", "21"]
    assert main([*arguments, "--rig", "unseen", "--rig", "chest"]) == 0
    content = json.loads((run_dir / "results.json").read_text())
    assert list(content["results"]) == ["other.poses.npz/validation"]
    assert list(content["results"]["other.poses.npz/validation"]["rigs"]) == ["unseen", "chest"]
    assert "SYNTHETIC" in capsys.readouterr().out


def test_command_tells_bad_input_in_one_line(run_dir, tmp_path, capsys):
    assert main(["--run-dir", str(run_dir), "--data", str(tmp_path / "none.poses.npz")]) == 2
    assert main(["--run-dir", str(run_dir), "--split", "stress"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error: ") for line in lines)
    assert not (run_dir / "results.json").exists()


def test_command_refuses_a_folder_that_is_no_run(tmp_path, capsys):
    pytest.importorskip("vvipe_tf.models.run_folder")
    assert main(["--run-dir", str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err.startswith("error: Expected a run folder")


def test_command_explains_itself_without_tensorflow():
    root = Path(__file__).resolve().parents[2]
    code = (
        "import sys\nfrom training.evaluate import main\n"
        "try: main(['--help'])\nfinally: print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert "--gallery-size" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
