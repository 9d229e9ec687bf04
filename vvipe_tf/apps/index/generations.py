"""An index on disk: a folder in which one small manifest names the files of one whole generation.

    manifest.json                        format, version, number of the generation, facts, SHA-256 of every part
    vectors-00000007-1f3a9c20.faiss      parts: written under names of their own, never changed afterwards
    items-00000007-1f3a9c20.sqlite

A new generation is there as soon as the manifest is replaced, in one step. Readers see the old or the new generation
whole; those who have the old one open keep working after its names are gone, as POSIX has it. A hash tells damage, not
ill will: whoever can write the folder can also write the manifest.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vvipe_tf.formats.atomic import atomic_path

FORMAT, VERSION = "vvipe-index", 1
MANIFEST = "manifest.json"
_LOCK = ".lock"
_PART_NAME = re.compile(r"[a-z]+-\d{8}-[0-9a-f]{8}\.[a-z]+")
_MAX_MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True)
class Generation:
    """One whole version of an index.

    Args:
        number: Counts from 1.
        facts: What the manifest says about the index.
        parts: File name, size in bytes and SHA-256 of each part, by name of the part.
        folder: Folder they are in.
    """

    number: int
    facts: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Any]]
    folder: Path

    def path(self, part: str) -> Path:
        """File of a part."""
        return self.folder / self.parts[part]["file"]

    @property
    def num_bytes(self) -> int:
        """Size of all parts together."""
        return sum(part["bytes"] for part in self.parts.values())


class OpenGeneration:
    """The part files of a generation, all of them open: they can be read even when a later one has replaced it."""

    def __init__(self, generation: Generation, files: Mapping[str, BinaryIO]):
        """Takes open files by name of the part."""
        self.generation = generation
        self._files = files

    def verified(self, part: str) -> BinaryIO:
        """The file of a part, at its start, after its size and hash were compared with the manifest.

        Raises:
            ValueError: If they differ.
        """
        file, expected = self._files[part], self.generation.parts[part]
        where = self.generation.path(part)
        size = os.fstat(file.fileno()).st_size
        if size != expected["bytes"]:
            raise ValueError(f"{where}: expected {expected['bytes']} bytes, as its manifest says. Received: {size}")
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != expected["sha256"]:
            raise ValueError(f"{where}: expected SHA-256 {expected['sha256']}. Received: {digest}; the file is damaged")
        file.seek(0)
        return file


def read_manifest(folder: str | os.PathLike) -> Generation:
    """Reads which generation is the current one.

    Raises:
        FileNotFoundError: If the folder holds no index.
        ValueError: If the manifest is damaged, or of another format or version.
    """
    path = Path(folder) / MANIFEST
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read(_MAX_MANIFEST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"Expected the folder of an index. Received: {folder}, without {MANIFEST}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON. Received: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT!r}. Received: another")
    if content.get("version") != VERSION:
        raise ValueError(f"{path}: expected version {VERSION} of {FORMAT}. Received: {content.get('version')!r}")
    if content.pop("sha256", None) != _digest(content):
        raise ValueError(f"{path}: expected a manifest with its own SHA-256. Received: another; the file is damaged")
    try:
        # The hash is the writer's word for the rest, but names from a file never lead out of its folder.
        names = [part["file"] for part in content["parts"].values()]
        if not all(_PART_NAME.fullmatch(name) for name in names):
            raise ValueError(f"{path}: expected plain names of part files. Received: {names}")
        return Generation(content["generation"], content["facts"], content["parts"], Path(folder))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: expected generation, facts and parts. Received: a manifest without") from error


@contextmanager
def open_generation(folder: str | os.PathLike) -> Iterator[OpenGeneration]:
    """Opens the files of the current generation, all of them of the same one, however often it is replaced meanwhile.

    Args:
        folder: Folder of an index.

    Yields:
        The open files; they are closed when the block ends.

    Raises:
        FileNotFoundError: If the folder holds no index.
        ValueError: If the manifest is damaged, or a file it names is missing.
    """
    missing = None
    while True:
        generation = read_manifest(folder)
        with ExitStack() as stack:
            try:
                files = {part: stack.enter_context(open(generation.path(part), "rb")) for part in generation.parts}
            except FileNotFoundError as error:
                # Replaced between two steps: the manifest now names a later one. Otherwise the file is really gone.
                if generation.number == missing:
                    raise ValueError(f"Expected every part of the index. Received: {error.filename} is gone") from error
                missing = generation.number
                continue
            yield OpenGeneration(generation, files)
            return


def write_generation(
    folder: str | os.PathLike,
    facts: Mapping[str, Any],
    writers: Mapping[str, Callable[[Path], None]],
    replaces: int | None,
) -> int:
    """Writes the next generation and removes the files of the one it replaces.

    Args:
        folder: Folder of the index; made if it is missing.
        facts: What the manifest shall say, JSON values.
        writers: For each part, by file name as `vectors.faiss`, a function that writes it to a path.
        replaces: Number of the generation that must be the current one, 0 for none, None for any.

    Returns:
        Number of the new generation.

    Raises:
        FileExistsError: If another generation than `replaces` is there.
        OSError: If the folder cannot be written to.
        ValueError: If the manifest that is there is damaged, unless any may be replaced.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / _LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = _current(folder, damaged_too=replaces is None)
        if replaces is not None and replaces != current:
            raise FileExistsError(
                f"Expected generation {replaces} of the index in {folder}. Received: {current}; someone else has saved "
                "it since, or it was there already"
            )
        number, token = current + 1, secrets.token_hex(4)
        parts = {}
        try:
            for name, write in writers.items():
                stem, suffix = name.split(".")
                path = folder / f"{stem}-{number:08d}-{token}.{suffix}"
                write(path)
                parts[stem] = {"file": path.name, **_settled(path)}
            _sync(folder)
            content = {"format": FORMAT, "version": VERSION, "generation": number, "facts": facts, "parts": parts}
            content["sha256"] = _digest(content)
            with atomic_path(folder / MANIFEST) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n")
            _sync(folder)
        finally:
            _remove_other_parts(folder)
    return number


def _current(folder: Path, damaged_too: bool) -> int:
    """Number of the generation that is there, 0 for none, or for a damaged one where that may be replaced."""
    try:
        return read_manifest(folder).number
    except FileNotFoundError:
        return 0
    except ValueError:
        if damaged_too:
            return 0
        raise


def _remove_other_parts(folder: Path) -> None:
    """Removes part files that the manifest does not name, those of writers that died included."""
    try:
        named = {part["file"] for part in read_manifest(folder).parts.values()}
    except FileNotFoundError:
        named = set()
    except ValueError:
        return  # What a damaged manifest named may still be mended.
    for path in folder.iterdir():
        if _PART_NAME.fullmatch(path.name) and path.name not in named:
            path.unlink()


def _settled(path: Path) -> dict[str, Any]:
    """Size and hash of a file that has been flushed to the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
