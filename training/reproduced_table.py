"""A reproduced table as Markdown and as JSON-ready values: ours, the paper's beside it, chance, oracle, provenance."""

from collections.abc import Mapping, Sequence
from itertools import chain

from training.cells import Cell
from training.measurements import Measurement, view_measurements, virtual_measurements
from training.paper_tables import LIFTING, Row, Table
from training.summarise import LIFTING_COLUMNS, hit_values, lifting_values, mean_and_spread
from vvipe_tf.evaluation.report import format_table

NOT_RUN = "not run"
CHANCE = "chance: random order"
_READERS = {
    "virtual": (Cell.read_virtual, virtual_measurements),
    "real": (Cell.read_real, view_measurements),
}
CAMERAS = tuple(_READERS)
_KEY = (
    "Ours: mean ± standard deviation over the seeds. The paper's numbers are of its own data and cameras: the order "
    "of the systems and the gaps between them compare, the numbers do not. *Examples*: seen in training, steps times "
    f"batch size. *{NOT_RUN}*: not finished; where joints are missing, also a system without a mask channel."
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
    for kind in CAMERAS:
        by_title = _by_title(cells, kind)
        if by_title and table.measure != LIFTING:
            parts += [f"## All galleries, {kind} cameras", *_format_overview(_first_hits(rows, by_title))]
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


def first_hits(
    rows: Sequence[Row], cells: Mapping[Row, Sequence[Cell]], kind: str
) -> dict[str, dict[str, list[float]]]:
    """Hit@1 in every gallery.

    Args:
        rows: Rows of the table that are wanted.
        cells: Cells of the trained rows.
        kind: Cameras, of `CAMERAS`.

    Returns:
        Hit@1 in per cent by title of the gallery and name of the system: one value for each seed, one for what needs no
        training, none where nothing was measured. The last system is a random order.

    Raises:
        ValueError: If cells were measured on different galleries.
    """
    return _first_hits(rows, _by_title(cells, kind))


def _first_hits(
    rows: Sequence[Row], by_title: Mapping[str, Mapping[Row, Mapping[int, Measurement]]]
) -> dict[str, dict[str, list[float]]]:
    found = {}
    for title, measured in by_title.items():
        chance = [_any_measurement(measured).retrieval["chance"]]
        systems = {row.name: _retrievals(row, measured) for row in rows} | {CHANCE: chance}
        found[title] = {name: hit_values(results, ["1"])[0] for name, results in systems.items()}
    return found


def _by_title(cells: Mapping[Row, Sequence[Cell]], kind: str) -> dict[str, dict[Row, dict[int, Measurement]]]:
    """Measurements by title, row and seed."""
    read, measure = _READERS[kind]
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


def _format_overview(hits: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    """Caption and table of Hit@1 in all galleries, side by side."""
    systems = next(iter(hits.values()))
    lines = [[name, *(_shown(of_gallery[name]) for of_gallery in hits.values())] for name in systems]
    return ["Hit@1 in %.", format_table(["", *hits], lines)]


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
        for title, part in ((CHANCE, "chance"), ("oracle: canonical pose to other 3D", "canonical_3d")):
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
