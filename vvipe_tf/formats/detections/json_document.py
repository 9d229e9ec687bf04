"""JSON files of other people: read whole, or refused with one clear message."""

import json
import os
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 2 << 30


class JsonDocument(NamedTuple):
    """A parsed JSON file.

    Args:
        where: Path, for messages.
        name: File name, from which a frame number may be read.
        content: Parsed content.
    """

    where: str
    name: str
    content: object


def read_json(path: str | os.PathLike) -> object:
    """Parses a JSON file (UTF-8, with or without a byte order mark).

    `NaN` and `Infinity`, which Python and C++ tools write, are accepted here and judged by the reader of the format.

    Args:
        path: File to read.

    Returns:
        The document: lists, dicts with str keys, str, int, float, bool, `None`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not valid JSON, cut short, nested too deeply or over 2 GiB.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{path}: expected a JSON file of at most {MAX_BYTES} bytes. Received: {size}")
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}: expected valid JSON. Received: {error.msg} at line {error.lineno}, column {error.colno}"
            + (" (the file looks cut short)" if error.pos >= len(error.doc.rstrip()) - 1 else "")
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text. Received: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError(f"{path}: expected JSON nested less deeply") from error
    except ValueError as error:
        raise ValueError(f"{path}: expected valid JSON. Received: {error}") from error


def brief(value: object, limit: int = 60) -> str:
    """A short rendering of a value for an error message."""
    if isinstance(value, dict):
        return "an object with keys " + brief_keys(value)
    if isinstance(value, list):
        return f"a list of {len(value)} values" if value else "an empty list"
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**limit else "a huge integer"
    return text if len(text) <= limit else text[:limit] + "..."


def brief_keys(value: dict, limit: int = 8) -> str:
    """The first keys of an object for an error message."""
    names = [str(key)[:30] for key in list(value)[:limit]]
    return "[" + ", ".join(names) + (", ..." if len(value) > limit else "") + "]"
