"""Two logical CPU devices, so that distribution is tested without a GPU."""

import pytest
import tensorflow as tf

from vvipe_tf.models.network_config import NetworkConfig

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture
def small_networks() -> NetworkConfig:
    """Networks small enough for a test."""
    return NetworkConfig(embedding_dim=5, width=24, num_blocks=1)


@pytest.fixture(scope="session")
def two_devices() -> tf.distribute.Strategy:
    """MirroredStrategy over two logical devices."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
