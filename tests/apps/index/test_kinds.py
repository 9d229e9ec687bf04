"""The FAISS side: exactness, calibration, thresholds."""

import io

import faiss
import numpy as np
import pytest

from vvipe_tf.apps.index.distinct import DistinctVectors, distinct_rows
from vvipe_tf.apps.index.kinds import Calibration, VectorIndex, choose_kind


def test_the_thresholds_are_those_of_the_documentation():
    assert [choose_kind(count) for count in (0, 20_000, 20_001, 100_000, 100_001)] == [
        "flat",
        "flat",
        "hnsw",
        "hnsw",
        "ivf",
    ]


def test_exact_distances_keep_their_digits_in_large_batches():
    """FAISS's own flat search expands the square there, and a vector is not at distance 0 from itself."""
    vectors = (20 + np.random.default_rng(6).normal(size=(4000, 32))).astype(np.float32)
    plain = faiss.IndexFlatL2(32)
    plain.add(vectors)
    assert np.sqrt(plain.search(vectors, 1)[0].max()) > 0.01
    index = VectorIndex.build("flat", vectors, 0)
    distances, numbers = index.exact(vectors, 2)
    np.testing.assert_array_equal(numbers[:, 0], np.arange(4000))
    assert (distances[:, 0] == 0).all()
    expected = np.linalg.norm(vectors.astype(float) - vectors[numbers[:, 1]], axis=1)
    np.testing.assert_allclose(distances[:, 1], expected, rtol=1e-5)
    for row in (7, 3999):
        np.testing.assert_array_equal(index.exact(vectors[row : row + 1], 2)[0][0], distances[row])


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_calibration_finds_the_effort_that_a_loop_would_find(kind):
    generator = np.random.default_rng(3)
    vectors = generator.normal(size=(1500, 24)).astype(np.float32)
    queries = generator.normal(size=(250, 24)).astype(np.float32)
    index = VectorIndex.build(kind, vectors, 0)
    nearest = ((queries[:, None].astype(float) - vectors) ** 2).sum(axis=2).argmin(axis=1)
    recalls = []
    for recall in (0.5, 0.99):
        index.calibrate(recall, 0, queries)
        effort, measured, count = index.calibration
        reached = np.mean(index.nearest(queries, 1)[1][:, 0] == nearest)
        assert recall <= measured == pytest.approx(reached, abs=0.005)
        assert count == 1500
        recalls.append((effort, np.mean(index.nearest(queries, 1, max(1, effort // 2))[1][:, 0] == nearest)))
    assert recalls[0][0] < recalls[1][0]
    assert recalls[1][1] < 0.99


def test_more_neighbours_than_the_lists_looked_into_hold_are_found_all_the_same():
    vectors = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32)
    index = VectorIndex.build("ivf", vectors, 0)
    distances, numbers = index.nearest(vectors[:3], 300, effort=1)
    assert (numbers >= 0).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    np.testing.assert_array_equal(numbers, index.exact(vectors[:3], 300)[1])


def test_a_graph_over_a_video_with_rests_finds_its_frames():
    """FAISS's graph, given all frames in their order, finds 2 of 3: equal vectors crowd out every other link."""
    generator = np.random.default_rng(1)
    poses = generator.normal(size=(400, 8)).astype(np.float32)
    frames = np.repeat(poses, 60, axis=0)
    queries = poses + 0.01 * generator.normal(size=(400, 8)).astype(np.float32)
    plain = faiss.IndexHNSWFlat(8, 16)
    plain.add(frames)
    of_pose = np.arange(400)
    assert np.mean(plain.search(queries, 1)[1][:, 0] // 60 == of_pose) < 0.95
    ours = DistinctVectors.build(frames, "hnsw", 0, 0.999)
    assert (ours.nearest(queries, 1)[1][:, 0] // 60 == of_pose).all()


def test_distinct_rows_are_numbered_by_first_appearance():
    """Worked by hand; -0 is 0."""
    vectors = np.array([[1, 2], [0.0, 3], [1, 2], [-0.0, 3], [5, 6], [1, 2]], dtype=np.float32)
    first, group = distinct_rows(vectors)
    np.testing.assert_array_equal(first, [0, 1, 4])
    np.testing.assert_array_equal(group, [0, 1, 0, 1, 2, 0])


@pytest.mark.parametrize("numbers", [[0, 1, 3], [0, -1, 2], [0, 0, 1], [0.0, 1.0, 2.0], [[0, 1, 2]]])
def test_items_that_do_not_fit_their_vectors_are_refused(numbers):
    index = VectorIndex.build("flat", np.eye(3, dtype=np.float32), 0)
    with pytest.raises(ValueError, match="each of 3 vectors"):
        DistinctVectors(index, np.array(numbers))


def test_bytes_that_faiss_cannot_read_are_one_error():
    file = io.BytesIO(b"IxF2" + bytes(10))
    file.name = "vectors.faiss"
    with pytest.raises(ValueError, match=r"vectors\.faiss: expected a FAISS index"):
        VectorIndex.read(file, "flat", 3, 2, Calibration(0, 1.0, 2))


def test_a_file_that_cannot_be_written_is_an_os_error_of_one_line(tmp_path):
    index = VectorIndex.build("flat", np.ones((3, 4), np.float32), 0)
    with pytest.raises(OSError, match="vectors.faiss") as error:
        index.write(tmp_path / "missing" / "vectors.faiss")
    assert "\n" not in str(error.value)
