"""`python -m vvipe_tf compare`: how alike two people move, whatever cameras saw them."""

import argparse
import json
from pathlib import Path

from vvipe_tf.commands.keypoint_source import add_keypoint_arguments, add_model_argument, load_embedder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    for name in ("a", "b"):
        parser.add_argument(name, metavar=name.upper(), help="2D keypoints, 3D poses, or embeddings (.npz)")
    parser.add_argument(
        "--match",
        choices=("whole", "part", "overlap"),
        default="whole",
        help="whole: from beginning to end; part: the shorter clip lies somewhere in the longer one; "
        "overlap: one clip began earlier or later (%(default)s)",
    )
    parser.add_argument("--person", default="main", help="main or a track id, in both files (%(default)s)")
    parser.add_argument("--person-b", help="the person in B, if another")
    parser.add_argument("--k", type=int, default=3, help="worst moments to name (%(default)s)")
    parser.add_argument("--picture", metavar="FILE", help="picture of the alignment (.png, .svg, .pdf)")
    add_keypoint_arguments(parser)
    add_model_argument(parser)
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="output (%(default)s); json has every step"
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    if arguments.k < 0:
        raise ValueError(f"Expected --k of at least 0. Received: {arguments.k}")
    if arguments.picture and Path(arguments.picture).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"Expected a picture that ends in .png, .svg or .pdf. Received: {arguments.picture}")
    from vvipe_tf.apps.compare import compare_tracks
    from vvipe_tf.apps.similarity_scale import measure_scale
    from vvipe_tf.commands.person_track import read_track

    embedder = load_embedder(arguments.model)
    a = read_track(arguments.a, arguments.person, arguments, embedder)
    b = read_track(arguments.b, arguments.person_b or arguments.person, arguments, embedder)
    scale = measure_scale(embedder)
    comparison = compare_tracks(a, b, scale, arguments.match, arguments.k)
    if arguments.picture:
        _draw(arguments, a, b, comparison)
    document = _document(arguments, embedder, a, b, scale, comparison)
    print(json.dumps(document) if arguments.format == "json" else _text(document))


def _draw(arguments, a, b, comparison) -> None:
    from vvipe_tf.apps.comparison_figure import comparison_figure
    from vvipe_tf.apps.figure_sheet import save_figure

    names = tuple(Path(path).name for path in (arguments.a, arguments.b))
    names = names if names[0] != names[1] else ("A", "B")
    note = f"A: {arguments.a}, B: {arguments.b}, match: {arguments.match}"
    save_figure(comparison_figure(a, b, comparison, names, note), arguments.picture)


def _document(arguments, embedder, a, b, scale, comparison) -> dict:
    alignment = comparison.alignment
    steps = zip(
        a.frame[alignment.rows_a].tolist(),
        b.frame[alignment.rows_b].tolist(),
        alignment.distances.tolist(),
        comparison.np_mpjpe.tolist(),
        comparison.scores.tolist(),
        strict=True,
    )
    document = {
        "a": _facts(arguments.a, a, alignment.rows_a),
        "b": _facts(arguments.b, b, alignment.rows_b),
        "match": arguments.match,
        "score": comparison.score,
        "verdict": comparison.verdict,
        "distance": float(alignment.distances.mean()),
        "np_mpjpe": float(comparison.np_mpjpe.mean()),
        "scale": scale._asdict(),
        "timing": comparison.timing._asdict(),
        "worst": [moment._asdict() for moment in comparison.worst],
        "path": [
            dict(zip(("frame_a", "frame_b", "distance", "np_mpjpe", "score"), step, strict=True)) for step in steps
        ],
        "model": embedder.model_id,
    }
    return document | ({"picture": arguments.picture} if arguments.picture else {})


def _facts(path, track, rows) -> dict:
    return {
        "file": path,
        "poses": len(track.frame),
        "refused": track.num_refused,
        "missing": track.num_missing,
        "compared": [int(track.frame[rows[0]]), int(track.frame[rows[-1]])],
    }


def _text(document: dict) -> str:
    lines = []
    for name in ("a", "b"):
        facts = document[name]
        first, last = facts["compared"]
        lines.append(
            f"{name.upper()} {facts['file']}: {facts['poses']} poses, {facts['refused']} refused, {facts['missing']} "
            f"frames without a detection; compared from frame {first} to {last}"
        )
    timing = document["timing"]
    lines += [
        f"similarity {document['score']:.0f} of 100 (0: unrelated poses, 100: one pose seen by two cameras): "
        f"{document['verdict']}",
        f"lag {timing['lag']:.0f} frames, 90 % of the path within {timing['jitter']:.0f} of it; "
        f"NP-MPJPE {document['np_mpjpe']:.3f} torso lengths",
    ]
    for moment in document["worst"]:
        lines.append(
            f"frames {moment['frame_a']} / {moment['frame_b']}: similarity {moment['score']:.0f}, "
            f"{moment['joint'].replace('_', ' ')} off by {moment['joint_error']:.2f} torso lengths"
        )
    if "picture" in document:
        lines.append(document["picture"])
    return "\n".join(lines)
