"""Golden vectors for tests in other languages: `python -m export.golden --model FILE --output FILE.json`.

Inputs with missing joints, half bodies and odd scales, and what the model makes of them in the Python interpreter.
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
from vvipe_tf.data.rigs import UNSEEN
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.keypoints import COCO_17

FORMAT = "vvipe-golden"
VERSION = 1
_SEED = 7
_NUM_SYNTHETIC = 80
_WHOLE_BODIES = 16


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m export.golden", description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="model file with its model.json beside it")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args(argv)

    def command():
        cases = write_golden(arguments.model, arguments.output)
        print(f"{cases} cases in {arguments.output}")

    return run_command(command)


def write_golden(model_file: str | os.PathLike, path: str | os.PathLike) -> int:
    """Writes the golden vectors of a model.

    Args:
        model_file: Model file with its model.json beside it.
        path: JSON file to write.

    Returns:
        Number of cases.

    Raises:
        FileNotFoundError: If the model or its model.json is missing.
        ValueError: If the model is refused.
    """
    model = LiteModel.load(model_file)
    cases = golden_inputs()
    keypoints = np.stack(list(cases.values()))
    # One by one, as an app calls it: the size of a batch may change the last digits.
    lifted = [model.lift(each[None]) for each in keypoints]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "model": Path(model_file).name,
        "sha256": hashlib.sha256(Path(model_file).read_bytes()).hexdigest(),
        "input_joints": list(model.manifest.input_joints),
        "pose_joints": list(model.manifest.pose_joints),
        "mm_per_unit": model.manifest.content["pose"]["mm_per_unit"],
        "cases": [
            {
                "name": name,
                "keypoints": _numbers(each),
                "valid": bool(result.valid[0]),
                "embedding": _numbers(result.embedding[0]),
                "pose": _numbers(result.pose[0]),
            }
            for name, each, result in zip(cases, keypoints, lifted, strict=True)
        ],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
    return len(cases)


def golden_inputs() -> dict[str, np.ndarray]:
    """Keypoints (17, 3) by the name of the case, from the built-in synthetic poses."""
    poses = generate_synthetic(num_poses=_NUM_SYNTHETIC, seed=_SEED, num_subjects=1)
    poses = poses.select(np.linspace(0, len(poses) - 1, _WHOLE_BODIES).astype(int))
    views = UNSEEN.project(poses, _SEED)
    views = views[np.arange(_WHOLE_BODIES) % len(views), np.arange(_WHOLE_BODIES)]
    whole = make_detections(views, 0.0, _SEED).keypoints
    cases = {f"whole body {index}": keypoints for index, keypoints in enumerate(whole)}
    body = whole[0]
    for joint in ("nose", "left_wrist", "right_ankle"):
        cases[f"without {joint}"] = _hidden(body, joint)
    cases["upper body"] = _hidden(body, "left_knee", "right_knee", "left_ankle", "right_ankle")
    cases["one side"] = _hidden(
        body, *(name for name in COCO_17.keypoint_names if name.startswith("left_") and "hip" not in name)
    )
    cases["normalised picture coordinates"] = _scaled(body, 1e-3)
    cases["very large picture"] = _scaled(body, 40.0)
    cases["score on the threshold"] = _scored(body, 0.3)
    cases["score below the threshold"] = _scored(body, 0.29)
    cases["without a hip"] = _hidden(body, "left_hip")
    cases["without shoulders"] = _hidden(body, "left_shoulder", "right_shoulder")
    cases["five joints"] = _hidden(
        body, *(name for name in COCO_17.keypoint_names if not name.endswith(("hip", "shoulder", "nose")))
    )
    cases["all joints in one place"] = np.tile(np.float32([320, 240, 1]), (COCO_17.num_joints, 1))
    cases["nothing"] = np.zeros((COCO_17.num_joints, 3), np.float32)
    cases["a coordinate out of bounds"] = _hidden(body)
    cases["a coordinate out of bounds"][COCO_17.index("left_elbow"), 0] = 3e6
    return cases


def _hidden(body, *joints):
    changed = body.copy()
    changed[[COCO_17.index(joint) for joint in joints], 2] = 0.05
    return changed


def _scored(body, score):
    changed = body.copy()
    changed[COCO_17.index("right_wrist"), 2] = score
    return changed


def _scaled(body, factor):
    return body * np.float32([factor, factor, 1])


def _numbers(values):
    # Nine digits bring every float32 back exactly.
    return np.array([float(f"{value:.9g}") for value in values.ravel()]).reshape(values.shape).tolist()


if __name__ == "__main__":
    sys.exit(main())
