"""What a `PoseEmbedder` needs of a model, whichever runtime it comes from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vvipe_tf.keypoints import COCO_13, COCO_17

if TYPE_CHECKING:
    from vvipe_tf.apps.lite_model import LiteModel
    from vvipe_tf.models.run_folder import TrainedModel

# Least score of a joint that counts, where a model does not name its own.
DEFAULT_SCORE_THRESHOLD = 0.3
_IN_COCO_17 = [COCO_17.index(name) for name in COCO_13.keypoint_names]


class EmbeddingModel(Protocol):
    """A trained model with NumPy in and NumPy out; joints are COCO_13.

    Attributes:
        embedding_dim: Size of the embedding.
        uses_mask: Whether the model takes detections with missing joints.
        score_threshold: Least score of a joint that counts.
        model_id: SHA-256 of the trained weights; only embeddings of the same weights are comparable.
        description: What is known of the model, among it `uncertainty` and `embedding_statistics` where it has them.
    """

    embedding_dim: int
    uses_mask: bool
    score_threshold: float
    model_id: str
    description: Mapping[str, Any]

    def embed_keypoints(self, keypoints_2d: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Keypoints (poses, 13, 2) of any scale and mask (poses, 13) -> embeddings (poses, embedding_dim) float32."""

    def embed_poses(self, canonical_pose: np.ndarray) -> np.ndarray:
        """Canonical poses (poses, 13, 3), torso units -> embeddings (poses, embedding_dim) float32."""

    def decode(self, embedding: np.ndarray) -> np.ndarray:
        """Embeddings (poses, embedding_dim) -> canonical poses (poses, 13, 3) float32, torso units."""


class RunModel:
    """The model of a run folder, on TensorFlow.

    Args:
        trained: What `vvipe_tf.models.run_folder.load_run` returned.
    """

    def __init__(self, trained: "TrainedModel"):
        """Takes over the trained model."""
        self.embed_keypoints = trained.embed_keypoints
        self.embed_poses = trained.embed_poses
        self.decode = trained.decode
        self.embedding_dim = trained.network_config.embedding_dim
        self.uses_mask = trained.network_config.use_mask
        self.score_threshold = DEFAULT_SCORE_THRESHOLD
        self.model_id = trained.config["weights_sha256"]
        self.description = trained.config


class ExportedModel:
    """An exported model with its model.json, on LiteRT.

    Args:
        lite: The model.
        file_name: Name of its file, as in the model.json.

    Raises:
        ValueError: If the model came without a model.json, or takes other joints than these.
    """

    def __init__(self, lite: "LiteModel", file_name: str):
        """Checks what the model.json says against what is done here."""
        manifest = lite.manifest
        if manifest is None:
            raise ValueError("Expected a model with its model.json beside it. Received: the model alone")
        if (manifest.input_joints, manifest.pose_joints) != (COCO_17.keypoint_names, COCO_13.keypoint_names):
            raise ValueError(
                "Expected a model that takes the joints of COCO_17 and gives those of COCO_13. "
                f"Received: {manifest.input_joints} and {manifest.pose_joints}"
            )
        self._lite = lite
        self.decode = lite.decode
        self.embed_poses = lite.encode_pose
        self.embedding_dim = manifest.embedding_dim
        self.uses_mask = not manifest.content["input"].get("needs_all_joints", False)
        self.score_threshold = manifest.score_threshold
        about = manifest.content["files"][file_name]
        origin = about.get("model") or manifest.content.get("training", {})
        self.model_id = origin.get("weights_sha256") or manifest.hashes[file_name]
        self.description = {**manifest.content, "files": {file_name: about}}

    def embed_keypoints(self, keypoints_2d: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """As `EmbeddingModel.embed_keypoints`."""
        detections = np.zeros((len(keypoints_2d), COCO_17.num_joints, 3), np.float32)
        detections[:, _IN_COCO_17, :2] = keypoints_2d
        detections[:, _IN_COCO_17, 2] = mask
        return self._lite.embed(detections)[0]
