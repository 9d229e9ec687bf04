"""Size of the networks; known without importing TensorFlow."""

from dataclasses import dataclass

from vvipe_tf.keypoints import COCO_13


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the networks; the same for the pose encoder, the decoder and the keypoint encoder.

    Args:
        embedding_dim: Size of the embedding.
        width: Units of each hidden layer.
        num_blocks: Residual blocks of two hidden layers each.
        dropout: Dropout rate after each hidden layer.
        use_mask: Whether the keypoint encoder takes a third channel that says which joints are visible.
        num_joints: Joints of a pose.
        synchronized_batch_norm: Whether batch statistics are taken over all replicas.

    Raises:
        ValueError: If a size is not positive, or dropout is not in [0, 1).
    """

    embedding_dim: int = 32
    width: int = 1024
    num_blocks: int = 2
    dropout: float = 0.1
    use_mask: bool = True
    num_joints: int = COCO_13.num_joints
    synchronized_batch_norm: bool = False

    def __post_init__(self):
        """Checks the sizes."""
        for name in ("embedding_dim", "width", "num_blocks", "num_joints"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} of at least 1. Received: {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Expected dropout in [0, 1). Received: {self.dropout}")
