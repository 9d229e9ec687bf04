"""Detections joined to poses: files found by name, people by nearness, nothing invented."""

import json

import numpy as np
import pytest

from tests.filmed_poses import make_views
from vvipe_tf.data.detection_joining import (
    JoinedCount,
    Video,
    find_detection_files,
    format_counts,
    join_detections,
    read_archive_tables,
    read_video_tables,
    videos_of,
)
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.keypoints import COCO_13, COCO_17

VIDEO = Video("S9", "Directions 1", "54138969")


@pytest.fixture(scope="module")
def views():
    """One sequence of 12 frames, numbered 3, 4, ..., in two cameras; the truth of frame 8 is missing in the second."""
    generated = make_views(names=("54138969", "C7")).select(np.arange(12))
    columns = {"subject": ["S9"] * 12, "sequence": ["Directions 1"] * 12, "frame": np.arange(12) + 3}
    poses = type(generated.poses)(
        generated.poses.profile,
        generated.poses.poses,
        generated.poses.torso_lengths_mm,
        source=generated.poses.source,
        fps=50,
        licenses=generated.poses.licenses,
        **columns,
    )
    seen = np.ones((2, 12), dtype=bool)
    seen[1, 5] = False
    return ViewSet(poses, generated.cameras, generated.keypoints).keep_views(seen)


def table_of(points, frames, scores=None, people=None):
    points = np.asarray(points, dtype=np.float32)
    scores = np.full(points.shape[:2], 0.7, np.float32) if scores is None else scores
    people = np.full(len(points), -1) if people is None else people
    return DetectionTable(points, scores, COCO_13, np.asarray(frames, np.int64), people, "test")


def test_the_person_nearest_to_the_truth_is_taken_and_gaps_stay(views):
    truth = views.of_kind("ground_truth").keypoints_2d[0]
    detected = truth + 2.0
    order = np.array([4, 4, 0, 2, 2, 2, 11])
    shift = np.array([150.0, 0, 0, 0, 90.0, -60.0, 0])[:, None, None]
    joined, counts = join_detections(views, "alphapose", [(VIDEO, table_of(detected[order] + shift, order + 3))])
    recorded = joined.of_kind("alphapose")
    found = recorded.visible.any(axis=-1)
    assert np.argwhere(found).tolist() == [[0, 0], [0, 2], [0, 4], [0, 11]]
    np.testing.assert_array_equal(recorded.keypoints_2d[0, [0, 2, 4, 11]], detected[[0, 2, 4, 11]])
    assert set(recorded.scores[found].ravel().tolist()) == {np.float32(0.7)}
    assert counts == [JoinedCount("S9", "54138969", 12, 4, 8, 0), JoinedCount("S9", "C7", 11, 0, 11, 0)]
    assert "S9 camera 54138969: 4 of 12 views joined, 8 without a detection, 0 with none near" in format_counts(counts)


def test_nobody_near_enough_is_counted_and_not_taken(views):
    truth = views.of_kind("ground_truth").keypoints_2d[0]
    size = 2 * np.sqrt(np.square(truth - truth.mean(axis=1, keepdims=True)).sum(axis=2).mean(axis=1))
    for share, near in ((0.49, True), (0.51, False)):
        away = truth.copy()
        away[..., 0] += share * size[:, None]
        joined, counts = join_detections(views, "cpn", [(VIDEO, table_of(away, np.arange(12) + 3))])
        assert joined.of_kind("cpn").visible.all(axis=(1, 2))[0] == near
        assert counts[0] == JoinedCount("S9", "54138969", 12, 12 * near, 0, 12 * (not near))


def test_two_joints_in_common_are_too_few(views):
    scores = np.zeros((12, 13), np.float32)
    scores[:6, :3], scores[6:, :2] = 1, 1
    truth = views.of_kind("ground_truth").keypoints_2d[0]
    _, counts = join_detections(views, "cpn", [(VIDEO, table_of(truth, np.arange(12) + 3, scores))])
    assert (counts[0].joined, counts[0].far) == (6, 6)


def test_a_view_without_truth_takes_nobody(views):
    video = Video("S9", "Directions 1", "C7")
    points = make_views(names=("54138969", "C7")).of_kind("ground_truth").keypoints_2d[1, :12]
    joined, counts = join_detections(views, "cpn", [(video, table_of(points, np.arange(12) + 3))])
    assert joined.of_kind("cpn").visible.any(axis=-1)[1].tolist() == [row != 5 for row in range(12)]
    assert counts[1] == JoinedCount("S9", "C7", 11, 11, 0, 0)


def test_pictures_may_be_numbered_from_one(views):
    truth = views.of_kind("ground_truth").keypoints_2d[0]
    joined, _ = join_detections(views, "cpn", [(VIDEO, table_of(truth, np.arange(12) + 4))], first_picture=1)
    np.testing.assert_array_equal(joined.of_kind("cpn").keypoints_2d[0], truth)


def test_views_without_truth_at_all_are_refused(views):
    blind = ViewSet(views.poses, views.cameras, {"openpose": RecordedKeypoints.missing(2, 12)})
    with pytest.raises(ValueError, match="among openpose. Received: 'ground_truth'"):
        join_detections(blind, "cpn", [])


@pytest.mark.parametrize(
    "name",
    ["S9/Directions 1.54138969.json", "S9_Directions 1_54138969_alphapose-results.json",
     "S9/Directions_1/54138969/alphapose-results.json", "s9/directions1/video_54138969/0000.json",
     "Directions 1/54138969.json", "cam54138969_json/0000_keypoints.json"],
)  # fmt: skip
def test_files_and_folders_are_found_by_their_words(tmp_path, views, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[]")
    (tmp_path / "notes.json").write_text("[]")
    found, foreign = find_detection_files(tmp_path, videos_of(views))
    assert list(found) == [VIDEO]
    assert path == found[VIDEO] or path.parent == found[VIDEO]
    assert foreign == ["notes.json"]


def test_files_that_cannot_be_told_apart_are_refused(tmp_path, views):
    for name in ("S9_Directions_1_54138969.json", "Directions 1.54138969.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(ValueError, match="one result for Video"):
        find_detection_files(tmp_path, videos_of(views))
    with pytest.raises(ValueError, match="distinct names"):
        find_detection_files(tmp_path, [Video("S9", "Walk", "cam1"), Video("S9", "Walk", "1")])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        find_detection_files(tmp_path / "nowhere", videos_of(views))


def test_alphapose_files_are_read_and_joined(tmp_path, views):
    truth = views.of_kind("ground_truth").keypoints_2d[0]
    people = []
    for row in (0, 7):
        joints = np.zeros((17, 3))
        joints[[COCO_17.index(joint) for joint in COCO_13.keypoint_names]] = np.c_[truth[row] + 1.5, np.full(13, 0.8)]
        for shift in (400.0, 0.0):
            moved = joints + [shift, 0, 0]
            people.append(
                {"image_id": f"{row + 3}.jpg", "category_id": 1, "keypoints": moved.ravel().tolist(), "score": 2}
            )
    (tmp_path / "S9_Directions 1_54138969.json").write_text(json.dumps(people))
    files, _ = find_detection_files(tmp_path, videos_of(views))
    joined, counts = join_detections(views, "alphapose", read_video_tables(files))
    np.testing.assert_allclose(joined.of_kind("alphapose").keypoints_2d[0, [0, 7]], truth[[0, 7]] + 1.5, atol=1e-3)
    assert counts[0].joined == 2


def test_an_archive_is_joined_by_subject_action_and_camera_number(tmp_path, views):
    points = np.zeros((16, 17, 2), np.float32)
    truth = views.of_kind("ground_truth").keypoints_2d[0]
    taken = [COCO_17.index(joint) for joint in COCO_13.keypoint_names]
    points[3:15, taken] = truth + 1
    positions = {"S9": {"Directions 1": [points, points * 0, points * 0, points * 0], "Walking": [points] * 4}}
    metadata = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [[1, 3], [2, 4]]}
    np.savez(
        tmp_path / "data_2d_h36m_cpn.npz",
        positions_2d=np.array(positions, dtype=object),
        metadata=np.array(metadata, dtype=object),
    )
    videos = [VIDEO, Video("S9", "Eating", "54138969"), Video("S9", "Directions 1", "elsewhere")]
    tables = list(read_archive_tables(tmp_path, "cpn", videos))
    assert [video for video, _ in tables] == [VIDEO]
    joined, counts = join_detections(views, "cpn", tables)
    np.testing.assert_allclose(joined.of_kind("cpn").keypoints_2d[0], truth + 1, rtol=1e-5)
    assert counts[0].joined == 12
