"""Measures exported models: `python -m export.benchmark --model-dir runs/mocap/tflite`.

Size, latency of one `lift` at 1 and 2 threads, memory, and the errors that the export measured, in one table, which
goes into the model card too.
"""

import argparse
import multiprocessing
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from export.golden import golden_inputs
from export.model_card import CARD_FILE, with_benchmark
from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest
from vvipe_tf.apps.lite_model import LiteModel
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.evaluation.report import format_table
from vvipe_tf.formats.atomic import atomic_path

THREADS = (1, 2)
_WARM_UP = 50
_OFFICIAL = "benchmark_model"
_OFFICIAL_AVERAGE = re.compile(r"Inference \(avg\): ([0-9.e+]+)")


class Speed(NamedTuple):
    """Latency of one `lift` in milliseconds, and the memory that a process grows by, in megabytes."""

    median_ms: float
    p99_ms: float
    memory_mb: float


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(
        prog="python -m export.benchmark",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--model-dir", required=True, help="folder of export.to_tflite")
    parser.add_argument("--repeats", type=int, default=2000, help="timed calls for each file and number of threads")
    parser.add_argument("--card", action=argparse.BooleanOptionalAction, default=True, help="write into the model card")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _benchmark(Path(arguments.model_dir), arguments.repeats, arguments.card))


def _benchmark(folder, repeats, write_card):
    if repeats < 1:
        raise ValueError(f"Expected at least 1 repeat. Received: {repeats}")
    manifest = LiteManifest.read(folder / MANIFEST_FILE)
    table, machine = measure_models(folder, manifest, repeats), describe_machine()
    print(f"{table}\n\n{machine}")
    card = folder / CARD_FILE
    if write_card and card.is_file():
        with atomic_path(card) as temporary:
            temporary.write_text(with_benchmark(card.read_text(), table, machine))


def measure_models(folder: Path, manifest: LiteManifest, repeats: int) -> str:
    """Measures every file of a folder.

    Args:
        folder: Folder.
        manifest: Its model.json.
        repeats: Timed calls for each file and number of threads.

    Returns:
        Markdown table.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is not the one that model.json names.
    """
    header = ["file", "KB"]
    for threads in THREADS:
        header += [f"median ms, {threads} thread{'s' * (threads > 1)}", "p99 ms"]
    header += ["memory MB", "mm to Keras", "Hit@1 change"]
    official = shutil.which(_OFFICIAL)
    if official:
        header.append(f"{_OFFICIAL} ms")
    rows = []
    for name in manifest.hashes:
        path = folder / name
        LiteModel.load(path)
        speeds = [measure_speed(path, threads, repeats) for threads in THREADS]
        row = [name, f"{path.stat().st_size / 1000:,.0f}"]
        for speed in speeds:
            row += [f"{speed.median_ms:.3f}", f"{speed.p99_ms:.3f}"]
        row.append(f"{speeds[0].memory_mb:.0f}" if np.isfinite(speeds[0].memory_mb) else "not run")
        row += _accuracy_cells(manifest.content["files"][name])
        if official:
            row.append(_official_latency(official, path))
        rows.append(row)
    return format_table(header, rows)


def measure_speed(path: Path, threads: int, repeats: int) -> Speed:
    """Measures a model in a process of its own, so that its memory is its own too.

    Args:
        path: Model file with its model.json beside it.
        threads: Threads of the interpreter.
        repeats: Timed calls.

    Returns:
        Speed.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_time_lift, (str(path), threads, repeats))


def _time_lift(path, threads, repeats):
    import ai_edge_litert.interpreter  # noqa: F401  (what the runtime itself takes is not the model's)

    keypoints = golden_inputs()["whole body 0"][None]
    before = _resident_mb()
    model = LiteModel.load(path, num_threads=threads)
    model.lift(keypoints)
    grown = _resident_mb() - before
    run = model.prepare_lift(keypoints)
    seconds = np.empty(repeats)
    for index in range(-_WARM_UP, repeats):
        started = time.perf_counter()
        run()
        if index >= 0:
            seconds[index] = time.perf_counter() - started
    return Speed(1e3 * float(np.median(seconds)), 1e3 * float(np.percentile(seconds, 99)), grown)


def _resident_mb():
    """Memory of this process; NaN where the system does not tell."""
    # Not the maximum of getrusage: a new process inherits that of its parent.
    statm = Path("/proc/self/statm")
    if not statm.is_file():
        return float("nan")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def describe_machine() -> str:
    """Processor and runtime, one line."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = re.findall(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        processor = names[0] if names else processor
    return (
        f"One pose at a time, score gate and normalisation included, on {os.cpu_count()} cores of {processor}, "
        f"ai-edge-litert {version('ai-edge-litert')}. Error and change of Hit@1: the worst split."
    )


def _accuracy_cells(about: Mapping) -> list[str]:
    results = about["verification"].values()
    changes = [change for result in results for change in result["hit_at_1_change"].values()]
    if not changes:
        return ["not run", "not run"]
    return [f"{max(result['mean_mm'] for result in results):.3f}", f"{min(changes):+.2f}"]


def _official_latency(program, path):
    command = [program, f"--graph={path}", "--num_threads=1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = _OFFICIAL_AVERAGE.search(done.stdout + done.stderr)
    return f"{float(found[1]) / 1000:.3f}" if found else "not run"


if __name__ == "__main__":
    sys.exit(main())
