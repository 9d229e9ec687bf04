"""`python -m vvipe_tf generate`: new poses around one, between several, or out of nothing."""

import argparse
import json
import math
from pathlib import Path

from vvipe_tf.commands.keypoint_source import add_keypoint_arguments, add_model_argument, load_embedder

_PICTURES = (".png", ".svg", ".pdf")
_MOST_POSES = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    neighbours = actions.add_parser("neighbours", help="poses around one pose")
    sample = actions.add_parser("sample", help="poses out of nothing")
    interpolate = actions.add_parser("interpolate", help="a motion from pose to pose")
    where = "FILE, FILE@FRAME, or INDEX@ID of an item of an index"
    for action in (neighbours, interpolate):
        action.add_argument("--from", dest="start", required=True, metavar="POSE", help=f"first pose: {where}")
        action.add_argument("--person", default="main", help="main or a track id, in the files (%(default)s)")
    interpolate.add_argument("--via", action="append", default=[], metavar="POSE", help="pose between, repeatable")
    interpolate.add_argument("--to", dest="end", required=True, metavar="POSE", help="last pose")
    interpolate.add_argument("--seconds", type=float, default=1.0, help="from pose to pose (%(default)s)")
    neighbours.add_argument(
        "--alpha", type=float, nargs="+", default=[0.2, 0.3, 0.4, 0.5], help="sizes of the change (%(default)s)"
    )
    neighbours.add_argument("--count", type=int, default=8, help="poses for each alpha (%(default)s)")
    sample.add_argument("--count", type=int, default=32, help="number of poses (%(default)s)")
    sample.add_argument(
        "--source",
        choices=("posterior", "prior", "reference"),
        default="posterior",
        help="posterior: spread like the embeddings of the training poses; prior: standard normal; "
        "reference: spread like those of --reference (%(default)s)",
    )
    for action in (neighbours, sample):
        action.add_argument("--seed", type=int, default=0, help="seed (%(default)s)")
        action.add_argument("--plausible", action="store_true", help="draw implausible poses anew")
    for action in (neighbours, sample, interpolate):
        action.add_argument("--output", metavar="FILE", help="poses: .json, .csv, .npz, .bvh, .trc")
        action.add_argument("--picture", metavar="FILE", help="picture of the poses (.png, .svg, .pdf)")
        action.add_argument(
            "--reference",
            metavar="FILE",
            help="embeddings, poses, keypoints or an index of real poses to compare with: distance and coverage",
        )
        action.add_argument("--fps", type=float, default=30.0, help="frames per second of the output (%(default)s)")
        add_keypoint_arguments(action)
        add_model_argument(action)
        action.add_argument("--format", choices=("text", "json"), default="text", help="output (%(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from vvipe_tf.commands.generation_report import describe_summary, summarise
    from vvipe_tf.commands.generation_source import read_reference
    from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
    from vvipe_tf.formats.pose_files.writing import check_pose_file, write_pose_file
    from vvipe_tf.keypoints import COCO_13

    _check(arguments)
    if arguments.output:
        check_pose_file(arguments.output)
    embedder = load_embedder(arguments.model)
    reference = read_reference(arguments, embedder)
    statistics = _statistics(embedder, reference)
    actions = {"neighbours": _neighbours, "sample": _sample, "interpolate": _interpolate}
    generated, labels = actions[arguments.action](arguments, embedder, statistics, reference)
    report = _judge(generated.embeddings, generated.poses, statistics)
    summary = summarise(arguments, embedder, generated, labels, report, statistics, reference)
    if arguments.output:
        torso = embedder.torso_length_mm
        sequence = PoseSequence(generated.poses, COCO_13, "canonical", "torso", arguments.fps, torso)
        fit = write_pose_file(arguments.output, sequence)
        summary["output"] = arguments.output
        if fit is not None:
            summary["bone_fit_mm"] = fit.mean_error_mm
    if arguments.picture:
        from vvipe_tf.apps.figure_sheet import save_figure
        from vvipe_tf.apps.generated_figure import generated_figure

        title = f"{len(labels)} generated poses, {100 * summary['plausible']:.0f} % plausible"
        save_figure(
            generated_figure(generated.poses, labels, report.plausible, title, _note(arguments)), arguments.picture
        )
        summary["picture"] = arguments.picture
    print(json.dumps(summary) if arguments.format == "json" else describe_summary(summary))


def _check(arguments) -> None:
    if arguments.picture and Path(arguments.picture).suffix.lower() not in _PICTURES:
        raise ValueError(f"Expected a picture that ends in {', '.join(_PICTURES)}. Received: {arguments.picture}")
    if not 0 < arguments.fps < float("inf"):
        raise ValueError(f"Expected --fps above 0. Received: {arguments.fps}")
    for alpha in getattr(arguments, "alpha", ()):
        if not math.isfinite(alpha):
            raise ValueError(f"Expected finite --alpha. Received: {alpha}")
    if arguments.action == "interpolate" and not arguments.seconds * arguments.fps >= 1:
        raise ValueError(f"Expected --seconds of at least a frame. Received: {arguments.seconds}")
    if arguments.action == "interpolate":
        poses = arguments.seconds * arguments.fps * (1 + len(arguments.via))
    else:
        poses = arguments.count * len(getattr(arguments, "alpha", (0,)))
    if not poses <= _MOST_POSES:
        raise ValueError(f"Expected at most {_MOST_POSES} poses. Received: {poses:.0f}")
    if arguments.action == "sample" and arguments.source == "reference" and not arguments.reference:
        raise ValueError("Expected --reference FILE with --source reference. Received: none")


def _neighbours(arguments, embedder, statistics, reference):
    import numpy as np

    from vvipe_tf.apps.generate import GeneratedPoses, draw_poses
    from vvipe_tf.commands.generation_source import embedding_of

    start = embedding_of(arguments.start, arguments, embedder)
    parts, labels = [], []
    for alpha in arguments.alpha:
        noise = _white(embedder) if statistics is None else statistics.noise
        parts.append(
            draw_poses(
                embedder.decode,
                lambda count, seed, alpha=alpha, noise=noise: start + alpha * noise(count, seed),
                arguments.count,
                arguments.seed,
                _acceptance(arguments, statistics),
            )
        )
        labels += [f"alpha {alpha:g}"] * arguments.count
    embeddings, poses = (np.concatenate([getattr(part, name) for part in parts]) for name in ("embeddings", "poses"))
    return GeneratedPoses(embeddings, poses, sum(part.num_drawn for part in parts)), labels


def _sample(arguments, embedder, statistics, reference):
    from vvipe_tf.apps.embedding_statistics import EmbeddingStatistics
    from vvipe_tf.apps.generate import draw_poses

    if arguments.source == "posterior" and EmbeddingStatistics.of_model(embedder.description) is None:
        raise ValueError(
            "Expected a model that knows the statistics of its embeddings (python -m training.calibrate). "
            "Received: one without; --source prior or --source reference do without them"
        )

    def draw(count, seed):
        if arguments.source == "reference":
            spread = EmbeddingStatistics.of(reference)
            return spread.mean + spread.noise(count, seed)
        return embedder.sample(count, seed, arguments.source)

    generated = draw_poses(embedder.decode, draw, arguments.count, arguments.seed, _acceptance(arguments, statistics))
    return generated, [f"sample {number}" for number in range(arguments.count)]


def _interpolate(arguments, embedder, statistics, reference):
    import numpy as np

    from vvipe_tf.apps.generate import GeneratedPoses, interpolate_keys
    from vvipe_tf.commands.generation_source import embedding_of

    keys = [embedding_of(each, arguments, embedder) for each in (arguments.start, *arguments.via, arguments.end)]
    embeddings = interpolate_keys(np.stack(keys), round(arguments.seconds * arguments.fps))
    labels = [f"{frame / arguments.fps:.2f} s" for frame in range(len(embeddings))]
    return GeneratedPoses(embeddings, embedder.decode(embeddings), len(embeddings)), labels


def _acceptance(arguments, statistics):
    if not arguments.plausible:
        return None
    return lambda embeddings, poses: _judge(embeddings, poses, statistics).plausible


def _judge(embeddings, poses, statistics):
    from vvipe_tf.apps.plausibility import judge_poses

    distances = None if statistics is None else statistics.mahalanobis(embeddings) / math.sqrt(embeddings.shape[1])
    return judge_poses(poses, distances=distances)


def _white(embedder):
    from vvipe_tf.apps.generate import random_directions

    return lambda count, seed: random_directions(count, embedder.embedding_dim, seed)


def _statistics(embedder, reference):
    """Those of the model, else those of the reference, else None."""
    from vvipe_tf.apps.embedding_statistics import EmbeddingStatistics

    known = EmbeddingStatistics.of_model(embedder.description)
    return EmbeddingStatistics.of(reference) if known is None and reference is not None else known


def _note(arguments) -> str:
    if arguments.action == "sample":
        return f"drawn from the {arguments.source}, seed {arguments.seed}"
    keys = [arguments.start] if arguments.action == "neighbours" else [arguments.start, *arguments.via, arguments.end]
    return " to ".join(Path(key).name for key in keys)
