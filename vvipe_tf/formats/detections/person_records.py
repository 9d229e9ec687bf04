"""From the people a reader found, record by record, to one table."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from vvipe_tf.formats.detections.body_layouts import BodyLayout, layouts_of
from vvipe_tf.formats.detections.detection_table import UNTRACKED, DetectionTable
from vvipe_tf.formats.detections.joint_values import clean_joints, whole_number
from vvipe_tf.formats.layout.anatomy import choose_layout
from vvipe_tf.keypoints import BLAZEPOSE_33, KeypointProfile

# Normalised coordinates leave the picture only a little way; pixels of a person never all lie that close together.
_NORMALISED = (-0.25, 1.25)
# MediaPipe guesses landmarks far outside the picture.
_LANDMARK_RANGE = (-4.0, 4.0)


class PersonRecord(NamedTuple):
    """One person in one picture, as a file holds it.

    Args:
        joints: x, y, score (keypoints of the file, 3) float64, cleaned.
        where: File and record, for messages.
        frame: Frame number, or `None` to number the pictures.
        image: Picture name or `None`.
        person: Track id, -1 for none.
        box: x, y, width, height or `None`.
    """

    joints: np.ndarray
    where: str
    frame: int | None = None
    image: str | None = None
    person: int = UNTRACKED
    box: np.ndarray | None = None


def table_of(
    records: Iterable[PersonRecord],
    source_format: str,
    where: str,
    profile: KeypointProfile | None = None,
    layout: BodyLayout | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Gathers records into a table.

    Args:
        records: People in file order.
        source_format: Name of the format.
        where: File or folder, for messages.
        profile: Profile that the user named, or `None` to tell it from the keypoint count (25: from the anatomy).
        layout: Layout that the file itself names; then `profile` is not used.
        image_size: Width and height of every picture, if known; needed for normalised coordinates.

    Returns:
        The table, in file order.

    Raises:
        ValueError: If there is nobody, people differ in their keypoint count, the count means no profile or does not
            fit the layout, or the coordinates are normalised and the picture's size is not known.
    """
    records = list(records)
    if not records:
        raise ValueError(f"{where}: expected at least one person with keypoints ({source_format}). Received: none")
    count = len(records[0].joints)
    for record in records:
        if len(record.joints) != count:
            raise ValueError(
                f"{record.where}: expected {count} keypoints as in {records[0].where}. Received: {len(record.joints)}"
            )
    records = _to_pixels(records, where, image_size)
    joints = np.stack([record.joints for record in records])
    if layout is None:
        layouts = layouts_of(count, profile, records[0].where)
        layout = layouts[0] if len(layouts) == 1 else choose_layout(joints, layouts, where)
    elif count <= max(layout.indices):
        raise ValueError(f"{records[0].where}: expected as many keypoints as the file names. Received: {count}")
    joints = joints[:, list(layout.indices)].astype(np.float32)
    has_image = all(record.image is not None for record in records)
    has_box = all(record.box is not None for record in records)
    return DetectionTable(
        keypoints_2d=joints[..., :2],
        scores=joints[..., 2],
        profile=layout.profile,
        frame=_frames(records),
        person=np.array([record.person for record in records], dtype=np.int64),
        source_format=source_format,
        image=np.array([record.image for record in records], dtype=np.str_) if has_image else None,
        box=np.array([record.box for record in records], dtype=np.float32) if has_box else None,
        image_size=image_size,
    )


def _frames(records: list[PersonRecord]) -> np.ndarray:
    if all(record.frame is not None for record in records):
        return np.array([record.frame for record in records], dtype=np.int64)
    numbers = picture_numbers([record.image or record.where for record in records])
    return np.array(numbers, dtype=np.int64)


def track_of(value: object, where: str) -> int:
    """A track id; `UNTRACKED` for none and for negative ones.

    Raises:
        ValueError: If it is no whole number.
    """
    return UNTRACKED if value is None else max(whole_number(value, where), UNTRACKED)


def picture_numbers(names: list[str]) -> list[int]:
    """Frame numbers from picture names: the last digits of each name, or the order of first appearance.

    The digits are used only if they tell the pictures apart.
    """
    distinct = list(dict.fromkeys(names))
    digits = [re.search(r"(\d{1,15})\D*$", re.sub(r"(_keypoints)?\.\w{1,5}$", "", name)) for name in distinct]
    if all(digits) and len({int(match.group(1)) for match in digits}) == len(distinct):
        numbers = {name: int(match.group(1)) for name, match in zip(distinct, digits, strict=True)}
    else:
        numbers = {name: number for number, name in enumerate(distinct)}
    return [numbers[name] for name in names]


def table_of_rows(
    source_format: str,
    joints: np.ndarray,
    layout: BodyLayout | None,
    frame: np.ndarray | None,
    person: np.ndarray | None,
    where: str,
    profile: KeypointProfile | None,
    image_size: tuple[int, int] | None,
) -> DetectionTable:
    """Gathers the rows of a plain table.

    Args:
        source_format: Name of the format.
        joints: x, y, score (rows, joints, 3); NaN marks missing values.
        layout: Layout that the table itself names, or `None`.
        frame: Frame numbers (rows,), or `None` to count the rows.
        person: Track ids (rows,), or `None`.
        where: File, for messages.
        profile: Profile that the user named, or `None`.
        image_size: Width and height of the pictures; needed for normalised coordinates.

    Returns:
        The table, without rows that have no joint.

    Raises:
        ValueError: If a number is infinite, out of proportion, or no whole number where one is due.
    """
    if np.isinf(joints).any():
        raise ValueError(f"{where}: expected finite keypoints. Received: an infinite one")
    joints = clean_joints(joints, where)
    frames = np.arange(len(joints)) if frame is None else _whole(frame, f"{where}, frame")
    people = np.full(len(joints), UNTRACKED) if person is None else _whole(person, f"{where}, person")
    records = [
        PersonRecord(row, f"{where}, row {number}", int(frames[number]), None, max(int(people[number]), UNTRACKED))
        for number, row in enumerate(joints)
        if (row[:, 2] > 0).any()
    ]
    return table_of(records, source_format, where, profile, layout, image_size)


def _to_pixels(records: list[PersonRecord], where: str, image_size: tuple[int, int] | None) -> list[PersonRecord]:
    """Scales normalised coordinates by the picture's size; pixels stay."""
    landmarks = all(len(record.joints) == BLAZEPOSE_33.num_joints for record in records)
    low, high = _LANDMARK_RANGE if landmarks else _NORMALISED
    seen = np.concatenate([record.joints[record.joints[:, 2] > 0, :2] for record in records])
    if not len(seen) or seen.min() < low or seen.max() > high or not np.ptp(seen):
        return records
    if image_size is None:
        raise ValueError(
            f"{where}: expected the picture's size for normalised coordinates (--image-size WIDTH HEIGHT): "
            "without it the aspect ratio is lost."
        )
    scale = np.array([*image_size, 1.0])
    return [
        record._replace(joints=record.joints * scale, box=_box_in_pixels(record.box, image_size)) for record in records
    ]


def _box_in_pixels(box: np.ndarray | None, image_size: tuple[int, int]) -> np.ndarray | None:
    return box if box is None or np.max(box) > _NORMALISED[1] else box * np.tile(image_size, 2)


def _whole(values: np.ndarray, where: str) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(values) & (np.abs(values) < 1 << 53) & (values == np.floor(values))).all():
        raise ValueError(f"{where}: expected whole numbers. Received: others")
    return values.astype(np.int64)
