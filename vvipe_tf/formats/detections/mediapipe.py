"""MediaPipe pose landmarks as JSON: the Tasks API in Python or JavaScript, and the legacy solution.

Landmarks are normalised by width and by height separately, so without the picture's size every skeleton has the wrong
aspect: the size is required, from the file or from the caller.
"""

from collections.abc import Iterator

import numpy as np

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.joint_values import clean_joints, number_array, whole_number
from vvipe_tf.formats.detections.json_document import JsonDocument, brief
from vvipe_tf.formats.detections.person_records import PersonRecord, picture_numbers, table_of
from vvipe_tf.keypoints import BLAZEPOSE_33, KeypointProfile

NAME = "mediapipe"
_LANDMARK_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")
_WORLD_KEYS = ("pose_world_landmarks", "poseWorldLandmarks", "worldLandmarks")
_FRAME_KEYS = ("frame", "frame_id", "frame_number", "frame_index", "frameIndex")


def matches(content: object) -> bool:
    """Whether this holds landmarks: one picture, or a list of pictures."""
    if isinstance(content, dict) and isinstance(content.get("frames"), list):
        content = content["frames"]
    if isinstance(content, dict):
        return any(key in content for key in _LANDMARK_KEYS + _WORLD_KEYS)
    if not isinstance(content, list) or not content:
        return False
    return any(_is_landmark(entry) or _is_landmark_list(entry) or _is_result(entry) for entry in content)


def _is_result(entry: object) -> bool:
    return isinstance(entry, dict) and any(key in entry for key in _LANDMARK_KEYS + _WORLD_KEYS)


def _is_landmark(entry: object) -> bool:
    return isinstance(entry, dict) and {"x", "y"} <= set(entry)


def _is_landmark_list(entry: object) -> bool:
    if not isinstance(entry, list) or not entry:
        return False
    first = entry[0]
    return _is_landmark(first) or (isinstance(first, list) and bool(first) and _is_landmark(first[0]))


def read(
    documents: list[JsonDocument],
    where: str,
    profile: KeypointProfile | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Reads landmarks of one video, or of a folder of pictures.

    Args:
        documents: The files, in order.
        where: File or folder, for messages.
        profile: `None` or BLAZEPOSE_33.
        image_size: Width and height of the pictures in pixels; without it the file must say it (`image_size`, or
            `width` and `height`).

    Returns:
        All people in pixels; `visibility` (the smaller of it and `presence`) as score, 1 where the file has neither.

    Raises:
        ValueError: If a file is not of this form, holds world landmarks only, or the picture's size is needed.
    """
    if len(documents) == 1:
        content = documents[0].content
        if isinstance(content, dict):
            image_size = image_size or _size_of(content, where)
            content = content.get("frames", content)
        one = not isinstance(content, list) or (bool(content) and _is_landmark(content[0]))
        pictures = [content] if one else content
        places = [(f"{where}, frame {n}", n, picture) for n, picture in enumerate(pictures)]
    else:
        numbers = picture_numbers([document.name for document in documents])
        places = [(each.where, n, each.content) for each, n in zip(documents, numbers, strict=True)]
    records = [record for place, n, picture in places for record in _records(picture, place, n)]
    return table_of(records, NAME, where, profile or BLAZEPOSE_33, image_size=image_size)


def _size_of(content: dict, where: str) -> tuple[int, int] | None:
    size = content.get("image_size", [content.get("width"), content.get("height")])
    if size == [None, None]:
        return None
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError(f"{where}: expected image_size as width, height. Received: {brief(size)}")
    width, height = (whole_number(side, f"{where}, image size") for side in size)
    if not 0 < width <= 100_000 or not 0 < height <= 100_000:
        raise ValueError(f"{where}: expected a picture of at least 1 x 1 pixels. Received: {width} x {height}")
    return width, height


def _records(picture: object, where: str, number: int) -> Iterator[PersonRecord]:
    frame, landmarks = number, picture
    if isinstance(picture, dict):
        key = next((key for key in _LANDMARK_KEYS if key in picture), None)
        if key is None and any(key in picture for key in _WORLD_KEYS):
            raise ValueError(f"{where}: expected landmarks in the picture. Received: 3D world landmarks only")
        if key is None:
            raise ValueError(f"{where}: expected {' or '.join(_LANDMARK_KEYS)}. Received: {brief(picture)}")
        landmarks = picture[key]
        number_key = next((key for key in _FRAME_KEYS if key in picture), None)
        if number_key is not None:
            frame = whole_number(picture[number_key], f"{where}, {number_key}")
        if isinstance(landmarks, dict):  # legacy protobuf: {"pose_landmarks": {"landmark": [...]}}
            landmarks = landmarks.get("landmark")
    if landmarks is None or landmarks == []:
        return
    if not isinstance(landmarks, list):
        raise ValueError(f"{where}: expected a list of landmarks. Received: {brief(landmarks)}")
    people = landmarks if isinstance(landmarks[0], list) else [landmarks]
    for person, points in enumerate(people):
        place = f"{where}, person {person}"
        joints = clean_joints(np.array([_landmark(point, place) for point in _list_of(points, place)]), place)
        if (joints[:, 2] > 0).any():
            yield PersonRecord(joints, place, frame)


def _list_of(points: object, where: str) -> list:
    if not isinstance(points, list) or len(points) != BLAZEPOSE_33.num_joints:
        raise ValueError(f"{where}: expected {BLAZEPOSE_33.num_joints} landmarks. Received: {brief(points)}")
    return points


def _landmark(point: object, where: str) -> np.ndarray:
    if not _is_landmark(point):
        raise ValueError(f"{where}: expected a landmark with x and y. Received: {brief(point)}")
    confidences = [point[key] for key in ("visibility", "presence") if point.get(key) is not None]
    numbers = number_array([point["x"], point["y"], *confidences], where)
    return np.array([*numbers[:2], numbers[2:].min() if len(confidences) else 1.0])
