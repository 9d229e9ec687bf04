"""Draws Figures 5 to 8 of the paper for a trained model: `python -m training.figures --run-dir runs/quickstart`.

5: poses lifted from several cameras. 6: queries and what they retrieve in another camera. 7: poses generated around one
pose. 8: a t-SNE map of the embeddings. The examples are chosen by rule, spread from easy to hard.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from training.evaluate import GALLERY_SIZE, choose_splits
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.near_duplicates import select_gallery
from vvipe_tf.silence import silenced_start

if TYPE_CHECKING:
    from vvipe_tf.models.run_folder import TrainedModel

FIGURES = (5, 6, 7, 8)
FIGURES_FOLDER = "figures"


def write_figures(
    model: "TrainedModel",
    dataset: PoseDataset,
    run_dir: str | os.PathLike,
    about: str,
    figures: Sequence[int] = FIGURES,
    seed: int = 0,
) -> list[Path]:
    """Draws figures into the run folder.

    Args:
        model: Trained model.
        dataset: Poses to choose from; near-duplicates are left out, and at most 2,000 poses are kept.
        run_dir: Run folder.
        about: Names of the data and the split, for the line below each figure.
        figures: Numbers of the figures in the paper.
        seed: Seed of everything that is random.

    Returns:
        The files.

    Raises:
        ValueError: If a figure has another number, or there are too few poses.
    """
    unknown = sorted(set(figures) - set(FIGURES))
    if unknown:
        raise ValueError(f"Expected figures among {FIGURES}. Received: {unknown}")
    # matplotlib and scikit-learn take seconds to import; `--help` and a wrong flag should not wait for them.
    from vvipe_tf.apps.embedding_map import embedding_map
    from vvipe_tf.apps.figure_examples import generation_example, lift_examples, retrieval_examples
    from vvipe_tf.apps.figure_sheet import save_figure
    from vvipe_tf.apps.paper_figures import generation_figure, lift_figure, map_figure, retrieval_figure

    recipes = {
        5: (lift_examples, lift_figure, ", virtual cameras (chest)"),
        6: (retrieval_examples, retrieval_figure, ", virtual cameras (unseen)"),
        7: (generation_example, generation_figure, ""),
        8: (embedding_map, map_figure, ", virtual cameras (chest)"),
    }
    dataset = dataset.select(select_gallery(dataset, GALLERY_SIZE, seed))
    paths = []
    for number in figures:
        choose, draw, cameras = recipes[number]
        note = f"{about}, {len(dataset):,} poses{cameras}, seed {seed}"
        path = Path(run_dir) / FIGURES_FOLDER / f"figure_{number}.png"
        save_figure(draw(choose(model, dataset, seed), note, dataset.synthetic), path)
        paths.append(path)
    return paths


def choose_split(splits: Mapping[str, PoseDataset], name: str | None) -> tuple[str, PoseDataset]:
    """The split asked for, or the first test split; name and poses.

    Raises:
        ValueError: If there is no such split, or no test split.
    """
    chosen = choose_splits(splits, [name] if name else None)
    if not chosen:
        raise ValueError(f"Expected a test split; name one with --split. Received: {', '.join(splits)}")
    return next(iter(chosen.items()))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    arguments = _parser().parse_args(argv)

    def command():
        with silenced_start():
            from vvipe_tf.models.run_folder import load_run
        model = load_run(arguments.run_dir)
        data = arguments.data or model.config["data"]["data"]
        split, dataset = choose_split(load_splits(data), arguments.split)
        about = f"{Path(data).name.removesuffix('.poses.npz')}, split {split}"
        for path in write_figures(model, dataset, arguments.run_dir, about, arguments.figure, arguments.seed):
            print(path)

    return run_command(command)


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m training.figures", description=__doc__.splitlines()[0])
    parser.add_argument("--run-dir", required=True, help="run folder of training.train; the figures go there")
    parser.add_argument("--data", help="a .poses.npz, or `synthetic`; the data of the run by default")
    parser.add_argument("--split", help="split to draw; the first test split by default")
    parser.add_argument(
        "--figure", type=int, nargs="+", choices=FIGURES, default=FIGURES, help="figures of the paper; all by default"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of choices, cameras and noise (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
