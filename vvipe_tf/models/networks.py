"""The networks of V-VIPE: residual multilayer perceptrons (paper 4.1, backbone of Martinez et al. 2017)."""

import keras
import tensorflow as tf
from keras import layers, ops

from vvipe_tf.models.network_config import NetworkConfig

PACKAGE = "vvipe_tf"


@keras.saving.register_keras_serializable(PACKAGE)
class ClippedDense(layers.Dense):
    """Dense layer whose kernel counts as clipped to a Frobenius norm of 1 (Martinez et al. 2017, released code)."""

    def call(self, inputs):
        """Applies the layer."""
        kernel, bias = (ops.cast(weight, self.compute_dtype) for weight in (self.kernel, self.bias))
        # In float32: the sum of squares of a fresh kernel is near the largest float16.
        norm = ops.sqrt(2.0 * tf.nn.l2_loss(ops.cast(self.kernel, "float32")))
        # The inputs are fewer than the weights of the kernel.
        return ops.matmul(inputs / ops.cast(ops.maximum(norm, 1.0), self.compute_dtype), kernel) + bias


@keras.saving.register_keras_serializable(PACKAGE)
class HiddenLayer(layers.Layer):
    """Dense, batch normalisation, ReLU, dropout: (batch, features) -> (batch, width).

    Args:
        width: Units.
        dropout: Dropout rate.
        synchronized: Whether batch statistics are taken over all replicas.
        max_norm: Whether the kernel is clipped, see `ClippedDense`.
    """

    def __init__(self, width: int, dropout: float, synchronized: bool = False, max_norm: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.width, self.rate, self.synchronized, self.max_norm = width, dropout, synchronized, max_norm
        dense = ClippedDense if max_norm else layers.Dense
        self.dense = dense(width, kernel_initializer="he_normal", dtype=self.dtype_policy, name="dense")
        self.norm = layers.BatchNormalization(synchronized=synchronized, dtype=self.dtype_policy, name="norm")
        self.dropout = layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")

    def build(self, input_shape):
        """Builds the weights for inputs (batch, features)."""
        self.dense.build(input_shape)
        self.norm.build((*input_shape[:-1], self.width))

    def call(self, inputs, training=None):
        """Applies the layer."""
        return self.dropout(ops.relu(self.norm(self.dense(inputs), training=training)), training=training)

    def compute_output_shape(self, input_shape):
        """(batch, width)."""
        return (*input_shape[:-1], self.width)

    def get_config(self):
        """Arguments of the layer."""
        return super().get_config() | {
            "width": self.width,
            "dropout": self.rate,
            "synchronized": self.synchronized,
            "max_norm": self.max_norm,
        }


@keras.saving.register_keras_serializable(PACKAGE)
class ResidualTrunk(layers.Layer):
    """One hidden layer, then residual blocks of two: (batch, features) -> (batch, width).

    Args:
        width: Units of each hidden layer.
        num_blocks: Number of residual blocks; the skip is added after the second dropout of a block.
        dropout: Dropout rate.
        synchronized: Whether batch statistics are taken over all replicas.
        max_norm: Whether the kernels are clipped, see `ClippedDense`.
    """

    def __init__(
        self, width: int, num_blocks: int, dropout: float, synchronized: bool = False, max_norm: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.width, self.num_blocks, self.rate, self.synchronized = width, num_blocks, dropout, synchronized
        self.max_norm = max_norm

        def hidden_layer(name):
            return HiddenLayer(width, dropout, synchronized, max_norm, dtype=self.dtype_policy, name=name)

        self.stem = hidden_layer("stem")
        self.blocks = [(hidden_layer(f"block{i}_first"), hidden_layer(f"block{i}_second")) for i in range(num_blocks)]

    def build(self, input_shape):
        """Builds the weights for inputs (batch, features)."""
        self.stem.build(input_shape)
        for first, second in self.blocks:
            first.build((*input_shape[:-1], self.width))
            second.build((*input_shape[:-1], self.width))

    def call(self, inputs, training=None):
        """Applies the trunk."""
        hidden = self.stem(inputs, training=training)
        for first, second in self.blocks:
            hidden = hidden + second(first(hidden, training=training), training=training)
        return hidden

    def compute_output_shape(self, input_shape):
        """(batch, width)."""
        return (*input_shape[:-1], self.width)

    def get_config(self):
        """Arguments of the layer."""
        return super().get_config() | {
            "width": self.width,
            "num_blocks": self.num_blocks,
            "dropout": self.rate,
            "synchronized": self.synchronized,
            "max_norm": self.max_norm,
        }


def _small():
    # Heads start near zero: from a He start the embedding and the poses begin far outside their range.
    return keras.initializers.VarianceScaling(scale=0.01, mode="fan_in", distribution="truncated_normal")


def build_trunk(config: NetworkConfig, max_norm: bool = False) -> ResidualTrunk:
    """Trunk of that size, which all networks share."""
    return ResidualTrunk(
        config.width, config.num_blocks, config.dropout, config.synchronized_batch_norm, max_norm, name="trunk"
    )


def build_pose_encoder(config: NetworkConfig) -> keras.Model:
    """PoseEncoder: canonical pose (batch, joints, 3) in torso units -> z_mean, z_log_var (batch, embedding_dim).

    The log-variance head starts at zero (unit variance): a random start gives a KL term of thousands.
    """
    pose = keras.Input((config.num_joints, 3), name="pose")
    hidden = build_trunk(config)(layers.Reshape((config.num_joints * 3,), name="flatten")(pose))
    z_mean = layers.Dense(config.embedding_dim, kernel_initializer=_small(), dtype="float32", name="z_mean")(hidden)
    z_log_var = layers.Dense(config.embedding_dim, kernel_initializer="zeros", dtype="float32", name="z_log_var")(
        hidden
    )
    return keras.Model(pose, (z_mean, z_log_var), name="pose_encoder")


def build_pose_decoder(config: NetworkConfig) -> keras.Model:
    """PoseDecoder: embedding (batch, embedding_dim) -> canonical pose (batch, joints, 3) in torso units."""
    embedding = keras.Input((config.embedding_dim,), name="embedding")
    hidden = build_trunk(config)(embedding)
    flat = layers.Dense(config.num_joints * 3, kernel_initializer=_small(), dtype="float32", name="pose")(hidden)
    pose = layers.Reshape((config.num_joints, 3), dtype="float32", name="unflatten")(flat)
    return keras.Model(embedding, pose, name="pose_decoder")


def build_keypoint_encoder(config: NetworkConfig) -> keras.Model:
    """KeypointEncoder: normalised keypoints (batch, joints, 2 or 3) -> embedding (batch, embedding_dim).

    With `use_mask` the third channel is 1 where a joint is visible and 0 where it is missing (its coordinates are
    then 0 too).
    """
    channels = 3 if config.use_mask else 2
    keypoints = keras.Input((config.num_joints, channels), name="keypoints_2d")
    hidden = build_trunk(config)(layers.Reshape((config.num_joints * channels,), name="flatten")(keypoints))
    z_mean = layers.Dense(config.embedding_dim, kernel_initializer=_small(), dtype="float32", name="z_mean")(hidden)
    return keras.Model(keypoints, z_mean, name="keypoint_encoder")
