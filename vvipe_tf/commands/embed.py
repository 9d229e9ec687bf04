"""`python -m vvipe_tf embed`: keypoints or 3D poses to view-invariant embeddings. How sure they are, `lift` says."""

import argparse
import json

from vvipe_tf.commands.keypoint_source import (
    add_keypoint_arguments,
    add_model_argument,
    load_embedder,
    read_keypoints,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("input", metavar="INPUT", help="keypoints (lift says how sure they are), or 3D poses")
    parser.add_argument("--output", metavar="FILE", help=".npz, as index and search read it, or .csv")
    add_keypoint_arguments(parser)
    parser.add_argument("--person", default="all", help="all, main or a track id (%(default)s)")
    add_model_argument(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="what is printed (%(default)s); json without --output prints the embeddings themselves",
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from vvipe_tf.apps.embedding_file import EmbeddingFile, write_embedding_file

    suffix = "" if arguments.output is None else arguments.output.lower()[-4:]
    if arguments.output is None and arguments.format != "json":
        raise ValueError("Expected --output FILE, or --format json to print the embeddings. Received: neither")
    if arguments.output is not None and suffix not in (".npz", ".csv"):
        raise ValueError(f"Expected a file name that ends in .npz or .csv. Received: {arguments.output}")
    columns, embeddings, model_id, refused = _embedded(arguments)
    if not len(embeddings):
        raise ValueError(f"{arguments.input}: expected bodies that can be embedded. Received: none of {refused}")
    if arguments.output is None:
        print(json.dumps(_document(columns, embeddings, model_id)))
        return
    if suffix == ".npz":
        write_embedding_file(arguments.output, EmbeddingFile(embeddings, model_id, columns))
    else:
        _write_csv(arguments.output, columns, embeddings)
    summary = {
        "input": arguments.input,
        "embedded": len(embeddings),
        "refused": refused,
        "embedding_dim": embeddings.shape[1],
        "model": model_id,
        "output": arguments.output,
    }
    if arguments.format == "json":
        print(json.dumps(summary))
    else:
        print(
            f"{arguments.output}: {len(embeddings)} embeddings of {embeddings.shape[1]} numbers; "
            f"{refused} refused, which show too little of a body"
        )


def _embedded(arguments: argparse.Namespace):
    """Columns by name, embeddings, id of the model, and how many rows were refused."""
    import numpy as np

    from vvipe_tf.apps.pose_tracks import choose_people
    from vvipe_tf.commands.pose_source import holds_poses, read_poses

    if holds_poses(arguments.input):
        rows = read_poses(arguments.input)
        if arguments.person != "all":
            raise ValueError("Expected --person with keypoints only. Received: a file of 3D poses")
        embedder = load_embedder(arguments.model)
        embeddings = embedder.encode_pose(rows.poses, rows.profile, rows.is_canonical)
    else:
        rows = choose_people(read_keypoints(arguments.input, arguments), arguments.person)
        embedder = load_embedder(arguments.model)
        embeddings = embedder.embed(rows)
    kept = np.isfinite(embeddings).all(axis=1)
    frame, person = rows.frame[kept], rows.person[kept]
    columns = {"id": _ids(arguments.input, frame, person), "frame": frame, "person": person}
    return columns, embeddings[kept], embedder.model_id, int((~kept).sum())


def _ids(path: str, frame, person) -> list[str]:
    """`file:frame:person`, with `#2`, `#3` ... for people of one frame without track ids."""
    seen: dict[str, int] = {}
    ids = []
    for number, who in zip(frame.tolist(), person.tolist(), strict=True):
        text = f"{path}:{number}:{who}"
        seen[text] = seen.get(text, 0) + 1
        ids.append(text if seen[text] == 1 else f"{text}#{seen[text]}")
    return ids


def _document(columns, embeddings, model_id) -> dict:
    rows = zip(columns["id"], columns["frame"].tolist(), columns["person"].tolist(), embeddings.tolist(), strict=True)
    items = [{"id": text, "frame": frame, "person": person, "embedding": row} for text, frame, person, row in rows]
    return {"format": "vvipe-embeddings", "version": 1, "model": model_id, "embeddings": items}


def _write_csv(path: str, columns, embeddings) -> None:
    import csv

    from vvipe_tf.formats.atomic import atomic_path

    header = [*columns, *(f"z{number}" for number in range(embeddings.shape[1]))]
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for *described, row in zip(*columns.values(), embeddings.tolist(), strict=True):
            writer.writerow([*described, *(f"{value:.7g}" for value in row)])
