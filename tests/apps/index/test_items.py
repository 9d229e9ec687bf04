"""Metadata of items in SQLite."""

import sqlite3

import numpy as np
import pytest

from vvipe_tf.apps.index.items import ItemTable

METADATA = {
    "id": ["a", "b", "naïve 'quoted\" text; --"],
    "frame": np.array([4, 5, 2**40]),
    "score": [0.5, None, 1],
    "group": [None, None, None],
    "good": np.array([True, False, True]),
}


def table_of(metadata):
    table = ItemTable.create(metadata)
    with table.adding(metadata, len(metadata["id"])):
        pass
    return table


def test_values_come_back_as_they_went_in(tmp_path):
    table = table_of(METADATA)
    table.write(tmp_path / "items.sqlite")
    for each in (table, ItemTable.open(tmp_path / "items.sqlite")):
        assert each.columns == {"id": str, "frame": int, "score": float, "group": str, "good": int}
        assert each.rows([2, 0, 2])[0] == {
            "id": METADATA["id"][2],
            "frame": 2**40,
            "score": 1.0,
            "group": None,
            "good": 1,
        }
        assert [row["id"] for row in each.rows([1, 0])] == ["b", "a"]
        assert each.find(METADATA["id"][2]) == 2
        assert each.find("c") is None
        assert each.where({"score": None}).tolist() == [1]
        assert each.where({"good": 1, "frame": 4}).tolist() == [0]
        assert len(each) == 3


def test_many_items_are_described_in_order():
    table = table_of({"id": [f"{number}" for number in range(1300)], "square": np.arange(1300) ** 2})
    wanted = np.random.default_rng(0).permutation(1300)
    assert [row["square"] for row in table.rows(wanted)] == (wanted**2).tolist()


def test_adding_to_a_table_from_a_file_leaves_the_file_alone(tmp_path):
    table_of({"id": ["a"]}).write(tmp_path / "items.sqlite")
    before = (tmp_path / "items.sqlite").read_bytes()
    table = ItemTable.open(tmp_path / "items.sqlite")
    with table.adding({"id": ["b", "c"]}, 2):
        pass
    assert table.find("c") == 2
    assert (tmp_path / "items.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"id": ["a"], "x y": [1]}, "'x y'"),
        ({"id": ["a"], 'x"; DROP TABLE items': [1]}, "letters, digits"),
        ({"id": ["a"], "item": [1]}, "not 'item'"),
        ({"id": ["a"], "Frame": [1], "frame": [2]}, "more than case"),
        ({"id": ["a"], "mixed": ["a", 1]}, "not both"),
        ({"id": ["a"], "list": [[1]]}, "list"),
        ({"id": ["a"], "table": np.zeros((1, 2))}, "one axis"),
        ({"id": ["a"], "score": [np.nan]}, "finite"),
        ({"id": ["a"], "big": [2**63]}, "64 bits"),
        ({"id": [3]}, "'id'"),
        ({"id": [""]}, "an id for each item"),
        ({"id": [None]}, "an id for each item"),
    ],
)
def test_bad_metadata_is_named(metadata, message):
    with pytest.raises(ValueError, match=message):
        table_of(metadata)


def test_files_that_hold_something_else_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="which is gone"):
        ItemTable.open(tmp_path / "missing.sqlite")
    (tmp_path / "text.sqlite").write_text("no database " * 100)
    with pytest.raises(ValueError, match="table of items"):
        ItemTable.open(tmp_path / "text.sqlite")
    connection = sqlite3.connect(tmp_path / "other.sqlite")
    connection.execute("CREATE TABLE items (name TEXT)")
    connection.close()
    with pytest.raises(ValueError, match="table of items"):
        ItemTable.open(tmp_path / "other.sqlite")
