"""Keypoint files of each tool, written here in the tools' own layouts, come back as what they show."""

import json

import numpy as np
import pytest

from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.keypoints import (
    BLAZEPOSE_33,
    COCO_13,
    COCO_17,
    H36M_17,
    HALPE_26,
    OPENPOSE_BODY_25,
    OPENPOSE_BODY_25B,
    get_profile,
)

# A standing person facing the camera in pixels, y down; the left side is on the right of the picture.
_PERSON = {
    "nose": (0, -190),
    "eye": (8, -200),
    "ear": (18, -195),
    "shoulder": (40, -140),
    "elbow": (60, -80),
    "wrist": (70, -20),
    "hip": (22, 0),
    "knee": (28, 95),
    "ankle": (30, 190),
    "pelvis": (0, 0),
    "spine": (0, -70),
    "neck": (0, -140),
    "head": (0, -190),
    "head_top": (0, -230),
    "eye_inner": (5, -200),
    "eye_outer": (11, -200),
    "mouth": (6, -180),
    "pinky": (74, 0),
    "index": (70, 4),
    "thumb": (66, -4),
    "heel": (28, 205),
    "big_toe": (40, 212),
    "small_toe": (48, 210),
}


def person_in(profile, centre=(400.0, 500.0), score=0.75):
    """Keypoints x, y, score (joints, 3) of the standing person."""
    rows = []
    for name in profile.keypoint_names:
        x, y = _PERSON[name.removeprefix("left_").removeprefix("right_")]
        rows.append((centre[0] + (-x if name.startswith("right_") else x), centre[1] + y, score))
    return np.array(rows)


def write(path, document):
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def assert_person(row, joints):
    np.testing.assert_allclose(row, joints[:, :2], atol=1e-3)


@pytest.mark.parametrize(("profile", "count"), [(COCO_17, 17), (HALPE_26, 26)])
def test_alphapose_lists_keep_tracks_boxes_and_frames(tmp_path, profile, count):
    people = [person_in(profile), person_in(profile, (900, 480), 0.5)]
    entries = [
        {
            "image_id": f"{frame}.jpg",
            "category_id": 1,
            "keypoints": people[who].ravel().tolist(),
            "score": 2.9,
            "box": [10.0, 20.0, 30.0, 40.0],
            "idx": [[3.0, 7], [[5.0], [5.0]]][who][0] if who == 0 else [[5.0], [5.0], [2.0]],
        }
        for frame in (0, 1, 10)
        for who in (0, 1)
    ]
    table = read_detections(write(tmp_path / "results.txt", entries))
    assert table.source_format == "alphapose"
    assert table.profile is profile
    assert table.keypoints_2d.shape == (6, count, 2)
    assert table.keypoints_2d.dtype == np.float32
    np.testing.assert_array_equal(table.frame, [0, 0, 1, 1, 10, 10])
    np.testing.assert_array_equal(table.person, [3, 5] * 3)
    np.testing.assert_array_equal(table.box[0], [10, 20, 30, 40])
    assert list(table.image[:2]) == ["0.jpg", "0.jpg"]
    assert table.people == (3, 5)
    assert_person(table.of_person(5).keypoints_2d[2], people[1])
    assert len(table.main_person()) == 3
    assert table.main_person().person[0] == 3  # as long a track, but more confident


def _as_openpose_18(joints):
    order = "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip right_knee"
    order += " right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear"
    # Filled as AlphaPose does on Halpe models: the neck's place holds something else.
    return [
        value
        for name in order.split()
        for value in ((1.0, 1.0, 0.9) if name == "neck" else joints[COCO_17.index(name)].tolist())
    ]


@pytest.mark.parametrize(("people_key", "joints_key"), [("bodies", "joints"), ("people", "pose_keypoints_2d")])
def test_alphapose_cmu_and_open_forms_are_reordered_by_name(tmp_path, people_key, joints_key):
    joints = person_in(COCO_17)
    picture = {"version": "AlphaPose v0.3", people_key: [{joints_key: _as_openpose_18(joints)}]}
    whole = read_detections(write(tmp_path / "results.json", {"7.jpg": picture, "8.jpg": picture}))
    assert whole.profile is COCO_17
    np.testing.assert_array_equal(whole.frame, [7, 8])
    assert_person(whole.keypoints_2d[1], joints)
    folder = tmp_path / "sep-json"
    folder.mkdir()
    for number in (2, 10, 9):
        write(folder / f"{number}.json", picture)
    separate = read_detections(folder)
    np.testing.assert_array_equal(separate.frame, [2, 9, 10])
    assert_person(separate.keypoints_2d[2], joints)


def test_poseflow_tracks_are_read(tmp_path):
    joints = person_in(COCO_17)
    people = [{"keypoints": joints.ravel().tolist(), "scores": 2.0, "idx": 4}]
    table = read_detections(write(tmp_path / "tracked.json", {"1.png": people, "2.png": people}))
    np.testing.assert_array_equal(table.person, [4, 4])
    np.testing.assert_array_equal(table.frame, [1, 2])


def test_coco_results_are_told_from_alphapose(tmp_path):
    joints = person_in(COCO_17)
    entries = [{"image_id": 139, "category_id": 1, "keypoints": joints.ravel().tolist(), "score": 0.9}]
    table = read_detections(write(tmp_path / "results.json", entries))
    assert table.source_format == "coco-results"
    assert table.frame[0] == 139
    assert table.box is None
    assert_person(table.keypoints_2d[0], joints)


def test_coco_annotations_are_read_by_their_keypoint_names_and_flags(tmp_path):
    joints = person_in(COCO_17)
    joints[:, 2] = 2
    joints[3, 2] = 1
    joints[4] = 0
    shuffled = np.random.default_rng(3).permutation(17)
    names = [COCO_17.keypoint_names[index] for index in shuffled]
    document = {
        "images": [{"id": 5, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "person", "keypoints": names}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 2, "bbox": [0, 0, 1, 1]},
            {"id": 2, "image_id": 5, "category_id": 1, "keypoints": [0] * 51, "num_keypoints": 0},
            {
                "id": 3,
                "image_id": 5,
                "category_id": 1,
                "keypoints": joints[shuffled].ravel().tolist(),
                "bbox": [1, 2, 3, 4],
            },
        ],
    }
    table = read_detections(write(tmp_path / "person_keypoints.json", document))
    assert table.source_format == "coco-annotations"
    assert len(table) == 1
    assert table.image_size == (640, 480)
    assert table.image[0] == "a.jpg"
    assert_person(table.keypoints_2d[0], joints)
    np.testing.assert_array_equal(table.scores[0, 2:5], [1.0, 0.5, 0.0])


def _openpose_folder(folder, profile, people_of_frame):
    folder.mkdir()
    for frame, people in people_of_frame.items():
        entries = [
            {"person_id": [-1], "pose_keypoints_2d": p.ravel().tolist(), "face_keypoints_2d": []} for p in people
        ]
        write(folder / f"video_{frame:012d}_keypoints.json", {"version": 1.3, "people": entries})
    return folder


@pytest.mark.parametrize("profile", [OPENPOSE_BODY_25, OPENPOSE_BODY_25B], ids=lambda profile: profile.name)
def test_the_two_openpose_layouts_of_25_joints_are_told_apart(tmp_path, profile):
    near, far = person_in(profile), person_in(profile, (1200, 300), 0.4)
    near[profile.index("left_ear")] = 0
    folder = _openpose_folder(tmp_path / "cam1", profile, {0: [near], 3: [], 7: [far, near]})
    table = read_detections(folder)
    assert table.profile is profile
    np.testing.assert_array_equal(table.frame, [0, 7, 7])
    np.testing.assert_array_equal(table.person, [-1, -1, -1])
    assert table.scores[0, profile.index("left_ear")] == 0
    assert_person(table.keypoints_2d[1], far)
    np.testing.assert_array_equal(table.most_confident().frame, [0, 7])
    assert_person(table.most_confident().keypoints_2d[1], near)


def test_25_joints_without_a_body_ask_for_the_profile(tmp_path):
    joints = np.zeros((25, 3))
    joints[:4] = person_in(OPENPOSE_BODY_25B)[:4]
    folder = _openpose_folder(tmp_path / "cam1", OPENPOSE_BODY_25B, {0: [joints]})
    with pytest.raises(ValueError, match="--profile"):
        read_detections(folder)
    assert read_detections(folder, OPENPOSE_BODY_25B).profile is OPENPOSE_BODY_25B


def _landmarks(joints, size):
    return [
        {"x": x / size[0], "y": y / size[1], "z": -0.1, "visibility": score, "presence": 0.99} for x, y, score in joints
    ]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda people: {"pose_landmarks": people, "pose_world_landmarks": []},
        lambda people: {"landmarks": people, "worldLandmarks": []},
        lambda people: {"poseLandmarks": people[0]},
        lambda people: {"pose_landmarks": {"landmark": people[0]}},
        lambda people: people[0],
        lambda people: [{"frame": 0, "pose_landmarks": people}],
    ],
    ids=["tasks-python", "tasks-js", "legacy-js", "legacy-protobuf", "bare", "video"],
)
def test_mediapipe_landmarks_get_their_aspect_back(tmp_path, wrap):
    joints, size = person_in(BLAZEPOSE_33), (1280, 720)
    path = write(tmp_path / "landmarks.json", wrap([_landmarks(joints, size)]))
    table = read_detections(path, image_size=size)
    assert table.source_format == "mediapipe"
    assert_person(table.keypoints_2d[0], joints)
    np.testing.assert_allclose(table.scores[0], 0.75)
    with pytest.raises(ValueError, match="--image-size"):
        read_detections(path)


def test_mediapipe_videos_skip_empty_frames_and_may_carry_the_size(tmp_path):
    joints, size = person_in(BLAZEPOSE_33), (1280, 720)
    frames = [
        {"landmarks": [_landmarks(joints, size)]},
        {"landmarks": []},
        {"landmarks": [_landmarks(joints, size)] * 2},
    ]
    table = read_detections(write(tmp_path / "video.json", {"width": 1280, "height": 720, "frames": frames}))
    np.testing.assert_array_equal(table.frame, [0, 2, 2])
    assert table.image_size == size


def test_mediapipe_world_landmarks_alone_are_refused(tmp_path):
    document = {"pose_world_landmarks": [_landmarks(person_in(BLAZEPOSE_33), (1, 1))]}
    with pytest.raises(ValueError, match="world landmarks only"):
        read_detections(write(tmp_path / "world.json", document))


def _instance(joints):
    return {
        "keypoints": joints[:, :2].tolist(),
        "keypoint_scores": joints[:, 2].tolist(),
        "bbox": [[100, 200, 160, 300]],
        "bbox_score": 0.9,
        "track_id": 6,
    }


@pytest.mark.parametrize("form", ["video", "picture", "demo"])
def test_mmpose_predictions_are_read(tmp_path, form):
    joints = person_in(HALPE_26)
    document = {
        "video": [{"frame_id": 4, "instances": [_instance(joints)]}, {"frame_id": 5, "instances": []}],
        "picture": [_instance(joints)],
        "demo": {"meta_info": {}, "instance_info": [{"frame_id": 4, "instances": [_instance(joints)]}]},
    }[form]
    table = read_detections(write(tmp_path / "image_4.json", document))
    assert table.source_format == "mmpose"
    assert table.profile is HALPE_26
    np.testing.assert_array_equal(table.box, [[100, 200, 60, 100]])
    np.testing.assert_array_equal(table.person, [6])
    np.testing.assert_array_equal(table.frame, [4])
    assert_person(table.keypoints_2d[0], joints)


def test_mmpose_joint_names_are_honoured(tmp_path):
    joints = person_in(COCO_17)
    order = np.random.default_rng(8).permutation(17)
    names = {str(place): COCO_17.keypoint_names[index] for place, index in enumerate(order)}
    document = {
        "meta_info": {"keypoint_id2name": names},
        "instance_info": [{"frame_id": 1, "instances": [_instance(joints[order])]}],
    }
    assert_person(read_detections(write(tmp_path / "named.json", document)).keypoints_2d[0], joints)


def test_fewer_keypoints_than_the_file_names_are_refused(tmp_path):
    names = dict(enumerate(HALPE_26.keypoint_names))
    instance = {"frame_id": 1, "instances": [_instance(person_in(COCO_17))]}
    document = {"meta_info": {"keypoint_id2name": {str(n): name for n, name in names.items()}}}
    with pytest.raises(ValueError, match="instance 0: expected as many keypoints as the file names. Received: 17"):
        read_detections(write(tmp_path / "named.json", document | {"instance_info": [instance]}))


def test_mmpose_3d_keypoints_are_refused(tmp_path):
    instance = {"keypoints": [[0.1, 0.2, 0.3]] * 17, "keypoint_scores": [1.0] * 17}
    with pytest.raises(ValueError, match="3D keypoints"):
        read_detections(write(tmp_path / "lifted.json", [instance]))


@pytest.mark.parametrize(("count", "profile"), [(133, COCO_17), (136, HALPE_26)])
def test_whole_body_people_keep_their_body(tmp_path, count, profile):
    joints = np.concatenate([person_in(profile), np.full((count - profile.num_joints, 3), 0.5)])
    entries = [{"image_id": "1.jpg", "category_id": 1, "keypoints": joints.ravel().tolist(), "score": 1, "idx": 0}]
    table = read_detections(write(tmp_path / "whole.json", entries))
    assert table.profile is profile
    assert_person(table.keypoints_2d[0], joints[: profile.num_joints])


def test_a_named_profile_wins_over_the_count(tmp_path):
    joints = person_in(H36M_17)
    entries = [{"image_id": 1, "category_id": 1, "keypoints": joints.ravel().tolist(), "score": 1}]
    path = write(tmp_path / "h36m.json", entries)
    assert read_detections(path, H36M_17).profile is H36M_17
    with pytest.raises(ValueError, match="expected 13 keypoints for COCO_13"):
        read_detections(path, COCO_13)


def test_missing_values_are_missing_joints_and_scores_stay_below_one(tmp_path):
    values = person_in(COCO_17).ravel().tolist()
    values[0] = None  # x of the nose
    values[5] = float("nan")  # score of the left eye
    values[8] = 1.07  # a heatmap's overshoot
    values[11] = -1.0
    entries = [{"image_id": 1, "category_id": 1, "keypoints": values, "score": 1}]
    table = read_detections(write(tmp_path / "gaps.json", entries))
    np.testing.assert_allclose(table.scores[0, :5], [0, 0, 1, 0, 0.75])
    np.testing.assert_array_equal(table.keypoints_2d[0, :2], np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty file"),
        ("[]", "at least one person"),
        ('{"people": []}', "at least one person"),
        ('{"people": [{"pose_keypoints_2d": [1, 2', "cut short"),
        ("HIERARCHY\nROOT Hips", "BVH"),
        ('{"weather": "fine"}', "weather"),
        ("[[[[[[[[[[" * 20_000, "JSON"),
    ],
)
def test_files_of_no_use_are_refused_by_name(tmp_path, content, message):
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        read_detections(path)
    assert "odd.json" in str(error.value)


def test_a_folder_without_json_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one per picture"):
        read_detections(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_detections(tmp_path / "none.json")


def test_ten_thousand_alphapose_people_are_read_quickly(tmp_path):
    joints = person_in(COCO_17).ravel().tolist()
    entries = [
        {"image_id": f"{n}.jpg", "category_id": 1, "keypoints": joints, "score": 1, "idx": 1} for n in range(10_000)
    ]
    table = read_detections(write(tmp_path / "many.json", entries))
    assert len(table) == 10_000
    np.testing.assert_array_equal(table.frame, np.arange(10_000))


@pytest.mark.real_data
def test_real_openpose_people_are_recognised_as_body_25b(shared_data, tmp_path):
    archive = np.load(shared_data / "pose2sim_balancing" / "balancing.npz", allow_pickle=False)
    joints = archive["kp2d"][:, 2].astype(np.float64)
    folder = _openpose_folder(tmp_path / "cam3", OPENPOSE_BODY_25B, {n: [joints[n]] for n in range(0, 100, 3)})
    table = read_detections(folder)
    assert table.profile is get_profile("OPENPOSE_BODY_25B")
    np.testing.assert_allclose(table.keypoints_2d, joints[::3, :, :2] * (joints[::3, :, 2:] > 0), atol=1e-3)
