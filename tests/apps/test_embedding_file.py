"""Embeddings in a file."""

import numpy as np
import pytest

from vvipe_tf.apps.embedding_file import EmbeddingFile, read_embedding_file, write_embedding_file


def test_what_was_written_is_read(tmp_path):
    embeddings, poses = np.random.default_rng(0).normal(size=(3, 5)), np.zeros((3, 2, 3))
    columns = {"id": ["a", "b", "c"], "frame": [4, 5, 6]}
    write_embedding_file(tmp_path / "e.npz", EmbeddingFile(embeddings, "model", columns, poses))
    content = read_embedding_file(tmp_path / "e.npz")
    np.testing.assert_array_equal(content.embeddings, embeddings)
    np.testing.assert_array_equal(content.poses, poses)
    assert content.model_id == "model"
    assert {name: list(values) for name, values in content.columns.items()} == columns


def test_the_ending_may_be_in_capitals(tmp_path):
    write_embedding_file(tmp_path / "E.NPZ", EmbeddingFile(np.ones((2, 5)), "model", {}))
    assert len(read_embedding_file(tmp_path / "E.NPZ").embeddings) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["E.NPZ"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"embeddings": np.zeros((3, 5))}, "model_id"),
        ({"embeddings": np.zeros(5), "model_id": np.array("m")}, r"\(n, dim\)"),
        ({"embeddings": np.zeros((3, 5)), "model_id": np.array(3)}, "one string model_id"),
        ({"embeddings": np.zeros((3, 5)), "model_id": np.array("m"), "frame": np.zeros(4)}, "'frame'"),
        ({"embeddings": np.zeros((3, 5)), "model_id": np.array("m"), "xy": np.zeros((3, 2))}, "'xy'"),
    ],
)
def test_bad_files_are_named(tmp_path, arrays, message):
    np.savez(tmp_path / "e.npz", **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_embedding_file(tmp_path / "e.npz")
    assert "e.npz" in str(caught.value)


def test_columns_that_cannot_be_read_back_are_not_written(tmp_path):
    for columns, name in (({"model_id": ["a"] * 3}, "e.npz"), ({"id": ["a"] * 2}, "e.npz"), ({}, "e.json")):
        with pytest.raises(ValueError, match="Expected"):
            write_embedding_file(tmp_path / name, EmbeddingFile(np.zeros((3, 5)), "m", columns))
    assert not list(tmp_path.iterdir())
