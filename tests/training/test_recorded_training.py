"""Training on what real cameras saw, from the flags to the batches."""

import json

import numpy as np
import pytest

from tests.data.test_splits import make_dataset
from tests.filmed_poses import film_poses
from training import stages
from training.train import main
from vvipe_tf.data.recorded_training import select_recorded
from vvipe_tf.data.splits import default_split
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.keypoints import COCO_13

TINY = ["--width", "24", "--batch-size", "32", "--vae-steps", "10", "--mapping-steps", "10", "--validate-every", "10",
        "--kl-warmup", "5", "--gallery-size", "40", "--pose-shape", "0"]  # fmt: skip


@pytest.fixture(scope="module")
def poses():
    return generate_synthetic(700, seed=3, num_subjects=4)


@pytest.fixture(scope="module")
def views(poses):
    """What three cameras and a detector saw of all poses but the first 200; it lost the nose of some everywhere."""
    views = film_poses(poses.select(np.arange(200, len(poses))))
    truth = views.of_kind("ground_truth")
    found = np.ones(truth.scores.shape, dtype=bool)
    found[:, ::9, COCO_13.index("nose")] = False
    found[0, 1::4] = False
    return views.with_kind("alphapose", truth.keep(found))


@pytest.fixture(scope="module")
def files(poses, views, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    poses.save(folder / "few.poses.npz")
    views.save(folder / "few.views.npz")
    return ["--data", str(folder / "few.poses.npz"), "--recorded", str(folder / "few.views.npz")]


def names_of(dataset):
    return set(zip(dataset.subject.tolist(), dataset.sequence.tolist(), dataset.frame.tolist(), strict=True))


@pytest.mark.parametrize("use_mask", [True, False])
def test_training_poses_that_were_seen_are_chosen_with_their_views(poses, views, use_mask):
    train = default_split(poses)["train"]
    chosen, recorded = select_recorded(train, views, "alphapose", use_mask)
    known = views.of_poses(chosen)
    assert names_of(chosen) <= names_of(train) & names_of(views.poses)
    assert recorded.usable(all_joints=not use_mask).any(axis=0).all()
    np.testing.assert_array_equal(recorded.keypoints_2d, known.of_kind("alphapose").keypoints_2d)
    lost = len(names_of(train) & names_of(views.poses)) - len(chosen)
    assert (lost == 0) == use_mask


def test_poses_that_no_camera_saw_are_an_error(poses, views):
    with pytest.raises(ValueError, match="recorded views of training poses.*Received: none"):
        select_recorded(poses.select(np.arange(50)), views, "alphapose", True)
    with pytest.raises(ValueError, match="Received: 'cpn'"):
        select_recorded(poses, views, "cpn", True)


@pytest.mark.parametrize(
    ("flags", "batches", "free"),
    [
        (["--free-views", "0"], "view_batches", 0.0),
        (["--model", "pr_vipe"], "pair_batches", 0.5),
    ],
)
def test_a_run_learns_from_what_a_detector_saw_of_training_people(
    flags, batches, free, files, views, tmp_path, monkeypatch, capsys
):
    made = []
    make = getattr(stages, batches)
    monkeypatch.setattr(stages, batches, lambda *arguments: made.append(arguments) or make(*arguments))
    assert main([*TINY, *files, "--recorded-kind", "alphapose", *flags, "--run-dir", str(tmp_path)]) == 0
    train, recorded, config = made[0][0], made[0][-1], made[0][5]
    assert config.augmented_fraction == free
    np.testing.assert_array_equal(recorded.scores, views.of_poses(train).of_kind("alphapose").scores)
    assert f"{len(train):,} of " in capsys.readouterr().err
    data = json.loads((tmp_path / "config.json").read_text())["data"]
    assert data["recorded_kind"] == "alphapose"
    assert main([*TINY, *files, *flags, "--recorded-kind", "ground_truth", "--run-dir", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--recorded-kind", "cpn"], "Received: 'cpn'"),
        (["--pose-shape", "0.1"], "--pose-shape 0, with --recorded"),
        (["--model", "lifter"], "--model vvipe or pr_vipe"),
        (["--recorded", "nowhere.views.npz"], "nowhere.views.npz"),
    ],
)
def test_what_cannot_be_recorded_is_one_line_and_exit_code_2(flags, message, files, tmp_path, capsys):
    assert main([*TINY, *files, "--run-dir", str(tmp_path / "run"), *flags]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_mpi_inf_3dhp_alone_is_not_trained_on(tmp_path, capsys):
    poses = make_dataset([("mpi_inf_3dhp", f"S{subject}", "Seq1", 20) for subject in range(1, 9)])
    poses.save(tmp_path / "3dhp.poses.npz")
    assert main(["--data", str(tmp_path / "3dhp.poses.npz"), "--run-dir", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "nothing for train and validation, only test_3dhp" in error
    assert not (tmp_path / "run").exists()
