"""A small gallery of named poses for apps: `python -m export.gallery --model FILE --output FILE.json`.

One pose of each built-in action, with the embedding that the model gives it on average over the cameras of a ring.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.detections import make_detections
from vvipe_tf.apps.lite_model import LiteModel
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.rigs import UNSEEN
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.data.synthetic.actions import LYING_ACTIONS
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.keypoints import COCO_13

FORMAT = "vvipe-gallery"
VERSION = 1
_SEED = 11
_NUM_SYNTHETIC = 800


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m export.gallery", description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="model file with its model.json beside it")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args(argv)

    def command():
        poses = write_gallery(arguments.model, arguments.output)
        print(f"{poses} poses in {arguments.output}")

    return run_command(command)


def write_gallery(model_file: str | os.PathLike, path: str | os.PathLike) -> int:
    """Writes the gallery of a model; it is of use with this model only.

    Args:
        model_file: Model file with its model.json beside it.
        path: JSON file to write.

    Returns:
        Number of poses.

    Raises:
        FileNotFoundError: If the model or its model.json is missing.
        ValueError: If the model is refused.
    """
    model = LiteModel.load(model_file)
    names, poses = characteristic_poses(generate_synthetic(_NUM_SYNTHETIC, _SEED, num_subjects=1))
    views = make_detections(UNSEEN.project(poses, _SEED), 0.0, _SEED).keypoints
    embeddings = np.mean([model.embed(view)[0] for view in views], axis=0)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "model": Path(model_file).name,
        "model_sha256": hashlib.sha256(Path(model_file).read_bytes()).hexdigest(),
        "joints": list(COCO_13.keypoint_names),
        "unit": model.manifest.content["pose"]["unit"],
        "license": " ".join(poses.licenses.values()),
        "poses": [
            {"name": name, "embedding": _numbers(embedding), "pose": _numbers(pose)}
            for name, embedding, pose in zip(names, embeddings, poses.canonical(COCO_13), strict=True)
        ],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
    return len(names)


def characteristic_poses(dataset: PoseDataset) -> tuple[list[str], PoseDataset]:
    """The pose of each action that is farthest from the mean of all: the bottom of a squat, not its beginning.

    Lying is left out: a canonical pose does not know where down is, so it is only another way of standing.

    Args:
        dataset: Built-in poses; their sequences are named `subject/action_number`.

    Returns:
        Names of the actions, in words, and a pose each.
    """
    actions = np.array([str(sequence).rpartition("/")[2].rpartition("_")[0] for sequence in dataset.sequence])
    canonical = dataset.canonical(COCO_13)
    distance = np.linalg.norm(canonical - canonical.mean(axis=0), axis=-1).mean(axis=-1)
    names = [name for name in dict.fromkeys(actions.tolist()) if name not in LYING_ACTIONS]
    chosen = [int(np.argmax(np.where(actions == name, distance, -1.0))) for name in names]
    return [name.replace("_", " ") for name in names], dataset.select(np.array(chosen))


def _numbers(values):
    return np.round(values.astype(np.float64), 5).tolist()


if __name__ == "__main__":
    sys.exit(main())
