"""The map of the embedding space."""

from types import SimpleNamespace

import numpy as np
import pytest

from vvipe_tf.apps.embedding_map import embedding_map, key_poses
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.geometry.pose_error import mpjpe
from vvipe_tf.keypoints import COCO_13


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(num_poses=120, seed=6, num_subjects=3)


def test_key_poses_are_farthest_points_from_the_most_usual_one_on():
    """Worked by hand: poses in a line at 0, 1, ..., 39 and 200.

    Their mean is 23.9, so 24 is the most usual. The odd twentieth, two poses, are 200 and 0. Of the others 1 lies
    farthest from 24; then 39 lies 15 from 24, while 12 and 13 lie only 11 from 24 and 1.
    """
    line = np.array([*range(40), 200.0])
    poses = np.zeros((41, 13, 3))
    poses[..., 0] = line[:, None]
    assert line[key_poses(poses, 3)].tolist() == [24, 1, 39]


def test_key_poses_are_all_different_even_among_copies():
    keys = key_poses(np.zeros((12, 13, 3)), 10)
    assert len(set(keys)) == 10


def test_a_number_of_key_poses_out_of_range_is_refused():
    with pytest.raises(ValueError, match="Expected 1 <= num_keys <= 5 poses. Received: num_keys=6"):
        key_poses(np.zeros((5, 13, 3)), 6)


def test_every_pose_has_the_label_of_the_nearest_key_pose_and_a_place(dataset):
    poses = dataset.canonical(COCO_13)
    model = SimpleNamespace(embed_keypoints=lambda keypoints_2d: poses.reshape(len(poses), -1))
    found = embedding_map(model, dataset, seed=1, num_keys=7)
    assert found.points.shape == (120, 2)
    np.testing.assert_array_equal(found.key_poses, poses[found.key_indices])
    np.testing.assert_array_equal(found.labels[found.key_indices], np.arange(7))
    for index in range(0, 120, 13):
        assert found.labels[index] == np.argmin([mpjpe(poses[index], key) for key in found.key_poses])
    # Embedded by their true poses, neighbours on the map are alike.
    distances = np.linalg.norm(found.points[:, None] - found.points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = mpjpe(poses[distances.argmin(axis=1)], poses).mean()
    assert nearest < 0.6 * mpjpe(np.roll(poses, 60, axis=0), poses).mean()


def test_each_pose_is_embedded_from_one_camera_of_the_rig(dataset):
    seen = []

    def embed(keypoints_2d):
        seen.append(keypoints_2d)
        return np.random.default_rng(0).normal(size=(len(keypoints_2d), 5))

    model = SimpleNamespace(embed_keypoints=embed)
    first, second = (embedding_map(model, dataset, seed=1, num_keys=3) for _ in range(2))
    assert seen[0].shape == (120, 13, 2)
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(first.points, second.points)


def test_too_few_poses_are_refused(dataset):
    with pytest.raises(ValueError, match="Expected more than 10 poses for the map. Received: 10"):
        embedding_map(SimpleNamespace(), dataset.select(np.arange(10)), seed=1)
