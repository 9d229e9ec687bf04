"""Single joints in the wrong place: their bones are far too long for the rest of the body."""

import numpy as np

from vvipe_tf.formats.layout.anatomy import BODY_BONES, reference_distances
from vvipe_tf.formats.layout.finding import LayoutFinding
from vvipe_tf.keypoints import COCO_13, KeypointProfile

# Bone lengths in the picture relative to a standing adult's, the second longest over the median: of single frames of
# mocap none is above the first limit, of acrobats 0.5 %, of real detections 2 % (failed ones); of clips none is above
# the second. Two joints exchanged anywhere in the body are above the first in 60 to 75 %.
_TOO_LONG = 1.8
_FAR_TOO_LONG = 2.2
_MANY_FRAMES = 20
_HINT = 0.6
_CERTAIN = 0.8


def misplaced_joints(points: np.ndarray, visible: np.ndarray, profile: KeypointProfile) -> LayoutFinding | None:
    """Looks for bones that are too long. A joint in a wrong place has two of them, or shares one with another such.

    Args:
        points: Keypoints (frames, joints, 2).
        visible: Which joints count (frames, joints) bool.
        profile: Profile of the columns; it must have the joints of COCO_13.

    Returns:
        What is wrong, or `None`.
    """
    body = [profile.index(name) for name in COCO_13.keypoint_names]
    points, visible = points[:, body], visible[:, body]
    start, end = BODY_BONES.T
    seen = visible[:, start] & visible[:, end]
    lengths = np.linalg.norm(points[:, start] - points[:, end], axis=-1)
    lengths = (lengths * seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    ratios = lengths / reference_distances(COCO_13.keypoint_names)[0][start, end]
    known = np.flatnonzero(seen.any(axis=0))
    if 2 * len(known) < len(BODY_BONES):
        return None
    usual = np.median(ratios[known])
    longest = known[np.argsort(ratios[known])[::-1]]
    excess = ratios[longest[1]] / usual if usual > 0 else 0.0
    if excess <= _TOO_LONG:
        return None
    certain = excess > _FAR_TOO_LONG and len(points) >= _MANY_FRAMES
    bones = " and ".join("-".join(COCO_13.keypoint_names[joint] for joint in BODY_BONES[bone]) for bone in longest[:2])
    message = f"Joints look exchanged, or badly detected: {bones} are too long for the rest of the body."
    return LayoutFinding("joint_order", _CERTAIN if certain else _HINT, message)
