"""Models for tests of what is built on a model: a linear one in NumPy, and an exported one of untrained networks."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.silence import silenced_start

STANDING_POSE = canonicalise(
    np.array(
        [
            [-0.2, 0, 1.4],
            *([0, side * 0.36, 1.0] for side in (-1, 1)),
            *([0, side * 0.5, 0.5] for side in (-1, 1)),
            *([-0.2, side * 0.5, 0.1] for side in (-1, 1)),
            *([0, side * 0.2, 0] for side in (-1, 1)),
            *([-0.1, side * 0.22, -0.85] for side in (-1, 1)),
            *([0, side * 0.22, -1.65] for side in (-1, 1)),
        ]
    ),
    COCO_13,
)[0]


class LinearModel:
    """Linear maps between keypoints, embeddings and poses.

    Args:
        uses_mask: Whether it takes detections with missing joints.
        description: As for `EmbeddingModel`.
    """

    embedding_dim = 6
    score_threshold = 0.3
    model_id = "linear"

    def __init__(self, uses_mask=True, description=None):
        rng = np.random.default_rng(3)
        self.uses_mask = uses_mask
        self.description = description or {}
        self._from_keypoints = rng.normal(size=(26, 6))
        self._from_poses = rng.normal(size=(39, 6))
        self._to_poses = rng.normal(size=(6, 39)) * 0.02

    def embed_keypoints(self, keypoints_2d, mask):
        normalised, _ = normalise_keypoints(keypoints_2d, mask)
        return (normalised.reshape(len(normalised), 26) @ self._from_keypoints).astype(np.float32)

    def embed_poses(self, canonical_pose):
        return (canonical_pose.reshape(len(canonical_pose), 39) @ self._from_poses).astype(np.float32)

    def decode(self, embedding):
        poses = STANDING_POSE.ravel() + embedding @ self._to_poses
        return poses.reshape(len(embedding), 13, 3).astype(np.float32)


@cache
def build_small_models(folder):
    """A run folder of untrained networks and its export, made once; returns the run folder and the model file."""
    run_dir, lite = Path(folder) / "run", Path(folder) / "lite"
    lite.mkdir(parents=True)
    with silenced_start():
        _write_run(run_dir)
        return run_dir, _write_export(run_dir, lite)


def _write_run(folder):
    import keras

    from vvipe_tf.models.network_config import NetworkConfig
    from vvipe_tf.models.run_folder import Networks, save_run

    keras.utils.set_random_seed(4)
    config = NetworkConfig(embedding_dim=5, width=24, num_blocks=1)
    save_run(folder, Networks.build(config), config, {"data": {}, "versions": {}, "commit": None, "seed": 4})


def _write_export(run_dir, folder):
    from export.conversion import convert_networks
    from export.folded_network import fold_network
    from export.lift_module import LiftConfig
    from export.model_description import describe_lite_model
    from vvipe_tf.apps.lite_manifest import LiteManifest
    from vvipe_tf.models.run_folder import load_run

    trained = load_run(run_dir)
    config = LiftConfig(trained.network_config)
    heads = {"keypoint_encoder": "z_mean", "pose_decoder": "pose", "pose_encoder": "z_mean"}
    networks = {name: fold_network(getattr(trained.networks, name), head) for name, head in heads.items()}
    content = convert_networks(config, networks)
    about = describe_lite_model("small", "0.0.1", "Apache-2.0", config, trained.config, 480.0)
    digest = hashlib.sha256(content).hexdigest()
    about["files"] = {"small_float32.tflite": {"sha256": digest, "variant": "float32", "batch": "any"}}
    path = folder / "small_float32.tflite"
    path.write_bytes(content)
    (folder / "model.json").write_text(LiteManifest.from_content(about).to_text())
    return path
