"""Plain tables: CSV of several spellings, .npy and .npz."""

import numpy as np
import pytest

from vvipe_tf.formats.detections.joint_names import canonical_joint_name, match_profile
from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.keypoints import BLAZEPOSE_33, COCO_13, COCO_17, HALPE_26, PROFILES

RNG = np.random.default_rng(11)
JOINTS = np.concatenate([RNG.uniform(50, 900, (5, 13, 2)), RNG.uniform(0.1, 1, (5, 13, 1))], axis=-1)


def write_rows(path, header, rows, delimiter=","):
    lines = [delimiter.join(header)] if header else []
    lines += [delimiter.join(str(cell) for cell in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("LEFT_SHOULDER", "left_shoulder"),
        ("LShoulder", "left_shoulder"),
        ("shoulder.left", "left_shoulder"),
        ("RBigToe", "right_big_toe"),
        ("right foot index", "right_big_toe"),
        ("MidHip", "pelvis"),
        ("Nose", "nose"),
        ("mouth_left", "left_mouth"),
        ("left_eye_(inner)", "left_eye_inner"),
        ("lsho", "lsho"),
        ("l_sho", "left_shoulder"),
    ],
)
def test_joint_names_are_understood_in_usual_spellings(spelling, expected):
    assert canonical_joint_name(spelling) == expected


@pytest.mark.parametrize("profile", [p for p in PROFILES.values()], ids=lambda p: p.name)
def test_every_profile_is_matched_by_its_own_names_in_any_order(profile):
    order = np.random.default_rng(2).permutation(profile.num_joints)
    names = [profile.keypoint_names[index].upper() for index in order]
    found, indices = match_profile(names, profile, "file")
    assert found is profile
    np.testing.assert_array_equal(order[list(indices)], np.arange(profile.num_joints))


def test_the_richest_profile_that_the_names_cover_is_chosen():
    names = [*HALPE_26.keypoint_names, "left_thumb"]
    assert match_profile(names, None, "file")[0] is HALPE_26
    assert match_profile(list(COCO_17.keypoint_names), None, "file")[0] is COCO_17
    with pytest.raises(ValueError, match="tail"):
        match_profile(["tail", "nose"], None, "file")
    with pytest.raises(ValueError, match="no left_ankle, right_ankle"):
        match_profile(list(COCO_13.keypoint_names[:-2]), COCO_13, "file")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("style", ["{joint}_{axis}", "{JOINT}.{axis}"])
def test_wide_csv_is_read_by_column_names(tmp_path, delimiter, style):
    order = np.random.default_rng(1).permutation(13)
    names = [COCO_13.keypoint_names[index] for index in order]
    axes = ("x", "y", "score")
    header = ["frame", "person", *(style.format(joint=n, JOINT=n.upper(), axis=a) for n in names for a in axes)]
    rows = [[10 + n, n % 2, *JOINTS[n, order].ravel()] for n in range(5)]
    table = read_detections(write_rows(tmp_path / "wide.csv", header, rows, delimiter))
    assert table.profile is COCO_13
    np.testing.assert_allclose(table.keypoints_2d, JOINTS[..., :2], rtol=1e-6)
    np.testing.assert_allclose(table.scores, JOINTS[..., 2], rtol=1e-6)
    np.testing.assert_array_equal(table.frame, 10 + np.arange(5))
    np.testing.assert_array_equal(table.person, [0, 1, 0, 1, 0])


def test_long_csv_is_gathered_by_frame_and_person(tmp_path):
    rows = [
        [frame, who, name, *JOINTS[frame * 2 + who, joint]]
        for frame in range(2)
        for who in range(2)
        for joint, name in enumerate(COCO_13.keypoint_names)
    ]
    rows = [rows[index] for index in np.random.default_rng(0).permutation(len(rows))]
    rows = [row for row in rows if not (row[0] == 1 and row[1] == 1 and row[2] == "nose")]
    header = ["frame", "person_id", "joint", "x", "y", "confidence"]
    table = read_detections(write_rows(tmp_path / "long.csv", header, rows))
    order = np.lexsort((table.person, table.frame))
    table = table.select(order)
    np.testing.assert_array_equal(table.frame, [0, 0, 1, 1])
    np.testing.assert_allclose(table.keypoints_2d[:3], JOINTS[:3, :, :2], rtol=1e-6)
    assert table.scores[3, 0] == 0


@pytest.mark.parametrize("columns", [2, 3])
def test_csv_without_header_needs_a_named_profile(tmp_path, columns):
    path = write_rows(tmp_path / "bare.csv", None, JOINTS[..., :columns].reshape(5, -1))
    table = read_detections(path, COCO_13)
    np.testing.assert_allclose(table.keypoints_2d, JOINTS[..., :2], rtol=1e-6)
    with pytest.raises(ValueError, match="--profile"):
        read_detections(path)
    with pytest.raises(ValueError, match="joints of COCO_17"):
        read_detections(path, COCO_17)


@pytest.mark.parametrize("form", ["numbered", "bare", "named"])
def test_mediapipe_csv_is_scaled_by_the_picture(tmp_path, form):
    landmarks = np.random.default_rng(5).uniform(0.1, 0.9, (3, 33, 4))
    if form == "numbered":
        header = [f"{axis}{n}" for n in range(1, 34) for axis in ("x", "y", "z", "v")]
    elif form == "named":
        header = [f"{name}_{axis}" for name in BLAZEPOSE_33.keypoint_names for axis in ("x", "y", "z", "visibility")]
    else:
        header = None
    path = write_rows(tmp_path / "landmarks.csv", header, landmarks.reshape(3, -1))
    table = read_detections(path, image_size=(640, 360))
    assert table.profile is BLAZEPOSE_33
    np.testing.assert_allclose(table.keypoints_2d, landmarks[..., :2] * [640, 360], rtol=1e-5)
    np.testing.assert_allclose(table.scores, landmarks[..., 3], rtol=1e-6)
    with pytest.raises(ValueError, match="--image-size"):
        read_detections(path)


@pytest.mark.parametrize(
    ("cell", "message"), [("abc", "row 3.*abc"), ("inf", "finite"), ("1e9", "within"), ("", None), ("nan", None)]
)
def test_csv_cells_are_numbers_or_missing(tmp_path, cell, message):
    header = [f"{name}_{axis}" for name in COCO_13.keypoint_names for axis in ("x", "y")]
    rows = JOINTS[..., :2].reshape(5, -1).tolist()
    rows[1][4] = cell
    path = write_rows(tmp_path / "cells.csv", header, rows)
    if message is None:
        assert read_detections(path).scores[1, 2] == 0
    else:
        with pytest.raises(ValueError, match=message):
            read_detections(path)


def test_arrays_need_a_profile_and_the_right_shape(tmp_path):
    np.save(tmp_path / "points.npy", JOINTS)
    table = read_detections(tmp_path / "points.npy", COCO_13)
    np.testing.assert_allclose(table.scores, JOINTS[..., 2], rtol=1e-6)
    with pytest.raises(ValueError, match="--profile"):
        read_detections(tmp_path / "points.npy")
    with pytest.raises(ValueError, match=r"\(frames, 17, 2 or 3\)"):
        read_detections(tmp_path / "points.npy", COCO_17)


def test_named_arrays_keep_scores_frames_and_people(tmp_path):
    path = tmp_path / "points.npz"
    np.savez(
        path,
        keypoints_2d=JOINTS[..., :2],
        scores=JOINTS[..., 2],
        frame=[4, 4, 6, 7, 9],
        person=[1, 2, 1, 1, 2],
        profile="COCO_13",
    )
    table = read_detections(path)
    assert [len(rows) for _, rows in table.by_person()] == [3, 2]
    assert [frame for frame, _ in table.by_frame()] == [4, 6, 7, 9]


def test_object_arrays_are_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="objects.npy"):
        read_detections(tmp_path / "objects.npy", COCO_13)
