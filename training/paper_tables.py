"""The tables of the paper as rows to train and measure, with the numbers that the paper has for them.

The paper's numbers are of other data (Human3.6M, MPI-INF-3DHP, real cameras): they stand beside ours to compare the
order of the systems and the size of the gaps, never the numbers themselves.
"""

from dataclasses import dataclass

RETRIEVAL, LIFTING = "retrieval", "lifting"


@dataclass(frozen=True)
class Row:
    """One system of a table.

    Args:
        name: Name of the system; with the seed it also names the run folder.
        flags: Flags of `training.train`; None for what needs no training and is measured beside the trained systems.
        paper: The paper's numbers, one cell for each of `Table.paper_columns`; empty where it has none.
        part: Part of results.json that holds the retrieval of the system.
    """

    name: str
    flags: tuple[str, ...] | None
    paper: tuple[str, ...] = ()
    part: str = "model"


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        title: What it is.
        measure: `RETRIEVAL` or `LIFTING`.
        paper_columns: Titles of the columns with the paper's numbers.
        rows: Its systems.
        flags: Flags of `training.train` that all trained rows share; those of a row come after them.
    """

    title: str
    measure: str
    paper_columns: tuple[str, ...]
    rows: tuple[Row, ...]
    flags: tuple[str, ...] = ()


_PAPER_V_VIPE = ("89.7 / 98.8 / 99.4", "45.3 / 76.2 / 83.1", "47.9 / 77.9 / 84.5")
_V_VIPE_PAPER_PRESET = ("--preset", "paper")
_V_VIPE = ("--preset", "mocap")
_LIFTER = ("--model", "lifter", "--preset", "lifter")

TABLES = {
    "1": Table(
        "Table 1: retrieval across cameras, true 2D keypoints",
        RETRIEVAL,
        ("paper, H3.6M: Hit@1 / 10 / 20", "paper, 3DHP all", "paper, 3DHP unseen"),
        (
            Row("V-VIPE (paper preset)", _V_VIPE_PAPER_PRESET, _PAPER_V_VIPE),
            Row("V-VIPE (default preset)", _V_VIPE, _PAPER_V_VIPE),
            Row(
                "PR-VIPE",
                ("--model", "pr_vipe", "--preset", "pr_vipe"),
                ("97.6 / 99.9 / 100", "42.6 / 72.8 / 79.1", "43.7 / 73.2 / 82.0"),
            ),
            Row("2D keypoints", None, ("28.7 / 47.1 / 50.9", "9.8 / 21.6 / 25.5"), part="keypoints_2d"),
            Row("lifter + Procrustes", _LIFTER),
        ),
    ),
    "ablation": Table(
        "Ablations of V-VIPE, smaller networks and shorter runs",
        RETRIEVAL,
        ("paper, 3DHP all, detected 2D: Hit@1",),
        (
            Row("base", (), ("23.5",)),
            Row("no triplet", ("--triplet-weight", "0"), ("17.4",)),
            Row("no rotation", ("--no-rotation",), ("18.0",)),
            Row("no pre-training", ("--no-pretraining",), ("23.4",)),
            Row("one view", ("--views", "1")),
            Row("no distillation", ("--distillation-weight", "0")),
            Row("KL weight 1e-2", ("--kl-weight", "1e-2")),
            Row("KL weight 1e-4", ("--kl-weight", "1e-4")),
            Row("mining: hard", ("--mining", "hard")),
            Row("mining: semi-hard", ("--mining", "semi_hard")),
            Row("no mask channel", ("--no-use-mask",)),
        ),
        (*_V_VIPE, "--width", "512", "--vae-steps", "1500", "--mapping-steps", "3000", "--ema", "0.995"),
    ),
    "lifting": Table(
        "Lifting",
        LIFTING,
        ("published, H3.6M: MPJPE mm",),
        (
            Row("V-VIPE (paper preset)", _V_VIPE_PAPER_PRESET, ("62.1 (CPN)",)),
            Row("V-VIPE (default preset)", _V_VIPE, ("62.1 (CPN)",)),
            Row("lifter + Procrustes", _LIFTER, ("62.9 (detected), 45.5 (true 2D)",)),
        ),
    ),
}
