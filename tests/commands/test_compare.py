"""`python -m vvipe_tf compare`, from two files to a verdict and a picture."""

import json

import numpy as np
import pytest

from tests.commands.keypoint_files import HIPS, detected_people, write_alphapose
from vvipe_tf.__main__ import main
from vvipe_tf.apps.embedding_file import EmbeddingFile, read_embedding_file, write_embedding_file


@pytest.fixture(scope="module")
def people():
    return detected_people(frames=14)


@pytest.fixture
def compare(small_model, capsys):
    def run(*arguments):
        code = main(["compare", "--model", str(small_model), *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_person_is_compared_with_themselves_and_drawn(compare, people, tmp_path):
    path = write_alphapose(tmp_path / "a.json", people)
    code, out, _ = compare(path, path, "--person", 9, "--picture", tmp_path / "p.png")
    assert code == 0
    assert "similarity 100 of 100 (0: unrelated poses, 100: one pose seen by two cameras): the same motion, in" in out
    assert "14 poses, 0 refused, 0 frames without a detection; compared from frame 0 to 13" in out
    assert (tmp_path / "p.png").stat().st_size > 10_000


def test_another_size_and_place_in_the_picture_change_nothing(compare, people, tmp_path):
    moved = people.copy()
    moved[..., :2] = moved[..., :2] * 0.5 + 300
    first, second = (write_alphapose(tmp_path / f"{name}.json", each) for name, each in (("a", people), ("b", moved)))
    _, out, _ = compare(first, second, "--person", 4, "--format", "json")
    document = json.loads(out)
    assert document["score"] > 99
    assert [(step["frame_a"], step["frame_b"]) for step in document["path"]] == [(row, row) for row in range(14)]
    assert document["scale"]["same"] < document["scale"]["chance"]


def test_refused_and_missing_frames_are_counted_and_left_out(compare, people, tmp_path):
    people = people.copy()
    people[0, 5:7, HIPS, 2] = 0.1
    path = write_alphapose(
        tmp_path / "a.json", people[:1, [0, 1, 2, 5, 6, 8, 9, 10]], ids=[4], frames=[0, 1, 2, 5, 6, 8, 9, 10]
    )
    whole = write_alphapose(tmp_path / "b.json", detected_people(frames=14)[:1], ids=[4])
    _, out, _ = compare(path, whole, "--format", "json")
    facts = json.loads(out)["a"]
    assert (facts["poses"], facts["refused"], facts["missing"]) == (6, 2, 3)
    assert facts["compared"] == [0, 10]


def test_a_part_is_found_in_the_whole(compare, people, tmp_path):
    part = write_alphapose(tmp_path / "a.json", people[1:, 4:9], ids=[9])
    whole = write_alphapose(tmp_path / "b.json", people[1:], ids=[9])
    _, out, _ = compare(part, whole, "--match", "part", "--format", "json", "--ignore-layout")
    document = json.loads(out)
    assert document["b"]["compared"] == [4, 8]
    assert document["timing"]["lag"] == 4
    assert document["np_mpjpe"] < 1e-4


def test_poses_and_embeddings_are_compared_with_keypoints(compare, people, small_model, tmp_path):
    path = write_alphapose(tmp_path / "a.json", people)
    main(["embed", path, "--model", str(small_model), "--output", str(tmp_path / "e.npz")])
    main(["lift", path, "--model", str(small_model), "--output", str(tmp_path / "p.npz")])
    _, out, _ = compare(path, tmp_path / "e.npz", "--person", 9, "--format", "json")
    lines = [line for line in out.splitlines() if line.startswith("{")]
    assert json.loads(lines[-1])["distance"] < 1e-3
    code, out, _ = compare(tmp_path / "p.npz", path, "--person", 4, "--format", "json")
    assert code == 0
    assert json.loads(out)["np_mpjpe"] < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--person", "5"), "Expected a person among [4, 9]"),
        (("--person-b", "6"), "Expected a person among [4, 9]"),
        (("--k", "-1"), "Expected --k of at least 0"),
        (("--picture", "p.gif"), "Expected a picture that ends in"),
    ],
)
def test_bad_arguments_end_in_one_line(compare, people, tmp_path, arguments, message):
    path = write_alphapose(tmp_path / "a.json", people)
    code, out, err = compare(path, path, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_damaged_embeddings_end_in_one_line(compare, tmp_path):
    write_embedding_file(tmp_path / "e.npz", EmbeddingFile(np.ones((2, 5)), "model", {}))
    (tmp_path / "bad.npz").write_bytes((tmp_path / "e.npz").read_bytes().replace(b"PK\x01\x02", b"PK\x01\x00"))
    code, out, err = compare(tmp_path / "bad.npz", tmp_path / "bad.npz")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "bad.npz: expected an undamaged .npz" in err


def test_embeddings_of_another_model_are_refused(compare, people, small_model, tmp_path):
    path = write_alphapose(tmp_path / "a.json", people)
    main(["embed", path, "--model", str(small_model), "--output", str(tmp_path / "e.npz")])
    content = read_embedding_file(tmp_path / "e.npz")
    write_embedding_file(tmp_path / "o.npz", EmbeddingFile(content.embeddings, "other", content.columns))
    code, _, err = compare(path, tmp_path / "o.npz")
    assert code == 2
    assert "Received: other" in err
    write_embedding_file(tmp_path / "n.npz", EmbeddingFile(np.zeros((0, 5)), content.model_id, {}))
    assert "expected a person among []" in compare(path, tmp_path / "n.npz")[2]
