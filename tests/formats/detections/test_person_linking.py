"""People without ids are followed from frame to frame."""

import numpy as np
import pytest

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.detections.person_linking import link_people
from vvipe_tf.keypoints import COCO_13


def table_of_paths(paths, frames_seen, scores=0.9):
    rng = np.random.default_rng(0)
    body = rng.normal(0, 60, (13, 2))
    rows = [(frame, who) for frame in range(max(map(max, frames_seen)) + 1) for who in range(len(paths))]
    rows = [(frame, who) for frame, who in rows if frame in frames_seen[who]]
    rows = [rows[index] for index in rng.permutation(len(rows))]
    points = np.array([body + paths[who](frame) for frame, who in rows])
    table = DetectionTable(
        points.astype(np.float32),
        np.full((len(rows), 13), scores, np.float32),
        COCO_13,
        np.array([frame for frame, _ in rows]),
        np.full(len(rows), -1),
        "test",
    )
    return table, np.array([who for _, who in rows])


def test_two_people_walking_keep_their_ids_over_a_gap():
    paths = [lambda t: np.array([8.0 * t, 0]), lambda t: np.array([900 - 8.0 * t, 40])]
    seen = [range(40), [frame for frame in range(40) if not 10 <= frame < 16]]
    table, truth = table_of_paths(paths, seen)
    linked = link_people(table)
    assert len(linked.people) == 2
    for who in (0, 1):
        assert len(set(linked.person[truth == who])) == 1
    assert len(linked.main_person()) == 40


def test_somebody_far_away_is_somebody_new():
    paths = [lambda t: np.array([0.0, 0]), lambda t: np.array([3000.0, 0])]
    table, _ = table_of_paths(paths, [range(5), range(6, 9)])
    assert link_people(table).people == (0, 1)


def test_given_ids_stay():
    table, _ = table_of_paths([lambda t: np.zeros(2)], [range(3)])
    named = link_people(table)
    assert link_people(named) is named


def test_wrong_columns_are_refused():
    table, _ = table_of_paths([lambda t: np.zeros(2)], [range(3)])
    with pytest.raises(ValueError, match="Expected a person among"):
        table.of_person(7)
    with pytest.raises(ValueError, match="scores between 0 and 1"):
        DetectionTable(table.keypoints_2d, table.scores * 3, COCO_13, table.frame, table.person, "test")
    with pytest.raises(ValueError, match="finite keypoints_2d"):
        DetectionTable(table.keypoints_2d * np.nan, table.scores, COCO_13, table.frame, table.person, "test")
    with pytest.raises(ValueError, match=r"frame of shape \(3,\)"):
        DetectionTable(table.keypoints_2d, table.scores, COCO_13, table.frame[:2], table.person, "test")
