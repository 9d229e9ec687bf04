"""AlphaPose results, and COCO keypoint results, which share the list form.

List form: `[{"image_id", "category_id", "keypoints": [x, y, score, ...], "score", "box", "idx"}, ...]`. Forms `cmu`
and `open`: an object of pictures, or one file per picture (`sep-json`), with 18 keypoints each. PoseFlow form: an
object of pictures with a list of people each.
"""

from collections import Counter
from collections.abc import Iterator

from vvipe_tf.formats.detections.detection_table import UNTRACKED, DetectionTable
from vvipe_tf.formats.detections.joint_values import box_of, joint_triples, whole_number
from vvipe_tf.formats.detections.json_document import JsonDocument, brief
from vvipe_tf.formats.detections.openpose import people_records
from vvipe_tf.formats.detections.person_records import PersonRecord, picture_numbers, table_of
from vvipe_tf.keypoints import KeypointProfile

NAME = "alphapose"
COCO_RESULTS = "coco-results"


def matches(content: object) -> bool:
    """Whether this is a result list, or an object of pictures."""
    if isinstance(content, list):
        return bool(content) and isinstance(content[0], dict) and {"image_id", "keypoints"} <= set(content[0])
    if not isinstance(content, dict) or not content:
        return False
    return isinstance(content.get("bodies"), list) or _is_picture(next(iter(content.values())))


def _is_picture(value: object) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("bodies"), list) or isinstance(value.get("people"), list)
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "keypoints" in value[0]


def read(
    documents: list[JsonDocument],
    where: str,
    profile: KeypointProfile | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Reads one result file, or the files of a `sep-json` folder.

    Args:
        documents: The files, in order.
        where: File or folder, for messages.
        profile: Profile that the user named, or `None`.
        image_size: Width and height of the pictures, if known.

    Returns:
        All people; frame numbers from the picture names, tracks from `idx`.

    Raises:
        ValueError: If a file is not of this form or a value is wrong; file and record are named.
    """
    numbers = picture_numbers([document.name for document in documents])
    records: list[PersonRecord] = []
    name = NAME
    for document, frame in zip(documents, numbers, strict=True):
        content = document.content
        if isinstance(content, list):
            records += _list_records(content, document.where)
            if not any(isinstance(entry, dict) and {"idx", "box"} & set(entry) for entry in content):
                name = NAME if any(isinstance(entry.get("image_id"), str) for entry in content) else COCO_RESULTS
        elif isinstance(content, dict) and "bodies" in content:
            records += people_records(content, document.where, frame)
        elif isinstance(content, dict):
            for image, picture in content.items():
                place = f"{document.where}, {image[:40]!r}"
                if isinstance(picture, list):
                    records += _list_records(picture, place, image)
                else:
                    records += people_records(picture, place, None, image)
        else:
            raise ValueError(f"{document.where}: expected AlphaPose results. Received: {brief(content)}")
    return table_of(records, name, where, profile, image_size=image_size)


def _list_records(entries: list, where: str, image: str | None = None) -> Iterator[PersonRecord]:
    for number, entry in enumerate(entries):
        place = f"{where}, record {number}"
        if not isinstance(entry, dict) or "keypoints" not in entry:
            raise ValueError(f"{place}: expected an object with 'keypoints'. Received: {brief(entry)}")
        image_id = entry.get("image_id") if image is None else image
        if isinstance(image_id, str):
            frame, picture = None, image_id
        else:
            frame, picture = whole_number(image_id, f"{place}, image_id"), None
        box = entry.get("box", entry.get("bbox"))
        joints = joint_triples(entry["keypoints"], place)
        if not (joints[:, 2] > 0).any():
            continue
        yield PersonRecord(
            joints,
            place,
            frame,
            picture,
            _track(entry.get("idx", entry.get("track_id")), f"{place}, idx"),
            None if box is None else box_of(box, f"{place}, box"),
        )


def _track(value: object, where: str) -> int:
    # AlphaPose writes an int, a float, [id] or, where boxes were merged, [[id], [id], ...]: the commonest id counts.
    flat = [value]
    while any(isinstance(item, list) for item in flat):
        flat = [inner for item in flat for inner in (item if isinstance(item, list) else [item])]
    ids = [whole_number(item, where) for item in flat if item is not None]
    return max(Counter(ids).most_common(1)[0][0], UNTRACKED) if ids else UNTRACKED
