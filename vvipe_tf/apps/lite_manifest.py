"""model.json: what stands beside exported models, with their hashes, joint orders and constants."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vvipe_tf.formats.detections.json_document import brief, read_json

MANIFEST_FILE = "model.json"
FORMAT = "vvipe-lite"
VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LiteManifest:
    """The part of a model.json that code depends on.

    Args:
        input_joints: Joint names of the keypoints that `lift` and `embed` take.
        pose_joints: Joint names of poses.
        embedding_dim: Size of the embedding.
        score_threshold: Least score of a visible keypoint; applied inside the model.
        hashes: SHA-256 of each model file beside the manifest, by file name.
        content: The whole document.
    """

    input_joints: tuple[str, ...]
    pose_joints: tuple[str, ...]
    embedding_dim: int
    score_threshold: float
    hashes: Mapping[str, str]
    content: Mapping

    @classmethod
    def read(cls, path: str | os.PathLike) -> "LiteManifest":
        """Reads a model.json.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is none of ours, or something in it is missing or of the wrong type.
        """
        content = read_json(path)
        if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"Expected a {FORMAT} document, version {VERSION}. Received: {path}, which is not one")
        try:
            return cls.from_content(content)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    @classmethod
    def from_content(cls, content: Mapping) -> "LiteManifest":
        """Takes a parsed document apart.

        Raises:
            ValueError: If something is missing or of the wrong type.
        """
        dim = _entry(content, ("embedding", "dim"), int)
        if dim < 1:
            raise ValueError(f"Expected a positive embedding.dim. Received: {dim}")
        hashes = {}
        for name, about in _entry(content, ("files",), dict).items():
            digest = _entry({"files": {name: about}}, ("files", name, "sha256"), str)
            if Path(name).name != name or not _SHA256.fullmatch(digest):
                raise ValueError(f"Expected file names with a SHA-256 each. Received: {brief(name)}, {brief(digest)}")
            hashes[name] = digest
        return cls(
            input_joints=_names(content, ("input", "joints")),
            pose_joints=_names(content, ("pose", "joints")),
            embedding_dim=dim,
            score_threshold=float(_entry(content, ("input", "score_threshold"), (int, float))),
            hashes=hashes,
            content=content,
        )

    def to_text(self) -> str:
        """The document as it is written."""
        return json.dumps(self.content, indent=2, ensure_ascii=False) + "\n"


def _entry(content, keys, kind):
    for depth, key in enumerate(keys):
        if not isinstance(content, Mapping) or key not in content:
            raise ValueError(f"Expected an entry {'.'.join(keys[: depth + 1])}. Received: none")
        content = content[key]
    if not isinstance(content, kind) or isinstance(content, bool):
        raise ValueError(f"Expected {'.'.join(keys)} of another type. Received: {brief(content)}")
    return content


def _names(content, keys):
    names = _entry(content, keys, list)
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ValueError(f"Expected different names in {'.'.join(keys)}. Received: {brief(names)}")
    return tuple(names)
