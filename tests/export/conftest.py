"""A small model with weights as a trained one has them, its data, and one export of it for all tests."""

import dataclasses
import hashlib

import keras
import numpy as np
import pytest

import export.conversion
from export.exporter import ExportConfig, export_model
from export.verification import GATES
from vvipe_tf.data.splits import default_split
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.run_folder import Networks, TrainedModel, save_run
from vvipe_tf.provenance import describe_versions


def lively_networks(config, seed):
    """Untrained networks whose batch statistics and heads are not those of a fresh start."""
    keras.utils.set_random_seed(seed)
    networks = Networks.build(config)
    random = np.random.default_rng(seed)
    weights = networks.get_weights()
    for name, value in weights.items():
        if name.endswith(("gamma", "moving_variance")):
            weights[name] = random.uniform(0.5, 1.5, value.shape)
        elif name.endswith(("beta", "moving_mean", "bias")):
            weights[name] = random.normal(0, 0.2, value.shape)
        elif name.endswith("pose/kernel"):
            weights[name] = random.normal(0, 0.01, value.shape)
        elif name.endswith("z_mean/kernel"):
            weights[name] = random.normal(0, 0.1, value.shape)
    networks.set_weights(weights)
    return networks


def describe_run(config, data):
    return {
        "seed": 3,
        "train": {"preset": "quickstart", "run_dir": "/home/someone/run", "data": data},
        "data": {"data": data, "synthetic": True, "splits": {"train": 5}, "licenses": {"synthetic": "Apache-2.0"}},
        "versions": describe_versions(),
        "commit": "abc",
        "command": "python -m training.train --run-dir /home/someone/run",
        "model": dataclasses.asdict(config),
        "weights_sha256": "0" * 64,
    }


@pytest.fixture(scope="session", autouse=True)
def _remembered_conversions():
    """Converts the same networks once: TensorFlow takes seconds for it, however small they are."""
    known = {}
    convert = export.conversion.convert_networks

    def remember(config, networks):
        weights = b"".join(layer.kernel.tobytes() for network in networks.values() for layer in network.layers)
        key = config, tuple(networks), hashlib.sha256(weights).digest()
        if key not in known:
            known[key] = convert(config, networks)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export.conversion, "convert_networks", remember)
        yield


@pytest.fixture(scope="session")
def config():
    return NetworkConfig(embedding_dim=7, width=48, num_blocks=2)


@pytest.fixture(scope="session")
def make_trained():
    """Function (config, seed) -> a model that looks trained."""
    return lambda config, seed: TrainedModel(lively_networks(config, seed), describe_run(config, "synthetic"))


@pytest.fixture(scope="session")
def trained(config, make_trained):
    return make_trained(config, 1)


@pytest.fixture(scope="session")
def compact(config, make_trained, trained):
    """A smaller model with the 3D encoder of `trained`, as if it had learnt all of it."""
    small = make_trained(dataclasses.replace(config, width=20, num_blocks=1), 6)
    networks = dataclasses.replace(small.networks, pose_encoder=trained.networks.pose_encoder)
    return TrainedModel(networks, small.config | {"distilled_from": trained.config["weights_sha256"]})


@pytest.fixture(scope="session")
def dataset():
    return generate_synthetic(num_poses=420, seed=5, num_subjects=6)


@pytest.fixture(scope="session")
def splits(dataset):
    return default_split(dataset)


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory, trained, config, dataset):
    """A finished run folder whose data is a file."""
    folder = tmp_path_factory.mktemp("run")
    data = folder.parent / "people.poses.npz"
    dataset.save(data)
    about = describe_run(config, str(data))
    save_run(folder, trained.networks, config, about)
    return folder


@pytest.fixture(scope="session")
def lenient():
    """Gates for networks that were never trained: their Hit@1 is chance."""
    return {name: dataclasses.replace(gate, hit_points=100.0) for name, gate in GATES.items()}


@pytest.fixture(scope="session")
def exported(trained, splits, lenient):
    """All variants in memory."""
    return export_model(trained, splits, ExportConfig(gallery_size=23, encode_pose="full"), gates=lenient)


@pytest.fixture(scope="session")
def export_dir(tmp_path_factory, exported):
    """All variants on disk."""
    folder = tmp_path_factory.mktemp("exported")
    exported.write(folder)
    return folder
