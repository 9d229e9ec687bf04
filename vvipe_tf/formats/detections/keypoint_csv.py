"""Plain tables of keypoints as delimited text, with a header (wide or long) or without.

Wide: one row per person and frame, columns such as `left_hip_x, left_hip_y, left_hip_score` (or `x0, y0, score0`).
Long: one row per joint, columns `frame, joint, x, y` and perhaps `person, score`. MediaPipe's CSV files are either.
"""

import csv
import io
import os
import re
from pathlib import Path

import numpy as np

from vvipe_tf.formats.detections.body_layouts import BodyLayout
from vvipe_tf.formats.detections.detection_table import UNTRACKED, DetectionTable
from vvipe_tf.formats.detections.joint_names import match_profile
from vvipe_tf.formats.detections.json_document import MAX_BYTES
from vvipe_tf.formats.detections.person_records import table_of_rows
from vvipe_tf.keypoints import BLAZEPOSE_33, KeypointProfile

NAME = "csv"
_SCORE_WORDS = ("score", "confidence", "conf", "visibility", "likelihood", "probability", "c", "v", "s")
_AXIS = re.compile(rf"^(.+?)[ _.\-]+(x|y|z|presence|{'|'.join(_SCORE_WORDS)})$", re.IGNORECASE)
_NUMBERED = re.compile(rf"^(x|y|z|{'|'.join(_SCORE_WORDS)})[ _.\-]?(\d+)$", re.IGNORECASE)
_INDEX = re.compile(r"^(?:kpt?|keypoint|landmark|lm|joint|point|p)?[ _.\-]?(\d+)$", re.IGNORECASE)
_FRAME_WORDS = ("frame", "frame_id", "frame_number", "frame_index", "frame_no", "image_id")
_PERSON_WORDS = ("person", "person_id", "track", "track_id", "idx", "id")
_JOINT_WORDS = ("joint", "keypoint", "landmark", "name", "joint_name", "keypoint_name", "landmark_name", "landmark_id")


def read_csv(
    path: str | os.PathLike, profile: KeypointProfile | None = None, image_size: tuple[int, int] | None = None
) -> DetectionTable:
    """Reads keypoints from delimited text.

    Args:
        path: File with commas, semicolons or tabs.
        profile: Profile of the keypoints. Needed where the columns have no joint names.
        image_size: Width and height of the pictures; needed for normalised MediaPipe landmarks.

    Returns:
        One row per person and frame; empty or `nan` cells are missing joints.

    Raises:
        ValueError: If the text is no such table, a cell is no number, or a name or a size is needed.
    """
    where = os.fspath(path)
    rows = _rows(Path(path))
    header = [cell.strip() for cell in rows[0]]
    if all(_is_number(cell) for cell in header):
        return _without_header(_numbers(rows, range(len(header)), where, 1), where, profile, image_size)
    lower = [name.lower() for name in header]
    if {"x", "y"} <= set(lower) and any(word in lower for word in _JOINT_WORDS):
        return _long_table(rows[1:], lower, where, profile, image_size)
    return _wide_table(rows[1:], header, where, profile, image_size)


def _rows(path: Path) -> list[list[str]]:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path}: expected a table of at most {MAX_BYTES} bytes")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        first = text.lstrip().split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text. Received: {error.reason} at byte {error.start}") from error
    except csv.Error as error:
        raise ValueError(f"{path}: expected a table. Received: {error}") from error
    if not rows or len(rows[0]) < 2:
        raise ValueError(f"{path}: expected a table of keypoints with commas, semicolons or tabs.")
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _numbers(rows: list[list[str]], columns: object, where: str, first_line: int) -> np.ndarray:
    columns = list(columns)
    width = max(columns) + 1
    table = np.empty((len(rows), len(columns)))
    for number, row in enumerate(rows):
        if len(row) < width:
            raise ValueError(f"{where}, row {number + first_line}: expected {width} cells. Received: {len(row)}")
        try:
            table[number] = [float(row[column].strip() or "nan") for column in columns]
        except ValueError as error:
            raise ValueError(f"{where}, row {number + first_line}: expected numbers. Received: {error}") from error
    if np.isinf(table).any():
        raise ValueError(f"{where}: expected finite numbers. Received: an infinite one")
    return table


def _without_header(
    table: np.ndarray, where: str, profile: KeypointProfile | None, image_size: tuple[int, int] | None
) -> DetectionTable:
    if profile is None and table.shape[1] != 4 * BLAZEPOSE_33.num_joints:
        raise ValueError(f"{where}: expected a header with joint names, or a profile named (--profile).")
    profile = profile or BLAZEPOSE_33
    per_joint, rest = divmod(table.shape[1], profile.num_joints)
    if rest or per_joint not in (2, 3, 4):
        raise ValueError(
            f"{where}: expected 2, 3 or 4 columns for each of the {profile.num_joints} joints of {profile.name}. "
            f"Received: {table.shape[1]} columns"
        )
    joints = table.reshape(len(table), profile.num_joints, per_joint)
    joints = joints[..., [0, 1, 3]] if per_joint == 4 else joints  # x, y, z, visibility
    if per_joint == 2:
        joints = np.concatenate([joints, np.ones_like(joints[..., :1])], axis=-1)
    return table_of_rows(NAME, joints, None, None, None, where, profile, image_size)


def _wide_table(
    rows: list[list[str]],
    header: list[str],
    where: str,
    profile: KeypointProfile | None,
    image_size: tuple[int, int] | None,
) -> DetectionTable:
    columns: dict[str, dict[str, int]] = {}
    for index, name in enumerate(header):
        match, numbered = _AXIS.match(name), _NUMBERED.match(name)
        if numbered:
            joint, axis = numbered.group(2), numbered.group(1).lower()
        elif match:
            joint, axis = match.group(1), match.group(2).lower()
        else:
            continue
        axis = "score" if axis in _SCORE_WORDS else axis
        if columns.setdefault(joint, {}).setdefault(axis, index) != index:
            raise ValueError(f"{where}: expected each column once. Received: {name!r} twice")
    columns = {joint: axes for joint, axes in columns.items() if {"x", "y"} <= set(axes)}
    if not columns:
        raise ValueError(
            f"{where}: expected columns such as left_hip_x, left_hip_y. Received: {', '.join(header[:8])[:120]}"
        )
    layout, order = _layout(list(columns), profile, where)
    points = [list(columns.values())[index] for index in order]
    x = _numbers(rows, [axes["x"] for axes in points], where, 2)
    y = _numbers(rows, [axes["y"] for axes in points], where, 2)
    scored = [axes.get("score") for axes in points]
    score = np.ones_like(x) if None in scored else _numbers(rows, scored, where, 2)
    lower = [name.lower() for name in header]
    frame = _named_column(rows, lower, _FRAME_WORDS, where)
    person = _named_column(rows, lower, _PERSON_WORDS, where)
    return table_of_rows(NAME, np.stack([x, y, score], axis=-1), layout, frame, person, where, profile, image_size)


def _long_table(
    rows: list[list[str]],
    header: list[str],
    where: str,
    profile: KeypointProfile | None,
    image_size: tuple[int, int] | None,
) -> DetectionTable:
    if not rows:
        raise ValueError(f"{where}: expected rows below the header. Received: none")
    joint_column = next(header.index(word) for word in _JOINT_WORDS if word in header)
    score_column = next((header.index(word) for word in _SCORE_WORDS if word in header), None)
    values = _numbers(rows, [header.index("x"), header.index("y")], where, 2)
    score = np.ones(len(rows)) if score_column is None else _numbers(rows, [score_column], where, 2)[:, 0]
    frame = _named_column(rows, header, _FRAME_WORDS, where)
    person = _named_column(rows, header, _PERSON_WORDS, where)
    frame = np.zeros(len(rows), dtype=np.int64) if frame is None else frame
    person = np.full(len(rows), UNTRACKED) if person is None else person
    if any(len(row) <= joint_column for row in rows):
        raise ValueError(f"{where}: expected a joint name in each row")
    names = [row[joint_column].strip() for row in rows]
    layout, order = _layout(list(dict.fromkeys(names)), profile, where)
    position = {list(dict.fromkeys(names))[index]: place for place, index in enumerate(order)}
    keys = list(zip(frame.tolist(), person.tolist(), strict=True))
    row_of = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    joints = np.full((len(row_of), len(order), 3), np.nan)
    seen = set()
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        if name not in position:
            continue
        if (key, name) in seen:
            raise ValueError(f"{where}, row {number + 2}: expected joint {name!r} once per person and frame")
        seen.add((key, name))
        joints[row_of[key], position[name]] = (*values[number], score[number])
    frame, person = (np.array(column, dtype=np.int64) for column in zip(*row_of, strict=True))
    return table_of_rows(NAME, joints, layout, frame, person, where, profile, image_size)


def _layout(names: list[str], profile: KeypointProfile | None, where: str) -> tuple[BodyLayout | None, list[int]]:
    """Layout of named joints, or `None` and the order of numbered ones."""
    numbers = [_INDEX.match(name) for name in names]
    if all(numbers):
        order = np.argsort([int(match.group(1)) for match in numbers])
        counted = sorted(int(match.group(1)) for match in numbers)
        if counted != list(range(counted[0], counted[0] + len(counted))) or counted[0] not in (0, 1):
            raise ValueError(f"{where}: expected keypoints numbered from 0 or 1. Received: {counted[:8]}")
        return None, order.tolist()
    found, order = match_profile(names, profile, where)
    return BodyLayout(found, tuple(range(found.num_joints))), list(order)


def _named_column(rows: list[list[str]], header: list[str], words: tuple[str, ...], where: str) -> np.ndarray | None:
    index = next((header.index(word) for word in words if word in header), None)
    return None if index is None or not rows else _numbers(rows, [index], f"{where}, column {header[index]}", 2)[:, 0]
