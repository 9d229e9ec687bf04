"""Files appear whole or not at all."""

import pytest

from vvipe_tf.formats.atomic import atomic_path


def test_a_finished_block_leaves_the_file_and_nothing_else(tmp_path):
    target = tmp_path / "new" / "numbers.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("1 2 3")
        assert not target.exists()
        assert temporary.suffix == ".txt"
    assert target.read_text() == "1 2 3"
    assert [entry.name for entry in target.parent.iterdir()] == ["numbers.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_inside_the_block_keeps_the_old_file(tmp_path, error):
    target = tmp_path / "numbers.txt"
    target.write_text("old")

    def write_half():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["numbers.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "numbers.txt"):
        pass
    assert list(tmp_path.iterdir()) == []
