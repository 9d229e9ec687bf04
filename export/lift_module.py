"""The graph that is exported: keypoints of a detector in, embedding and canonical pose out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf
from keras import ops

from export.folded_network import FoldedNetwork, named_layers
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints, valid_keypoints
from vvipe_tf.keypoints import COCO_13, COCO_17
from vvipe_tf.models.network_config import NetworkConfig

# Keypoints of a lower score are treated as missing. MoveNet gives joints outside the picture 0.02 to 0.1.
SCORE_THRESHOLD = 0.3
# Coordinates beyond this, infinite ones and NaN are treated as missing: no image is so large, and the square of it
# still fits into float32.
COORDINATE_LIMIT = 1e6


@dataclass(frozen=True)
class LiftConfig:
    """What is built into the graph.

    Args:
        network: Size of the networks.
        score_threshold: Least score of a visible keypoint.
        batch_size: Fixed batch, or None for any batch.
    """

    network: NetworkConfig
    score_threshold: float = SCORE_THRESHOLD
    batch_size: int | None = None


class LiftModule(tf.Module):
    """Keypoint encoder and decoder, with everything between a detector's output and the network in the graph.

    The weights are variables of this module, so that all signatures share one copy of them in the exported file. (A
    Keras model inside a `tf.Module` is not tracked, and is exported without weights.)

    Args:
        config: What is built into the graph.
        networks: `keypoint_encoder` and `pose_decoder`, and `pose_encoder` if `encode_pose` is wanted.
    """

    def __init__(self, config: LiftConfig, networks: Mapping[str, FoldedNetwork]):
        super().__init__(name="vvipe")
        self.config = config
        self.num_blocks = {name: len(network.blocks) for name, network in networks.items()}
        self.weights = {
            name: {place: (_variable(layer.kernel), _variable(layer.bias)) for place, layer in named_layers(network)}
            for name, network in networks.items()
        }

    def signatures(self) -> dict[str, Callable]:
        """Concrete functions by signature name."""
        model = self.config.network
        batch = self.config.batch_size
        keypoints = tf.TensorSpec((batch, COCO_17.num_joints, 3), tf.float32, name="keypoints")
        embedding = tf.TensorSpec((batch, model.embedding_dim), tf.float32, name="embedding")
        pose = tf.TensorSpec((batch, model.num_joints, 3), tf.float32, name="pose")
        functions = {
            "lift": (self.lift, keypoints),
            "embed": (self.embed, keypoints),
            "decode": (self.decode, embedding),
        }
        if "pose_encoder" in self.weights:
            functions["encode_pose"] = (self.encode_pose, pose)
        return {
            name: tf.function(function, autograph=False).get_concrete_function(spec)
            for name, (function, spec) in functions.items()
        }

    def lift(self, keypoints: tf.Tensor) -> dict[str, tf.Tensor]:
        """Keypoints -> embedding, canonical pose and validity.

        Args:
            keypoints: COCO_17 (batch, 17, 3): x and y in pixels, y down, and the score.

        Returns:
            `embedding` (batch, embedding_dim); `pose`, COCO_13 (batch, 13, 3) in the canonical frame, torso units;
            `valid` (batch,), 1 where the detection shows enough of a body, else 0 (the other outputs are then finite
            and mean nothing).
        """
        result = self.embed(keypoints)
        return result | self.decode(result["embedding"])

    def embed(self, keypoints: tf.Tensor) -> dict[str, tf.Tensor]:
        """Keypoints -> embedding and validity, as `lift` without the pose."""
        inputs, valid = self._prepare(keypoints)
        return {"embedding": self._apply("keypoint_encoder", inputs), "valid": valid}

    def decode(self, embedding: tf.Tensor) -> dict[str, tf.Tensor]:
        """Embedding (batch, embedding_dim) -> `pose` (batch, 13, 3), torso units."""
        flat = self._apply("pose_decoder", embedding)
        return {"pose": tf.reshape(flat, (-1, self.config.network.num_joints, 3))}

    def encode_pose(self, pose: tf.Tensor) -> dict[str, tf.Tensor]:
        """Canonical COCO_13 pose (batch, 13, 3), torso units -> `embedding` (batch, embedding_dim)."""
        flat = tf.reshape(pose, (-1, self.config.network.num_joints * 3))
        return {"embedding": self._apply("pose_encoder", flat)}

    def prepare(self, keypoints: tf.Tensor) -> tf.Tensor:
        """What the keypoint encoder sees of detections (batch, 17, 3): (batch, 39), or 26 without a mask."""
        return self._prepare(keypoints)[0]

    def _prepare(self, keypoints):
        keypoints = tf.gather(keypoints, [COCO_17.index(name) for name in COCO_13.keypoint_names], axis=1)
        points, scores = keypoints[..., :2], keypoints[..., 2]
        inside = tf.reduce_all(tf.abs(points) <= COORDINATE_LIMIT, axis=-1)
        visible = tf.logical_and(scores >= self.config.score_threshold, inside)
        normalised, _ = normalise_keypoints(points, visible, xp=ops)
        valid = valid_keypoints(tf.where(visible[..., None], points, 0.0), visible, xp=ops)
        if self.config.network.use_mask:
            normalised = tf.concat([normalised, tf.cast(visible, tf.float32)[..., None]], axis=-1)
        else:
            valid = tf.logical_and(valid, tf.reduce_all(visible, axis=-1))
        features = normalised.shape[1] * normalised.shape[2]
        return tf.reshape(normalised, (-1, features)), tf.cast(valid, tf.float32)

    def _apply(self, name, inputs):
        layers = iter(self.weights[name].items())

        def dense(hidden):
            layer, (kernel, bias) = next(layers)
            # Quantisation finds the layers by these names.
            with tf.name_scope(f"{name}_{layer}"):
                return tf.matmul(hidden, kernel) + bias

        hidden = tf.nn.relu(dense(inputs))
        for _ in range(self.num_blocks[name]):
            hidden = hidden + tf.nn.relu(dense(tf.nn.relu(dense(hidden))))
        return dense(hidden)


def _variable(values):
    return tf.Variable(values.astype("float32"), trainable=False)
