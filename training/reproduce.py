"""Reproduces a table of the paper: `python -m training.reproduce --table 1 --dataset mocap --seeds 0 1 2`.

Trains what is missing, one process and one run folder for each system and seed, measures all, and writes the table as
Markdown, JSON and pictures, with the paper's numbers beside ours. Started again it trains only what is not finished; a
cell that breaks is reported and the others go on. Flags after `--` go to every training.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from training.cells import Cell, check_budgets, plan_cells, run_cell
from training.paper_tables import LIFTING, TABLES, Row, Table
from training.reproduced_table import CAMERAS, describe_reproduction, first_hits, format_reproduction
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.data_source import SYNTHETIC
from vvipe_tf.data.dataset_file import DATASET_SUFFIX
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.provenance import describe_command, describe_commit, describe_versions

FORMAT = "vvipe-reproduction"
VERSION = 1


def run_cells(cells: Sequence[Cell], jobs: int) -> dict[str, str]:
    """Runs cells, each in processes of its own; says on stderr how it goes.

    Args:
        cells: Cells; finished ones are not run.
        jobs: Cells that run at the same time; they share the processors evenly.

    Returns:
        Why cells could not be finished, by the name of their run folder.
    """
    missing = [cell for cell in cells if cell.missing_steps()]
    print(f"{len(missing)} of {len(cells)} cells to run", file=sys.stderr)
    # Each with threads for every processor, they would spend their time waiting for one another.
    num_threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None

    def run(cell):
        print(f"{cell.run_dir.name}: started", file=sys.stderr)
        reason = run_cell(cell, num_threads)
        print(f"{cell.run_dir.name}: {reason or 'finished'}", file=sys.stderr)
        return reason

    with ThreadPoolExecutor(jobs) as pool:
        reasons = dict(zip((cell.run_dir.name for cell in missing), pool.map(run, missing), strict=True))
    return {name: reason for name, reason in reasons.items() if reason}


def choose_rows(table: str, names: Sequence[str] | None) -> tuple[Row, ...]:
    """Rows of a table by name; all by default.

    Raises:
        ValueError: If a name is unknown, or nothing is left to train.
    """
    rows = {row.name: row for row in TABLES[table].rows}
    unknown = sorted(set(names or ()) - set(rows))
    if unknown:
        raise ValueError(f"Expected --systems among {', '.join(rows)}. Received: {', '.join(unknown)}")
    chosen = tuple(row for name, row in rows.items() if not names or name in names)
    if all(row.flags is None for row in chosen):
        raise ValueError("Expected a trained system: the others are measured beside it. Received: none")
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, 1 if a cell could not be finished, 2 for bad input."""
    arguments = _parser().parse_args(argv)

    def command():
        table, rows = TABLES[arguments.table], choose_rows(arguments.table, arguments.systems)
        if arguments.jobs < 1 or len(set(arguments.seeds)) < len(arguments.seeds):
            raise ValueError(
                "Expected at least one of --jobs, and no seed twice. "
                f"Received: {arguments.jobs}, seeds {' '.join(map(str, arguments.seeds))}"
            )
        data = _data_file(arguments.dataset)
        output = Path(arguments.output or Path("runs") / "reproduce" / Path(data).name.removesuffix(DATASET_SUFFIX))
        measured = (arguments.views, arguments.frames)
        cells = plan_cells(
            table, rows, arguments.seeds, data, output, arguments.flags, arguments.steps_scale, *measured
        )
        if not arguments.allow_unequal_budget:
            check_budgets(cells)
        # Seed after seed, so that a table that is stopped early has every system.
        every_cell = [cell for of_seed in zip(*cells.values(), strict=True) for cell in of_seed]
        if arguments.dry_run:
            print("\n".join(_describe_plan(every_cell)))
            return 0
        for file in filter(None, (data, arguments.views)):
            if file != SYNTHETIC and not Path(file).is_file():
                raise FileNotFoundError(f"Expected a file. Received: {file}, which is none")
        if arguments.frames and not Path(arguments.frames).exists():
            raise FileNotFoundError(f"Expected a frame list. Received: {arguments.frames}, which does not exist")
        broken = {} if arguments.report_only else run_cells(every_cell, arguments.jobs)
        about = {
            "table": arguments.table,
            "data": data,
            "views": arguments.views,
            "frames": arguments.frames,
            "broken": broken,
            "command": describe_command("training.reproduce", argv),
            "commit": describe_commit(),
            "versions": describe_versions(),
        }
        print(_write_table(output / f"table_{arguments.table}", table, rows, cells, about), end="")
        return 1 if broken else 0

    return run_command(command)


def _write_table(
    stem: Path, table: Table, rows: Sequence[Row], cells: Mapping[Row, Sequence[Cell]], about: Mapping
) -> str:
    text = format_reproduction(table, rows, cells, about)
    header = {"format": FORMAT, "version": VERSION}
    content = json.dumps(header | describe_reproduction(rows, cells, about), indent=1) + "\n"
    for suffix, written in ((".md", text), (".json", content)):
        with atomic_path(stem.with_suffix(suffix)) as temporary:
            temporary.write_text(written, encoding="utf-8")
    if table.measure != LIFTING:
        _draw_table(stem, table, rows, cells, about)
    return text


def _draw_table(
    stem: Path, table: Table, rows: Sequence[Row], cells: Mapping[Row, Sequence[Cell]], about: Mapping
) -> None:
    # matplotlib takes a second to import; `--help` and a wrong flag should not wait for it.
    from training.reproduced_figure import table_figure
    from vvipe_tf.apps.figure_sheet import save_figure

    for kind in CAMERAS:
        hits = first_hits(rows, cells, kind)
        if hits:
            note = f"Hit@1 in %: means, seeds as dots, chance dashed. Trained on {Path(about['data']).name}"
            figure = table_figure(f"{table.title}, {kind} cameras", hits, note, about["data"] == SYNTHETIC)
            save_figure(figure, stem.with_name(f"{stem.name}_{kind}.png"))


def _describe_plan(cells: Sequence[Cell]) -> list[str]:
    lines = []
    for cell in cells:
        lines.append(f"# {cell.row.name}, seed {cell.config.seed}: {cell.num_examples:,} examples")
        lines += [describe_command(module, list(flags)) for module, flags in cell.missing_steps()] or ["# finished"]
    return lines


def _data_file(dataset: str) -> str:
    if dataset == SYNTHETIC or dataset.endswith(DATASET_SUFFIX):
        return dataset
    return str(Path("datasets") / f"{dataset}{DATASET_SUFFIX}")


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m training.reproduce", description=__doc__.splitlines()[0])
    parser.add_argument("--table", required=True, choices=tuple(TABLES), help="table to reproduce")
    parser.add_argument(
        "--dataset", required=True, help=f"NAME for datasets/NAME{DATASET_SUFFIX}, such a file, or `{SYNTHETIC}`"
    )
    parser.add_argument("--views", help="a .views.npz of recorded cameras, measured in tables of their own")
    parser.add_argument("--frames", help="with --views: frame list in PR-VIPE's form, a file or a folder")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of every system (%(default)s)")
    parser.add_argument("--systems", nargs="+", help="rows of the table by name; all by default")
    parser.add_argument("--steps-scale", type=float, default=1.0, help="factor on all training steps (%(default)s)")
    parser.add_argument("--output", help="folder of the table and the runs; runs/reproduce/NAME by default")
    parser.add_argument(
        "--jobs", type=int, default=1, help="trainings at the same time, which share the processors (%(default)s)"
    )
    parser.add_argument(
        "--allow-unequal-budget", action="store_true", help="let systems see different numbers of examples"
    )
    parser.add_argument("--dry-run", action="store_true", help="only print the commands")
    parser.add_argument("--report-only", action="store_true", help="only write the table, of what is finished")
    parser.add_argument("flags", nargs="*", metavar="-- FLAG", help="flags of training.train for every system")
    return parser


if __name__ == "__main__":
    sys.exit(main())
