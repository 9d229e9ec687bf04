"""Keypoints of any known profile on their way into the model: COCO_13, gated by score, missing joints marked."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.formats.detections.body_layouts import BodyLayout, layouts_of
from vvipe_tf.formats.layout.anatomy import choose_layout
from vvipe_tf.formats.layout.finding import LayoutFinding
from vvipe_tf.formats.layout.layout_check import check_layout
from vvipe_tf.geometry.keypoints_2d import have_breadth, valid_keypoints
from vvipe_tf.keypoints import COCO_13, PROFILES, KeypointProfile, get_profile, map_keypoints, map_scores

# Coordinates beyond this are no pixels; such a joint counts as missing, as in the exported graph.
COORDINATE_LIMIT = 1e6


@dataclass(frozen=True)
class KeypointInput:
    """Detections as the model takes them.

    Args:
        keypoints_2d: COCO_13 (detections, 13, 2) float64 in the unit given, y down; 0 where a joint is missing.
        visible: Which joints are there and certain enough (detections, 13) bool.
        valid: Which detections show enough of a body (detections,) bool: both hips, a shoulder, 6 joints that are not
            all on a line.
        findings: What speaks against the joint order, if that was asked for.
    """

    keypoints_2d: np.ndarray
    visible: np.ndarray
    valid: np.ndarray
    findings: tuple[LayoutFinding, ...] = ()


def prepare_keypoints(
    keypoints: np.ndarray,
    scores: np.ndarray | None = None,
    profile: KeypointProfile | str | None = None,
    score_threshold: float = 0.0,
    check: bool = False,
) -> KeypointInput:
    """Brings keypoints into the model's joint order and marks what is missing.

    A joint is missing if its score is below the threshold or 0, if it is not finite, or, where there are no scores, if
    it lies at exactly (0, 0), as many detectors write it.

    Args:
        keypoints: Keypoints (detections, joints, 2) or (joints, 2), x to the right, y down; with a third column it is
            the score.
        scores: Scores in [0, 1], or a mask, (detections, joints) or (joints,).
        profile: Profile or its name; None to tell it from the number of joints and, where that leaves several, from
            the anatomy.
        score_threshold: Least score of a joint that counts.
        check: Whether to look for anatomy that the joint order makes impossible.

    Returns:
        The detections in COCO_13.

    Raises:
        ValueError: If a shape does not fit, a score lies outside [0, 1], or the profile cannot be told.
    """
    keypoints, scores = _checked(keypoints, scores)
    visible = np.isfinite(keypoints).all(axis=-1) & (np.abs(keypoints) <= COORDINATE_LIMIT).all(axis=-1)
    if scores is None:
        visible &= (keypoints != 0).any(axis=-1)
    else:
        visible &= (scores >= score_threshold) & (scores > 0)
    keypoints = np.where(visible[..., None], keypoints, 0.0)
    layout = _layout_of(keypoints, visible, profile)
    taken = list(layout.indices)
    keypoints, visible = keypoints[:, taken], visible[:, taken]
    findings = ()
    if check:
        scores = visible.astype(np.float64) if scores is None else np.where(visible, scores[:, taken], 0.0)
        findings = check_layout(keypoints, scores, layout.profile, find_permutation=False)
    visible = map_scores(visible, layout.profile, COCO_13)
    body = np.where(visible[..., None], map_keypoints(keypoints, layout.profile, COCO_13), 0.0)
    valid = valid_keypoints(body, visible) & have_breadth(body, visible)
    return KeypointInput(body, visible, valid, findings)


def _checked(keypoints, scores):
    keypoints = _numbers(keypoints, "keypoints")
    if keypoints.ndim == 2:
        keypoints = keypoints[None]
        scores = None if scores is None else np.asarray(scores)[None]
    if keypoints.ndim != 3 or keypoints.shape[-1] not in (2, 3):
        raise ValueError(
            "Expected keypoints of shape (detections, joints, 2), or with the score as a third column. "
            f"Received: shape={keypoints.shape}"
        )
    if keypoints.shape[-1] == 3:
        if scores is not None:
            raise ValueError("Expected scores once. Received: a third column of keypoints and scores beside it")
        keypoints, scores = keypoints[..., :2], keypoints[..., 2]
    if scores is None:
        return keypoints, None
    scores = _numbers(scores, "scores")
    if scores.shape != keypoints.shape[:-1]:
        raise ValueError(f"Expected scores of shape {keypoints.shape[:-1]}. Received: shape={scores.shape}")
    scores = np.where(np.isnan(scores), 0.0, scores)
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError(
            f"Expected scores between 0 and 1. Received: {scores.min():g} to {scores.max():g}; "
            "3D poses go to encode_pose"
        )
    return keypoints, scores


def _numbers(values, name):
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"Expected {name} with the same number of joints in each detection. Received: {error}"
        ) from error
    if array.dtype.kind not in "fiub":
        raise ValueError(f"Expected {name} as numbers. Received: dtype={array.dtype}")
    return array.astype(np.float64)


def _layout_of(keypoints, visible, profile) -> BodyLayout:
    num_joints = keypoints.shape[1]
    if profile is not None:
        named = get_profile(profile) if isinstance(profile, str) else profile
        return layouts_of(num_joints, named, "keypoints")[0]
    layouts = [
        BodyLayout(candidate, tuple(range(num_joints)))
        for candidate in PROFILES.values()
        if candidate.num_joints == num_joints
    ] or layouts_of(num_joints, None, "keypoints")
    if len(layouts) == 1:
        return layouts[0]
    seen = visible.any(axis=1)
    joints = np.concatenate([keypoints, visible[..., None]], axis=-1)[seen]
    if not len(joints):
        names = " or ".join(layout.profile.name for layout in layouts)
        raise ValueError(f"Expected a named profile: {num_joints} keypoints may be {names}. Received: none")
    return choose_layout(joints, tuple(layouts), f"{num_joints} keypoints")
