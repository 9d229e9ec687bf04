"""The trained baselines with NumPy in and NumPy out."""

import zlib
from collections.abc import Mapping

import numpy as np

from vvipe_tf.models.lifter import LifterNetworks
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.network_set import apply_in_batches, keypoint_inputs
from vvipe_tf.models.pr_vipe import PRVipeNetworks, draw_samples


class TrainedPRVipe:
    """A trained PR-VIPE.

    Args:
        networks: Networks in inference.
        config: Content of config.json.
    """

    kind = "pr_vipe"
    network_set = PRVipeNetworks

    def __init__(self, networks: PRVipeNetworks, config: Mapping):
        self.networks = networks
        self.config = dict(config)
        self.network_config = NetworkConfig(**config["model"])

    def embed_keypoints(self, keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Embeds COCO_13 keypoints (poses, 13, 2) of any scale and place: samples (poses, 20, embedding_dim) float32.

        The noise depends on the keypoints alone: the same call gives the same samples, and two cameras that see one
        person get noise that has nothing to do with each other.

        Args:
            keypoints_2d: (poses, 13, 2), y down.
            mask: (poses, 13), true where a joint is visible; None means all are.

        Returns:
            Samples (poses, 20, embedding_dim) float32.

        Raises:
            ValueError: If a shape is wrong, or joints are missing and the model was trained without a mask.
        """
        inputs = keypoint_inputs(self.network_config, keypoints_2d, mask)
        z_mean, z_std = self._distributions(inputs)
        return draw_samples(z_mean, z_std, np.random.default_rng(zlib.crc32(inputs.tobytes())))

    def embed_means(self, keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Means of the distributions of `embed_keypoints`: (poses, embedding_dim) float32."""
        return self._distributions(keypoint_inputs(self.network_config, keypoints_2d, mask))[0]

    def _distributions(self, inputs):
        def embed(batch):
            return np.stack([np.asarray(part) for part in self.networks.keypoint_encoder(batch, training=False)], 1)

        both = apply_in_batches(embed, inputs)
        return both[:, 0], both[:, 1]


class TrainedLifter:
    """A trained lifter.

    Args:
        networks: Networks in inference.
        config: Content of config.json.
    """

    kind = "lifter"
    network_set = LifterNetworks

    def __init__(self, networks: LifterNetworks, config: Mapping):
        self.networks = networks
        self.config = dict(config)
        self.network_config = NetworkConfig(**config["model"])

    def embed_keypoints(self, keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Lifts COCO_13 keypoints of any scale and place.

        Args:
            keypoints_2d: (poses, 13, 2), y down.
            mask: (poses, 13), true where a joint is visible; None means all are.

        Returns:
            H36M_17 poses (poses, 17, 3) float32 in the camera's axes (x right, y down, z forward), pelvis at the
            origin, torso units.

        Raises:
            ValueError: If a shape is wrong, or joints are missing and the model was trained without a mask.
        """
        return apply_in_batches(self.networks.lifter, keypoint_inputs(self.network_config, keypoints_2d, mask))
