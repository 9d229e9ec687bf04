"""Shows what is in a model file: `python -m export.inspect FILE`.

Hash check, signatures, ops with their versions and the runtimes that have them, metadata. The file is only read here,
never run.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from export.flatbuffer_model import op_versions, read_model, tensor_shape, tensor_type
from export.runtime_support import supporting_runtimes
from export.tensor_metadata import read_associated_files, read_metadata
from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest
from vvipe_tf.apps.lite_model import check_hash
from vvipe_tf.cli import CommandParser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m export.inspect", description=__doc__.splitlines()[0])
    parser.add_argument("file", help="TFLite file")
    parser.add_argument("--sha256", help="hash that it must have; that in model.json beside it if not given")
    arguments = parser.parse_args(argv)

    def command():
        for line in describe_file(Path(arguments.file), arguments.sha256):
            print(line)

    return run_command(command)


def describe_file(path: Path, sha256: str | None = None) -> Iterator[str]:
    """Describes a model file, line by line.

    Args:
        path: File.
        sha256: Hash that it must have; by default that in the model.json beside it, if there is one.

    Yields:
        Lines.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the hash differs, or the file is no TFLite model.
    """
    content = path.read_bytes()
    beside = path.with_name(MANIFEST_FILE)
    if sha256 is None and beside.is_file():
        sha256 = LiteManifest.read(beside).hashes.get(path.name)
    if sha256 is not None:
        check_hash(content, sha256)
    yield f"{path.name}: {len(content):,} bytes"
    yield f"SHA-256: {sha256} (matches)" if sha256 else f"SHA-256: NOT CHECKED, no {MANIFEST_FILE} names this file"
    model = read_model(content)
    yield "Signatures:"
    for item in model.signatureDefs or []:
        inputs = ", ".join(_tensor(model, item.subgraphIndex, each) for each in item.inputs)
        outputs = ", ".join(_tensor(model, item.subgraphIndex, each) for each in item.outputs)
        yield f"  {item.signatureKey.decode()}({inputs}) -> {outputs}"
    versions = op_versions(model)
    yield "Ops: " + ", ".join(f"{name} {version}" for name, version in versions.items())
    yield f"Runtimes: {', '.join(supporting_runtimes(versions)) or 'none of those known here'}"
    yield from _metadata_lines(content)


def _tensor(model, subgraph, item):
    shape = ", ".join("any" if size < 0 else str(size) for size in tensor_shape(model, subgraph, item.tensorIndex))
    return f"{item.name.decode()}: {tensor_type(model, subgraph, item.tensorIndex).lower()} ({shape})"


def _metadata_lines(content):
    metadata = read_metadata(content)
    for title in ("name", "version", "author", "license", "description"):
        yield f"{title.capitalize()}: {getattr(metadata, title).decode()}"
    described = metadata.subgraphMetadata[0]
    for tensor in (*described.inputTensorMetadata, *described.outputTensorMetadata):
        yield f"  {tensor.name.decode()}: {tensor.description.decode()}"
    yield "Files inside:"
    for name, text in read_associated_files(content).items():
        yield f"  {name}: {' '.join(text.split()) if name.endswith('.txt') else f'{len(text)} characters'}"


if __name__ == "__main__":
    sys.exit(main())
