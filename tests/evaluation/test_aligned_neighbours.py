import numpy as np
import pytest

from vvipe_tf.evaluation.aligned_neighbours import nearest_aligned_poses
from vvipe_tf.geometry.pose_error import p_mpjpe


def test_equals_the_sorted_errors_however_the_pairs_are_cut(monkeypatch):
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(13, 17, 3)), rng.normal(size=(29, 17, 3))
    errors = p_mpjpe(gallery[None], queries[:, None])
    expected = np.argsort(errors, axis=1)[:, :5]
    np.testing.assert_array_equal(nearest_aligned_poses(queries, gallery, 5), expected)
    monkeypatch.setattr("vvipe_tf.evaluation.aligned_neighbours._PAIRS_PER_BLOCK", 70)
    np.testing.assert_array_equal(nearest_aligned_poses(queries, gallery, 5), expected)


def test_turned_and_scaled_poses_are_found_and_mirrored_ones_are_not():
    pose = np.random.default_rng(1).normal(size=(1, 9, 3))
    turned = 3 * pose @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]) + 5
    gallery = np.concatenate([pose * [1, 1, -1], turned])
    assert nearest_aligned_poses(pose, gallery, 1).tolist() == [[1]]


def test_a_rank_beyond_the_gallery_is_refused():
    with pytest.raises(ValueError, match="gallery size 2. Received: k=3"):
        nearest_aligned_poses(np.ones((1, 4, 3)), np.ones((2, 4, 3)), 3)
