"""COCO person-keypoint annotations: `images`, `annotations`, `categories`.

The flag v becomes a score: 0 (not labelled) 0, 1 (labelled, hidden) 0.5, 2 (visible) 1. Result lists are read by
`vvipe_tf.formats.detections.alphapose`, whose form they share.
"""

import numpy as np

from vvipe_tf.formats.detections.body_layouts import BodyLayout
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.joint_names import match_profile
from vvipe_tf.formats.detections.joint_values import box_of, clean_joints, number_array, whole_number
from vvipe_tf.formats.detections.json_document import JsonDocument, brief
from vvipe_tf.formats.detections.person_records import PersonRecord, table_of, track_of
from vvipe_tf.keypoints import KeypointProfile

NAME = "coco-annotations"


def matches(content: object) -> bool:
    """Whether this is an annotation file."""
    return isinstance(content, dict) and isinstance(content.get("annotations"), list)


def read(
    documents: list[JsonDocument],
    where: str,
    profile: KeypointProfile | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Reads one annotation file.

    Args:
        documents: The file.
        where: File, for messages.
        profile: Profile that the user named, or `None`. Names in `categories` are honoured in either case.
        image_size: Width and height of the pictures; without it, that of `images` if all agree.

    Returns:
        All annotated people with at least one keypoint; the picture's id is the frame number.

    Raises:
        ValueError: If the file is not of this form or a value is wrong; file and annotation are named.
    """
    if len(documents) != 1:
        raise ValueError(f"{where}: expected one COCO annotation file. Received: a folder of {len(documents)}")
    content = documents[0].content
    pictures = _pictures(content.get("images", []), where)
    layout, category = _named_layout(content.get("categories", []), profile, where)
    records = []
    for number, entry in enumerate(content["annotations"]):
        place = f"{where}, annotations[{number}]"
        if not isinstance(entry, dict):
            raise ValueError(f"{place}: expected an object. Received: {brief(entry)}")
        if "keypoints" not in entry or (category is not None and entry.get("category_id") != category):
            continue
        joints = _flagged_joints(entry["keypoints"], place)
        if not (joints[:, 2] > 0).any():
            continue
        image_id = whole_number(entry.get("image_id"), f"{place}, image_id")
        picture = pictures.get(image_id, {})
        box = entry.get("bbox")
        records.append(
            PersonRecord(
                joints,
                place,
                image_id,
                str(picture.get("file_name", image_id)),
                track_of(entry.get("track_id"), f"{place}, track_id"),
                None if box is None else box_of(box, f"{place}, bbox"),
            )
        )
    sides = [(picture.get("width"), picture.get("height")) for picture in pictures.values()]
    if image_size is None and sides and all(side == sides[0] for side in sides):
        width, height = sides[0]
        image_size = (width, height) if type(width) is int and type(height) is int else None
    return table_of(records, NAME, where, profile, layout, image_size)


def _pictures(images: object, where: str) -> dict[int, dict]:
    if not isinstance(images, list) or not all(isinstance(image, dict) for image in images):
        raise ValueError(f"{where}: expected 'images' to be a list of objects. Received: {brief(images)}")
    return {whole_number(image.get("id"), f"{where}, images[{n}].id"): image for n, image in enumerate(images)}


def _named_layout(categories: object, profile: KeypointProfile | None, where: str) -> tuple[BodyLayout | None, object]:
    if not isinstance(categories, list):
        raise ValueError(f"{where}: expected 'categories' to be a list. Received: {brief(categories)}")
    named = [entry for entry in categories if isinstance(entry, dict) and entry.get("keypoints")]
    if not named:
        return None, None
    person = next((entry for entry in named if entry.get("name") == "person"), named[0])
    names = person["keypoints"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{where}: expected keypoint names in 'categories'. Received: {brief(names)}")
    return BodyLayout(*match_profile(names, profile, f"{where}, categories")), person.get("id")


def _flagged_joints(values: object, where: str) -> np.ndarray:
    array = number_array(values, where)
    if not len(array) or len(array) % 3:
        raise ValueError(f"{where}: expected x, y, v for each keypoint. Received: {len(array)} numbers")
    joints = array.reshape(-1, 3)
    if np.isin(joints[:, 2], (0, 1, 2)).all():
        joints[:, 2] /= 2
    return clean_joints(joints, where)
