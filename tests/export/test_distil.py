"""Distillation into a smaller run."""

import numpy as np
import pytest

from export.distil import main
from export.distillation import distil_networks
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.run_folder import TrainedModel, load_run


def test_a_student_learns_to_say_what_its_teacher_says(trained, splits):
    config = NetworkConfig(embedding_dim=7, width=40, num_blocks=1, dropout=0.0)
    seen = []
    student = distil_networks(
        trained.networks, config, splits["train"], 200, 64, 5e-3, 0, lambda *args: seen.append(args)
    )
    assert [step for step, _ in seen] == [20 * i for i in range(1, 11)]
    assert seen[-1][1]["embedding"] < 0.3 * seen[0][1]["embedding"]
    small = TrainedModel(student, {"model": vars(config)})
    poses = splits["test"].canonical(COCO_13)
    wanted = trained.embed_poses(poses)
    error = np.abs(small.embed_poses(poses) - wanted).mean()
    assert error < 0.7 * np.abs(wanted - wanted.mean(axis=0)).mean()


def test_command_writes_a_run_that_names_its_teacher(run_dir, tmp_path, capsys):
    output = tmp_path / "small"
    arguments = ["--run-dir", str(run_dir), "--output-run", str(output), "--width", "16", "--steps", "12"]
    assert main([*arguments, "--batch-size", "32"]) == 0
    run = load_run(output)
    assert run.network_config.width == 16
    assert run.network_config.embedding_dim == 7
    assert run.config["distilled_from"] == load_run(run_dir).config["weights_sha256"]
    assert "compact-run" in capsys.readouterr().out
    assert main([*arguments, "--batch-size", "32"]) == 2
    assert "holds a run" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--steps", "0"], ["--batch-size", "0"], ["--width", "0"]])
def test_command_tells_bad_input_in_one_line(run_dir, tmp_path, capsys, wrong):
    assert main(["--run-dir", str(run_dir), "--output-run", str(tmp_path / "small"), *wrong]) == 2
    assert capsys.readouterr().err.startswith("error: Expected")
    assert not (tmp_path / "small").exists()
