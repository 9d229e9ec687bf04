import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.config import PRESETS, TrainConfig, parse_config
from training.train import main
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.models.run_folder import load_run

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--width", "24", "--batch-size", "32", "--vae-steps", "20", "--mapping-steps", "30", "--validate-every", "10",
        "--gallery-size", "60", "--kl-warmup", "5"]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "few.poses.npz"
    generate_synthetic(700, seed=3, num_subjects=4).save(path)
    return ["--data", str(path)]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("runs") / "unbroken"
    assert main([*TINY, *data, "--run-dir", str(path)]) == 0
    return path


def weights_of(run_dir):
    return {name: value for name, value in np.load(run_dir / "weights.npz").items()}


def test_a_run_ends_with_a_table_and_a_complete_folder(run_dir, data, capsys):
    assert main([*TINY, *data, "--run-dir", str(run_dir)]) == 0
    printed = capsys.readouterr()
    assert "finished already" in printed.err
    assert "SYNTHETIC" in printed.out
    assert "Hit@1" in printed.out
    assert {"config.json", "weights.npz", "metrics.jsonl", "results.json", "tensorboard", "checkpoints"} == {
        path.name for path in run_dir.iterdir()
    }
    config = json.loads((run_dir / "config.json").read_text())
    assert config["finished"]
    assert config["data"]["synthetic"]
    assert config["train"]["width"] == 24
    assert config["versions"]["tensorflow"]
    assert load_run(run_dir).embed_poses(np.zeros((3, 13, 3))).shape == (3, 32)


def test_metrics_are_recorded_at_each_validation(run_dir):
    records = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [(record["stage"], record["step"]) for record in records] == [
        ("vae", 10), ("vae", 20), ("mapping", 10), ("mapping", 20), ("mapping", 30)
    ]  # fmt: skip
    assert {"loss", "kl_loss", "triplet_loss", "validation/mpjpe_mm", "learning_rate"} <= set(records[0])
    assert {"distillation_loss", "validation/hit_at_1", "examples_per_second"} <= set(records[-1])


def test_tensorboard_holds_scalars_histograms_and_images(run_dir):
    tags = {}
    for stage in ("vae", "mapping"):
        events = EventAccumulator(str(run_dir / "tensorboard" / stage))
        events.Reload()
        tags[stage] = {tag for tags in events.Tags().values() if isinstance(tags, list) for tag in tags}
    assert {"train/loss", "train/active_triplet_ratio", "train/positive_distance", "train/negative_distance",
            "train/live_dims", "train/learning_rate", "train/examples_per_second", "validation/mpjpe_mm",
            "validation/kl_per_dim"} <= tags["vae"]  # fmt: skip
    assert {"train/distillation_loss", "train/pose_loss", "validation/hit_at_1", "validation/hit_at_20"} <= (
        tags["mapping"]
    )
    assert any("reconstruction" in tag for tag in tags["vae"])
    assert any("lift" in tag for tag in tags["mapping"])


@pytest.mark.parametrize("killed_in", ["vae", "mapping"])
def test_a_killed_run_goes_on_and_ends_with_the_same_weights(killed_in, run_dir, data, tmp_path):
    command = [*TINY, *data, "--run-dir", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "training.train", *command],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    latest = tmp_path / "checkpoints" / f"{killed_in}_latest.npz"
    deadline = time.monotonic() + 300
    while not latest.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "weights.npz").exists()
    assert main(command) == 0
    unbroken = weights_of(run_dir)
    for name, value in weights_of(tmp_path).items():
        np.testing.assert_array_equal(value, unbroken[name], err_msg=name)


def test_stage_one_alone_and_then_stage_two_is_one_run(run_dir, data, tmp_path, capsys):
    command = [*TINY, *data, "--run-dir", str(tmp_path)]
    assert main([*command, "--stage", "mapping"]) == 2
    assert "before --stage mapping" in capsys.readouterr().err
    assert main([*command, "--stage", "vae"]) == 0
    assert not (tmp_path / "weights.npz").exists()
    assert main([*command, "--stage", "mapping"]) == 0
    unbroken = weights_of(run_dir)
    for name, value in weights_of(tmp_path).items():
        np.testing.assert_array_equal(value, unbroken[name], err_msg=name)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(data, tmp_path):
    with pytest.raises(FloatingPointError, match="stopped at step [0-9]+: .*loss.* not finite"):
        main([*TINY, *data, "--run-dir", str(tmp_path), "--learning-rate", "1e30", "--schedule", "none"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data", "nowhere.poses.npz"], "nowhere.poses.npz"),
        (["--batch-size", "33"], "multiple of --views 2"),
        (["--views", "0"], "--views of at least 1"),
        (["--max-elevation", "nan"], "finite max_elevation"),
        (["--keypoint-noise", "inf"], "finite keypoint_noise"),
        (["--learning-rate", "nan"], "--learning-rate above 0"),
        (["--dropout", "1.0"], "dropout in [0, 1)"),
        (["--devices", "9"], "--devices"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(flags, message, data, tmp_path, capsys):
    assert main([*TINY, *data, "--run-dir", str(tmp_path / "run"), *flags]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: Expected")
    assert message in error
    assert "\n" not in error


@pytest.mark.parametrize("flags", [["--no-such-flag"], ["--batch-size", "many"], ["--model", "gan"], ["--vae", "1"]])
def test_a_wrong_flag_is_one_line_and_exit_code_2(flags, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(flags)
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert flags[0] in error
    assert error.count("\n") == 1


def test_other_settings_do_not_go_on_with_a_run(run_dir, data, capsys):
    assert main([*TINY, *data, "--run-dir", str(run_dir), "--margin", "0.5"]) == 2
    assert "--margin 0.5; take another --run-dir" in capsys.readouterr().err


def test_a_first_try_that_failed_does_not_bind_the_folder(data, tmp_path, capsys):
    command = [*TINY, *data, "--run-dir", str(tmp_path), "--vae-steps", "10", "--mapping-steps", "10"]
    assert main([*command, "--batch-size", "2000"]) == 2
    assert "at least 2000 poses for one batch" in capsys.readouterr().err
    assert main(command) == 0


def test_a_folder_with_other_files_is_left_alone(data, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main([*TINY, *data, "--run-dir", str(tmp_path)]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("preset", PRESETS)
def test_flags_override_the_preset_and_the_preset_the_defaults(preset):
    config = parse_config(["--preset", preset, "--seed", "7"], "")
    changed = PRESETS[preset]
    assert config.seed == 7
    for name in ("vae_steps", "views", "kl_weight", "use_mask"):
        assert getattr(config, name) == changed.get(name, getattr(TrainConfig(), name))


def test_help_answers_without_tensorflow():
    code = (
        "import sys; from training.train import main\n"
        "try: main(['--help'])\n"
        "finally: print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--kl-weight" in done.stdout
    assert done.stdout.strip().endswith("False")
