"""`PoseEmbedder`: keypoints or poses in; embeddings, canonical poses and distances out."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vvipe_tf.apps.embedding_model import EmbeddingModel, ExportedModel, RunModel
from vvipe_tf.apps.embedding_statistics import EmbeddingStatistics
from vvipe_tf.apps.generate import random_directions
from vvipe_tf.apps.keypoint_input import KeypointInput, prepare_keypoints
from vvipe_tf.apps.lift_result import LiftResult
from vvipe_tf.apps.pretrained_model import pretrained_file
from vvipe_tf.apps.uncertainty import UncertaintyWeights, uncertainty_signs
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.layout.finding import LayoutWarning
from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.keypoints import COCO_13, COCO_17, KeypointProfile, get_profile, map_keypoints
from vvipe_tf.silence import silenced_start


class PoseEmbedder:
    """View-invariant embeddings of human poses, and the poses behind them.

    ```
    embedder = PoseEmbedder.from_pretrained()
    result = embedder.lift(keypoints, scores)         # result.poses, .embeddings, .valid, .uncertainty
    embedder.distance(result.embeddings[0], embedder.encode_pose(mocap_pose, "H36M_17"))
    ```

    Keypoints may be those of any known profile (`vvipe_tf.keypoints.PROFILES`), named or told from their number, in
    pixels or in any unit with square pixels, x to the right and y down. Poses go in with any unit, place and
    orientation and come out canonical, see `LiftResult`.

    Args:
        model: Trained model. Use `from_pretrained`, `from_tflite` or `from_run` to get one.

    Attributes:
        check_layout: Whether `lift` and `embed` issue a `LayoutWarning` where no body could have the joint order; that
            costs a few milliseconds a call.
    """

    def __init__(self, model: EmbeddingModel):
        """Takes over the model."""
        self._model = model
        self.check_layout = True
        weights = model.description.get("uncertainty")
        self._uncertainty_weights = UncertaintyWeights() if weights is None else UncertaintyWeights(**weights)

    @classmethod
    def from_pretrained(cls, variant: str | None = None) -> "PoseEmbedder":
        """The model that comes with the package, on LiteRT; TensorFlow is not imported.

        Args:
            variant: Which file of it, `"dynamic_range"` (fastest), `"float16"` or `"float32"` (exact) among others;
                None for the first of these that is there.

        Raises:
            FileNotFoundError: If this copy of the package has no model, or not that variant.
            ValueError: If a file is damaged.
        """
        return cls.from_tflite(pretrained_file(variant))

    @classmethod
    def from_tflite(cls, path: str | os.PathLike) -> "PoseEmbedder":
        """An exported model with its model.json beside it, on LiteRT; TensorFlow is not imported.

        Raises:
            FileNotFoundError: If the file or its model.json is missing.
            ValueError: If the file is not the one whose SHA-256 the model.json names, or no such model.
        """
        from vvipe_tf.apps.lite_model import LiteModel

        with silenced_start():  # On its first run the runtime reports its delegates on stderr.
            lite = LiteModel.load(path)
            lite.embed(np.zeros((0, COCO_17.num_joints, 3), np.float32))
        return cls(ExportedModel(lite, Path(path).name))

    @classmethod
    def from_run(cls, run_dir: str | os.PathLike) -> "PoseEmbedder":
        """The model of a run folder, on TensorFlow (which takes seconds to start).

        Raises:
            FileNotFoundError: If the folder, its config or its weights are missing.
            ValueError: If it is no finished run, or the weights are not those that were saved.
        """
        if not (Path(run_dir) / "config.json").is_file():  # Said before TensorFlow takes its time to start.
            raise FileNotFoundError(f"Expected a run folder with a config.json. Received: {run_dir}")
        with silenced_start():
            from vvipe_tf.models.run_folder import load_run
        return cls(RunModel(load_run(run_dir)))

    @property
    def embedding_dim(self) -> int:
        """Size of the embedding."""
        return self._model.embedding_dim

    @property
    def score_threshold(self) -> float:
        """Least score of a joint that counts."""
        return self._model.score_threshold

    @property
    def model_id(self) -> str:
        """SHA-256 of the trained weights; only embeddings of the same weights are comparable."""
        return self._model.model_id

    @property
    def torso_length_mm(self) -> float | None:
        """Mean length of a torso, the unit of poses, in the data that the model was trained on; None if unknown."""
        return self.description.get("pose", {}).get("mm_per_unit")

    @property
    def description(self) -> Mapping[str, Any]:
        """What is known of the model: versions, data, licences and the like."""
        return self._model.description

    def lift(
        self,
        keypoints: np.ndarray | DetectionTable,
        scores: np.ndarray | None = None,
        profile: KeypointProfile | str | None = None,
        uncertainty: bool = True,
    ) -> LiftResult:
        """Lifts 2D keypoints to canonical 3D poses.

        A joint counts if its score reaches the model's threshold; missing joints are masked. A detection without both
        hips, a shoulder and 6 joints, or with all of them on a line, is refused: its row is not `valid`. Of a half body
        that is valid, `visible` tells the joints that were seen. A joint order that no body could have is lifted all
        the same, with a `LayoutWarning`.

        Args:
            keypoints: Keypoints (detections, joints, 2) or (joints, 2); with a third column it is the score. Joints at
                NaN, or without scores at exactly (0, 0), are missing. Or a `DetectionTable`, which brings the rest.
            scores: Scores in [0, 1], or a mask, (detections, joints) or (joints,).
            profile: Profile or its name; None to tell it from the number of joints and the anatomy.
            uncertainty: Whether to estimate it; that costs another run of the model.

        Returns:
            One row a detection: poses (detections, 13, 3) in the canonical frame (mid-hip at the origin, hips along y,
            spine towards +z, the person facing -x) in torso lengths, with embeddings, validity and uncertainty.

        Raises:
            ValueError: If a shape does not fit, a score lies outside [0, 1], or the profile cannot be told.
        """
        detections, valid = self._prepared(keypoints, scores, profile)
        points, visible = detections.keypoints_2d[valid], detections.visible[valid]
        embeddings = self._model.embed_keypoints(points, visible)
        poses = self._model.decode(embeddings)
        expected = None
        if uncertainty:
            signs = uncertainty_signs(self._lifted, points, visible, poses)
            expected = _scattered((signs @ np.array(self._uncertainty_weights)).astype(np.float32), valid)
        return LiftResult(
            _scattered(poses, valid),
            _scattered(embeddings, valid),
            valid,
            detections.keypoints_2d,
            detections.visible,
            expected,
        )

    def embed(
        self,
        keypoints: np.ndarray | DetectionTable,
        scores: np.ndarray | None = None,
        profile: KeypointProfile | str | None = None,
    ) -> np.ndarray:
        """Embeds 2D keypoints; arguments, errors and warnings as for `lift`, which states the uncertainty as well.

        Returns:
            Embeddings (detections, embedding_dim) float32; rows of detections that show too little of a body are NaN.
        """
        detections, valid = self._prepared(keypoints, scores, profile)
        embeddings = self._model.embed_keypoints(detections.keypoints_2d[valid], detections.visible[valid])
        return _scattered(embeddings, valid)

    def encode_pose(
        self, poses: np.ndarray, profile: KeypointProfile | str = COCO_13, canonical: bool = False
    ) -> np.ndarray:
        """Embeds 3D poses into the space of `embed`.

        Args:
            poses: Poses (..., joints, 3), any unit, place and orientation.
            profile: Profile of the poses, or its name.
            canonical: Whether they are canonical already, in torso lengths, as `lift` and `decode` return them.

        Returns:
            Embeddings (..., embedding_dim) float32.

        Raises:
            ValueError: If the shape does not fit the profile, or a pose is degenerate or not finite.
        """
        profile = get_profile(profile) if isinstance(profile, str) else profile
        poses = np.asarray(poses)
        if poses.dtype.kind not in "fiu" or poses.ndim < 2 or poses.shape[-2:] != (profile.num_joints, 3):
            raise ValueError(
                f"Expected poses of shape (..., {profile.num_joints}, 3) for {profile.name}. "
                f"Received: {poses.dtype} of shape={poses.shape}"
            )
        if not canonical:
            poses, _ = canonicalise(poses, profile)
        elif not np.isfinite(poses).all():
            raise ValueError("Expected finite poses. Received: NaN or infinite coordinates")
        body = map_keypoints(poses, profile, COCO_13)
        embeddings = self._model.embed_poses(body.reshape(-1, COCO_13.num_joints, 3).astype(np.float32))
        return embeddings.reshape(*poses.shape[:-2], self.embedding_dim)

    def decode(self, embeddings: np.ndarray) -> np.ndarray:
        """Decodes embeddings.

        Args:
            embeddings: (..., embedding_dim).

        Returns:
            Poses COCO_13 (..., 13, 3) float32 in the canonical frame (mid-hip at the origin, hips along y, spine
            towards +z, the person facing -x), torso lengths. NaN where an embedding is.

        Raises:
            ValueError: If the shape does not fit.
        """
        embeddings = self._checked(embeddings)
        poses = self._model.decode(embeddings.reshape(-1, self.embedding_dim).astype(np.float32))
        return poses.reshape(*embeddings.shape[:-1], COCO_13.num_joints, 3)

    def distance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Euclidean distance between embeddings (..., embedding_dim), which broadcast: (...); smaller is more alike.

        Raises:
            ValueError: If a shape does not fit.
        """
        return np.linalg.norm(self._checked(a) - self._checked(b), axis=-1)

    def sample(self, num_samples: int, seed: int = 0, source: str | None = None) -> np.ndarray:
        """Draws embeddings; `decode` makes poses of them.

        Args:
            num_samples: Number of samples.
            seed: Seed of the draw.
            source: `"posterior"`, the normal distribution of the embeddings of the training poses, or `"prior"`, the
                standard normal distribution. None takes the first that the model knows.

        Returns:
            Embeddings (num_samples, embedding_dim) float32.

        Raises:
            ValueError: If the source is unknown, or the model does not know its posterior.
        """
        known = EmbeddingStatistics.of_model(self.description)
        source = source or ("prior" if known is None else "posterior")
        if source not in ("prior", "posterior") or (source == "posterior" and known is None):
            sources = "'prior'" if known is None else "'prior' or 'posterior'"
            raise ValueError(f"Expected a source of samples that this model has, {sources}. Received: {source!r}")
        if source == "prior":
            return random_directions(num_samples, self.embedding_dim, seed).astype(np.float32)
        return (known.mean + known.noise(num_samples, seed)).astype(np.float32)

    def perturb(self, embedding: np.ndarray, alpha: float = 0.3, num_samples: int = 8, seed: int = 0) -> np.ndarray:
        """Neighbours of an embedding, `embedding + alpha * z` (Figure 7 of the paper).

        z is normal, with the covariance of the embeddings of the training poses; white where the model does not know
        it. So does `python -m vvipe_tf generate neighbours`.

        Args:
            embedding: Embedding (embedding_dim,).
            alpha: Size of the change; the paper shows 0.2 to 0.5.
            num_samples: Number of neighbours.
            seed: Seed of the noise.

        Returns:
            Embeddings (num_samples, embedding_dim) float32.

        Raises:
            ValueError: If the shape does not fit, or alpha is not finite.
        """
        if not np.isfinite(alpha):
            raise ValueError(f"Expected a finite alpha. Received: {alpha}")
        known = EmbeddingStatistics.of_model(self.description)
        white = known is None
        noise = random_directions(num_samples, self.embedding_dim, seed) if white else known.noise(num_samples, seed)
        return (self._checked(embedding, single=True) + alpha * noise).astype(np.float32)

    def interpolate(self, start: np.ndarray, end: np.ndarray, num_steps: int = 10) -> np.ndarray:
        """Embeddings on the straight line between two.

        Args:
            start: Embedding (embedding_dim,).
            end: Embedding (embedding_dim,).
            num_steps: Number of embeddings, both ends included.

        Returns:
            Embeddings (num_steps, embedding_dim) float32.

        Raises:
            ValueError: If a shape does not fit.
        """
        start, end = self._checked(start, single=True), self._checked(end, single=True)
        return np.linspace(start, end, num_steps).astype(np.float32)

    def _prepared(self, keypoints, scores, profile) -> tuple[KeypointInput, np.ndarray]:
        if isinstance(keypoints, DetectionTable):
            if scores is not None or profile is not None:
                raise ValueError("Expected a detection table alone. Received: scores or a profile beside it")
            keypoints, scores, profile = keypoints.keypoints_2d, keypoints.scores, keypoints.profile
        detections = prepare_keypoints(keypoints, scores, profile, self.score_threshold, self.check_layout)
        for finding in detections.findings:
            warnings.warn(f"{finding.message} (confidence {finding.confidence:.2f})", LayoutWarning, stacklevel=3)
        whole = True if self._model.uses_mask else detections.visible.all(axis=-1)
        return detections, detections.valid & whole

    def _lifted(self, keypoints_2d, visible):
        return self._model.decode(self._model.embed_keypoints(keypoints_2d, visible))

    def _checked(self, embeddings, single=False):
        embeddings = np.asarray(embeddings)
        wanted = f"({self.embedding_dim},)" if single else f"(..., {self.embedding_dim})"
        fits = embeddings.ndim == 1 if single else embeddings.ndim >= 1
        if embeddings.dtype.kind not in "fiu" or not fits or embeddings.shape[-1] != self.embedding_dim:
            raise ValueError(
                f"Expected embeddings of shape {wanted}. Received: {embeddings.dtype} of shape={embeddings.shape}"
            )
        return embeddings.astype(np.float64)


def _scattered(values, valid):
    """Values (valid rows, ...) at their rows (all rows, ...), NaN elsewhere."""
    rows = np.full((len(valid), *values.shape[1:]), np.nan, np.float32)
    rows[valid] = values
    return rows
