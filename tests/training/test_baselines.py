"""PR-VIPE, the lifter and the ablations of V-VIPE, from the command to the table."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from training import stages
from training.config import parse_config
from training.evaluate import main as evaluate
from training.evaluate import measure_split, read_results
from training.optimizers import build_optimizer
from training.train import main
from vvipe_tf.apps.embedder import PoseEmbedder
from vvipe_tf.data.near_duplicates import select_gallery
from vvipe_tf.data.rigs import CHEST
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.evaluation.report import format_report
from vvipe_tf.keypoints import COCO_13, H36M_17, map_keypoints
from vvipe_tf.models.fused_optimizers import FusedAdagrad
from vvipe_tf.models.pr_vipe import PRVipeNetworks
from vvipe_tf.models.run_folder import load_any_run

TINY = ["--width", "24", "--mapping-steps", "20", "--validate-every", "10", "--gallery-size", "50"]
PR_VIPE = [*TINY, "--model", "pr_vipe", "--batch-size", "32"]
LIFTER = [*TINY, "--model", "lifter", "--batch-size", "16"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "few.poses.npz"
    generate_synthetic(700, seed=3, num_subjects=4).save(path)
    return ["--data", str(path)]


@pytest.fixture(scope="module")
def pr_vipe_run(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("runs") / "pr_vipe"
    assert main([*PR_VIPE, *data, "--run-dir", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def lifter_run(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("runs") / "lifter"
    assert main([*LIFTER, *data, "--run-dir", str(path)]) == 0
    return path


def metrics_of(run_dir):
    return [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]


def entry_of(run_dir):
    return next(iter(read_results(run_dir / "results.json").values()))


def test_pr_vipe_is_trained_as_released_and_measured_by_its_own_distance(pr_vipe_run):
    config = json.loads((pr_vipe_run / "config.json").read_text())
    assert (config["kind"], config["train"]["preset"], config["model"]["embedding_dim"]) == ("pr_vipe", "pr_vipe", 16)
    first, last = metrics_of(pr_vipe_run)
    assert (first["stage"], last["step"]) == ("pr_vipe", 20)
    assert {"triplet_loss", "active_triplet_ratio", "positive_loss", "kl_loss", "validation/hit_at_1"} <= set(last)
    entry = entry_of(pr_vipe_run)
    assert entry["model_kind"] == "pr_vipe"
    assert {"oracle_3d", "lifting_frame"}.isdisjoint(entry)
    assert set(entry["rigs"]["chest"]) == {"virtual", "pairs", "model", "keypoints_2d"}


def test_the_lifter_is_measured_by_alignment_and_in_the_axes_of_the_camera(lifter_run):
    config = json.loads((lifter_run / "config.json").read_text())
    assert (config["kind"], config["train"]["preset"], config["model"]["dropout"]) == ("lifter", "lifter", 0.5)
    last = metrics_of(lifter_run)[-1]
    assert {"loss", "pose_error", "validation/mpjpe_mm", "validation/p_mpjpe_mm"} <= set(last)
    entry = entry_of(lifter_run)
    assert (entry["model_kind"], entry["lifting_frame"], entry["lifting_joints"]) == ("lifter", "camera", "COCO_13")
    for rig in entry["rigs"].values():
        mean = rig["lifting"]["mean"]
        assert mean["p_mpjpe_mm"] < mean["n_mpjpe_mm"] <= mean["mpjpe_mm"]
        assert "cross_3d" not in rig


@pytest.mark.parametrize(("flags", "run"), [(PR_VIPE, "pr_vipe_run"), (LIFTER, "lifter_run")])
def test_an_interrupted_run_goes_on_to_the_same_weights(flags, run, data, tmp_path, request, monkeypatch):
    unbroken = np.load(request.getfixturevalue(run) / "weights.npz")
    command = [*flags, *data, "--run-dir", str(tmp_path)]

    def interrupt(self, epoch, logs=None):
        raise FloatingPointError

    with monkeypatch.context() as patch:
        patch.setattr("training.callbacks.Progress.on_epoch_end", interrupt)
        with pytest.raises(FloatingPointError):
            main(command)
    assert not (tmp_path / "weights.npz").exists()
    assert main(command) == 0
    for name, value in np.load(tmp_path / "weights.npz").items():
        np.testing.assert_array_equal(value, unbroken[name], err_msg=name)


def test_evaluate_measures_every_kind_of_run(pr_vipe_run, lifter_run, capsys):
    titles = {pr_vipe_run: "| PR-VIPE, 2D to 2D ", lifter_run: "| Lifting and alignment, 2D to 2D "}
    for run_dir, title in titles.items():
        arguments = ["--run-dir", str(run_dir), "--gallery-size", "31", "--rig", "chest", "--seed", "3"]
        assert evaluate(arguments) == 0
        printed = capsys.readouterr().out
        assert title in printed
        assert ("Lifting, virtual cameras" in printed) == (run_dir == lifter_run)


def test_what_needs_v_vipe_says_so(pr_vipe_run):
    with pytest.raises(ValueError, match="Expected a run of V-VIPE. Received: .*--model pr_vipe"):
        PoseEmbedder.from_run(pr_vipe_run)


def test_a_finished_run_is_measured_again(lifter_run, data, capsys):
    assert main([*LIFTER, *data, "--run-dir", str(lifter_run)]) == 0
    assert "finished already" in capsys.readouterr().err


def test_lifting_errors_are_those_of_the_joints_that_all_models_lift(lifter_run):
    model = load_any_run(lifter_run)
    dataset = generate_synthetic(90, seed=5, num_subjects=2)
    entry = measure_split(model, dataset, [CHEST], 40, seed=2)
    gallery = dataset.select(select_gallery(dataset, 40, 2))
    lifted = np.stack([model.embed_keypoints(view) for view in CHEST.project(gallery, 2)])
    wrong = map_keypoints(lifted, H36M_17, COCO_13) - CHEST.camera_poses(gallery, 2, COCO_13)
    mean = entry["rigs"]["chest"]["lifting"]["mean"]["mpjpe"]
    assert mean == pytest.approx(np.linalg.norm(wrong, axis=-1).mean(), rel=1e-6)
    assert "over the joints of COCO_13" in format_report({"data": "few", "split": "test", **entry})


def test_pr_vipe_takes_the_improvements_of_v_vipe(data, tmp_path):
    flags = ["--use-mask", "--mirror", "--pose-shape", "0.1", "--body-shape", "0.05", "--keypoint-dropout", "0.2"]
    assert main([*PR_VIPE, *data, *flags, "--views", "4", "--mining", "hard", "--run-dir", str(tmp_path)]) == 0
    trained = load_any_run(tmp_path)
    keypoints = np.random.default_rng(0).normal(size=(3, 13, 2))
    assert trained.embed_keypoints(keypoints, np.arange(13) != 4 * np.ones((3, 1))).shape == (3, 20, 16)


VVIPE = [*TINY, "--batch-size", "32", "--vae-steps", "10", "--kl-warmup", "5"]


def test_without_rotation_poses_stand_as_in_the_world(data, tmp_path):
    assert main([*VVIPE, *data, "--no-rotation", "--triplet-weight", "0", "--run-dir", str(tmp_path)]) == 0
    entry = entry_of(tmp_path)
    assert entry["lifting_frame"] == "world"
    assert "triplet_loss" not in metrics_of(tmp_path)[-1]


def test_without_pre_training_there_is_one_stage_and_no_3d_encoder(data, tmp_path):
    assert main([*VVIPE, *data, "--no-pretraining", "--mining", "semi_hard", "--run-dir", str(tmp_path)]) == 0
    records = metrics_of(tmp_path)
    assert {record["stage"] for record in records} == {"mapping"}
    assert "distillation_loss" not in records[-1]
    entry = entry_of(tmp_path)
    assert "oracle_3d" not in entry
    assert "cross_3d" not in entry["rigs"]["chest"]
    assert entry["rigs"]["chest"]["lifting"]["mean"]["mpjpe_mm"] > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "pr_vipe", "--views", "1"], "--views of at least 2"),
        (["--model", "pr_vipe", "--mining", "paper"], "--mining hard or semi_hard"),
        (["--model", "pr_vipe", "--stage", "vae"], "with --model vvipe only. Received: pr_vipe"),
        (["--model", "lifter", "--no-rotation"], "with --model vvipe only. Received: lifter"),
        (["--model", "lifter", "--pose-shape", "0.1"], "--pose-shape 0 with --model lifter"),
        (["--no-pretraining", "--stage", "mapping"], "no --stage"),
    ],
)
def test_settings_that_do_not_go_together_are_one_line_and_exit_code_2(flags, message, data, tmp_path, capsys):
    assert main([*data, "--run-dir", str(tmp_path / "run"), *flags]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_a_baseline_starts_from_its_own_preset_unless_another_is_named():
    assert parse_config(["--model", "lifter"], "").preset == "lifter"
    assert parse_config(["--preset", "pr_vipe"], "").model == "pr_vipe"
    assert parse_config(["--model", "vvipe"], "").preset == "quickstart"
    assert parse_config(["--model", "pr_vipe", "--preset", "pr_vipe", "--ema", "0.5"], "").ema == 0.5


def test_pr_vipe_has_the_numbers_of_its_released_code(monkeypatch):
    """Loss weights, sampling and optimiser as the method page gives them (section 8)."""
    config = parse_config(["--model", "pr_vipe", "--mapping-steps", "1"], "")
    assert (config.batch_size // config.views, config.views) == (256, 2)
    assert (config.learning_rate, config.schedule, config.ema) == (0.02, "none", 0.9999)
    assert (config.embedding_dim, config.dropout, config.use_mask) == (16, 0.3, False)
    assert (config.margin, config.kl_weight, config.mining) == (pytest.approx(np.log(2)), 0.001, "semi_hard")
    assert (config.triplet_weight, config.free_views, config.free_distance) == (1.0, 0.5, 2.0)
    optimizer, rate = build_optimizer(config, 100)
    assert isinstance(optimizer, FusedAdagrad)
    assert (optimizer.initial_accumulator_value, optimizer.ema_momentum, rate(70)) == (0.1, 0.9999, 0.02)
    built = []
    monkeypatch.setattr(stages, "_train", lambda stage, config, model, **more: built.append(model))
    network_config = config.network_config()
    networks = PRVipeNetworks.build(dataclasses.replace(network_config, width=8))
    stages.train_pr_vipe(
        config, SimpleNamespace(networks=networks), generate_synthetic(40, seed=1, num_subjects=1), None
    )
    [model] = built
    assert (model.positive_weight, model.kl_weight, model.num_samples) == (0.005, 0.001, 20)
    assert (model.margin, model.semi_hard, model.negative_distance) == (pytest.approx(np.log(2)), True, 0.1)
    scale, offset = (float(weight.numpy()) for weight in model.matching.weights)
    assert (scale, offset) == (pytest.approx(-0.65), pytest.approx(-0.5))
