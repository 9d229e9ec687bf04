"""MMPose predictions: inferencer output of a picture or a video, and the demo scripts' `instance_info`.

Joint names of `meta_info` are honoured; without them the keypoint count decides.
"""

from collections.abc import Iterator

import numpy as np

from vvipe_tf.formats.detections.body_layouts import BodyLayout
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.joint_names import match_profile
from vvipe_tf.formats.detections.joint_values import box_of, clean_joints, number_array, whole_number
from vvipe_tf.formats.detections.json_document import JsonDocument, brief
from vvipe_tf.formats.detections.person_records import PersonRecord, picture_numbers, table_of, track_of
from vvipe_tf.keypoints import KeypointProfile

NAME = "mmpose"


def matches(content: object) -> bool:
    """Whether this is a list of instances, a list of frames with instances, or an object with `instance_info`."""
    if isinstance(content, dict):
        return "instance_info" in content or "instances" in content or "predictions" in content
    if not isinstance(content, list) or not content:
        return False
    first = content[0]
    if isinstance(first, list) and first:
        first = first[0]
    return isinstance(first, dict) and ("instances" in first or {"keypoints", "keypoint_scores"} <= set(first))


def read(
    documents: list[JsonDocument],
    where: str,
    profile: KeypointProfile | None = None,
    image_size: tuple[int, int] | None = None,
) -> DetectionTable:
    """Reads the predictions of one video, or of a folder of pictures.

    Args:
        documents: The files, in order.
        where: File or folder, for messages.
        profile: Profile that the user named, or `None`.
        image_size: Width and height of the pictures, if known.

    Returns:
        All instances; frame numbers from `frame_id`, else from the file names, `track_id` as track.

    Raises:
        ValueError: If a file is not of this form, holds 3D keypoints or a wrong value; file and instance are named.
    """
    numbers = picture_numbers([document.name for document in documents])
    records: list[PersonRecord] = []
    layout = None
    for document, number in zip(documents, numbers, strict=True):
        content = document.content
        if isinstance(content, dict):
            layout = layout or _named_layout(content.get("meta_info"), profile, document.where)
            content = content.get("instance_info", content.get("predictions", [content]))
        records += _records(content, document.where, number)
    return table_of(records, NAME, where, profile, layout, image_size)


def _records(content: object, where: str, number: int) -> Iterator[PersonRecord]:
    if not isinstance(content, list):
        raise ValueError(f"{where}: expected a list of instances or frames. Received: {brief(content)}")
    for position, entry in enumerate(content):
        place = f"{where}, entry {position}"
        if isinstance(entry, list):
            yield from _instances(entry, place, position)
        elif isinstance(entry, dict) and "instances" in entry:
            frame = entry.get("frame_id")
            frame = position if frame is None else whole_number(frame, f"{place}, frame_id")
            yield from _instances(entry["instances"], place, frame)
        else:
            yield from _instances([entry], place, number)


def _instances(instances: object, where: str, frame: int) -> Iterator[PersonRecord]:
    if not isinstance(instances, list):
        raise ValueError(f"{where}: expected a list of instances. Received: {brief(instances)}")
    for number, entry in enumerate(instances):
        place = f"{where}, instance {number}"
        if not isinstance(entry, dict) or not {"keypoints", "keypoint_scores"} <= set(entry):
            raise ValueError(
                f"{place}: expected an object with 'keypoints' and 'keypoint_scores'. Received: {brief(entry)}"
            )
        joints = _joints(entry["keypoints"], entry["keypoint_scores"], place)
        if not (joints[:, 2] > 0).any():
            continue
        box = entry.get("bbox")
        if box is not None:
            box = box_of(box, f"{place}, bbox")
            box = np.concatenate([box[:2], box[2:] - box[:2]])  # two corners -> corner and size
        yield PersonRecord(joints, place, frame, None, track_of(entry.get("track_id"), f"{place}, track_id"), box)


def _joints(keypoints: object, scores: object, where: str) -> np.ndarray:
    if not isinstance(keypoints, list) or not keypoints:
        raise ValueError(f"{where}: expected a list of keypoints. Received: {brief(keypoints)}")
    scores = number_array(scores, f"{where}, keypoint_scores")
    if len(scores) != len(keypoints):
        raise ValueError(f"{where}: expected {len(keypoints)} keypoint_scores. Received: {len(scores)}")
    widths = {len(point) if isinstance(point, list) else 0 for point in keypoints}
    if widths != {2}:
        reason = "3D keypoints" if widths == {3} else f"points of {sorted(widths)} numbers"
        raise ValueError(f"{where}: expected keypoints as pairs x, y in the picture. Received: {reason}")
    points = number_array([value for point in keypoints for value in point], where).reshape(-1, 2)
    return clean_joints(np.concatenate([points, scores[:, None]], axis=1), where)


def _named_layout(meta: object, profile: KeypointProfile | None, where: str) -> BodyLayout | None:
    if not isinstance(meta, dict) or not isinstance(meta.get("keypoint_id2name"), dict):
        return None
    names = meta["keypoint_id2name"]
    if not all(isinstance(name, str) for name in names.values()):
        raise ValueError(f"{where}: expected joint names in meta_info.keypoint_id2name. Received: {brief(names)}")
    ordered = [names.get(str(index)) for index in range(len(names))]
    if None in ordered:
        raise ValueError(f"{where}: expected keypoint_id2name to count from 0. Received: {brief(names)}")
    # Whole-body models name hands and faces too; only their first 17 or 26 names are the body.
    ordered = ordered[:17] if len(ordered) == 133 else ordered
    return BodyLayout(*match_profile(ordered, profile, f"{where}, meta_info"))
