"""The cells of a table: one system with one seed, trained and measured by child processes, each in its run folder."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.config import TrainConfig, parse_config
from training.evaluate import RESULTS_FILE, read_results
from training.measure_views import RESULTS_FILE as VIEW_RESULTS_FILE
from training.measure_views import VERSION as VIEW_RESULTS_VERSION
from training.paper_tables import Row, Table
from vvipe_tf.provenance import describe_command

TRAIN, EVALUATE = "training.train", "training.evaluate"
# What TensorFlow and NumPy read.
_THREAD_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Rounding to whole steps, when they are scaled, is no difference.
_BUDGET_TOLERANCE = 0.01


@dataclass(frozen=True)
class Cell:
    """One system with one seed.

    Args:
        row: The system.
        config: What its flags mean.
        flags: Flags of `training.train`, exactly as they are given.
        views: Recorded views to measure as well, or None.
        frames: List of the frames of `views` to measure, or None.
    """

    row: Row
    config: TrainConfig = field(repr=False)
    flags: tuple[str, ...]
    views: str | None = None
    frames: str | None = None

    @property
    def run_dir(self) -> Path:
        """Its run folder."""
        return Path(self.config.run_dir)

    @property
    def num_examples(self) -> int:
        """Examples that training sees: steps of its stages times the batch size."""
        return sum(_stage_steps(self.config).values()) * self.config.batch_size

    @property
    def train_command(self) -> str:
        """Command that trains and measures on virtual cameras; on a finished run it only measures."""
        return describe_command(TRAIN, list(self.flags))

    @property
    def views_flags(self) -> tuple[str, ...]:
        """Flags of `training.evaluate` that measure on the recorded views; none without any."""
        if not self.views:
            return ()
        size = str(self.config.gallery_size)
        listed = ("--frames", self.frames) if self.frames else ()
        return ("--run-dir", str(self.run_dir), "--views", self.views, "--gallery-size", size, *listed)

    def read_virtual(self) -> list[dict]:
        """What its command measured on virtual cameras: entries of results.json."""
        file = self.run_dir / RESULTS_FILE
        return _measured_by(self.train_command, read_results(file) if file.exists() else {})

    def read_real(self) -> list[dict]:
        """What was measured on the recorded views: entries of view_results.json."""
        file = self.run_dir / VIEW_RESULTS_FILE
        content = json.loads(file.read_text()) if self.views and file.exists() else {}
        results = content["results"] if content.get("version") == VIEW_RESULTS_VERSION else {}
        return _measured_by(describe_command(EVALUATE, list(self.views_flags)), results)

    def missing_steps(self) -> list[tuple[str, tuple[str, ...]]]:
        """Modules to run, and their flags, until everything is measured; none for a finished cell."""
        steps = [] if self.read_virtual() else [(TRAIN, self.flags)]
        if self.views and not self.read_real():
            steps.append((EVALUATE, self.views_flags))
        return steps


def plan_cells(
    table: Table,
    rows: Sequence[Row],
    seeds: Sequence[int],
    data: str,
    output: str | os.PathLike,
    extra_flags: Sequence[str] = (),
    steps_scale: float = 1.0,
    views: str | None = None,
    frames: str | None = None,
) -> dict[Row, list[Cell]]:
    """Works out what is to be trained.

    Args:
        table: The table.
        rows: Rows of it that are wanted.
        seeds: Seeds of every trained row.
        data: `--data` of training.
        output: Folder of the run folders.
        extra_flags: Flags of `training.train` for all rows; those of a row come after them.
        steps_scale: Factor on all steps.
        views: Recorded views to measure as well.
        frames: List of the frames of `views` to measure.

    Returns:
        Cells of every trained row, one for each seed.

    Raises:
        ValueError: If a value is out of its range, or recorded views to learn from, or to choose frames of, are not
            named.
    """
    if frames and not views:
        raise ValueError("Expected --views with --frames. Received: none")
    if not (np.isfinite(steps_scale) and steps_scale > 0):
        raise ValueError(f"Expected a positive --steps-scale. Received: {steps_scale}")
    planned = {}
    for row in rows:
        if row.flags is None:
            continue
        shared = [*table.flags, *extra_flags, *row.flags]
        settings = parse_config(shared, "")
        if table.on_recorded and not settings.recorded:
            raise ValueError(
                "Expected `-- --recorded FILE.views.npz --recorded-kind DETECTOR` at the end. Received: none"
            )
        for name, steps in _wanted_steps(settings, steps_scale).items():
            if steps != getattr(settings, name):
                shared += [f"--{name.replace('_', '-')}", str(steps)]
        planned[row] = []
        for seed in seeds:
            run_dir = Path(output) / f"{re.sub('[^a-z0-9]+', '_', row.name.lower()).strip('_')}_{seed}"
            flags = [*shared, "--data", data, "--seed", str(seed), "--run-dir", str(run_dir)]
            planned[row].append(Cell(row, parse_config(flags, ""), tuple(flags), views, frames))
    return planned


def check_budgets(cells: Mapping[Row, Sequence[Cell]]) -> None:
    """Raises `ValueError` unless all rows see as many examples in training."""
    budgets = {row.name: of_row[0].num_examples for row, of_row in cells.items()}
    if budgets and max(budgets.values()) > (1 + _BUDGET_TOLERANCE) * min(budgets.values()):
        listed = ", ".join(f"{name} {examples:,}" for name, examples in budgets.items())
        raise ValueError(
            f"Expected equal training budgets, or --allow-unequal-budget. Received examples seen: {listed}"
        )


def run_cell(cell: Cell, num_threads: int | None = None) -> str | None:
    """Trains and measures what a cell lacks; what the processes print goes to a file beside the run folder.

    Args:
        cell: The cell.
        num_threads: Threads that its processes may keep busy, None for one per processor.

    Returns:
        None, or why it could not be finished.
    """
    log = cell.run_dir.with_name(f"{cell.run_dir.name}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES if num_threads else (), str(num_threads))
    for module, flags in cell.missing_steps():
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"$ {describe_command(module, list(flags))}\n")
            file.flush()
            command = [sys.executable, "-m", module, *flags]
            done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        if done.returncode:
            last = log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\n")[2]
            return f"{module} ended with {done.returncode}, see {log}: {last}"
    return f"nothing was measured, see {log}" if cell.missing_steps() else None


def _measured_by(command: str, results: Mapping[str, dict]) -> list[dict]:
    # Other flags are another cell, whatever lies in its folder.
    return [entry for entry in results.values() if entry["command"] == command]


def _stage_steps(config: TrainConfig) -> dict[str, int]:
    """Steps by the name of their setting, for the stages that are trained."""
    with_stage_one = config.model == "vvipe" and config.pretraining
    return {name: getattr(config, name) for name in (*(["vae_steps"] * with_stage_one), "mapping_steps")}


def _wanted_steps(config: TrainConfig, factor: float) -> dict[str, int]:
    """Scaled steps by the name of their setting; without pre-training stage two gets those of stage one."""
    steps = _stage_steps(config)
    if config.model == "vvipe" and not config.pretraining:
        steps["mapping_steps"] += config.vae_steps
    if "vae_steps" in steps:
        steps["kl_warmup"] = config.kl_warmup
    return {name: max(1, round(number * factor)) if number else 0 for name, number in steps.items()}
