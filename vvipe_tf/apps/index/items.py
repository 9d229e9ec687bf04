"""What an index knows about its items beside their vectors: a table in SQLite.

SQLite comes with Python, finds an item by its text id without reading the table, and a file that is never changed can
be read by any number of processes.
"""

import os
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ID = "id"
_ITEM = "item"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_SQL_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL"}
_MAX_VARIABLES = 500


class ItemTable:
    """Text ids and further columns of the items of an index, numbered 0, 1, 2 ... in the order they were added.

    Args:
        connection: Connection to a database with the table, as `create` and `open` make it.
    """

    def __init__(self, connection: sqlite3.Connection):
        """Takes over the connection."""
        self._connection = connection
        self._changeable = True

    @classmethod
    def create(cls, metadata: Mapping[str, Sequence]) -> "ItemTable":
        """An empty table in memory with the columns of `metadata`, each of the type of its values.

        Raises:
            ValueError: If there is no column `id`, or a name or a value is not as `add` wants it.
        """
        if ID not in metadata:
            raise ValueError(f"Expected metadata with a column {ID!r}. Received: {sorted(map(str, metadata))}")
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        columns = []
        for name, values in metadata.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() == _ITEM:
                raise ValueError(f"Expected column names of letters, digits and _, not {_ITEM!r}. Received: {name!r}")
            kind = str if name == ID else _type_of(name, _plain(name, values))
            columns.append(f'"{name}" {_SQL_TYPES[kind]}' + (" NOT NULL UNIQUE" if name == ID else ""))
        if len({name.lower() for name in metadata}) < len(metadata):
            raise ValueError(f"Expected column names that differ in more than case. Received: {list(metadata)}")
        connection.execute(f"CREATE TABLE items ({_ITEM} INTEGER PRIMARY KEY, {', '.join(columns)})")
        return cls(connection)

    @classmethod
    def open(cls, path: str | os.PathLike) -> "ItemTable":
        """A table in a file that nobody changes any more; `add` works on a copy in memory.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no such table.
        """
        path = Path(path).resolve()
        try:
            connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            connection.execute("PRAGMA trusted_schema = OFF")
            table = cls(connection)
            if ID not in table.columns:
                raise ValueError(f"{path}: expected a table of items. Received: columns {list(table.columns)}")
        except sqlite3.Error as error:
            if not path.exists():
                raise FileNotFoundError(f"Expected a table of items. Received: {path}, which is gone") from error
            raise ValueError(f"{path}: expected a table of items. Received: {error}") from error
        table._changeable = False
        return table

    def __len__(self) -> int:
        """Number of items."""
        return self._connection.execute("SELECT COUNT(*) FROM items").fetchone()[0]

    @property
    def columns(self) -> dict[str, type]:
        """Type of each column, by name: str, int or float."""
        kinds = {sql: kind for kind, sql in _SQL_TYPES.items()}
        rows = self._connection.execute("PRAGMA table_info(items)").fetchall()
        return {name: kinds[sql] for _, name, sql, *_ in rows if name != _ITEM and sql in kinds}

    @contextmanager
    def adding(self, metadata: Mapping[str, Sequence], count: int) -> Iterator[None]:
        """Adds items, unless the block that follows raises.

        Args:
            metadata: Columns of `count` values: strings, whole numbers or finite numbers, each kind where the column
                has it, or None. Columns left out stay empty, except `id`.
            count: Number of items.

        Raises:
            ValueError: If a column is unknown or of another length or type, or an id is empty or there already.
        """
        known = self.columns
        unknown = sorted(set(metadata) - set(known))
        if unknown or ID not in metadata:
            raise ValueError(f"Expected {ID!r} and columns among {list(known)}. Received: {list(metadata)}")
        columns = {}
        for name, values in metadata.items():
            columns[name] = _plain(name, values)
            if len(columns[name]) != count:
                raise ValueError(f"Expected {count} values of {name!r}, one an item. Received: {len(columns[name])}")
            _check_values(name, columns[name], known[name])
        _check_ids(columns[ID])
        if not self._changeable:
            self._copy_to_memory()
        start = len(self)
        names = ", ".join(f'"{name}"' for name in columns)
        places = ", ".join("?" * (len(columns) + 1))
        rows = zip(range(start, start + count), *columns.values(), strict=True)
        try:
            with self._connection:
                # Names come from _NAME, values are bound.
                self._connection.executemany(f"INSERT INTO items ({_ITEM}, {names}) VALUES ({places})", rows)  # noqa: S608
                yield
        except sqlite3.IntegrityError as error:
            there = [text for text in columns[ID] if self.find(text) is not None]
            raise ValueError(f"Expected ids that are not in the index. Received: {len(there)}, {there[0]!r}") from error

    def find(self, text_id: str) -> int | None:
        """Number of the item with a text id, or None."""
        row = self._connection.execute(f"SELECT {_ITEM} FROM items WHERE id = ?", (text_id,)).fetchone()  # noqa: S608
        return None if row is None else row[0]

    def rows(self, items: np.ndarray) -> list[dict[str, Any]]:
        """Metadata of items, in the order asked for.

        Args:
            items: Item numbers (n,).

        Returns:
            One dict an item, by column.

        Raises:
            ValueError: If there is no such item.
        """
        wanted = [int(item) for item in items]
        distinct = sorted(set(wanted))
        names = list(self.columns)
        selected = ", ".join(f'"{name}"' for name in (_ITEM, *names))
        found = {}
        for start in range(0, len(distinct), _MAX_VARIABLES):
            some = distinct[start : start + _MAX_VARIABLES]
            query = f"SELECT {selected} FROM items WHERE {_ITEM} IN ({', '.join('?' * len(some))})"  # noqa: S608
            found.update(
                (item, dict(zip(names, row, strict=True))) for item, *row in self._connection.execute(query, some)
            )
        missing = [item for item in distinct if item not in found]
        if missing:
            raise ValueError(f"Expected items of the index. Received: {missing[0]}")
        return [found[item] for item in wanted]

    def where(self, conditions: Mapping[str, Collection | str | float | None]) -> np.ndarray:
        """Numbers (n,) int64 of the items whose columns have the given values, ascending.

        Raises:
            ValueError: If a column is unknown.
        """
        unknown = sorted(set(conditions) - set(self.columns))
        if unknown:
            raise ValueError(f"Expected columns among {list(self.columns)}. Received: {unknown}")
        tests = " AND ".join(f'"{name}" IS ?' for name in conditions) or "1"
        query = f"SELECT {_ITEM} FROM items WHERE {tests} ORDER BY {_ITEM}"  # noqa: S608
        return np.array([row[0] for row in self._connection.execute(query, tuple(conditions.values()))], dtype=np.int64)

    def write(self, path: str | os.PathLike) -> None:
        """Writes the table to a new file.

        Raises:
            OSError: If the file cannot be written.
        """
        try:
            self._connection.execute("VACUUM INTO ?", (os.fspath(path),))
        except sqlite3.OperationalError as error:
            raise OSError(f"Expected a folder with room to write in. Received: {path}: {error}") from error

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _copy_to_memory(self) -> None:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.backup(copy)
        self._connection.close()
        self._connection, self._changeable = copy, True


def _plain(name: str, values: Sequence) -> list:
    """A column as a list of Python's own values."""
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise ValueError(f"Expected one axis of values of {name!r}. Received: shape={values.shape}")
        return values.tolist()
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _type_of(name: str, values: list) -> type:
    kinds = {int if isinstance(value, bool) else type(value) for value in values if value is not None}
    for kind, fitting in ((str, {str}), (int, {int}), (float, {int, float})):
        if kinds <= fitting:
            return kind
    raise ValueError(
        f"Expected strings or numbers in {name!r}, not both. Received: {sorted(kind.__name__ for kind in kinds)}"
    )


def _check_values(name: str, values: list, kind: type) -> None:
    fitting = (int, float) if kind is float else (kind,)
    for value in values:
        if value is None:
            continue
        if not isinstance(value, fitting):
            raise ValueError(f"Expected values of type {kind.__name__} in {name!r}. Received: {value!r}")
        if kind is int and not -(2**63) <= value < 2**63:
            raise ValueError(f"Expected whole numbers of 64 bits in {name!r}. Received: {value}")
        if kind is float and not np.isfinite(value):
            raise ValueError(f"Expected finite numbers in {name!r}, or None. Received: {value}")


def _check_ids(ids: list) -> None:
    if not all(ids):
        raise ValueError(f"Expected an id for each item. Received: {ids[[bool(text) for text in ids].index(False)]!r}")
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        twice = next(text for text in ids if text in seen or seen.add(text))
        raise ValueError(f"Expected each id once. Received: {twice!r} twice")
