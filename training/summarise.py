"""Averages the results of runs that differ in their seed: `python -m training.summarise RUN RUN ...`.

Each argument is a run folder or a results.json. Prints one Markdown table for each split: mean ± standard deviation
over the runs.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from training.evaluate import RESULTS_FILE, read_results
from vvipe_tf.cli import run_command
from vvipe_tf.evaluation.report import format_table

_LIFTING = ("mpjpe_mm", "n_mpjpe_mm", "p_mpjpe_mm")


def summarise(runs: Sequence[Mapping[str, Mapping]]) -> str:
    """One table for each split that all runs have.

    Args:
        runs: Results of each run, as `read_results` gives them.

    Returns:
        Markdown, ending in a newline.

    Raises:
        ValueError: If there is no run, no common split, or the galleries differ.
    """
    if not runs:
        raise ValueError("Expected the results of at least one run. Received: none")
    common = [key for key in runs[0] if all(key in run for run in runs)]
    if not common:
        raise ValueError(f"Expected a split that all {len(runs)} runs were measured on. Received: none in common")
    return "\n\n".join(_split_table(key, [run[key] for run in runs]) for key in common) + "\n"


def _split_table(key: str, entries: Sequence[Mapping]) -> str:
    first = entries[0]
    if len({entry["frames_sha256"] for entry in entries}) > 1:
        raise ValueError(f"Expected the same gallery in all runs. Received: different frames in {key}")
    metric = first["metrics"][0]
    ks = list(first["chance"][metric]["hit_at_k"])
    rows = []
    for rig in first["rigs"]:
        measured = [entry["rigs"][rig] for entry in entries]
        for title, part in (("V-VIPE", "model"), ("2D keypoints", "keypoints_2d")):
            hits = [each[part][metric]["hit_at_k"] for each in measured]
            cells = [_cell([100 * hit[k] for hit in hits]) for k in ks]
            if part == "model":
                cells += [_cell([each["lifting"]["mean"][name] for each in measured]) for name in _LIFTING]
            rows.append([f"{title}, {rig}", *cells, *[""] * (len(ks) + len(_LIFTING) - len(cells))])
    chance = [f"{100 * first['chance'][metric]['hit_at_k'][k]:.1f}" for k in ks]
    rows.append(["chance", *chance, "", "", ""])
    header = ["", *(f"Hit@{k}" for k in ks), "MPJPE mm", "N-MPJPE mm", "P-MPJPE mm"]
    title = (
        f"**{first['split']}** of {first['data']}{' (SYNTHETIC)' if first['synthetic'] else ''}: "
        f"{first['gallery_size']:,} poses in each gallery, {len(entries)} runs, metric on {metric}, virtual cameras."
    )
    return f"{title}\n\n{format_table(header, rows)}"


def _cell(values: Sequence[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 and np.ptp(values) > 0 else ""
    return f"{np.mean(values):.1f}{spread}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.summarise", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="+", help="run folder, or results.json of one")
    arguments = parser.parse_args(argv)

    def command():
        files = [Path(run) / RESULTS_FILE if Path(run).is_dir() else Path(run) for run in arguments.run]
        print(summarise([read_results(file) for file in files]), end="")

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
