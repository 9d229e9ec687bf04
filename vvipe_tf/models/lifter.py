"""The lifter of Martinez et al. (ICCV 2017): keypoints to the 3D pose in the axes of the camera."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from vvipe_tf.keypoints import H36M_17
from vvipe_tf.models.metric_learning import MetricLearningModel
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.network_set import NetworkSet
from vvipe_tf.models.networks import ClippedDense, build_trunk

LIFTED_PROFILE = H36M_17
# The first joint is the pelvis, which is the origin: the network is not asked for it.
_NUM_LIFTED = H36M_17.num_joints - 1
_CONSTANT_STD = 1e-6


@keras.saving.register_keras_serializable("vvipe_tf")
class Standardise(layers.Layer):
    """Brings each coordinate to mean 0 and deviation 1, or back; the statistics are weights that do not train.

    Args:
        inverse: Whether it goes back.
    """

    def __init__(self, inverse: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.inverse = inverse

    def build(self, input_shape):
        """Adds the statistics: mean 0 and deviation 1 until `set_statistics`."""
        shape = input_shape[1:]
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.std = self.add_weight(shape=shape, initializer="ones", trainable=False, name="std")

    def set_statistics(self, examples: np.ndarray) -> None:
        """Takes the statistics of examples (n, ...); a coordinate that never changes keeps deviation 1."""
        std = examples.std(axis=0)
        self.mean.assign(examples.mean(axis=0))
        self.std.assign(np.where(std > _CONSTANT_STD, std, 1.0))

    def call(self, inputs):
        """Applies the layer."""
        mean, std = ops.cast(self.mean, inputs.dtype), ops.cast(self.std, inputs.dtype)
        return inputs * std + mean if self.inverse else (inputs - mean) / std

    def get_config(self):
        """Arguments of the layer."""
        return super().get_config() | {"inverse": self.inverse}


@dataclass(frozen=True)
class LifterNetworks(NetworkSet):
    """The network of the lifter.

    Attributes:
        lifter: keypoints -> pose (batch, 17, 3) in the camera's axes, pelvis at the origin, torso units.
    """

    lifter: keras.Model

    @classmethod
    def build(cls, config: NetworkConfig) -> "LifterNetworks":
        """Builds the network with fresh weights and no statistics."""
        return cls(build_lifter(config))


def build_lifter(config: NetworkConfig) -> keras.Model:
    """Normalised COCO_13 keypoints (batch, 13, 2 or 3) -> H36M_17 pose (batch, 17, 3), camera axes, torso units.

    Every kernel is clipped to a norm of 1 and every start is He's, as in the released code.
    """
    channels = 3 if config.use_mask else 2
    keypoints = keras.Input((config.num_joints, channels), name="keypoints_2d")
    standardised = Standardise(dtype="float32", name="standardise_keypoints")(keypoints)
    flat = layers.Reshape((config.num_joints * channels,), name="flatten")(standardised)
    hidden = build_trunk(config, max_norm=True)(flat)
    head = ClippedDense(
        _NUM_LIFTED * 3, kernel_initializer="he_normal", bias_initializer="he_normal", dtype="float32", name="head"
    )
    lifted = layers.Reshape((_NUM_LIFTED, 3), dtype="float32", name="unflatten")(head(hidden))
    lifted = Standardise(inverse=True, dtype="float32", name="restore_pose")(lifted)
    pose = layers.ZeroPadding1D((1, 0), dtype="float32", name="add_pelvis")(lifted)
    return keras.Model(keypoints, pose, name="lifter")


class Lifter(MetricLearningModel):
    """Trains the lifter with the mean squared error of standardised coordinates.

    Fit it on batches (keypoints_2d, camera_pose): normalised keypoints (batch, joints, 2 or 3) and true H36M_17 poses
    (batch, 17, 3) in the camera's axes, pelvis at the origin, torso units.

    Args:
        networks: Network to train.
    """

    def __init__(self, networks: LifterNetworks):
        super().__init__(triplet_weight=0.0)
        self.lifter = networks.lifter
        self.add_trackers("loss", "pose_error")

    def set_statistics(self, keypoints_2d: np.ndarray, camera_pose: np.ndarray) -> None:
        """Takes the statistics of training examples, as `compute_terms` gets them; before the first step."""
        self.lifter.get_layer("standardise_keypoints").set_statistics(keypoints_2d)
        self.lifter.get_layer("restore_pose").set_statistics(camera_pose[:, 1:])

    def call(self, keypoints_2d, training=None):
        """Lifts keypoints: (batch, joints, 2 or 3) -> camera pose (batch, 17, 3), torso units."""
        return self.lifter(keypoints_2d, training=training)

    def compute_terms(self, data, training: bool) -> dict[str, tf.Tensor]:
        """Loss terms of a batch (keypoints_2d, camera_pose); `pose_error` is the MPJPE in torso units."""
        keypoints_2d, pose = data
        difference = self.lifter(keypoints_2d, training=training) - tf.cast(pose, tf.float32)
        std = tf.convert_to_tensor(self.lifter.get_layer("restore_pose").std)
        return {
            "loss": tf.reduce_mean(tf.square(difference[:, 1:] / std)),
            "pose_error": tf.reduce_mean(tf.norm(tf.stop_gradient(difference), axis=-1)),
        }
