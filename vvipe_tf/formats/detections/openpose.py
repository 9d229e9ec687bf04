"""OpenPose JSON: one file per picture, `people` with `pose_keypoints_2d`; several files make a folder.

Pose2Sim, AlphaPose (`--format open`) and others write the same form with other models, so the keypoint count decides:
25 (BODY_25 or BODY_25B, told apart by the anatomy over all files), 18 (COCO), 17, 26 (Halpe), 33 (BlazePose), 135.
"""

from collections.abc import Iterator

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.joint_values import joint_triples
from vvipe_tf.formats.detections.json_document import JsonDocument, brief
from vvipe_tf.formats.detections.person_records import PersonRecord, picture_numbers, table_of, track_of
from vvipe_tf.keypoints import KeypointProfile

NAME = "openpose"
# List of people and keypoints of a person, as OpenPose and as AlphaPose's `cmu` form call them.
PEOPLE_KEYS = (("people", "pose_keypoints_2d"), ("bodies", "joints"))


def matches(content: object) -> bool:
    """Whether this is the content of one OpenPose file."""
    return isinstance(content, dict) and isinstance(content.get("people"), list)


def read(
    documents: list[JsonDocument],
    where: str,
    profile: KeypointProfile | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Reads the files of one video.

    Args:
        documents: One per picture, in order.
        where: File or folder, for messages.
        profile: Profile that the user named, or `None`.
        image_size: Width and height of the pictures, if known.

    Returns:
        All people; frame numbers from the file names, `person_id` as track id.

    Raises:
        ValueError: If a file is not of this form or a value is wrong; file and person are named.
    """
    numbers = picture_numbers([document.name for document in documents])
    records = [
        record
        for document, frame in zip(documents, numbers, strict=True)
        for record in people_records(document.content, document.where, frame)
    ]
    return table_of(records, NAME, where, profile, image_size=image_size)


def people_records(content: object, where: str, frame: int | None, image: str | None = None) -> Iterator[PersonRecord]:
    """People of one picture, in OpenPose's form or AlphaPose's `cmu` form.

    Raises:
        ValueError: If the content is not of this form.
    """
    keys = [pair for pair in PEOPLE_KEYS if isinstance(content, dict) and isinstance(content.get(pair[0]), list)]
    if not keys:
        raise ValueError(f"{where}: expected an object with a list 'people'. Received: {brief(content)}")
    people_key, joints_key = keys[0]
    for number, person in enumerate(content[people_key]):
        place = f"{where}, {people_key}[{number}]"
        if not isinstance(person, dict) or joints_key not in person:
            raise ValueError(f"{place}: expected an object with {joints_key!r}. Received: {brief(person)}")
        joints = joint_triples(person[joints_key], place)
        if (joints[:, 2] > 0).any():
            track = person.get("person_id")
            if isinstance(track, list):
                track = track[0] if track else None
            yield PersonRecord(joints, place, frame, image, track_of(track, f"{place}, person_id"))
