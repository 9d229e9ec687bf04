import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vvipe_tf.geometry.alignment import apply_similarity, optimal_rotation, procrustes

seeds = st.integers(0, 2**32 - 1)


def random_poses(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(*shape, 3))


def svd_rotation(covariance):
    """Kabsch by LAPACK: rotation and maximum of trace(R^T covariance)."""
    left, singular, right = np.linalg.svd(covariance)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return (left * signs) @ right, (singular * signs).sum()


def covariance_with(singular, seed):
    """Random covariance of these signed singular values."""
    left, right = Rotation.random(2, rng=np.random.default_rng(seed)).as_matrix()
    return (left * singular) @ right


def residual(source, target, similarity):
    return np.sum((apply_similarity(source, similarity) - target) ** 2, axis=(-2, -1))


def test_a_known_similarity_is_recovered():
    source = random_poses(5, 17)
    rotation = Rotation.random(5, rng=np.random.default_rng(1)).as_matrix()
    scale, shift = np.array([0.02, 1.0, 3.5, 490.0, 7.0]), random_poses(5, seed=2)
    found = procrustes(source, scale[:, None, None] * source @ rotation + shift[:, None])
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-12)
    np.testing.assert_allclose(found.translation, shift, atol=1e-11)


def test_a_quarter_turn_worked_by_hand():
    source = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 3], [0, 0, -3]])
    quarter_turn = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    found = procrustes(source, 2 * source @ quarter_turn + (1, 2, 3))
    np.testing.assert_allclose(found.rotation, quarter_turn, atol=1e-14)
    np.testing.assert_allclose(found.scale, 2)
    np.testing.assert_allclose(found.translation, (1, 2, 3), atol=1e-14)


def test_without_scale_the_scale_is_one_and_the_rotation_the_same():
    source, target = random_poses(6, 13), random_poses(6, 13, seed=1)
    rigid, similar = procrustes(source, target, with_scale=False), procrustes(source, target)
    np.testing.assert_array_equal(rigid.scale, 1)
    np.testing.assert_array_equal(rigid.rotation, similar.rotation)
    oracle, rssd = Rotation.align_vectors(target[0] - target[0].mean(axis=0), source[0] - source[0].mean(axis=0))
    np.testing.assert_allclose(rigid.rotation[0], oracle.as_matrix().T, atol=1e-10)
    np.testing.assert_allclose(residual(source, target, rigid)[0], rssd**2)


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    singular=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1)),
    scale=st.floats(1e-6, 1e6),
)
def test_the_optimal_rotation_is_proper_and_reaches_the_maximum_of_the_svd(seed, singular, scale):
    covariance = scale * covariance_with(np.array(singular), seed)
    rotation, maximum = optimal_rotation(covariance[None])
    _, best = svd_rotation(covariance)
    size = np.linalg.norm(covariance)
    np.testing.assert_allclose(rotation[0] @ rotation[0].T, np.eye(3), atol=1e-10)
    assert np.linalg.det(rotation[0]) == pytest.approx(1, abs=1e-10)
    assert maximum[0] == pytest.approx(best, rel=1e-12, abs=1e-12 * size)
    assert np.sum(rotation[0] * covariance) == pytest.approx(best, rel=1e-12, abs=1e-12 * size)


@pytest.mark.parametrize("smallest", [0.3, 0.05, 1e-3, 0.0, -1e-3, -0.05, -0.15])
def test_the_rotation_equals_the_svd_where_it_is_determined(smallest):
    covariances = np.stack([covariance_with(np.array([1.0, 0.2, smallest]), seed) for seed in range(30)])
    rotations, _ = optimal_rotation(covariances)
    for covariance, rotation in zip(covariances, rotations, strict=True):
        np.testing.assert_allclose(rotation, svd_rotation(covariance)[0], atol=1e-10)


@pytest.mark.parametrize(
    "singular", [(1, 1, 1), (1, 1, -1), (1, 0, 0), (1, 1, 0), (1, 0.5, -0.5), (1, 1e-9, -1e-9), (1, 1e-7, 0), (0, 0, 0)]
)
def test_degenerate_covariances_still_give_a_best_proper_rotation(singular):
    for seed in range(20):
        covariance = covariance_with(np.array(singular, dtype=float), seed)
        rotation, maximum = optimal_rotation(covariance[None])
        np.testing.assert_allclose(rotation[0] @ rotation[0].T, np.eye(3), atol=1e-10)
        assert np.linalg.det(rotation[0]) == pytest.approx(1, abs=1e-10)
        assert maximum[0] == pytest.approx(sum(singular), abs=1e-12)
        assert np.sum(rotation[0] * covariance) == pytest.approx(sum(singular), abs=1e-12)


def test_one_degenerate_item_does_not_spoil_its_batch():
    covariances = random_poses(11, 3)
    covariances[4] = 0
    covariances[7] = np.outer((1, 2, 3), (3, 1, 2))
    rotations, _ = optimal_rotation(covariances)
    for index in set(range(11)) - {4, 7}:
        np.testing.assert_allclose(rotations[index], svd_rotation(covariances[index])[0], atol=1e-10)
    np.testing.assert_array_equal(rotations[4], np.eye(3))


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_no_nearby_similarity_is_better(seed):
    source, target = random_poses(2, 7, seed=seed)
    best = procrustes(source, target)
    rng = np.random.default_rng(seed)
    for turn in rng.normal(scale=0.02, size=(10, 3)):
        turned = best._replace(rotation=best.rotation @ Rotation.from_rotvec(turn).as_matrix())
        moved = turned._replace(translation=target.mean(axis=0) - turned.scale * source.mean(axis=0) @ turned.rotation)
        assert residual(source, target, moved) >= residual(source, target, best) - 1e-12
    for scale in (0.98, 1.02):
        scaled = best._replace(scale=best.scale * scale)
        scaled = scaled._replace(translation=target.mean(axis=0) - scaled.scale * source.mean(axis=0) @ best.rotation)
        assert residual(source, target, scaled) >= residual(source, target, best) - 1e-12


def test_a_mirrored_pose_does_not_align():
    source = random_poses(8, 17)
    found = procrustes(source, source * (1, -1, 1))
    np.testing.assert_allclose(np.linalg.det(found.rotation), 1)
    assert (residual(source, source * (1, -1, 1), found) > 0.5).all()


def test_missing_joints_do_not_move_the_alignment():
    source, target = random_poses(6, 13), random_poses(6, 13, seed=4)
    mask = np.random.default_rng(3).random((6, 13)) > 0.4
    spoiled = np.where(mask[..., None], source, np.nan), np.where(mask[..., None], target, 1e9)
    found = procrustes(*spoiled, mask=mask)
    for index in range(6):
        only = procrustes(source[index, mask[index]], target[index, mask[index]])
        np.testing.assert_allclose(found.rotation[index], only.rotation, atol=1e-10)
        np.testing.assert_allclose(found.scale[index], only.scale, rtol=1e-10)
        np.testing.assert_allclose(found.translation[index], only.translation, atol=1e-10)
    for same in (mask.astype(int), mask.astype(np.float32)):
        np.testing.assert_array_equal(procrustes(*spoiled, mask=same).rotation, found.rotation)


def test_leading_dimensions_broadcast():
    queries, gallery = random_poses(3, 1, 13), random_poses(5, 13, seed=1)
    found = procrustes(queries, gallery)
    assert (found.rotation.shape, found.scale.shape, found.translation.shape) == ((3, 5, 3, 3), (3, 5), (3, 5, 3))
    np.testing.assert_allclose(found.rotation[2, 4], procrustes(queries[2, 0], gallery[4]).rotation, atol=1e-12)
    assert apply_similarity(queries, found).shape == (3, 5, 13, 3)
    assert procrustes(queries[0, 0], gallery[0]).rotation.shape == (3, 3)
    mask = np.ones((5, 13))
    np.testing.assert_allclose(procrustes(queries, gallery, mask).scale, found.scale)


def test_a_source_without_extent_goes_to_the_middle_of_the_target():
    target = random_poses(13)
    found = procrustes(np.zeros((13, 3)), target)
    assert found.scale == 1
    np.testing.assert_array_equal(found.rotation, np.eye(3))
    np.testing.assert_allclose(found.translation, target.mean(axis=0))


def test_an_empty_batch_gives_an_empty_answer():
    assert procrustes(np.zeros((0, 13, 3)), np.zeros((0, 13, 3))).rotation.shape == (0, 3, 3)


@pytest.mark.parametrize(
    ("source", "target", "mask", "message"),
    [
        (np.zeros((4, 13, 3)), np.zeros((4, 17, 3)), None, r"shapes=\(4, 13, 3\) and \(4, 17, 3\)"),
        (np.zeros((4, 13, 2)), np.zeros((4, 13, 2)), None, r"shape \(\.\.\., joints, 3\)"),
        (np.zeros((4, 13, 3)), np.zeros((5, 13, 3)), None, "shapes broadcast"),
        (np.zeros((4, 13, 3)), np.zeros((4, 13, 3)), np.ones((4, 12)), r"mask of shape \(\.\.\., 13\)"),
        (np.zeros((4, 13, 3)), np.zeros((4, 13, 3)), np.eye(4, 13) * [[1], [0], [1], [0]], "Received: 2 poses without"),
        (np.full((4, 13, 3), np.nan), np.zeros((4, 13, 3)), None, "Received: 4 with NaN"),
    ],
)
def test_bad_input_is_refused(source, target, mask, message):
    with pytest.raises(ValueError, match=message):
        procrustes(source, target, mask)
