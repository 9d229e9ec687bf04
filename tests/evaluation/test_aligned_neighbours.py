import numpy as np
import pytest

from vvipe_tf.evaluation import aligned_neighbours as module
from vvipe_tf.evaluation import alignment_screen
from vvipe_tf.evaluation.aligned_neighbours import nearest_aligned_poses
from vvipe_tf.evaluation.alignment_screen import TOLERANCE, screen_alignments, screening_table
from vvipe_tf.geometry.pose_error import p_mpjpe

# Factors on the axes: bodies, almost flat ones, almost straight ones, mirrored ones.
SHAPES = {"body": (1, 0.5, 0.3), "flat": (1, 0.3, 0.01), "straight": (1, 0.04, 0.02), "mirrored": (1, 0.5, -0.3)}


def draw(shape, seed=0, queries=13, gallery=61, joints=17):
    """Poses of which some are alike; the gallery has the shape asked for."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(9, joints, 3))
    found = [
        centres[rng.integers(9, size=n)] + rng.uniform(0, 0.3, (n, 1, 1)) * rng.normal(size=(n, joints, 3))
        for n in (queries, gallery)
    ]
    return found[0] * SHAPES["body" if shape == "mirrored" else shape], found[1] * SHAPES[shape] * 7.0 + 5.0


def by_sorting(queries, gallery, k):
    return np.argsort(p_mpjpe(gallery[None], queries[:, None]), axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_sorted_errors_however_the_pairs_are_cut(shape, monkeypatch):
    queries, gallery = draw(shape)
    expected = by_sorting(queries, gallery, 5)
    np.testing.assert_array_equal(nearest_aligned_poses(queries, gallery, 5), expected)
    monkeypatch.setattr(module, "_QUERIES_PER_BLOCK", 4)
    monkeypatch.setattr(module, "_GALLERY_PER_BLOCK", 23)
    monkeypatch.setattr(alignment_screen, "_PAIRS_PER_CHUNK", 70)
    np.testing.assert_array_equal(nearest_aligned_poses(queries, gallery, 5), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_screen_stays_far_within_its_tolerance(shape):
    queries, gallery = draw(shape, 1, 37, 211, 11)
    gallery[7] = 3.0 * queries[5] @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    sizes = np.linalg.norm(queries - queries.mean(axis=1, keepdims=True), axis=(1, 2))
    wrong = (
        screen_alignments(queries, screening_table(gallery)) - p_mpjpe(gallery[None], queries[:, None]) / sizes[:, None]
    )
    assert np.nanmax(np.abs(wrong)) < TOLERANCE / 20
    if shape == "body":
        assert np.isnan(wrong).mean() < 0.2


def test_few_pairs_are_aligned_twice(monkeypatch):
    queries, gallery = draw("body", 2, 30, 500)
    counts = []
    exact = module.paired_p_mpjpe
    monkeypatch.setattr(
        module, "paired_p_mpjpe", lambda a, i, b, j, **more: counts.append(len(i)) or exact(a, i, b, j, **more)
    )
    np.testing.assert_array_equal(nearest_aligned_poses(queries, gallery, 6), by_sorting(queries, gallery, 6))
    assert sum(counts) < 0.2 * 30 * 500


def test_turned_and_scaled_poses_are_found_and_mirrored_ones_are_not():
    pose = np.random.default_rng(1).normal(size=(1, 9, 3))
    turned = 3 * pose @ np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]) + 5
    gallery = np.concatenate([pose * [1, 1, -1], turned])
    assert nearest_aligned_poses(pose, gallery, 1).tolist() == [[1]]


def test_copies_go_by_index_and_poses_without_extent_are_no_accident():
    queries, gallery = draw("body", 3, 5, 40)
    gallery[[3, 17, 29]] = queries[4]
    gallery[11] = 2.0
    queries[2] = 1.0
    np.testing.assert_array_equal(nearest_aligned_poses(queries, gallery, 40), by_sorting(queries, gallery, 40))
    assert nearest_aligned_poses(queries[4:], gallery, 3).tolist() == [[3, 17, 29]]


@pytest.mark.parametrize(
    ("queries", "gallery", "k", "message"),
    [
        (np.ones((1, 4, 3)), np.ones((2, 4, 3)), 3, "gallery size 2. Received: k=3"),
        (np.ones((1, 5, 3)), np.ones((2, 4, 3)), 1, "as many joints"),
        (np.ones((1, 4, 3)), np.full((2, 4, 3), np.nan), 1, "finite poses"),
    ],
)
def test_bad_input_is_refused(queries, gallery, k, message):
    with pytest.raises(ValueError, match=message):
        nearest_aligned_poses(queries, gallery, k)
