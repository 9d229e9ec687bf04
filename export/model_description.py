"""What an exported model says of itself: joints, constants, units, axes, licences, origin."""

from collections.abc import Mapping
from pathlib import Path

from export.lift_module import COORDINATE_LIMIT, LiftConfig
from vvipe_tf.apps.lite_manifest import FORMAT, VERSION
from vvipe_tf.apps.lite_model import ENCODE_POSE
from vvipe_tf.geometry.keypoints_2d import MIN_VISIBLE_JOINTS, TORSO_EXTENT
from vvipe_tf.keypoints import COCO_13, COCO_17

_DESCRIPTION = (
    "V-VIPE: lifts 2D keypoints of one person to a view-invariant embedding and a canonical 3D pose. "
    "The score gate, the reduction of joints and the normalisation are in the graph."
)
# What training measured of the model and apps ask for.
_PASSED_ON = ("uncertainty", "embedding_statistics")
_KEYPOINTS = (
    "COCO-17 keypoints (batch, 17, 3), float32: x and y in pixels of an undistorted picture, y down, and the score."
)
_EMBEDDING = "Embedding (batch, embedding_dim), float32; the nearer two are (L2), the more alike are the poses."
_POSE = (
    "Canonical pose (batch, 13, 3), float32, in torso units: pelvis at the origin, left hip towards -y, right hip "
    "towards +y, spine towards +z, x = y cross z."
)
_VALID = (
    "(batch,), float32: 1 where both hips, a shoulder and at least 6 joints are visible, else 0; the other outputs "
    "then mean nothing."
)


def describe_lite_model(
    name: str,
    model_version: str,
    license_text: str,
    config: LiftConfig,
    run: Mapping,
    torso_mm: float,
    pose_encoder: Mapping | None = None,
) -> dict:
    """The content of model.json without its files.

    Args:
        name: Name of the model.
        model_version: Version of the model.
        license_text: Licence of the weights.
        config: What is built into the graph.
        run: Content of the run's config.json.
        torso_mm: Mean torso length of the training poses, millimetres.
        pose_encoder: What `describe_pose_encoder` says, if the model has one.

    Returns:
        JSON-ready description.
    """
    optional = {key: run[key] for key in _PASSED_ON if key in run}
    signatures = {
        "lift": {"keypoints": _KEYPOINTS, "embedding": _EMBEDDING, "pose": _POSE, "valid": _VALID},
        "embed": {"keypoints": _KEYPOINTS, "embedding": _EMBEDDING, "valid": _VALID},
        "decode": {"embedding": _EMBEDDING, "pose": _POSE},
    }
    if pose_encoder is not None:
        optional["pose_encoder"] = dict(pose_encoder)
        signatures[ENCODE_POSE] = {"pose": _POSE, "embedding": _EMBEDDING}
    return optional | {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "model_version": model_version,
        "description": _DESCRIPTION,
        "author": "V-VIPE for TensorFlow",
        "license": license_text,
        "input": {
            "profile": COCO_17.name,
            "joints": list(COCO_17.keypoint_names),
            "channels": ["x", "y", "score"],
            "unit": "pixel",
            "y_axis": "down",
            "score_threshold": config.score_threshold,
            "coordinate_limit": COORDINATE_LIMIT,
            "needs_all_joints": not config.network.use_mask,
        },
        "normalisation": {
            "offset": "middle of the hips",
            "torso_extent": TORSO_EXTENT,
            "min_visible_joints": MIN_VISIBLE_JOINTS,
        },
        "embedding": {"dim": config.network.embedding_dim, "distance": "L2"},
        "pose": {
            "profile": COCO_13.name,
            "joints": list(COCO_13.keypoint_names),
            "bones": [list(bone) for bone in COCO_13.bones],
            "unit": "torso: pelvis to spine plus spine to neck",
            "mm_per_unit": round(torso_mm, 1),
            "axes": {"x": "back of the person: y cross z", "y": "left hip to right hip", "z": "spine, up"},
            "origin": "pelvis",
        },
        "signatures": signatures,
        "training": _describe_training(run),
    }


def describe_pose_encoder(kind: str, run: Mapping) -> dict:
    """Which network `encode_pose` is.

    Args:
        kind: `"full"`, the encoder that was trained, or `"distilled"`, a smaller one that learnt from it.
        run: Content of the config.json of the run that it is from.

    Returns:
        JSON-ready description.
    """
    size = {key: run["model"][key] for key in ("width", "num_blocks")}
    return {"kind": kind} | size | {key: run.get(key) for key in ("weights_sha256", "distilled_from")}


def _describe_training(run):
    """Origin of the weights, without paths of the machine that trained them."""
    data = dict(run.get("data", {}))
    data["data"] = Path(str(data.get("data", "unknown"))).name
    train = {key: value for key, value in run.get("train", {}).items() if key not in ("run_dir", "data")}
    preset, seed = train.get("preset"), run.get("seed")
    return {"data": data, "train": train, "command": f"python -m training.train --preset {preset} --seed {seed}"} | {
        key: run.get(key) for key in ("commit", "seed", "versions", "weights_sha256", "distilled_from")
    }
