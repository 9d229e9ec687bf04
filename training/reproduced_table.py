"""A reproduced table as Markdown and as JSON-ready values: ours, the paper's beside it, chance, oracle, provenance."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from training.cells import Cell
from training.measurements import Measurement, view_measurements, virtual_measurements
from training.paper_tables import LIFTING, Row, Table
from training.summarise import LIFTING_COLUMNS, hit_values, lifting_values, mean_and_spread
from vvipe_tf.evaluation.report import format_table

NOT_RUN = "not run"
_KEY = (
    "Ours: mean ± standard deviation over the seeds. The paper's numbers are of its own data and cameras: the order "
    "of the systems and the gaps between them compare, the numbers do not. *Examples*: seen in training, steps times "
    "batch size."
)


def format_reproduction(table: Table, rows: Sequence[Row], cells: Mapping[Row, Sequence[Cell]], about: Mapping) -> str:
    """The table in Markdown: for each split and rig, virtual and real cameras apart.

    Args:
        table: The table.
        rows: Rows of it that are wanted, in the order to show them.
        cells: Cells of the trained rows; those that were not finished read "not run".
        about: `commit`, `versions` and `command` of this reproduction, `broken`: why cells were not finished.

    Returns:
        Markdown, ending in a newline.

    Raises:
        ValueError: If cells were measured on different galleries.
    """
    parts = [f"# {table.title}", _KEY]
    for kind, read, measure in (
        ("virtual", Cell.read_virtual, virtual_measurements),
        ("real", Cell.read_real, view_measurements),
    ):
        by_title = _by_title(cells, read, measure)
        if by_title and table.measure != LIFTING:
            parts += [f"## All galleries, {kind} cameras", *_format_overview(rows, by_title)]
        for title, measured in by_title.items():
            parts += [f"## {title}, {kind} cameras", *_format_measurements(table, rows, cells, measured)]
    if len(parts) == 2:
        parts.append(f"Every cell: {NOT_RUN}.")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [f"{row.name}: `{cell.train_command}`" for row, of_row in cells.items() for cell in of_row]
    lines += [f"{cell}: {NOT_RUN}. {reason}" for cell, reason in about["broken"].items()]
    lines += [f"Made by `{about['command']}`.", f"Commit: {about['commit'] or 'unknown'}. Versions: {versions}."]
    return "\n\n".join([*parts, "## Commands", "\n".join(f"- {line}" for line in lines)]) + "\n"


def describe_reproduction(rows: Sequence[Row], cells: Mapping[Row, Sequence[Cell]], about: Mapping) -> dict:
    """The same as JSON-ready values, with everything measured of every cell except single camera pairs."""

    def describe_cell(cell):
        results = {"virtual": cell.read_virtual(), "real": cell.read_real()}
        return {
            "seed": cell.config.seed,
            "run_dir": str(cell.run_dir),
            "command": cell.train_command,
            "examples": cell.num_examples,
            "finished": not cell.missing_steps(),
            "results": _without_pairs(results),
        }

    return dict(about) | {
        "rows": [
            {
                "name": row.name,
                "flags": row.flags,
                "part": row.part,
                "paper": row.paper,
                "cells": [describe_cell(cell) for cell in cells.get(row, ())],
            }
            for row in rows
        ]
    }


def _by_title(
    cells: Mapping[Row, Sequence[Cell]], read: Callable, measure: Callable
) -> dict[str, dict[Row, dict[int, Measurement]]]:
    """Measurements by title, row and seed."""
    found: dict[str, dict[Row, dict[int, Measurement]]] = {}
    for row, of_row in cells.items():
        for cell in of_row:
            for measurement in chain.from_iterable(map(measure, read(cell))):
                found.setdefault(measurement.title, {}).setdefault(row, {})[cell.config.seed] = measurement
    for title, by_row in found.items():
        galleries = {each.frames_sha256 for of_row in by_row.values() for each in of_row.values()}
        if len(galleries) > 1:
            raise ValueError(f"Expected the same gallery in all runs. Received: different frames in {title}")
    return found


def _format_overview(rows: Sequence[Row], by_title: Mapping[str, Mapping[Row, Mapping[int, Measurement]]]) -> list[str]:
    """Caption and table of the first rank in the galleries of all titles, side by side."""
    some = {title: _any_measurement(measured) for title, measured in by_title.items()}
    k, *_ = next(iter(some.values())).retrieval["chance"]["hit_at_k"]
    lines = [
        [row.name, *(_shown(*hit_values(_retrievals(row, measured), [k])) for measured in by_title.values())]
        for row in rows
    ]
    chance = [_shown(*hit_values([each.retrieval["chance"]], [k])) for each in some.values()]
    return [f"Hit@{k} in %.", format_table(["", *by_title], [*lines, ["chance: random order", *chance]])]


def _any_measurement(measured: Mapping[Row, Mapping[int, Measurement]]) -> Measurement:
    return next(each for of_row in measured.values() for each in of_row.values())


def _retrievals(row: Row, measured: Mapping[Row, Mapping[int, Measurement]]) -> list[Mapping]:
    """Retrieval of a row, one for each seed; what needs no training is the same beside every model."""
    of_row = [_any_measurement(measured)] if row.flags is None else measured.get(row, {}).values()
    return [each.retrieval[row.part] for each in of_row]


def _format_measurements(
    table: Table,
    rows: Sequence[Row],
    cells: Mapping[Row, Sequence[Cell]],
    measured: Mapping[Row, Mapping[int, Measurement]],
) -> list[str]:
    """Caption and table of one title."""
    first = _any_measurement(measured)
    ks = list(first.retrieval["chance"]["hit_at_k"])
    is_lifting = table.measure == LIFTING

    def measures(row):
        if is_lifting:
            lifted = [each for each in measured.get(row, {}).values() if each.lifting is not None]
            how = [
                ", ".join(sorted(names)) or NOT_RUN
                for names in ({each.lifting_frame for each in lifted}, {each.lifting_joints for each in lifted})
            ]
            return [*how, *map(_shown, lifting_values(each.lifting for each in lifted))]
        return list(map(_shown, hit_values(_retrievals(row, measured), ks)))

    def training(row):
        if row.flags is None:
            return ["none", ""]
        return [f"{cells[row][0].num_examples:,}", ", ".join(map(str, measured.get(row, ()))) or NOT_RUN]

    def paper(row):
        return [*row.paper, *[""] * (len(table.paper_columns) - len(row.paper))]

    lines = [[row.name, *measures(row), *paper(row), *training(row)] for row in rows]
    if not is_lifting:
        for title, part in (("chance: random order", "chance"), ("oracle: canonical pose to other 3D", "canonical_3d")):
            hits = hit_values([first.retrieval[part]], ks)
            # Where only the query's own frame is an answer, an oracle that may not give it says nothing.
            if any(map(any, hits)):
                lines.append([title, *map(_shown, hits), *[""] * (len(table.paper_columns) + 2)])
    columns = ["frame", "joints", *LIFTING_COLUMNS.values()] if is_lifting else [f"Hit@{k}" for k in ks]
    header = ["", *columns, *table.paper_columns, "examples", "seeds"]
    about = (
        "MPJPE in the frame, and all errors over the joints, that are named."
        if is_lifting
        else f"Metric on {first.metric}, Hit@k in %."
    )
    return [f"{first.caption}. {about}", format_table(header, lines)]


def _shown(values: Sequence[float]) -> str:
    return mean_and_spread(values) if values else NOT_RUN


def _without_pairs(content):
    if isinstance(content, Mapping):
        return {key: _without_pairs(value) for key, value in content.items() if key != "comparisons"}
    if isinstance(content, list):
        return [_without_pairs(each) for each in content]
    return content
