"""`python -m vvipe_tf index`: builds and extends an index of poses for `search`."""

import argparse
import json
from pathlib import Path

from vvipe_tf.commands.keypoint_source import add_keypoint_arguments, add_model_argument
from vvipe_tf.evaluation.report import format_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="build an index from files")
    add = actions.add_parser("add", help="add files to an index")
    info = actions.add_parser("info", help="say what an index holds")
    benchmark = actions.add_parser("benchmark", help="measure build, search, save and load on this machine")
    for action in (build, add):
        action.add_argument("index", metavar="FOLDER", help="folder of the index")
        action.add_argument("files", nargs="+", metavar="FILE", help="2D keypoints, 3D poses, or embeddings (.npz)")
        add_keypoint_arguments(action)
        add_model_argument(action)
    for action in (build, benchmark):
        action.add_argument("--kind", choices=("flat", "hnsw", "ivf"), help="kind of index; by default chosen by size")
        action.add_argument(
            "--recall", type=float, default=0.999, help="share of queries that shall find their nearest (%(default)s)"
        )
        action.add_argument("--seed", type=int, default=0, help="seed (%(default)s)")
    build.add_argument("--overwrite", action="store_true", help="replace an index that is there")
    info.add_argument("index", metavar="FOLDER", help="folder of the index")
    benchmark.add_argument("--embeddings", metavar="FILE", help="embeddings (.npz) to index; made-up ones by default")
    benchmark.add_argument(
        "--query-embeddings", metavar="FILE", help="embeddings (.npz) to search with; by default some of the others"
    )
    benchmark.add_argument("--count", type=int, default=1_000_000, help="vectors to index at most (%(default)s)")
    benchmark.add_argument("--queries", type=int, default=20_000, help="queries in a batch at most (%(default)s)")
    for action in (build, add, info, benchmark):
        action.add_argument("--format", choices=("text", "json"), default="text", help="output (%(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    {"build": _build, "add": _add, "info": _info, "benchmark": _benchmark}[arguments.action](arguments)


def _build(arguments: argparse.Namespace) -> None:
    from vvipe_tf.apps.index import PoseIndex
    from vvipe_tf.apps.index.generations import MANIFEST
    from vvipe_tf.commands.embedded_files import embed_files

    if not arguments.overwrite and (Path(arguments.index) / MANIFEST).exists():
        raise FileExistsError(
            f"Expected a folder without an index. Received: {arguments.index}, which holds one; --overwrite replaces "
            "it, `index add` extends it"
        )
    content = embed_files(arguments.files, arguments)
    index = PoseIndex.build(
        content.embeddings,
        content.metadata,
        content.model_id,
        arguments.kind,
        arguments.seed,
        poses=content.poses,
        recall=arguments.recall,
    )
    index.save(arguments.index, overwrite=arguments.overwrite)
    facts = index.info()
    if arguments.format == "json":
        print(json.dumps({"index": arguments.index} | facts))
    else:
        print(
            f"{arguments.index}: {len(index)} items, {facts['kind']}, recall@1 {facts['recall_at_1']:.4f} on a sample"
        )


def _add(arguments: argparse.Namespace) -> None:
    from vvipe_tf.apps.index import PoseIndex
    from vvipe_tf.commands.embedded_files import embed_files

    index = PoseIndex.load(arguments.index)
    content = embed_files(arguments.files, arguments)
    columns = index.info()["columns"]
    # An index without, say, people takes a file that has none either.
    metadata = {
        name: values
        for name, values in content.metadata.items()
        if name in columns or any(value is not None for value in values)
    }
    index.add(content.embeddings, metadata, content.model_id, poses=content.poses)
    index.save(arguments.index)
    if arguments.format == "json":
        print(json.dumps({"index": arguments.index, "added": len(content.embeddings)} | index.info()))
    else:
        print(f"{arguments.index}: {len(content.embeddings)} items added, {len(index)} in all")


def _info(arguments: argparse.Namespace) -> None:
    from vvipe_tf.apps.index import PoseIndex

    _print_facts(PoseIndex.load(arguments.index).info(), arguments.format)


def _benchmark(arguments: argparse.Namespace) -> None:
    from vvipe_tf.commands.index_benchmark import measure_index

    _print_facts(
        measure_index(
            arguments.embeddings,
            arguments.query_embeddings,
            arguments.count,
            arguments.queries,
            arguments.kind,
            arguments.recall,
            arguments.seed,
        ),
        arguments.format,
    )


def _print_facts(facts: dict, output_format: str) -> None:
    if output_format == "json":
        print(json.dumps(facts))
        return
    rows = [(name.replace("_", " "), _cell(value)) for name, value in facts.items()]
    print(format_table(("index", "value"), rows))


def _cell(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {kind}" for name, kind in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
