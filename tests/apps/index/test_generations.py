"""The folder of an index: whole generations, replaced in one step."""

import pytest

from vvipe_tf.apps.index import generations
from vvipe_tf.apps.index.generations import open_generation, read_manifest, write_generation


def save(folder, text, replaces):
    return write_generation(folder, {"text": text}, {"words.txt": lambda path: path.write_text(text)}, replaces)


def read(folder):
    with open_generation(folder) as opened:
        return opened.verified("words").read().decode()


def test_what_was_written_is_read(tmp_path):
    assert save(tmp_path / "a" / "b", "one", 0) == 1
    assert read(tmp_path / "a" / "b") == "one"
    generation = read_manifest(tmp_path / "a" / "b")
    assert (generation.number, generation.facts, generation.num_bytes) == (1, {"text": "one"}, 3)


def test_only_the_current_generation_stays_and_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "words-00000009-0123abcd.txt").write_text("of a writer that died")
    save(tmp_path, "one", 0)
    save(tmp_path, "two", 1)
    save(tmp_path, "three", None)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name[:14] for name in names] == [".lock", "manifest.json", "notes.txt", "words-00000003"]


def test_a_writer_that_fails_leaves_the_old_generation_and_no_files(tmp_path):
    save(tmp_path, "one", 0)

    def fail(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_generation(tmp_path, {}, {"words.txt": fail}, 1)
    assert read(tmp_path) == "one"
    assert len(list(tmp_path.glob("words-*"))) == 1


def test_a_reader_that_is_overtaken_between_manifest_and_files_takes_the_later_generation(tmp_path, monkeypatch):
    save(tmp_path, "one", 0)
    original = generations.read_manifest
    overtaken = []

    def read_then_overtake(folder):
        manifest = original(folder)
        if not overtaken:
            overtaken.append(manifest.number)
            monkeypatch.setattr(generations, "read_manifest", original)
            save(tmp_path, "two", 1)
        return manifest

    monkeypatch.setattr(generations, "read_manifest", read_then_overtake)
    assert read(tmp_path) == "two"
    assert overtaken == [1]


def test_files_that_are_open_are_read_to_their_end_after_a_replacement(tmp_path):
    save(tmp_path, "one", 0)
    with open_generation(tmp_path) as opened:
        save(tmp_path, "two", 1)
        assert not opened.generation.path("words").exists()
        assert opened.verified("words").read() == b"one"
    assert read(tmp_path) == "two"


def test_a_damaged_manifest_is_replaced_only_where_any_generation_may_be(tmp_path):
    save(tmp_path, "one", 0)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="expected JSON"):
        save(tmp_path, "two", 1)
    assert len(list(tmp_path.glob("words-*"))) == 1
    save(tmp_path, "three", None)
    assert read(tmp_path) == "three"
    assert len(list(tmp_path.glob("words-*"))) == 1


def test_a_generation_that_is_not_the_one_expected_is_not_replaced(tmp_path):
    save(tmp_path, "one", 0)
    with pytest.raises(FileExistsError, match="generation 0 .* Received: 1"):
        save(tmp_path, "two", 0)
    with pytest.raises(FileExistsError, match="generation 5 .* Received: 1"):
        save(tmp_path, "two", 5)
    assert read(tmp_path) == "one"
