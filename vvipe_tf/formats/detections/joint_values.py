"""Numbers of keypoint files: checked, cleaned and never NaN.

One rule for all formats: a joint with a null or NaN coordinate or score, or with a score of 0 or less, is missing
(0, 0, 0). Text, booleans, infinities and absurd magnitudes are refused.
"""

import numpy as np

from vvipe_tf.formats.detections.json_document import brief

MAX_COORDINATE = 1e6
# Heatmap detectors overshoot 1; the first AlphaPose wrote up to 6. Anything above 10 is no confidence.
MAX_SCORE = 10.0
_NUMBERS = {int, float, type(None)}


def number_array(values: object, where: str) -> np.ndarray:
    """Turns a flat list of JSON numbers and nulls into float64, nulls into NaN.

    Args:
        values: What the file holds.
        where: File and record, for the message.

    Returns:
        Array (values,) float64, never infinite.

    Raises:
        ValueError: If `values` is no list, or holds text, booleans, lists, infinities or huge integers.
    """
    if not isinstance(values, list):
        raise ValueError(f"{where}: expected a list of numbers. Received: {brief(values)}")
    if not set(map(type, values)) <= _NUMBERS:
        odd = next(value for value in values if type(value) not in _NUMBERS)
        raise ValueError(f"{where}: expected numbers only. Received: {brief(odd)}")
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise ValueError(f"{where}: expected numbers that fit a float. Received: a huge integer") from error
    if np.isinf(array).any():
        raise ValueError(f"{where}: expected finite numbers. Received: Infinity")
    return array


def joint_triples(values: object, where: str) -> np.ndarray:
    """Keypoints from the flat list x1, y1, score1, x2, ... that most formats use.

    Args:
        values: What the file holds.
        where: File and record, for the message.

    Returns:
        Array (joints, 3) float64: x, y, score; cleaned as `clean_joints` does.

    Raises:
        ValueError: If it is no list of numbers whose length is a positive multiple of 3.
    """
    array = number_array(values, where)
    if not len(array) or len(array) % 3:
        raise ValueError(f"{where}: expected x, y, score for each keypoint. Received: {len(array)} numbers")
    return clean_joints(array.reshape(-1, 3), where)


def clean_joints(joints: np.ndarray, where: str) -> np.ndarray:
    """Applies the one rule for missing joints and checks magnitudes.

    Args:
        joints: Array (..., joints, 3) float: x, y, score; NaN marks missing values.
        where: File and record, for the message.

    Returns:
        Array of the same shape, finite; scores in [0, 1], missing joints all 0.

    Raises:
        ValueError: If a coordinate or a score is out of all proportion.
    """
    # A file has thousands of people, and most of them need no mending: look before each step.
    there = joints[..., 2] > 0
    if np.isnan(joints.min(initial=0.0)):
        there &= ~np.isnan(joints).any(axis=-1)
    joints = joints.copy() if there.all() else np.where(there[..., None], joints, 0.0)
    highest = joints[..., 2].max(initial=0.0)
    if highest > MAX_SCORE:
        raise ValueError(f"{where}: expected scores between 0 and 1. Received: {highest:.3g}")
    largest = max(joints.max(initial=0.0), -joints.min(initial=0.0))
    if largest > MAX_COORDINATE:
        raise ValueError(f"{where}: expected coordinates within +-{MAX_COORDINATE:.0f}. Received: {largest:.3g}")
    if highest > 1.0:
        np.minimum(joints[..., 2], 1.0, out=joints[..., 2])
    return joints


def box_of(values: object, where: str) -> np.ndarray:
    """A box of four numbers as float64.

    Raises:
        ValueError: If it is not four finite numbers of a sane size.
    """
    if isinstance(values, list) and len(values) == 1 and isinstance(values[0], list):
        values = values[0]  # MMPose wraps the box in a list of one
    box = number_array(values, where)
    if len(box) != 4 or not all(-MAX_COORDINATE <= value <= MAX_COORDINATE for value in box.tolist()):
        raise ValueError(f"{where}: expected a box of 4 finite numbers. Received: {brief(values)}")
    return box


def whole_number(value: object, where: str) -> int:
    """An integer that fits int64; 3.0 counts as 3.

    Raises:
        ValueError: If it is anything else.
    """
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) >= 1 << 62:
        raise ValueError(f"{where}: expected a whole number. Received: {brief(value)}")
    return value
