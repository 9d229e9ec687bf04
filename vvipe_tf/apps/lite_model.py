"""Runs exported models without TensorFlow. Nothing reaches the interpreter before its hash is verified."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest

REQUIRED_SIGNATURES = ("lift", "embed", "decode")
ENCODE_POSE = "encode_pose"
_BATCH = 256
# An interpreter holds weights of its own, so that large inputs are shared among few.
_MAX_WORKERS = 4
_MAX_BYTES = 1 << 30


class Lifted(NamedTuple):
    """What `LiteModel.lift` returns.

    Attributes:
        embedding: (poses, embedding_dim) float32.
        pose: Canonical poses (poses, 13, 3) float32, torso units.
        valid: (poses,) bool; where False, the detection showed too little of a body and the rest means nothing.
    """

    embedding: np.ndarray
    pose: np.ndarray
    valid: np.ndarray


class LiteModel:
    """An exported V-VIPE model in the LiteRT interpreter. Not for use by several threads at once.

    Many poses at a time are shared among as many interpreters as there are processors, up to four.

    Args:
        content: Bytes of the model.
        sha256: SHA-256 that they must have, hexadecimal.
        manifest: The model.json that came with the model.
        num_threads: Threads of the interpreter; one is fastest for single poses.

    Raises:
        ValueError: If the hash differs, or the content is no V-VIPE model.
    """

    def __init__(self, content: bytes, sha256: str, manifest: LiteManifest | None = None, num_threads: int = 1):
        if num_threads < 1:
            raise ValueError(f"Expected at least 1 thread. Received: {num_threads}")
        check_hash(content, sha256)
        self._content, self._num_threads = content, num_threads
        try:
            interpreter = self._open_interpreter()
            signatures = interpreter.get_signature_list()
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"Expected a TFLite model that this runtime can run. Received: {reason}") from error
        missing = [name for name in REQUIRED_SIGNATURES if name not in signatures]
        if missing:
            raise ValueError(f"Expected a V-VIPE model. Received: a model without the signatures {missing}")
        self.manifest = manifest
        self.signatures = tuple(signatures)
        # Of each interpreter the function that gives the runner of a signature.
        self._workers = [cache(interpreter.get_signature_runner)]

    @classmethod
    def load(cls, path: str | os.PathLike, sha256: str | None = None, num_threads: int = 1) -> "LiteModel":
        """Loads a model file.

        Args:
            path: `.tflite` file.
            sha256: SHA-256 that the file must have; by default that which the model.json beside it names.
            num_threads: Threads of the interpreter.

        Returns:
            The model.

        Raises:
            FileNotFoundError: If the file is missing, or its model.json while no hash is given.
            ValueError: If the hash differs, the model.json does not name the file, or it is no V-VIPE model.
        """
        path = Path(path)
        beside = path.with_name(MANIFEST_FILE)
        if not path.is_file():
            raise FileNotFoundError(f"Expected a model file. Received: {path}, which does not exist")
        if sha256 is None and not beside.is_file():
            raise FileNotFoundError(f"Expected {MANIFEST_FILE} beside {path.name}, or its SHA-256. Received: neither")
        manifest = LiteManifest.read(beside) if beside.is_file() else None
        if sha256 is None:
            sha256 = manifest.hashes.get(path.name)
            if sha256 is None:
                raise ValueError(
                    f"Expected a model that {beside} names: {sorted(manifest.hashes)}. Received: {path.name}"
                )
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"Expected a model of at most {_MAX_BYTES} bytes. Received: {path.stat().st_size}")
        try:
            return cls(path.read_bytes(), sha256, manifest, num_threads)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def lift(self, keypoints: np.ndarray) -> Lifted:
        """Lifts detections.

        Args:
            keypoints: COCO_17 (poses, 17, 3): x and y in pixels, y down, and the score.

        Returns:
            Embeddings, poses and which of them are valid.

        Raises:
            ValueError: If the shape is wrong.
        """
        result = self._run("lift", "keypoints", keypoints)
        return Lifted(result["embedding"], result["pose"], result["valid"] > 0.5)

    def embed(self, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Embeds detections (poses, 17, 3) -> embeddings (poses, embedding_dim), valid (poses,) bool.

        Raises:
            ValueError: If the shape is wrong.
        """
        result = self._run("embed", "keypoints", keypoints)
        return result["embedding"], result["valid"] > 0.5

    def decode(self, embedding: np.ndarray) -> np.ndarray:
        """Decodes embeddings (poses, embedding_dim) -> canonical poses (poses, 13, 3), torso units.

        Raises:
            ValueError: If the shape is wrong.
        """
        return self._run("decode", "embedding", embedding)["pose"]

    def encode_pose(self, pose: np.ndarray) -> np.ndarray:
        """Embeds canonical COCO_13 poses (poses, 13, 3), torso units -> (poses, embedding_dim).

        Raises:
            ValueError: If the shape is wrong, or the model was exported without this signature.
        """
        if ENCODE_POSE not in self.signatures:
            raise ValueError(
                f"Expected a model that encodes 3D poses. Received: one without the signature {ENCODE_POSE}; use "
                "PoseEmbedder.from_run(folder), --model on the command line, or export it again with "
                "`python -m export.to_tflite --encode-pose full`"
            )
        return self._run(ENCODE_POSE, "pose", pose)["embedding"]

    def prepare_lift(self, keypoints: np.ndarray) -> Callable[[], None]:
        """A function that runs the graph of `lift` on the same detections again and again, for timing.

        Args:
            keypoints: COCO_17 (poses, 17, 3).

        Raises:
            ValueError: If the shape is wrong.
        """
        keypoints = self._checked(keypoints, "keypoints", self._shape_of("lift", "keypoints"))
        # The signature runners hold on to their interpreter, so this is another. Its first subgraph is that of lift.
        interpreter = self._open_interpreter()
        (details,) = interpreter.get_input_details()
        interpreter.resize_tensor_input(details["index"], keypoints.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(details["index"], keypoints)
        return interpreter.invoke

    def _run(self, signature, name, values):
        shape = self._shape_of(signature, name)
        values = self._checked(values, name, shape)
        step = 1 if shape[0] == 1 else _BATCH
        # An empty batch is not for the interpreter: run one row of zeros and keep none of it.
        rows = values if len(values) else np.zeros((1, *shape[1:]), np.float32)
        parts = self._shared(signature, name, [rows[start : start + step] for start in range(0, len(rows), step)])
        return {key: np.concatenate([part[key] for part in parts])[: len(values)] for key in parts[0]}

    def _shared(self, signature, name, batches):
        """Outputs of each batch; every worker takes its turn."""
        count = min(_MAX_WORKERS, _num_processors(), len(batches)) if len(batches[0]) == _BATCH else 1
        while len(self._workers) < count:
            self._workers.append(cache(self._open_interpreter().get_signature_runner))
        parts = [None] * len(batches)

        def work(number):
            runner = self._workers[number](signature)
            parts[number::count] = [runner(**{name: batch}) for batch in batches[number::count]]

        if count == 1:
            work(0)
        else:
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(work, range(count)))
        return parts

    def _open_interpreter(self):
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(model_content=self._content, num_threads=self._num_threads)

    @staticmethod
    def _checked(values, name, shape):
        values = np.asarray(values, np.float32)
        if values.shape[1:] != shape[1:]:
            sizes = ", ".join(map(str, shape[1:]))
            raise ValueError(f"Expected {name} of shape (poses, {sizes}). Received: shape={values.shape}")
        return values

    def _shape_of(self, signature, name):
        """Shape of the only input of a signature; the first size is -1 where it takes any number of poses."""
        if signature not in self.signatures:
            raise ValueError(f"Expected a signature among {self.signatures}. Received: {signature}")
        details = self._workers[0](signature).get_input_details()
        if list(details) != [name]:
            raise ValueError(f"Expected {signature} to take {name}. Received: {list(details)}")
        return tuple(int(size) for size in details[name]["shape_signature"])


def _num_processors() -> int:
    # Those that this process may use, where the system tells.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_hash(content: bytes, sha256: str) -> None:
    """Compares the SHA-256 of a model.

    Raises:
        ValueError: If it differs.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.lower():
        raise ValueError(f"Expected a model with the SHA-256 {sha256.lower()}. Received: {found}, {len(content)} bytes")
