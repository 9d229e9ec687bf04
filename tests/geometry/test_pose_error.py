import numpy as np
import pytest
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vvipe_tf.geometry.alignment import apply_similarity, procrustes
from vvipe_tf.geometry.pose_error import auc, mpjpe, n_mpjpe, p_mpjpe, paired_p_mpjpe, pairwise_mpjpe, pck

seeds = st.integers(0, 2**32 - 1)


def random_poses(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(*shape, 3))


def p_mpjpe_by_svd(a, b):
    """One pose, LAPACK: the oracle."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    left, singular, right = np.linalg.svd(a.T @ b)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    scale = (singular * signs).sum() / np.sum(a * a)
    return np.linalg.norm(scale * a @ (left * signs) @ right - b, axis=1).mean()


def test_mpjpe_worked_by_hand():
    a = np.zeros((2, 3, 3))
    b = np.array([[[3.0, 4, 0], [0, 0, 1], [0, 0, 0]], [[1, 2, 2], [0, 0, 0], [0, 6, 0]]])
    np.testing.assert_allclose(mpjpe(a, b), [2, 3])
    np.testing.assert_allclose(mpjpe(a, b, [[1, 0, 1], [0, 1, 1]]), [2.5, 3])


def test_mpjpe_ignores_what_missing_joints_hold():
    a, b = random_poses(4, 13), random_poses(4, 13, seed=1)
    mask = np.ones((4, 13), dtype=bool)
    mask[:, [2, 7]] = False
    spoiled = a.copy()
    spoiled[:, 2], spoiled[:, 7] = np.nan, np.inf
    rest = [joint for joint in range(13) if joint not in (2, 7)]
    for error in (mpjpe, n_mpjpe, p_mpjpe):
        np.testing.assert_allclose(error(spoiled, b, mask), error(a[:, rest], b[:, rest]))


def test_n_mpjpe_worked_by_hand():
    # <a, b> / <a, a> = (3 + 4) / (1 + 4) = 1.4: the scaled joints are (1.4, 0, 0) and (0, 2.8, 0).
    a = np.array([[1.0, 0, 0], [0, 2, 0]])
    b = np.array([[3.0, 0, 0], [0, 2, 0]])
    assert n_mpjpe(a, b) == pytest.approx((1.6 + 0.8) / 2)
    # The other way round <b, a> / <b, b> = 7 / 13: aligning is onto the second pose, so the two differ.
    assert n_mpjpe(b, a) == pytest.approx((abs(21 / 13 - 1) + abs(14 / 13 - 2)) / 2)


def test_n_mpjpe_knows_no_scale_but_never_mirrors():
    poses, other = random_poses(5, 13), random_poses(5, 13, seed=1)
    np.testing.assert_allclose(n_mpjpe(250 * poses, other), n_mpjpe(poses, other))
    np.testing.assert_allclose(n_mpjpe(poses, -poses), np.linalg.norm(poses, axis=-1).mean(axis=-1))
    np.testing.assert_allclose(n_mpjpe(np.zeros((5, 13, 3)), other), mpjpe(np.zeros((5, 13, 3)), other))


def test_p_mpjpe_equals_the_svd():
    a, b = random_poses(300, 17), random_poses(300, 17, seed=1)
    np.testing.assert_allclose(p_mpjpe(a, b), [p_mpjpe_by_svd(*pair) for pair in zip(a, b, strict=True)], atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    translation=st.tuples(*[st.floats(-100, 100)] * 3),
    scale=st.floats(0.01, 1000),
)
def test_p_mpjpe_does_not_know_where_the_first_pose_is(seed, quaternion, translation, scale):
    a, b = random_poses(2, 17, seed=seed)
    moved = scale * a @ Rotation.from_quat(quaternion).as_matrix() + translation
    assert p_mpjpe(moved, b) == pytest.approx(p_mpjpe(a, b), abs=1e-8)
    assert p_mpjpe(moved, a) == pytest.approx(0, abs=1e-8)
    moved_rigidly = b @ Rotation.from_quat(quaternion).as_matrix() + translation
    assert p_mpjpe(a, moved_rigidly) == pytest.approx(p_mpjpe(a, b), abs=1e-8)
    assert p_mpjpe(a, scale * b) == pytest.approx(scale * p_mpjpe(a, b), rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_squared_error_is_the_same_both_ways_for_poses_of_one_size_and_bounds_the_mean_distance(seed):
    # min |s R a + t - b|^2 = |b|^2 - L^2 / |a|^2 with s = L / |a|^2, so for |a| = |b| = 1 it is 1 - s^2 both ways.
    a, b = random_poses(2, 13, seed=seed)
    a, b = (pose - pose.mean(axis=0) for pose in (a, b))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    for first, second in ((a, b), (b, a)):
        similarity = procrustes(first, second)
        squared = np.sum((apply_similarity(first, similarity) - second) ** 2)
        assert similarity.scale == pytest.approx(procrustes(second, first).scale)
        assert squared == pytest.approx(1 - similarity.scale**2)
        assert p_mpjpe(first, second) <= np.sqrt(squared / 13)


def test_aligning_is_onto_the_second_pose_so_its_unit_and_size_count():
    a, b = random_poses(17), random_poses(17, seed=1)
    assert p_mpjpe(a, 490 * b) == pytest.approx(490 * p_mpjpe(a, b))
    assert p_mpjpe(490 * a, b) == pytest.approx(p_mpjpe(a, b))
    # A pose against a single point: the point cannot reach the pose, the pose shrinks onto the point.
    point = np.zeros((17, 3))
    assert p_mpjpe(point, a) == pytest.approx(np.linalg.norm(a - a.mean(axis=0), axis=1).mean())
    assert p_mpjpe(a, point) == pytest.approx(0)


def test_a_mirrored_pose_does_not_align_though_scipy_procrustes_thinks_so():
    pose = random_poses(17)
    mirrored = pose * (1, -1, 1)
    assert scipy.spatial.procrustes(pose, mirrored)[2] < 1e-12
    assert p_mpjpe(pose, mirrored) > 0.05
    assert paired_p_mpjpe(pose[None], [0], mirrored[None], [0])[0] > 0.05


def special_pairs():
    rng = np.random.default_rng(12)
    poses = rng.normal(size=(9, 17, 3))
    flat, line = poses * (1, 1, 0), poses * (1, 0, 0)
    turn = Rotation.random(rng=rng).as_matrix()
    return {
        "identical": (poses, poses),
        "mirrored": (poses, poses * (1, 1, -1)),
        "planar onto planar": (flat, flat[::-1] @ turn),
        "planar onto solid": (flat, poses[::-1]),
        "nearly planar": (poses * (1, 1, 1e-7), poses[::-1]),
        "collinear onto solid": (line @ turn, poses[::-1]),
        "collinear onto collinear": (line, line[::-1] @ turn),
        "nearly identical": (poses, poses + 1e-9 * poses[::-1]),
        "turned": (poses, 3 * poses @ turn + 1),
        "far away": (poses + 1e4, poses[::-1] - 1e4),
    }


@pytest.mark.parametrize("name", special_pairs())
def test_special_poses_agree_with_the_svd(name):
    a, b = special_pairs()[name]
    expected = [p_mpjpe_by_svd(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(p_mpjpe(a, b), expected, atol=1e-9)
    np.testing.assert_allclose(paired_p_mpjpe(a, np.arange(9), b, np.arange(9)), expected, atol=1e-9)


@pytest.mark.parametrize("num_threads", [1, 3, None])
def test_chosen_pairs_get_the_errors_of_their_poses_across_chunks(num_threads):
    a, b = random_poses(19, 17), random_poses(23, 17, seed=1).astype(np.float32)
    rng = np.random.default_rng(2)
    index_a, index_b = rng.integers(0, 19, 5003), rng.integers(0, 23, 5003)
    errors = paired_p_mpjpe(a, index_a, b, index_b, num_threads=num_threads)
    table = p_mpjpe(a[:, None], b[None])
    assert errors.shape == (5003,)
    np.testing.assert_allclose(errors, table[index_a, index_b], atol=1e-12)


def test_pairs_without_extent_and_no_pairs_at_all_are_answered():
    poses = np.concatenate([np.zeros((1, 13, 3)), random_poses(2, 13)])
    to_centre = np.linalg.norm(poses[1] - poses[1].mean(axis=0), axis=1).mean()
    np.testing.assert_allclose(paired_p_mpjpe(poses, [0, 1, 0], poses, [1, 0, 0]), [to_centre, 0, 0], atol=1e-12)
    assert paired_p_mpjpe(poses, [], poses, []).shape == (0,)


@pytest.mark.parametrize(
    ("index_a", "index_b", "message"),
    [
        ([0, 4], [0, 1], "indices from 0 to 3. Received: 0 to 4"),
        ([0, -1], [0, 1], "Received: -1 to 0"),
        ([0, 1], [0, 1, 2], "Received: 2 and 3"),
        ([0.0, 1.0], [0, 1], "integer indices"),
        ([[0, 1]], [[0, 1]], r"shape \(pairs,\)"),
    ],
)
def test_pairs_that_cannot_be_are_refused(index_a, index_b, message):
    poses = random_poses(4, 13)
    with pytest.raises(ValueError, match=message):
        paired_p_mpjpe(poses, index_a, poses, index_b)


def test_poses_that_cannot_be_paired_are_refused():
    poses = random_poses(4, 13)
    with pytest.raises(ValueError, match="as many joints"):
        paired_p_mpjpe(poses, [0], poses[:, 1:], [0])
    with pytest.raises(ValueError, match=r"shape \(n, joints, 3\). Received: shape=\(13, 3\)"):
        paired_p_mpjpe(poses[0], [0], poses, [0])
    with pytest.raises(ValueError, match="Received: 4 with NaN"):
        paired_p_mpjpe(poses, [0], poses * np.nan, [0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairwise_mpjpe_equals_the_loop(dtype):
    a, b = random_poses(37, 13).astype(dtype), random_poses(1501, 13, seed=1).astype(dtype)
    errors = pairwise_mpjpe(a, b)
    assert (errors.shape, errors.dtype) == ((37, 1501), dtype)
    for index in (0, 20, 21, 36):
        np.testing.assert_allclose(errors[index], mpjpe(a[index], b), rtol=2e-6)


def test_pairwise_mpjpe_of_a_pose_with_itself_is_exactly_zero():
    poses = random_poses(6, 17).astype(np.float32)
    np.testing.assert_array_equal(np.diag(pairwise_mpjpe(poses, poses)), 0)


def test_pairwise_mpjpe_refuses_other_shapes_and_answers_empty_ones():
    with pytest.raises(ValueError, match=r"shapes=\(13, 3\) and \(4, 13, 3\)"):
        pairwise_mpjpe(np.zeros((13, 3)), np.zeros((4, 13, 3)))
    with pytest.raises(ValueError, match="two poses of shape"):
        pairwise_mpjpe(np.zeros((5, 13, 3)), np.zeros((4, 17, 3)))
    assert pairwise_mpjpe(np.zeros((0, 13, 3)), np.zeros((4, 13, 3))).shape == (0, 4)


def test_pck_and_auc_worked_by_hand():
    a = np.zeros((4, 3))
    b = np.array([[10.0, 0, 0], [0, 150, 0], [0, 0, 151], [0, 0, 0]])
    assert pck(a, b, 150) == pytest.approx(3 / 4)  # a joint on the threshold counts
    assert pck(a, b, 150, [1, 0, 1, 0]) == pytest.approx(1 / 2)
    assert auc(a, b, [160, 0, 10]) == pytest.approx((1 + 1 / 4 + 2 / 4) / 3)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, thresholds=st.lists(st.floats(0, 5), min_size=1, max_size=7))
def test_auc_is_the_mean_of_pck(seed, thresholds):
    a, b = random_poses(3, 13, seed=seed), random_poses(3, 13, seed=seed + 1)
    np.testing.assert_allclose(auc(a, b, thresholds), np.mean([pck(a, b, t) for t in thresholds], axis=0))


def test_auc_without_thresholds_is_refused():
    with pytest.raises(ValueError, match="one or more finite thresholds"):
        auc(np.zeros((4, 3)), np.zeros((4, 3)), [])
