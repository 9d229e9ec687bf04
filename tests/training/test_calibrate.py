"""The calibrate command on a run folder."""

import json

import numpy as np
import pytest

from training.calibrate import calibrate_uncertainty, main, measure_embeddings
from vvipe_tf.apps.embedder import PoseEmbedder
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.run_folder import Networks, load_run, save_run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "people.poses.npz"
    generate_synthetic(num_poses=310, seed=3, num_subjects=4).save(path)
    return path


@pytest.fixture
def run_dir(tmp_path, data):
    """A run folder with weights that were never trained."""
    config = NetworkConfig(embedding_dim=5, width=24, num_blocks=1)
    save_run(tmp_path / "run", Networks.build(config), config, {"data": {"data": str(data)}})
    return tmp_path / "run"


def test_the_config_gains_what_was_measured_and_the_weights_stay(run_dir, capsys):
    before = (run_dir / "weights.npz").read_bytes()
    assert main(["--run-dir", str(run_dir)]) == 0
    assert "rank correlation" in capsys.readouterr().out
    config = json.loads((run_dir / "config.json").read_text())
    assert (run_dir / "weights.npz").read_bytes() == before
    assert set(config["uncertainty"]) == {"intercept", "misfit", "spread", "missing"}
    assert config["calibration"]["split"] == "test"
    assert np.shape(config["embedding_statistics"]["covariance"]) == (5, 5)
    embedder = PoseEmbedder.from_run(run_dir)
    samples = embedder.sample(4000, seed=1, source="posterior")
    statistics = config["embedding_statistics"]
    np.testing.assert_allclose(np.cov(samples, rowvar=False), statistics["covariance"], atol=0.15)
    np.testing.assert_allclose(samples.mean(axis=0), statistics["mean"], atol=0.1)


def test_the_aggregated_posterior_is_that_of_its_samples(run_dir, data):
    model = load_run(run_dir)
    dataset = generate_synthetic(num_poses=170, seed=5, num_subjects=2)
    statistics = measure_embeddings(model, dataset)
    z_mean, z_log_var = (part.numpy() for part in model.networks.pose_encoder(dataset.canonical(COCO_13)))
    noise = np.random.default_rng(0).standard_normal((3000, *z_mean.shape))
    samples = (z_mean + np.exp(0.5 * z_log_var) * noise).reshape(-1, z_mean.shape[1])
    np.testing.assert_allclose(statistics["mean"], samples.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(statistics["covariance"], np.cov(samples, rowvar=False), atol=0.02)


def test_a_calibration_can_be_repeated_and_depends_on_the_seed(run_dir):
    model, dataset = load_run(run_dir), generate_synthetic(num_poses=150, seed=6, num_subjects=3)
    first, again, other = (calibrate_uncertainty(model, dataset, seed) for seed in (2, 2, 7))
    assert first == again
    assert first.weights != other.weights
    assert first.num_views > 150
    assert first.mean_expected == pytest.approx(first.mean_error, rel=0.5)


def test_one_sequence_is_not_enough(run_dir):
    dataset = generate_synthetic(num_poses=90, seed=2, num_subjects=2)
    alone = dataset.select((dataset.sequence == dataset.sequence[0]) & (dataset.subject == dataset.subject[0]))
    with pytest.raises(ValueError, match="at least 2 sequences"):
        calibrate_uncertainty(load_run(run_dir), alone)


def test_an_unknown_split_is_bad_input(run_dir, capsys):
    assert main(["--run-dir", str(run_dir), "--split", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
