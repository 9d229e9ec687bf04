"""Is this keypoint order possible? A check before anything is lifted.

What can be told from pictures alone, and what cannot:

- A wrong joint order: yes, from the pattern of distances, with the likely profile or permutation.
- Two joints of a limb exchanged, or left and right exchanged in a part of the body only: yes, where the body is not
  seen from the side.
- Left and right exchanged everywhere is a mirror image, which no distances betray. It shows only where the detector's
  scores tell a face from the back of a head; `sides_checked` says whether they do.
- y up, x and y exchanged: people upside down or lying in nearly all frames are a sign, a mirror image of them is proof.
  Boxes or the picture's size may prove exchanged axes, too.

One frame proves little. Where it looks wrong the confidence stays low, which makes it a warning.
"""

import numpy as np

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.layout.anatomy import sampled_rows
from vvipe_tf.formats.layout.bone_check import misplaced_joints
from vvipe_tf.formats.layout.facing_check import count_facing
from vvipe_tf.formats.layout.finding import LayoutFinding
from vvipe_tf.formats.layout.limb_check import exchanged_in_limbs, exchanged_sides
from vvipe_tf.formats.layout.order_check import wrong_joint_order
from vvipe_tf.formats.layout.orientation_check import exchanged_axes, upside_down
from vvipe_tf.keypoints import KeypointProfile


def check_table(table: DetectionTable, min_confidence: float = 0.5) -> tuple[LayoutFinding, ...]:
    """`check_layout` of a table."""
    return check_layout(
        table.keypoints_2d, table.scores, table.profile, table.box, table.image_size, min_confidence=min_confidence
    )


def sides_checked(table: DetectionTable) -> bool:
    """Whether the scores tell left from right: see `vvipe_tf.formats.layout.facing_check`."""
    rows = sampled_rows(len(table))
    counts = count_facing(table.keypoints_2d[rows].astype(np.float64), table.scores[rows], table.profile)
    return counts.check_sides(len(rows))


def check_layout(
    keypoints_2d: np.ndarray,
    scores: np.ndarray | None,
    profile: KeypointProfile,
    box: np.ndarray | None = None,
    image_size: tuple[int, int] | None = None,
    min_confidence: float = 0.5,
    find_permutation: bool = True,
) -> tuple[LayoutFinding, ...]:
    """Looks for anatomy that the claimed joint order makes impossible.

    Args:
        keypoints_2d: Keypoints (detections, joints, 2), y down.
        scores: Scores (detections, joints), 0 for missing, or `None` if all joints are there.
        profile: Profile that the keypoints are said to be in. It must have the joints of COCO_13.
        box: Boxes x, y, width, height (detections, 4), or `None`.
        image_size: Width and height of the pictures, or `None`.
        min_confidence: Findings below it are left out.
        find_permutation: Whether to look for the joint order that was meant, where none known here is; that costs a
            tenth of a second.

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
    findings = _check(points, scores, profile, rows_box, image_size, find_permutation)
    kept = [finding for finding in findings if finding.confidence >= min_confidence]
    return tuple(sorted(kept, key=lambda finding: -finding.confidence))


def _check(
    points: np.ndarray,
    scores: np.ndarray,
    profile: KeypointProfile,
    box: np.ndarray | None,
    image_size: tuple[int, int] | None,
    find_permutation: bool,
) -> list[LayoutFinding]:
    visible = scores > 0
    wrong_order = wrong_joint_order(points, visible, profile, find_permutation)
    if wrong_order is not None:
        return [wrong_order]  # all further checks ask for joints by name
    misplaced = misplaced_joints(points, visible, profile)
    findings = [] if misplaced is None else [misplaced]
    limbs, confidence, permutation = exchanged_in_limbs(points, visible, profile)
    if limbs:
        message = f"Expected {profile.name}, but {' and '.join(limbs)} look exchanged."
        findings.append(LayoutFinding("limb_order", confidence, message, permutation=permutation))
    mirrored = count_facing(points, scores, profile).mirrored
    sides = exchanged_sides(points, visible, profile, mirrored > 0)
    for part, confidence, permutation in sides:
        message = f"Left and right look exchanged between {part}; or these limbs are crossed."
        findings.append(LayoutFinding("left_right", confidence, message, permutation=permutation))
    turned = _turned_over(points, visible, profile, box, image_size, mirrored)
    if mirrored and not sides and not turned:
        message = "Left and right look exchanged: faces and backs of heads are seen on the wrong side of the shoulders."
        turned = [LayoutFinding("left_right", mirrored, message, permutation=profile.flip_indices)]
    return findings + turned


def _turned_over(points, visible, profile, box, image_size, mirrored) -> list[LayoutFinding]:
    confidence = upside_down(points, visible, profile, mirrored)
    if confidence:
        message = "People are upside down: y seems to point up. Expected y down."
        return [LayoutFinding("y_up", confidence, message)]
    confidence = exchanged_axes(points, visible, profile, box, image_size, mirrored)
    if confidence:
        message = "x and y look exchanged, or people lie level. Expected x to the right, y down."
        return [LayoutFinding("transposed", confidence, message)]
    return []
