"""Is this keypoint order possible? A check before anything is lifted.

What can be told from pictures alone, and what cannot:

- A wrong joint order: yes, from the pattern of distances, with the likely profile or permutation.
- Two joints of a limb exchanged, or left and right exchanged in a part of the body only: yes, over several frames.
- Left and right exchanged everywhere is a mirror image, which no distances betray. It shows only where the detector's
  scores say that the face is seen while the shoulders say that the back is.
- y up: only if people stand on their heads in most frames without their hands below them. x and y exchanged: if boxes
  or the picture's size say so; a lying person looks the same.
"""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.layout.anatomy import (
    agreement,
    bone_ratio,
    correlation,
    mean_distances,
    reference_distances,
    sampled_rows,
)
from vvipe_tf.formats.layout.limb_check import exchanged_in_limbs, exchanged_sides
from vvipe_tf.formats.layout.orientation_check import exchanged_axes, mirrored, upside_down
from vvipe_tf.keypoints import COCO_13, PROFILES, KeypointProfile

# Limits of the agreement with the reference skeleton, and of the bone ratio. Of 3,960 true clips (acrobatics, sports,
# walking; 10 frames and more; one random view each) 1 % fall below `_SUSPECT`; for them the best of all permutations
# fits by up to 0.91, at bone ratios of up to 0.75.
_SUSPECT = 0.6
_LIKELY = 0.7
_CERTAIN = 0.93
_GAIN = 0.25
_LONG_BONES = 0.78
_LONG_BONES_FEW_FRAMES = 0.85
_FEW_FRAMES = 5


@dataclass(frozen=True)
class LayoutFinding:
    """One thing that is wrong with a keypoint layout.

    Args:
        kind: `"joint_order"`, `"limb_order"`, `"left_right"`, `"y_up"` or `"transposed"`.
        confidence: How sure, between 0 and 1.
        message: One sentence for the user, with what is likely meant.
        profile: The profile whose order the keypoints are likely in, or `None`.
        permutation: Indices (joints,) such that `keypoints[:, permutation]` is in the claimed order, or `None`.
    """

    kind: str
    confidence: float
    message: str
    profile: KeypointProfile | None = None
    permutation: np.ndarray | None = None


def check_table(table: DetectionTable, min_confidence: float = 0.5) -> tuple[LayoutFinding, ...]:
    """`check_layout` of a table."""
    return check_layout(
        table.keypoints_2d, table.scores, table.profile, table.box, table.image_size, min_confidence=min_confidence
    )


def check_layout(
    keypoints_2d: np.ndarray,
    scores: np.ndarray | None,
    profile: KeypointProfile,
    box: np.ndarray | None = None,
    image_size: tuple[int, int] | None = None,
    min_confidence: float = 0.5,
) -> tuple[LayoutFinding, ...]:
    """Looks for anatomy that the claimed joint order makes impossible.

    Args:
        keypoints_2d: Keypoints (detections, joints, 2), y down.
        scores: Scores (detections, joints), 0 for missing, or `None` if all joints are there.
        profile: Profile that the keypoints are said to be in. It must have the joints of COCO_13.
        box: Boxes x, y, width, height (detections, 4), or `None`.
        image_size: Width and height of the pictures, or `None`.
        min_confidence: Findings below it are left out.

    Returns:
        What was found, most certain first; empty if nothing speaks against the layout.

    Raises:
        ValueError: If the shapes do not fit the profile, or a value is not finite.
    """
    keypoints_2d = np.asarray(keypoints_2d, dtype=np.float64)
    if keypoints_2d.ndim != 3 or keypoints_2d.shape[1:] != (profile.num_joints, 2):
        raise ValueError(
            f"Expected keypoints_2d of shape (detections, {profile.num_joints}, 2) for {profile.name}. "
            f"Received: shape={keypoints_2d.shape}"
        )
    scores = np.ones(keypoints_2d.shape[:2]) if scores is None else np.asarray(scores, dtype=np.float64)
    if scores.shape != keypoints_2d.shape[:2]:
        raise ValueError(f"Expected scores of shape {keypoints_2d.shape[:2]}. Received: shape={scores.shape}")
    if not np.isfinite(keypoints_2d).all() or not np.isfinite(scores).all():
        raise ValueError("Expected finite keypoints and scores; give missing joints the score 0.")
    rows = sampled_rows(len(keypoints_2d)) if len(keypoints_2d) else np.array([], dtype=int)
    points, scores = keypoints_2d[rows], scores[rows]
    rows_box = None if box is None else np.asarray(box, dtype=np.float64)[rows]
    findings = _check(points, scores, profile, rows_box, image_size)
    kept = [finding for finding in findings if finding.confidence >= min_confidence]
    return tuple(sorted(kept, key=lambda finding: -finding.confidence))


def _check(
    points: np.ndarray,
    scores: np.ndarray,
    profile: KeypointProfile,
    box: np.ndarray | None,
    image_size: tuple[int, int] | None,
) -> list[LayoutFinding]:
    visible = scores > 0
    wrong_order = _joint_order(points, visible, profile)
    if wrong_order is not None:
        return [wrong_order]  # all further checks ask for joints by name
    findings = []
    limbs, confidence, permutation = exchanged_in_limbs(points, visible, profile)
    if limbs:
        message = f"Expected {profile.name}, but {' and '.join(limbs)} look exchanged."
        findings.append(LayoutFinding("limb_order", confidence, message, permutation=permutation))
    for part, confidence, permutation in exchanged_sides(points, visible, profile):
        message = f"Left and right look exchanged between {part}; or these limbs are crossed in most frames."
        findings.append(LayoutFinding("left_right", confidence, message, permutation=permutation))
    confidence = mirrored(points, scores, profile)
    if confidence:
        message = "Left and right look exchanged: faces are seen where the shoulders say that the back is."
        findings.append(LayoutFinding("left_right", confidence, message, permutation=profile.flip_indices))
    confidence = upside_down(points, visible, profile)
    if confidence:
        message = "People stand on their heads: y seems to point up. Expected y down; left and right are mirrored too."
        findings.append(LayoutFinding("y_up", confidence, message))
    confidence = exchanged_axes(points, visible, profile, box, image_size)
    if confidence:
        message = "x and y look exchanged. Expected x to the right, y down."
        findings.append(LayoutFinding("transposed", confidence, message))
    return findings


def _joint_order(points: np.ndarray, visible: np.ndarray, profile: KeypointProfile) -> LayoutFinding | None:
    claimed = agreement(points, visible, profile)
    if not claimed < _SUSPECT:
        return None
    fits = {
        other.name: agreement(points, visible, other)
        for other in PROFILES.values()
        if other.num_joints == profile.num_joints and other is not profile
    }
    fits = {name: fit for name, fit in fits.items() if fit >= _LIKELY and fit - claimed >= _GAIN}
    if fits:
        likely = PROFILES[max(fits, key=fits.get)]
        message = f"The joints are not in the order of {profile.name}; they look like {likely.name}."
        gain = fits[likely.name] - claimed
        shared = all(likely.has(name) for name in profile.keypoint_names)
        permutation = np.array([likely.index(name) for name in profile.keypoint_names]) if shared else None
        return LayoutFinding("joint_order", min(0.99, 0.6 + gain), message, likely, permutation)
    stretched = bone_ratio(points, visible, profile)
    few = len(points) < _FEW_FRAMES
    too_long = stretched > (_LONG_BONES_FEW_FRAMES if few else _LONG_BONES)
    if few and not too_long:
        return None  # a curled-up person in a few frames says nothing
    permutation, fit = _best_permutation(points, visible, profile)
    if fit >= (_LIKELY if too_long else _CERTAIN) and fit - claimed >= _GAIN:
        moved = [
            f"{name} is column {index}"
            for name, index in zip(profile.keypoint_names, permutation, strict=True)
            if name in COCO_13.keypoint_names and profile.index(name) != index
        ]
        message = (
            f"The joints are not in the order of {profile.name}. Likely, up to left and right and within the face: "
            f"{', '.join(moved)}."
        )
        certain = 0.6 if few else min(0.99, 0.4 + fit - claimed)
        return LayoutFinding("joint_order", certain, message, None, permutation)
    if too_long:
        message = f"The joints are not in the order of {profile.name}, nor in any order known here."
        return LayoutFinding("joint_order", 0.6 if few else 0.8, message)
    return None


def _best_permutation(
    points: np.ndarray, visible: np.ndarray, profile: KeypointProfile
) -> tuple[np.ndarray | None, float]:
    """The order of columns that fits the reference best, by quadratic assignment; of two mirror images, the claimed."""
    from scipy.optimize import quadratic_assignment  # 0.3 s that only a wrong order costs

    names = profile.keypoint_names
    references = reference_distances(names)
    distances = mean_distances(points, visible)
    unseen = ~np.isfinite(distances)
    if references is None or unseen.mean() > 0.1:
        return None, float("nan")
    distances = np.where(unseen, distances[~unseen].mean(), distances)
    best, fit = None, -np.inf
    for reference in references:
        for seed in range(4):
            rng = np.random.default_rng(seed)
            options = {"maximize": True, "rng": rng, "P0": "randomized" if seed else "barycenter"}
            start = quadratic_assignment(reference, distances, method="faq", options=options).col_ind
            guess = np.stack([np.arange(len(names)), start], axis=1)
            options = {"maximize": True, "rng": rng, "partial_guess": guess}
            found = quadratic_assignment(reference, distances, method="2opt", options=options).col_ind
            found_fit = correlation(distances[np.ix_(found, found)], names)
            if found_fit > fit:
                best, fit = found, found_fit
    mirror_image = best[profile.flip_indices]
    fixed = [(order == np.arange(len(order))).sum() for order in (best, mirror_image)]
    return (mirror_image if fixed[1] > fixed[0] else best), fit
