"""JSON, CSV, npz and TRC: what is written is what is read back."""

import csv
import json

import numpy as np
import pytest

from vvipe_tf.formats.motion_capture.pose2sim import POSE2SIM_21
from vvipe_tf.formats.pose_files.pose_csv import read_pose_csv, write_pose_csv
from vvipe_tf.formats.pose_files.pose_json import read_pose_json, write_pose_json
from vvipe_tf.formats.pose_files.pose_npz import read_pose_npz, write_pose_npz
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.formats.pose_files.pose_trc import marker_name, read_trc, write_trc
from vvipe_tf.keypoints import COCO_13, OPENPOSE_BODY_25B

RNG = np.random.default_rng(21)
SEQUENCE = PoseSequence(
    RNG.normal(size=(7, 13, 3)),
    COCO_13,
    fps=60.0,
    torso_length_mm=512.5,
    frame=np.array([3, 4, 5, 9, 10, 11, 12]),
    person=np.full(7, 2),
    scores=RNG.uniform(size=(7, 13)),
    uncertainty=RNG.uniform(size=7),
)


def assert_same(read, written):
    np.testing.assert_allclose(read.poses, written.poses, atol=1e-6)
    np.testing.assert_array_equal(read.frame, written.frame)
    np.testing.assert_array_equal(read.person, written.person)
    assert read.description() == written.description()
    for name in ("scores", "uncertainty"):
        values = getattr(written, name)
        if values is None:
            assert getattr(read, name) is None
        else:
            np.testing.assert_allclose(getattr(read, name), values, atol=1e-6)


@pytest.mark.parametrize(
    ("write", "read", "name"),
    [
        (write_pose_json, read_pose_json, "poses.json"),
        (write_pose_npz, read_pose_npz, "poses.npz"),
        (write_pose_csv, read_pose_csv, "poses.csv"),
    ],
)
@pytest.mark.parametrize(
    "sequence",
    [
        SEQUENCE,
        PoseSequence(SEQUENCE.poses[:4], COCO_13, "camera", "mm"),
        PoseSequence(SEQUENCE.poses[:5], COCO_13, uncertainty=SEQUENCE.uncertainty[:5]),
        PoseSequence(SEQUENCE.poses[:0], COCO_13),
    ],
    ids=["full", "bare", "uncertain", "empty"],
)
def test_json_npz_and_csv_come_back_with_their_meaning(tmp_path, write, read, name, sequence):
    write(tmp_path / name, sequence)
    assert_same(read(tmp_path / name), sequence)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_json_says_frame_root_axes_and_unit(tmp_path):
    write_pose_json(tmp_path / "poses.json", SEQUENCE)
    document = json.loads((tmp_path / "poses.json").read_text())
    assert document["format"] == "vvipe-poses"
    assert document["coordinate_frame"] == "canonical"
    assert "left hip towards -y" in document["axes"]
    assert document["root"].startswith("pelvis")
    assert document["unit"] == "torso"
    assert document["keypoint_names"] == list(COCO_13.keypoint_names)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2),
        ("profile", "COCO_99"),
        ("poses", None),
        ("poses", [{"frame": 0, "person": 0, "keypoints_3d": [[1, 2, 3]]}]),
        ("poses", [{"frame": 0, "person": 0, "keypoints_3d": [[1, 2, "3"]] * 13}]),
        ("poses", [{"frame": 0, "person": 0, "keypoints_3d": [[1, 2, None]] * 13}]),
        ("poses", [{"person": 0, "keypoints_3d": [[1, 2, 3]] * 13}]),
        ("unit", "feet"),
        ("fps", -1),
        ("poses", [{"frame": 0, "person": 0, "keypoints_3d": [[1, 2, 3]] * 13, "uncertainty": "small"}]),
        ("poses", [{"frame": 0, "person": 0, "keypoints_3d": [[1, 2, 3]] * 13, "uncertainty": None}]),
        ("coordinate_frame", [1]),
    ],
)
def test_damaged_pose_files_are_refused(tmp_path, key, value):
    path = tmp_path / "poses.json"
    write_pose_json(path, SEQUENCE)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ValueError, match="(?i)expected"):
        read_pose_json(path)


def test_damaged_pose_archives_are_refused(tmp_path):
    path = tmp_path / "poses.npz"
    write_pose_npz(path, SEQUENCE)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="Expected a vvipe-poses file"):
        read_pose_npz(path)
    unknown = bytearray(whole)
    unknown[whole.index(b"PK\x01\x02") + 10] = 123  # the method of compression, in the directory
    path.write_bytes(unknown)
    with pytest.raises(ValueError, match="Expected a vvipe-poses file"):
        read_pose_npz(path)
    np.savez(path, poses=SEQUENCE.poses)
    with pytest.raises(ValueError, match=r"without \['coordinate_frame'"):
        read_pose_npz(path)


def test_csv_has_a_described_header_and_six_decimals(tmp_path):
    path = tmp_path / "poses.csv"
    write_pose_csv(path, SEQUENCE)
    lines = path.read_text().splitlines()
    described = dict(line[2:].split(": ", 1) for line in lines if line.startswith("#"))
    assert described["unit"] == "torso"
    assert described["torso_length_mm"] == "512.5"
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    read = np.array([[[float(row[f"{n}_{a}"]) for a in "xyz"] for n in COCO_13.keypoint_names] for row in rows])
    np.testing.assert_allclose(read, SEQUENCE.poses, atol=5e-7)
    assert [int(row["frame"]) for row in rows] == SEQUENCE.frame.tolist()
    np.testing.assert_allclose([float(row["right_ankle_score"]) for row in rows], SEQUENCE.scores[:, -1], atol=5e-7)


def split_trc(path):
    """A reader of its own: header fields, marker names, frame numbers, times, points (frames, markers, 3)."""
    lines = path.read_text().splitlines()
    fields = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    markers = [name for name in lines[3].split("\t")[2:] if name]
    axes = lines[4].split("\t")[2:]
    assert axes == [f"{axis}{n}" for n in range(1, len(markers) + 1) for axis in "XYZ"]
    assert len(lines[3].split("\t")) == len(lines[4].split("\t")) == 2 + 3 * len(markers)
    table = np.array([[float(cell) for cell in line.split("\t")] for line in lines[5:]])
    return lines[0], fields, markers, table[:, 0], table[:, 1], table[:, 2:].reshape(len(table), -1, 3)


def test_trc_has_pose2sims_layout_and_the_poses_in_metres_y_up(tmp_path):
    path = tmp_path / "balance.trc"
    write_trc(path, SEQUENCE)
    first, fields, markers, numbers, times, points = split_trc(path)
    assert first == "PathFileType\t4\t(X/Y/Z)\tbalance.trc"
    assert fields == {
        "DataRate": "60",
        "CameraRate": "60",
        "NumFrames": "7",
        "NumMarkers": "13",
        "Units": "m",
        "OrigDataRate": "60",
        "OrigDataStartFrame": "3",
        "OrigNumFrames": "7",
    }
    assert markers[:3] == ["Nose", "LShoulder", "RShoulder"]
    np.testing.assert_array_equal(numbers, np.arange(1, 8))
    np.testing.assert_allclose(times, np.arange(1, 8) / 60, atol=1e-8)
    x, y, z = np.moveaxis(SEQUENCE.poses * 0.5125, -1, 0)
    np.testing.assert_allclose(points, np.stack([y, z, x], axis=-1), atol=1e-8)


def test_markers_bear_the_names_of_pose2sims_models():
    names = {marker_name(joint) for joint in OPENPOSE_BODY_25B.keypoint_names}
    theirs = "RHip RKnee RAnkle RBigToe RSmallToe RHeel Neck Head Nose RShoulder RElbow RWrist LHeel LWrist"
    assert set(theirs.split()) <= names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"poses": np.zeros((7, 17, 3))}, r"\(frames, 13, 3\) for COCO_13"),
        ({"poses": np.full((7, 13, 3), np.nan)}, "finite"),
        ({"unit": "cm"}, "unit"),
        ({"coordinate_frame": "moon"}, "coordinate frame"),
        ({"fps": 0.0}, "fps above 0"),
        ({"torso_length_mm": float("inf")}, "torso_length_mm above 0"),
        ({"frame": np.arange(6)}, "frame of shape"),
        ({"scores": np.zeros((7, 12))}, "scores of shape"),
        ({"uncertainty": np.zeros(6)}, "uncertainty of shape"),
        ({"uncertainty": np.full(7, np.nan)}, "finite uncertainty"),
    ],
)
def test_senseless_sequences_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        PoseSequence(**({"poses": np.zeros((7, 13, 3)), "profile": COCO_13} | change))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nose_x", "nose", "expected 55 columns"),
        ("0.", "0.x", "expected numbers"),
        ("COCO_13", "COCO_99", "Expected a keypoint profile"),
        ("canonical", "sideways", "Expected a coordinate frame"),
        ("fps: 60.0", "fps: fast", "expected numbers"),
    ],
)
def test_a_damaged_csv_is_refused(tmp_path, old, new, message):
    path = tmp_path / "poses.csv"
    write_pose_csv(path, SEQUENCE)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_pose_csv(path)


@pytest.mark.parametrize("profile", [COCO_13, OPENPOSE_BODY_25B], ids=lambda profile: profile.name)
def test_a_trc_comes_back_in_metres_with_z_up(tmp_path, profile):
    written = PoseSequence(
        RNG.normal(size=(5, profile.num_joints, 3)), profile, "world", "mm", 25.0, frame=np.arange(3, 8)
    )
    write_trc(tmp_path / "poses.trc", written)
    read = read_trc(tmp_path / "poses.trc")
    np.testing.assert_allclose(read.poses, written.poses / 1000, atol=1e-8)
    assert read.frame.tolist() == [3, 4, 5, 6, 7]
    assert (read.profile, read.coordinate_frame, read.unit, read.fps) == (profile, "world", "m", 25.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("PathFileType", "Path", "expected a TRC file"),
        ("Nose", "Hat", "expected the markers of a keypoint profile. Received: Hat, LShoulder"),
        ("\tm\t", "\tinch\t", "expected units m or mm"),
        ("DataRate", "Rate", "expected a rate"),
        ("0.", "0.x", "expected a rate and 13 markers"),
    ],
)
def test_a_damaged_trc_is_refused(tmp_path, old, new, message):
    path = tmp_path / "poses.trc"
    write_trc(path, SEQUENCE)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_trc(path)


def test_pose2sims_markers_are_read_in_their_own_order_and_incomplete_frames_left_out(tmp_path):
    names = [*POSE2SIM_21.keypoint_names[5:], *POSE2SIM_21.keypoint_names[:5]]
    points = RNG.normal(size=(4, 21, 3))
    rows = [[str(number), f"{number / 60}", *map(str, row.ravel())] for number, row in enumerate(points, start=1)]
    rows[2][5] = ""
    lines = [
        ["PathFileType", "4", "(X/Y/Z)", "a.trc"],
        ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame"],
        ["60", "60", "4", "21", "m", "60", "0"],
        ["Frame#", "Time", *(cell for name in names for cell in (marker_name(name), "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, 22) for axis in "XYZ")],
        *rows,
    ]
    (tmp_path / "a.trc").write_text("\n".join("\t".join(line) for line in lines) + "\n")
    read = read_trc(tmp_path / "a.trc")
    assert (read.profile, read.frame.tolist(), read.fps) == (COCO_13, [0, 1, 3], 60)
    knee = points[[0, 1, 3], names.index("left_knee")]
    np.testing.assert_allclose(read.poses[:, COCO_13.index("left_knee")], knee[:, [2, 0, 1]])
