"""The run folder: what training leaves behind, and the trained model that everything else reads from it.

config.json     what was trained, on what, with which versions, and the SHA-256 of the weights
weights.npz     weights of the networks, plain arrays
metrics.jsonl   one line for each validation
checkpoints/    state of an unfinished run
tensorboard/    event files
results.json    what `training.evaluate` measured
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np

from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.network_set import NetworkSet, apply_in_batches, checked_array, keypoint_inputs
from vvipe_tf.models.networks import build_keypoint_encoder, build_pose_decoder, build_pose_encoder
from vvipe_tf.models.trained_baselines import TrainedLifter, TrainedPRVipe

FORMAT = "vvipe-run"
VERSION = 1
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True)
class Networks(NetworkSet):
    """The three networks of V-VIPE.

    Attributes:
        pose_encoder: pose -> (z_mean, z_log_var).
        pose_decoder: embedding -> pose.
        keypoint_encoder: keypoints -> embedding.
    """

    pose_encoder: keras.Model
    pose_decoder: keras.Model
    keypoint_encoder: keras.Model

    @classmethod
    def build(cls, config: NetworkConfig) -> "Networks":
        """Builds the networks with fresh weights."""
        return cls(build_pose_encoder(config), build_pose_decoder(config), build_keypoint_encoder(config))


class TrainedModel:
    """A trained V-VIPE with NumPy in and NumPy out.

    Args:
        networks: Networks in inference.
        config: Content of config.json.
    """

    kind = "vvipe"
    network_set = Networks

    def __init__(self, networks: Networks, config: Mapping):
        self.networks = networks
        self.config = dict(config)
        self.network_config = NetworkConfig(**config["model"])

    def embed_keypoints(self, keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Embeds COCO_13 keypoints of any scale and place.

        Args:
            keypoints_2d: (poses, 13, 2), y down.
            mask: (poses, 13), true where a joint is visible; None means all are.

        Returns:
            (poses, embedding_dim) float32.

        Raises:
            ValueError: If a shape is wrong, or joints are missing and the model was trained without a mask.
        """
        inputs = keypoint_inputs(self.network_config, keypoints_2d, mask)
        return apply_in_batches(self.networks.keypoint_encoder, inputs)

    def embed_poses(self, canonical_pose: np.ndarray) -> np.ndarray:
        """Embeds canonical COCO_13 poses (poses, 13, 3), torso units -> (poses, embedding_dim) float32.

        Raises:
            ValueError: If the shape is wrong.
        """
        poses = checked_array(canonical_pose, (self.network_config.num_joints, 3), "canonical_pose")
        return apply_in_batches(lambda batch: self.networks.pose_encoder(batch, training=False)[0], poses)

    def decode(self, embedding: np.ndarray) -> np.ndarray:
        """Decodes embeddings (poses, embedding_dim) -> canonical poses (poses, 13, 3) float32, torso units.

        Raises:
            ValueError: If the shape is wrong.
        """
        embedding = checked_array(embedding, (self.network_config.embedding_dim,), "embedding")
        return apply_in_batches(self.networks.pose_decoder, embedding)


MODELS = {model.kind: model for model in (TrainedModel, TrainedPRVipe, TrainedLifter)}
AnyTrainedModel = TrainedModel | TrainedPRVipe | TrainedLifter


def build_model(kind: str, network_config: NetworkConfig) -> AnyTrainedModel:
    """Builds a model of a kind with fresh weights."""
    config = {"kind": kind, "model": asdict(network_config)}
    return MODELS[kind](MODELS[kind].network_set.build(network_config), config)


def write_json(path: str | os.PathLike, content) -> None:
    """Writes JSON, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> str:
    """Writes an .npz, whole or not at all, and returns its SHA-256."""
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)
        return hashlib.sha256(temporary.read_bytes()).hexdigest()


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads an .npz of plain arrays.

    Raises:
        ValueError: If the file is no such archive, or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except (BadZipFile, ValueError, EOFError, KeyError, OSError) as error:
        raise ValueError(f"Expected an archive of plain arrays. Received: {path} ({error})") from error


def save_run(
    run_dir: str | os.PathLike,
    networks: NetworkSet,
    network_config: NetworkConfig,
    about: Mapping,
    kind: str = TrainedModel.kind,
) -> None:
    """Writes the weights and the config.json of a finished run; the config comes last.

    Args:
        run_dir: Run folder.
        networks: Trained networks.
        network_config: Their size.
        about: The rest of config.json: train, data, versions, commit, seed.
        kind: Kind of the model, a key of `MODELS`.
    """
    digest = write_arrays(Path(run_dir) / WEIGHTS_FILE, networks.get_weights())
    model = asdict(network_config) | {"synchronized_batch_norm": False}
    header = {"format": FORMAT, "version": VERSION, "finished": True, "kind": kind}
    write_json(Path(run_dir) / CONFIG_FILE, header | dict(about) | {"model": model, "weights_sha256": digest})


def write_started(run_dir: str | os.PathLike, about: Mapping) -> None:
    """Writes the config.json of a run that starts: train, data, versions, commit, seed."""
    write_json(Path(run_dir) / CONFIG_FILE, {"format": FORMAT, "version": VERSION, "finished": False} | dict(about))


def load_run(run_dir: str | os.PathLike) -> TrainedModel:
    """Loads the trained V-VIPE of a run folder.

    Raises:
        FileNotFoundError: If the folder, its config or its weights are missing.
        ValueError: If the folder is no finished run, its model is of another kind, or the weights are not those that
            were saved.
    """
    kind = model_kind(read_config(run_dir))
    if kind != TrainedModel.kind:
        raise ValueError(f"Expected a run of V-VIPE. Received: {run_dir}, a run of --model {kind}")
    return load_any_run(run_dir)


def load_any_run(run_dir: str | os.PathLike) -> AnyTrainedModel:
    """Loads the trained model of a run folder, whatever its kind.

    Raises:
        FileNotFoundError: If the folder, its config or its weights are missing.
        ValueError: If the folder is no finished run, or the weights are not those that were saved.
    """
    run_dir = Path(run_dir)
    config = read_config(run_dir)
    if not config.get("finished"):
        raise ValueError(f"Expected a finished run. Received: {run_dir}, which is still in training")
    try:
        network_config = NetworkConfig(**config["model"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"Expected the size of the networks in {run_dir / CONFIG_FILE}. Received: {error}") from error
    weights = run_dir / WEIGHTS_FILE
    if not weights.is_file():
        raise FileNotFoundError(f"Expected the weights of a run at {weights}. Received: no such file")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if digest != config.get("weights_sha256"):
        raise ValueError(f"Expected {weights} with the SHA-256 that config.json names. Received: {digest}")
    model = MODELS[model_kind(config)]
    networks = model.network_set.build(network_config)
    networks.set_weights(read_arrays(weights))
    return model(networks, config)


def model_kind(config: Mapping) -> str:
    """Kind of the model of a config.json; those written before there were kinds are V-VIPE.

    Raises:
        ValueError: If there is no such kind.
    """
    kind = config.get("kind", TrainedModel.kind)
    if kind not in MODELS:
        raise ValueError(f"Expected a model among {', '.join(MODELS)}. Received: {kind}")
    return kind


def read_config(run_dir: str | os.PathLike) -> dict:
    """Reads the config.json of a run folder.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not one of ours.
    """
    path = Path(run_dir) / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"Expected a run folder with a {CONFIG_FILE}. Received: {run_dir}")
    try:
        config = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"Expected JSON in {path}. Received: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT or config.get("version") != VERSION:
        raise ValueError(f"Expected the config of a {FORMAT} version {VERSION}. Received: {path}, which is not one")
    return config
