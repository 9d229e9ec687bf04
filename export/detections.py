"""Detections as a phone would see them, made from motion capture: COCO-17 keypoints in pixels with scores."""

from typing import NamedTuple

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.near_duplicates import select_gallery
from vvipe_tf.data.rigs import CHEST, UNSEEN
from vvipe_tf.evaluation.hit_at_k import PosePairErrors
from vvipe_tf.keypoints import COCO_13, COCO_17

# The unseen rig holds the chest cameras, so one set of views serves both.
RIGS = (CHEST, UNSEEN)
_COLUMNS = [COCO_17.index(name) for name in COCO_13.keypoint_names]
_HIDEABLE = np.array([not name.endswith(("hip", "shoulder")) for name in COCO_13.keypoint_names])
_HIDE_CHANCE = 0.25


class Detections(NamedTuple):
    """Detections and what they stand for.

    Attributes:
        keypoints: COCO_17 (..., 17, 3): pixels and score.
        keypoints_2d: The same as COCO_13 (..., 13, 2), pixels.
        visible: (..., 13) bool.
    """

    keypoints: np.ndarray
    keypoints_2d: np.ndarray
    visible: np.ndarray


class TestViews(NamedTuple):
    """A test split seen by the cameras of both rigs.

    Attributes:
        detections: Detections (cameras, poses, ...).
        canonical: True canonical poses (poses, 13, 3), torso units.
        torso_lengths_mm: (poses,).
        pose_errors: Errors between the poses, for Hit@k.
    """

    detections: Detections
    canonical: np.ndarray
    torso_lengths_mm: np.ndarray
    pose_errors: PosePairErrors


def make_detections(keypoints_2d: np.ndarray, missing: float, seed: int) -> Detections:
    """Puts views into pictures of any size, and lets some of them miss joints.

    Args:
        keypoints_2d: COCO_13 (..., 13, 2) at focal length 1, y down.
        missing: Share of views that miss joints; these have a low score and a wrong place.
        seed: Seed.

    Returns:
        Detections.
    """
    random = np.random.default_rng(seed)
    views = keypoints_2d.shape[:-2]
    focal_length = random.uniform(300.0, 3000.0, (*views, 1, 1))
    centre = random.uniform(0.2, 0.8, (*views, 1, 2)) * focal_length
    pixels = keypoints_2d * focal_length + centre
    hidden = (random.random((*views, 1)) < missing) & (random.random((*views, 13)) < _HIDE_CHANCE) & _HIDEABLE
    pixels = np.where(hidden[..., None], random.uniform(-100.0, 2000.0, pixels.shape), pixels).astype(np.float32)
    keypoints = np.zeros((*views, COCO_17.num_joints, 3), np.float32)
    keypoints[..., _COLUMNS, :2] = pixels
    keypoints[..., _COLUMNS, 2] = np.where(
        hidden, random.uniform(0.0, 0.1, hidden.shape), random.uniform(0.6, 1.0, hidden.shape)
    )
    return Detections(keypoints, pixels, ~hidden)


def sample_detections(dataset: PoseDataset, size: int, missing: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Detections of random poses, each by one camera, for rounding and calibration.

    Args:
        dataset: Training poses.
        size: Number of poses, at most.
        missing: Share of views that miss joints.
        seed: Seed.

    Returns:
        Keypoints (poses, 17, 3) and canonical poses (poses, 13, 3).
    """
    chosen = np.random.default_rng(seed).permutation(len(dataset))[:size]
    chosen = dataset.select(chosen)
    views = UNSEEN.project(chosen, seed)
    views = views[np.arange(len(chosen)) % len(views), np.arange(len(chosen))]
    return make_detections(views, missing, seed).keypoints, chosen.canonical(COCO_13)


def make_test_views(dataset: PoseDataset, size: int, missing: float, seed: int) -> TestViews:
    """Views of test poses that are no near-duplicates.

    Args:
        dataset: Poses of a test split.
        size: Number of poses, at most.
        missing: Share of views that miss joints.
        seed: Seed.

    Returns:
        TestViews.
    """
    chosen = dataset.select(select_gallery(dataset, size, seed))
    return TestViews(
        make_detections(UNSEEN.project(chosen, seed), missing, seed),
        chosen.canonical(COCO_13),
        chosen.torso_lengths_mm,
        PosePairErrors(chosen.canonical()),
    )


def hostile_keypoints() -> np.ndarray:
    """Detections that no model can use (cases, 17, 3): whatever comes out must be finite and marked invalid."""
    nothing = np.zeros((COCO_17.num_joints, 3), np.float32)
    confident = nothing.copy()
    confident[:, 2] = 1.0
    body = confident.copy()
    body[:, :2] = np.random.default_rng(0).uniform(0, 300, (COCO_17.num_joints, 2))
    cases = [nothing, confident]
    for name in ("left_hip", "right_hip"):
        cases += [_with(body, [name], 2, 0.0), _with(body, [name], 0, np.nan), _with(body, [name], 1, np.inf)]
        cases += [_with(body, [name], 0, -np.inf), _with(body, [name], 1, 1e30), _with(body, [name], 2, np.nan)]
    cases.append(_with(body, ["left_shoulder", "right_shoulder"], 2, 0.1))
    cases.append(_with(body, [name for name in COCO_17.keypoint_names if "hip" not in name], 2, 0.1))
    cases += [np.full_like(body, value) for value in (np.nan, np.inf, 1e30, -1.0)]
    return np.stack(cases)


def _with(body, names, column, value):
    changed = body.copy()
    changed[[COCO_17.index(name) for name in names], column] = value
    return changed
