"""Embeddings that need no training."""

import numpy as np
import pytest

from vvipe_tf.evaluation.baselines import embed_canonical_poses, embed_normalised_keypoints
from vvipe_tf.keypoints import COCO_13


@pytest.fixture
def keypoints():
    return np.random.default_rng(0).normal(size=(2, 5, 13, 2))


def test_the_2d_baseline_does_not_see_place_and_size_but_sees_turns(keypoints):
    embeddings = embed_normalised_keypoints(keypoints)
    assert embeddings.shape == (2, 5, 26)
    np.testing.assert_allclose(embed_normalised_keypoints(300 * keypoints + [700, 400]), embeddings, atol=1e-9)
    assert not np.allclose(embed_normalised_keypoints(keypoints[..., ::-1]), embeddings)


def test_the_2d_baseline_puts_missing_joints_at_the_origin(keypoints):
    mask = np.ones((2, 5, 13), dtype=bool)
    mask[1, 3, COCO_13.index("left_wrist")] = False
    embeddings = embed_normalised_keypoints(keypoints, mask).reshape(2, 5, 13, 2)
    assert (embeddings[1, 3, COCO_13.index("left_wrist")] == 0).all()
    np.testing.assert_array_equal(embeddings[0], embed_normalised_keypoints(keypoints[0]).reshape(5, 13, 2))


def test_the_3d_baseline_is_the_pose_itself():
    poses = np.arange(4 * 39.0).reshape(4, 13, 3)
    np.testing.assert_array_equal(embed_canonical_poses(poses)[2], np.arange(78.0, 117.0))


def test_other_joints_are_refused():
    with pytest.raises(ValueError, match=r"keypoints_2d of shape \(..., 13, 2\).*shape=\(4, 17, 2\)"):
        embed_normalised_keypoints(np.zeros((4, 17, 2)))
    with pytest.raises(ValueError, match=r"canonical_pose of shape \(..., 13, 3\).*shape=\(13, 3\)"):
        embed_canonical_poses(np.zeros((13, 3)))
