"""Averages the results of runs that differ in their seed: `python -m training.summarise RUN RUN ...`.

Each argument is a run folder or a results.json. Prints one Markdown table for each split: mean ± standard deviation
over the runs.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from training.evaluate import RESULTS_FILE, read_results
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.evaluation.report import format_table

LIFTING_COLUMNS = {"mpjpe_mm": "MPJPE mm", "n_mpjpe_mm": "N-MPJPE mm", "p_mpjpe_mm": "P-MPJPE mm"}
_TITLES = {"vvipe": "V-VIPE", "pr_vipe": "PR-VIPE", "lifter": "lifter + Procrustes"}


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
    return "\n\n".join(_split_table([run[key] for run in runs]) for key in common) + "\n"


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation with one decimal; the mean alone where nothing differs."""
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 and np.ptp(values) > 0 else ""
    return f"{np.mean(values):.1f}{spread}"


def hit_values(results: Iterable[Mapping], ks: Sequence[str]) -> list[list[float]]:
    """Hit@k in per cent: for each rank of `ks` one value per retrieval result."""
    results = list(results)
    return [[100 * result["hit_at_k"][k] for result in results] for k in ks]


def lifting_values(means: Iterable[Mapping[str, float]]) -> list[list[float]]:
    """Errors in millimetres: for each of `LIFTING_COLUMNS` one value per mean of a run."""
    means = list(means)
    return [[mean[name] for mean in means] for name in LIFTING_COLUMNS]


def describe_gallery(entry: Mapping) -> str:
    """Caption of a table: split, data, size of the gallery, metric; without a full stop."""
    return (
        f"**{entry['split']}** of {entry['data']}{' (SYNTHETIC)' if entry['synthetic'] else ''}: "
        f"{entry['gallery_size']:,} poses in each gallery"
    )


def _split_table(entries: Sequence[Mapping]) -> str:
    first = entries[0]
    if len({entry["frames_sha256"] for entry in entries}) > 1:
        raise ValueError(
            f"Expected the same gallery in all runs. Received: different frames in {first['data']}/{first['split']}"
        )
    kinds = {entry.get("model_kind", "vvipe") for entry in entries}
    if len(kinds) > 1:
        raise ValueError(f"Expected runs of one --model. Received: {', '.join(sorted(kinds))}")
    system = _TITLES[kinds.pop()]
    metric = first["metrics"][0]
    ks = list(first["chance"][metric]["hit_at_k"])
    rows = []
    for rig in first["rigs"]:
        measured = [entry["rigs"][rig] for entry in entries]
        for title, part in ((system, "model"), ("2D keypoints", "keypoints_2d")):
            values = hit_values((each[part][metric] for each in measured), ks)
            liftings = [each["lifting"]["mean"] for each in measured if part == "model" and "lifting" in each]
            values += lifting_values(liftings)
            rows.append([f"{title}, {rig}", *(mean_and_spread(each) if each else "" for each in values)])
    chance = [f"{100 * first['chance'][metric]['hit_at_k'][k]:.1f}" for k in ks]
    rows.append(["chance", *chance, *[""] * len(LIFTING_COLUMNS)])
    header = ["", *(f"Hit@{k}" for k in ks), *LIFTING_COLUMNS.values()]
    title = f"{describe_gallery(first)}, {len(entries)} runs, metric on {metric}, virtual cameras."
    return f"{title}\n\n{format_table(header, rows)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m training.summarise", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="+", help="run folder, or results.json of one")
    arguments = parser.parse_args(argv)

    def command():
        files = [Path(run) / RESULTS_FILE if Path(run).is_dir() else Path(run) for run in arguments.run]
        print(summarise([read_results(file) for file in files]), end="")

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
