"""People over time."""

import numpy as np
import pytest

from vvipe_tf.apps.pose_tracks import choose_people, choose_poses, fill_gaps, smooth_people
from vvipe_tf.apps.smoothing import smooth_poses
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13


def table(frame, person, x):
    points = np.random.default_rng(0).uniform(0, 50, (13, 2)) + np.array(x, float)[:, None, None]
    scores = np.full((len(frame), 13), 0.9, np.float32)
    return DetectionTable(points.astype(np.float32), scores, COCO_13, np.array(frame), np.array(person), "test")


def sequence(frame, person, seed=0, **facts):
    poses = np.random.default_rng(seed).normal(size=(len(frame), 13, 3))
    return PoseSequence(poses, COCO_13, frame=np.array(frame), person=np.array(person), **facts)


def test_track_ids_are_kept():
    people = table([0, 0, 1], [7, 3, 7], [0, 500, 1])
    assert choose_people(people) is people
    assert choose_people(people, "3").frame.tolist() == [0]
    assert choose_people(people, "main").person.tolist() == [7, 7]


def test_people_without_ids_are_linked_only_where_it_matters():
    people = table([0, 0, 1, 1, 2], [-1] * 5, [0, 500, 502, 3, 504])
    assert choose_people(people).person.tolist() == [-1] * 5
    assert choose_people(people, need_tracks=True).person.tolist() == [0, 1, 1, 0, 1]
    assert choose_people(people, "main").frame.tolist() == [0, 1, 2]
    assert choose_people(people, "0").frame.tolist() == [0, 1]


@pytest.mark.parametrize(("person", "message"), [("9", "among"), ("tom", "all, main or a number. Received: 'tom'")])
def test_somebody_unknown_is_refused(person, message):
    with pytest.raises(ValueError, match=message):
        choose_people(table([0, 1], [4, 4], [0, 1]), person)
    with pytest.raises(ValueError, match=message):
        choose_poses(sequence([0, 1], [4, 4]), person)


def test_poses_of_one_person_are_taken_with_their_columns():
    columns = {"scores": np.arange(39.0).reshape(3, 13) / 39, "uncertainty": np.array([0.3, 0.1, 0.2])}
    all_of_them = sequence([0, 0, 1], [5, 2, 2], **columns)
    chosen = choose_poses(all_of_them, "main")
    assert chosen.person.tolist() == [2, 2]
    np.testing.assert_array_equal(chosen.poses, all_of_them.poses[1:])
    np.testing.assert_array_equal(chosen.scores, all_of_them.scores[1:])
    assert chosen.uncertainty.tolist() == [0.1, 0.2]
    assert choose_poses(all_of_them) is all_of_them


def test_each_person_is_smoothed_alone_and_rows_keep_their_place():
    frame, person = [2, 0, 0, 1, 1, 2], [1, 1, 0, 0, 1, 0]
    both = sequence(frame, person, fps=25.0)
    smoothed, reports = smooth_people(both, "one-euro")
    expected, report = smooth_poses(both.poses[[1, 4, 0]], np.arange(3), 25.0)
    np.testing.assert_allclose(smoothed.poses[[1, 4, 0]], expected)
    assert reports[1] == report
    assert set(reports) == {0, 1}


def test_smoothing_needs_a_clock():
    with pytest.raises(ValueError, match="--fps"):
        smooth_people(sequence([0, 1], [0, 0]), "one-euro")


def test_gaps_are_filled_on_a_straight_line_and_marked():
    gappy = sequence([6, 3, 4], [2, 2, 2], scores=np.ones((3, 13)))
    filled, count = fill_gaps(gappy)
    assert count == 1
    assert filled.frame.tolist() == [3, 4, 5, 6]
    assert filled.person.tolist() == [2] * 4
    np.testing.assert_allclose(filled.poses[[0, 1, 3]], gappy.poses[[1, 2, 0]])
    np.testing.assert_allclose(filled.poses[2], (gappy.poses[2] + gappy.poses[0]) / 2)
    assert filled.scores.min(axis=1).tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize(("frame", "person"), [([0, 1], [0, 1]), ([3, 3], [0, 0])])
def test_gaps_are_those_of_one_person(frame, person):
    with pytest.raises(ValueError, match="Expected one person, once a frame"):
        fill_gaps(sequence(frame, person))
