"""New poses out of the embedding space."""

from types import SimpleNamespace

import numpy as np
import pytest

from vvipe_tf.apps.generate import ALPHAS, draw_poses, interpolate_keys, perturb, random_directions

# The decoder repeats the three numbers of an embedding at each of two joints.
MODEL = SimpleNamespace(decode=lambda embedding: np.repeat(embedding[:, None], 2, axis=1))


def test_noise_is_added_with_each_magnitude_in_each_direction():
    """Worked by hand: 1 + 0.5 * 4 = 3, 1 + 2 * 4 = 9."""
    poses = perturb(MODEL, np.array([1.0, 0, 0]), np.array([[4.0, 0, 0], [0, 10, -2], [0, 0, 0], [1, 1, 1]]), (0.5, 2))
    assert poses.shape == (4, 2, 2, 3)
    np.testing.assert_allclose(poses[0, :, 0], [[3, 0, 0], [9, 0, 0]])
    np.testing.assert_allclose(poses[1, :, 1], [[1, 5, -1], [1, 20, -4]])
    np.testing.assert_allclose(poses[2], np.broadcast_to([1.0, 0, 0], (2, 2, 3)))


def test_the_magnitudes_are_those_of_the_paper():
    assert ALPHAS == (0.2, 0.3, 0.4, 0.5)
    assert perturb(MODEL, np.zeros(3), np.ones((1, 3))).shape == (1, 4, 2, 3)


def test_directions_are_standard_normal_and_follow_from_the_seed():
    directions = random_directions(500, 32, seed=1)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1).mean(), np.sqrt(32), rtol=0.03)
    np.testing.assert_array_equal(directions, random_directions(500, 32, seed=1))
    assert not np.array_equal(directions, random_directions(500, 32, seed=2))


@pytest.mark.parametrize(
    ("embedding", "directions", "alphas"),
    [
        (np.zeros((1, 3)), np.zeros((2, 3)), (0.1,)),
        (np.zeros(3), np.zeros((2, 4)), (0.1,)),
        (np.zeros(3), np.zeros(3), (0.1,)),
        (np.zeros(3), np.zeros((2, 3)), 0.1),
    ],
)
def test_shapes_that_do_not_fit_are_refused(embedding, directions, alphas):
    with pytest.raises(ValueError, match=r"Expected an embedding \(embedding_dim,\), directions"):
        perturb(MODEL, embedding, directions, alphas)


def test_noise_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="Expected a finite embedding"):
        perturb(MODEL, np.zeros(3), np.full((2, 3), np.nan))


def numbers(count, seed):
    return np.random.default_rng(seed).uniform(size=(count, 3))


def test_refused_draws_are_counted_and_drawn_anew():
    drawn = draw_poses(MODEL.decode, numbers, 20, seed=4, accept=lambda embeddings, poses: poses[:, 0, 0] < 0.3)
    assert drawn.embeddings.shape == (20, 3)
    assert drawn.poses.shape == (20, 2, 3)
    assert (drawn.embeddings[:, 0] < 0.3).all()
    assert len(np.unique(drawn.embeddings[:, 0])) == 20
    assert 40 <= drawn.num_drawn <= 150
    again = draw_poses(MODEL.decode, numbers, 20, seed=4, accept=lambda embeddings, poses: poses[:, 0, 0] < 0.3)
    np.testing.assert_array_equal(drawn.embeddings, again.embeddings)


def test_without_a_condition_everything_is_kept():
    drawn = draw_poses(MODEL.decode, numbers, 6, seed=1)
    assert (len(drawn.poses), drawn.num_drawn) == (6, 6)


def test_drawing_ends_where_nothing_is_plausible():
    with pytest.raises(ValueError, match="some are plausible. Received: 0 of 100"):
        draw_poses(MODEL.decode, numbers, 2, seed=1, accept=lambda embeddings, poses: np.zeros(len(poses), bool))
    with pytest.raises(ValueError, match="at least 1 pose"):
        draw_poses(MODEL.decode, numbers, 0, seed=1)


def test_interpolation_passes_through_its_keys():
    keys = np.array([[0.0, 1], [4, 1], [4, -7]])
    path = interpolate_keys(keys, 4)
    np.testing.assert_allclose(path[::4], keys)
    np.testing.assert_allclose(path[[1, 6]], [[1, 1], [4, -3]])
    assert len(path) == 9
    with pytest.raises(ValueError, match="at least two key poses"):
        interpolate_keys(keys[:1], 4)
