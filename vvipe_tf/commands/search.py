"""`python -m vvipe_tf search`: finds the poses of an index that are nearest to those of a file."""

import argparse
import json
import sys

from vvipe_tf.commands.keypoint_source import add_keypoint_arguments, add_model_argument
from vvipe_tf.evaluation.report import format_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("index", metavar="FOLDER", help="folder of an index, as `index build` makes it")
    parser.add_argument("query", nargs="?", metavar="FILE", help="2D keypoints, 3D poses, or embeddings (.npz)")
    parser.add_argument("--id", action="append", metavar="TEXT", help="search with an item of the index, repeatable")
    parser.add_argument("--k", type=int, default=10, help="answers to each query (%(default)s)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="search only among such items, repeatable; the search is exact then",
    )
    parser.add_argument("--effort", type=int, help="efSearch of hnsw, nprobe of ivf; measured at build by default")
    add_keypoint_arguments(parser)
    add_model_argument(parser)
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="print Hit@k instead: of the 3D poses in FILE, or else of the items of the index among themselves",
    )
    parser.add_argument(
        "--queries-where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="with --evaluate and no FILE: only such items are the queries, repeatable",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output (%(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from vvipe_tf.apps.index import PoseIndex

    if bool(arguments.query) + bool(arguments.id) != 1 and not (arguments.evaluate and not arguments.id):
        raise ValueError("Expected a file or --id to search with. Received: " + ("both" if arguments.id else "neither"))
    index = PoseIndex.load(arguments.index)
    within = _chosen(index, arguments.where)
    if arguments.evaluate:
        _print_score(_score(index, arguments, within), arguments.format)
        return
    names, embeddings, model_id = _queries(index, arguments)
    available = len(index) if within is None else len(within)
    if arguments.k > available >= 1:
        print(f"warning: {available} items to search among, fewer than --k {arguments.k}", file=sys.stderr)
    k = min(arguments.k, available) or arguments.k
    found = index.search(embeddings, k, model_id=model_id, within=within, effort=arguments.effort)
    described = iter(index.describe(found.items.ravel()))
    answers = [
        {
            "query": name,
            "answers": [
                {"rank": rank, "distance": float(distance), **next(described)}
                for rank, distance in enumerate(distances, start=1)
            ],
        }
        for name, distances in zip(names, found.distances, strict=True)
    ]
    if arguments.format == "json":
        print(json.dumps(answers))
    else:
        print(_table(answers))


def _queries(index, arguments: argparse.Namespace):
    import numpy as np

    if arguments.id:
        items = np.array([index.find(text_id) for text_id in arguments.id])
        return arguments.id, index.embeddings(items), index.model_id
    content = _embed(arguments)
    return content.metadata["id"], content.embeddings, content.model_id


def _score(index, arguments: argparse.Namespace, within):
    from vvipe_tf.apps.index.evaluation import evaluate_items, evaluate_queries
    from vvipe_tf.evaluation.hit_at_k import HIT_RANKS

    available = len(index) if within is None else len(within)
    ranks = [k for k in HIT_RANKS if k < available] or [1]
    if arguments.query is None:
        return evaluate_items(index, ranks, _chosen(index, arguments.queries_where), within)
    content = _embed(arguments)
    if content.poses is None:
        raise ValueError(f"Expected 3D poses to evaluate with. Received: {arguments.query}, which has none")
    return evaluate_queries(index, content.embeddings, content.poses, ranks, content.model_id, within)


def _embed(arguments: argparse.Namespace):
    from vvipe_tf.commands.embedded_files import embed_files

    return embed_files([arguments.query], arguments)


def _chosen(index, conditions: list[str]):
    """Items for which all of `COLUMN=VALUE` hold, or None without any."""
    if not conditions:
        return None
    kinds = {"str": str, "int": int, "float": float}
    columns = index.info()["columns"]
    wanted = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals or name not in columns:
            raise ValueError(f"Expected COLUMN=VALUE with a column among {list(columns)}. Received: {condition!r}")
        try:
            wanted[name] = kinds[columns[name]](value)
        except ValueError:
            raise ValueError(
                f"Expected a number for column {name!r}, which holds {columns[name]}. Received: {condition!r}"
            ) from None
    items = index.where(**wanted)
    if not len(items):
        raise ValueError(f"Expected items where {' and '.join(conditions)}. Received: none")
    return items


def _print_score(score, output_format: str) -> None:
    if output_format == "json":
        hits = {str(k): share for k, share in score.hits.items()}
        print(json.dumps({"hit_at": hits, "queries": score.num_queries, "items": score.num_items}))
        return
    print(f"{score.num_queries} queries among {score.num_items} items; a hit: NP-MPJPE of at most 0.1 torso lengths\n")
    header = ["", *(f"Hit@{k}" for k in score.hits)]
    print(format_table(header, [["share", *(f"{share:.4f}" for share in score.hits.values())]]))


def _table(answers: list[dict]) -> str:
    rows = [
        (answer["query"], str(found["rank"]), f"{found['distance']:.4f}", found["id"])
        for answer in answers
        for found in answer["answers"]
    ]
    return format_table(("query", "rank", "distance", "id"), rows)
