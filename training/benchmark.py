"""Measures the speed of training and of its parts: `python -m training.benchmark`.

Every figure is the median of several runs after a warm-up. Parts are given as shares of a step of the same run, because
machines differ and are shared; seconds alone compare only within one table.
"""

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.evaluation.report import format_table
from vvipe_tf.silence import silenced_start

BATCH_SIZES = (256, 1024, 4096)
# Cameras and frames of the paper's data sets; noise of an embedding as a share of its spread, which makes it good (98 %
# of its first answers are hits) or poor (62 % of the queries have a hit among 20).
EVALUATOR_SIZES = {"Human3.6M": (4, 10_910), "MPI-INF-3DHP": (11, 6_824)}
EVALUATOR_NOISE = {"good": 0.1, "poor": 0.6}
_NAIVE_QUERIES = 200
_SEED = 0


def measure_training(batch_size: int, num_runs: int) -> dict[str, float]:
    """Measures both stages at one batch size, with the networks of the paper and synthetic poses.

    Args:
        batch_size: Examples in a batch.
        num_runs: Steps that count.

    Returns:
        Examples a second of both stages, shares of a stage-two step spent in mining and in view sampling, and the
        peak memory of this process in MiB.
    """
    with silenced_start():
        import keras
        import tensorflow as tf

        from training.config import TrainConfig
        from training.optimizers import build_optimizer
        from vvipe_tf.data.pipeline import pose_batches, view_batches
        from vvipe_tf.data.synthetic import generate_synthetic
        from vvipe_tf.data.views import ViewConfig
        from vvipe_tf.models.mapping_network import MappingNetwork
        from vvipe_tf.models.mining import mine_triplets
        from vvipe_tf.models.network_config import NetworkConfig
        from vvipe_tf.models.pose_vae import PoseVAE
        from vvipe_tf.models.run_folder import Networks

    keras.utils.set_random_seed(_SEED)
    networks = Networks.build(NetworkConfig())
    dataset = generate_synthetic(seed=_SEED)
    stop = 2 * num_runs + 4

    def seconds_of_step(model, batches):
        model.compile(build_optimizer(TrainConfig(), stop)[0])
        iterator = iter(batches)
        step = tf.function(lambda: model.train_step(next(iterator)))
        return _median_seconds(lambda: step()["loss"].numpy(), num_runs)

    vae = PoseVAE(networks.pose_encoder, networks.pose_decoder, seed=_SEED)
    vae_seconds = seconds_of_step(vae, pose_batches(dataset, batch_size, _SEED, 0, stop, ViewConfig()))
    mapping = MappingNetwork(networks.keypoint_encoder, networks.pose_decoder, networks.pose_encoder)
    batches = view_batches(dataset, batch_size, _SEED, 0, 10**6, ViewConfig())
    mapping_seconds = seconds_of_step(mapping, batches.take(stop))

    _, pose = next(iter(batches))
    mine = tf.function(lambda poses: mine_triplets(poses, mapping.negative_distance))
    mining_seconds = _median_seconds(lambda: mine(pose).valid.numpy(), num_runs)
    # Many batches at a time: what is prefetched must not count as free.
    views = iter(batches)
    block = 16
    view_seconds = _median_seconds(lambda: [next(views) for _ in range(block)], num_runs) / block
    return {
        "vae_rate": batch_size / vae_seconds,
        "mapping_rate": batch_size / mapping_seconds,
        "mining_share": mining_seconds / mapping_seconds,
        "view_share": view_seconds / mapping_seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_geometry(num_runs: int) -> dict[str, float]:
    """Measures canonicalising and NP-MPJPE in NumPy on 17 joints: poses a second, pairs a second."""
    from vvipe_tf.data.synthetic import generate_synthetic
    from vvipe_tf.geometry.canonical import canonicalise
    from vvipe_tf.geometry.pose_error import paired_p_mpjpe

    dataset = generate_synthetic(seed=_SEED)
    poses = np.repeat(dataset.poses, 10, axis=0)
    first, second = np.random.default_rng(_SEED).integers(len(dataset), size=(2, 400_000))
    poses64 = dataset.poses.astype(np.float64)
    return {
        "canonical_rate": len(poses) / _median_seconds(lambda: canonicalise(poses, dataset.profile), num_runs),
        "pair_rate": len(first) / _median_seconds(lambda: paired_p_mpjpe(poses64, first, poses64, second), num_runs),
    }


def measure_evaluator(num_cameras: int, num_frames: int, noise: float) -> dict[str, float]:
    """Measures Hit@k between all cameras, on embeddings made from synthetic poses.

    The naive way is timed on a sample of the queries, and scaled: float64 distances to the whole gallery, sorted, and
    an alignment of every answer.

    Args:
        num_cameras: Cameras; every ordered pair counts.
        num_frames: Frames of each camera.
        noise: Standard deviation of what differs between cameras, as a share of the embedding's.

    Returns:
        Seconds, processor seconds, processor seconds of the naive way as a multiple of them, alignments, peak memory of
        this process in MiB, Hit@1 and Hit@20.
    """
    from vvipe_tf.data.rigs import ordered_pairs
    from vvipe_tf.data.synthetic import generate_synthetic
    from vvipe_tf.evaluation.hit_at_k import PosePairErrors
    from vvipe_tf.evaluation.protocol import evaluate_retrieval
    from vvipe_tf.geometry.pose_error import p_mpjpe
    from vvipe_tf.keypoints import COCO_13, H36M_17

    dataset = generate_synthetic(num_frames, seed=_SEED)
    poses = dataset.centred(H36M_17).astype(np.float64)
    rng = np.random.default_rng(_SEED)
    view_free = dataset.canonical(COCO_13).reshape(num_frames, -1) @ rng.normal(size=(39, 32))
    embeddings = view_free + noise * view_free.std() * rng.normal(size=(num_cameras, num_frames, 32))
    embeddings, pairs = embeddings.astype(np.float32), ordered_pairs(num_cameras)

    errors = PosePairErrors(poses)
    started, started_cpu = time.perf_counter(), time.process_time()
    result = evaluate_retrieval(embeddings, pairs, errors)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu

    gallery = embeddings[1].astype(np.float64)
    started_cpu = time.process_time()
    for query in rng.choice(num_frames, _NAIVE_QUERIES, replace=False):
        answers = np.argsort(np.linalg.norm(gallery - embeddings[0, query], axis=1), kind="stable")[: max(result.ks)]
        p_mpjpe(poses[answers], poses[query])
    naive_seconds = (time.process_time() - started_cpu) * len(pairs) * num_frames / _NAIVE_QUERIES
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "naive_ratio": naive_seconds / cpu_seconds,
        "alignments": len(errors),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "hit_at_1": result.hit_at_k[1],
        "hit_at_20": result.hit_at_k[20],
    }


def _median_seconds(function: Callable[[], object], num_runs: int) -> float:
    seconds = []
    for run in range(num_runs + 2):
        started = time.perf_counter()
        function()
        if run >= 2:
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _in_own_process(function, *arguments):
    """Runs a measurement in a process of its own, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m training.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, nargs="+", default=BATCH_SIZES, help="batch sizes (%(default)s)")
    parser.add_argument("--runs", type=int, default=20, help="runs that count for each figure (%(default)s)")
    parser.add_argument(
        "--evaluator", action="store_true", help="measure Hit@k at the sizes of the paper's data sets instead"
    )
    arguments = parser.parse_args(argv)

    def command():
        if arguments.runs < 1 or min(arguments.batch_size) < 4:
            raise ValueError(
                "Expected at least 1 run and batches of at least 4 examples. "
                f"Received: {arguments.runs}, {arguments.batch_size}"
            )
        if arguments.evaluator:
            print(_evaluator_table())
        else:
            print(_training_table(arguments.batch_size, arguments.runs))
            geometry = _in_own_process(measure_geometry, arguments.runs)
            print(
                f"\ncanonicalise, 17 joints: {geometry['canonical_rate'] / 1e6:.2f} M poses/s"
                f"\nNP-MPJPE, 17 joints: {geometry['pair_rate'] / 1e3:,.0f} k pairs/s"
            )

    return run_command(command)


def _training_table(batch_sizes: Sequence[int], num_runs: int) -> str:
    rows = []
    for batch_size in batch_sizes:
        measured = _in_own_process(measure_training, batch_size, num_runs)
        rows.append(
            [
                f"{batch_size}",
                f"{measured['vae_rate']:,.0f}",
                f"{measured['mapping_rate']:,.0f}",
                f"{100 * measured['mining_share']:.1f}",
                f"{100 * measured['view_share']:.1f}",
                f"{measured['peak_mib']:,.0f}",
            ]
        )
    header = ["batch", "stage one ex/s", "stage two ex/s", "mining %", "view sampling %", "peak MiB"]
    return format_table(header, rows)


def _evaluator_table() -> str:
    rows = []
    for name, (num_cameras, num_frames) in EVALUATOR_SIZES.items():
        for quality, noise in EVALUATOR_NOISE.items():
            measured = _in_own_process(measure_evaluator, num_cameras, num_frames, noise)
            rows.append(
                [
                    f"{name}, {quality}",
                    f"{num_cameras * (num_cameras - 1)} x {num_frames:,}",
                    f"{100 * measured['hit_at_1']:.1f}",
                    f"{100 * measured['hit_at_20']:.1f}",
                    f"{measured['alignments'] / 1e6:.2f}",
                    f"{measured['seconds']:.1f}",
                    f"{measured['cpu_seconds']:.1f}",
                    f"{measured['naive_ratio']:.0f}",
                    f"{measured['peak_mib']:,.0f}",
                ]
            )
    header = ["size, embedding", "pairs x frames", "Hit@1", "Hit@20", "M alignments", "s", "CPU s", "naive / ours, CPU"]
    return format_table([*header, "peak MiB"], rows)


if __name__ == "__main__":
    sys.exit(main())
