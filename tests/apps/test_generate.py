"""New poses out of the embedding space."""

from types import SimpleNamespace

import numpy as np
import pytest

from vvipe_tf.apps.generate import ALPHAS, perturb, random_directions

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
