"""What a trained model should know of itself: `python -m training.calibrate --run-dir runs/mocap`.

Measures two things and adds them to config.json of the run folder, from where `export.to_tflite` takes them along:
`embedding_statistics`, mean and covariance of the aggregated posterior over the training poses (samples are drawn from
it), and `uncertainty`, weights that make of the signs of `vvipe_tf.apps.uncertainty` an expected joint error. The
weights are fitted on half of the sequences of a part that was not trained on and judged on the other half. A part from
another laboratory gives errors as users will have them; the embeddings themselves are not touched.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import spearmanr

from training.evaluate import choose_splits
from vvipe_tf.apps.uncertainty import UncertaintyWeights, fit_uncertainty, uncertainty_signs
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.near_duplicates import select_gallery
from vvipe_tf.data.rigs import UNSEEN
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints, valid_keypoints
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.provenance import describe_command
from vvipe_tf.silence import silenced_start

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import TrainedModel

DEFAULT_SPLITS = ("test_unseen_lab", "test", "validation")
NUM_POSES = 1000
_INFERENCE_BATCH = 4096
# Spread of the noise of detectors on keypoints whose torso is 0.5; each view draws its own.
_MAX_NOISE = 0.04
_MISSING_CHANCES = (0.0, 0.15, 0.4)
_LEGS = [COCO_13.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle")]
_HIDEABLE = np.array([not name.endswith(("hip", "shoulder")) for name in COCO_13.keypoint_names])


class Calibration(NamedTuple):
    """Weights of the uncertainty and how good they are on sequences they were not fitted to.

    Attributes:
        weights: Fitted weights.
        rank_correlation: Spearman's correlation between expected and true error.
        mean_expected: Mean expected joint error, torso units.
        mean_error: Mean true joint error, torso units.
        num_views: Views it was judged on.
    """

    weights: UncertaintyWeights
    rank_correlation: float
    mean_expected: float
    mean_error: float
    num_views: int


def measure_embeddings(model: "TrainedModel", dataset: PoseDataset) -> dict[str, list]:
    """Mean and covariance of the aggregated posterior: the mean of q(z | pose) over the poses of a data set.

    Args:
        model: Trained model.
        dataset: Poses, those of training.

    Returns:
        `mean` (embedding_dim,) and `covariance` (embedding_dim, embedding_dim), JSON-ready.
    """
    poses = dataset.canonical(COCO_13)
    z_mean, z_log_var = model.networks.pose_encoder.predict(poses, batch_size=_INFERENCE_BATCH, verbose=0)
    z_mean, z_log_var = z_mean.astype(np.float64), z_log_var.astype(np.float64)
    covariance = np.cov(z_mean, rowvar=False) + np.diag(np.exp(z_log_var).mean(axis=0))
    return {"mean": z_mean.mean(axis=0).tolist(), "covariance": covariance.tolist()}


def calibrate_uncertainty(model: "TrainedModel", dataset: PoseDataset, seed: int = 0) -> Calibration:
    """Fits the weights of the uncertainty to true errors, and judges them on other sequences.

    Views come from the cameras of the rig *unseen*, with noise, missing joints and half bodies.

    Args:
        model: Trained model.
        dataset: Poses that it was not trained on.
        seed: Seed of the choice of poses and of the views.

    Returns:
        The calibration; its weights are those of the first half of the sequences.

    Raises:
        ValueError: If the data set has fewer than two sequences.
    """
    dataset = dataset.select(select_gallery(dataset, NUM_POSES, seed))
    sequences, sequence = np.unique(np.char.add(dataset.subject, dataset.sequence), return_inverse=True)
    if len(sequences) < 2:
        raise ValueError(f"Expected poses of at least 2 sequences to calibrate on. Received: {len(sequences)}")
    rng = np.random.default_rng(seed)
    fitted = np.isin(sequence, rng.permutation(len(sequences))[: len(sequences) // 2])
    keypoints, visible = _detected(UNSEEN.project(dataset, seed), rng, model.network_config.use_mask)
    num_cameras = len(keypoints)
    keypoints, visible = keypoints.reshape(-1, *keypoints.shape[2:]), visible.reshape(-1, visible.shape[-1])
    valid = valid_keypoints(keypoints, visible)
    keypoints, visible = keypoints[valid], visible[valid]

    def lift(points, mask):
        return model.decode(model.embed_keypoints(points, mask))

    poses = lift(keypoints, visible)
    truth = np.tile(dataset.canonical(COCO_13), (num_cameras, 1, 1))[valid]
    errors = np.linalg.norm(poses - truth, axis=-1).mean(axis=-1)
    signs = uncertainty_signs(lift, keypoints, visible, poses)
    fitted = np.tile(fitted, num_cameras)[valid]
    weights = fit_uncertainty(signs[fitted], errors[fitted])
    expected, error = signs[~fitted] @ np.array(weights), errors[~fitted]
    # Where no sign says anything, all expectations are alike and rank nothing.
    correlation = float(spearmanr(expected, error).statistic) if np.ptp(expected) > 0 else 0.0
    return Calibration(weights, correlation, float(expected.mean()), float(error.mean()), len(error))


def _detected(keypoints, rng, may_miss):
    """True projections (cameras, poses, 13, 2) as a detector might see them: noise and missing joints."""
    keypoints, _ = normalise_keypoints(keypoints)
    views = keypoints.shape[:2]
    noise = rng.uniform(0.0, _MAX_NOISE, views)[..., None, None] * rng.standard_normal(keypoints.shape)
    visible = np.ones(keypoints.shape[:3], bool)
    if may_miss:
        chance = rng.choice(_MISSING_CHANCES, views)[..., None]
        visible = ~(_HIDEABLE & (rng.random(visible.shape) < chance))
        visible[..., _LEGS] &= (rng.random(views) >= 0.2)[..., None]
    return keypoints + noise, visible


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m training.calibrate", description=__doc__.splitlines()[0])
    parser.add_argument("--run-dir", required=True, help="run folder of training.train")
    parser.add_argument("--data", help="a .poses.npz, or `synthetic`; the data of the run by default")
    parser.add_argument(
        "--split", help=f"part to fit the uncertainty on; the first there is of {', '.join(DEFAULT_SPLITS)} by default"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the poses and the views (%(default)s)")
    arguments = parser.parse_args(argv)

    def command():
        with silenced_start():
            from vvipe_tf.models.run_folder import CONFIG_FILE, load_run, write_json
        model = load_run(arguments.run_dir)
        data = arguments.data or model.config["data"]["data"]
        splits = load_splits(data)
        split = arguments.split or next(name for name in DEFAULT_SPLITS if name in splits)
        calibration = calibrate_uncertainty(model, choose_splits(splits, [split])[split], arguments.seed)
        measured = {
            "embedding_statistics": measure_embeddings(model, load_splits(model.config["data"]["data"])["train"]),
            "uncertainty": calibration.weights._asdict(),
            "calibration": {
                "data": Path(data).name,
                "split": split,
                "rank_correlation": calibration.rank_correlation,
                "mean_expected": calibration.mean_expected,
                "mean_error": calibration.mean_error,
                "views": calibration.num_views,
                "command": describe_command("training.calibrate", argv),
            },
        }
        write_json(Path(arguments.run_dir) / CONFIG_FILE, model.config | measured)
        weights = ", ".join(f"{name} {weight:.3f}" for name, weight in calibration.weights._asdict().items())
        print(
            f"uncertainty on {split}: {weights}\n"
            f"on {calibration.num_views:,} views of other sequences: expected {calibration.mean_expected:.3f}, "
            f"true {calibration.mean_error:.3f} torso units, rank correlation {calibration.rank_correlation:.2f}"
        )

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
