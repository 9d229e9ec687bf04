"""Exports a trained model to TFLite: `python -m export.to_tflite --run-dir runs/mocap`.

One file for each variant, with the signatures lift, embed and decode, metadata, and a model.json with the hashes. Each
file is compared with the Keras model on test poses through the LiteRT interpreter; if one fails, nothing is written.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from export.android_assets import ANDROID_ASSETS, ANDROID_VARIANT, write_model_assets
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.data_source import load_splits
from vvipe_tf.silence import silenced_start

_BATCHES = {"any": None, "1": 1}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _export(arguments))


def _export(arguments):
    if arguments.android and not {ANDROID_VARIANT, "all"} & set(arguments.variant):
        raise ValueError(
            f"Expected --variant {ANDROID_VARIANT} with --android. Received: {', '.join(arguments.variant)}"
        )
    output = Path(arguments.output or Path(arguments.run_dir) / "tflite")
    with silenced_start():
        from export.exporter import ExportConfig, export_model, variants_from
        from vvipe_tf.models.run_folder import load_run

        config = ExportConfig(
            name=arguments.name,
            model_version=arguments.model_version,
            license_text=arguments.license,
            variants=variants_from(arguments.variant),
            batch_sizes=tuple(_BATCHES[batch] for batch in dict.fromkeys(arguments.batch)),
            encode_pose=arguments.encode_pose or ("distilled" if arguments.compact_run else "none"),
            score_threshold=arguments.score_threshold,
            gallery_size=arguments.gallery_size,
            seed=arguments.seed,
        )
        trained = load_run(arguments.run_dir)
        compact = load_run(arguments.compact_run) if arguments.compact_run else None
        splits = load_splits(arguments.data or trained.config["data"]["data"])
        done: list[str] = []
        export = export_model(trained, splits, config, compact, report=done.append)
    export.write(output)
    print("\n".join(done))
    if arguments.android:
        chosen = next(
            name for name, about in export.manifest.content["files"].items() if about["variant"] == ANDROID_VARIANT
        )
        poses = write_model_assets(output / chosen, Path(arguments.android))
        print(f"{chosen} and a gallery of {poses} poses are in {arguments.android} too")
    print((output / "MODEL_CARD.md").read_text())


def _parser():
    parser = CommandParser(
        prog="python -m export.to_tflite",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--run-dir", required=True, help="run folder of training.train")
    parser.add_argument("--output", help="folder for the files; RUN_DIR/tflite if not given")
    parser.add_argument(
        "--variant",
        nargs="+",
        default=["all"],
        help="float32, float16, dynamic_range, int8, int16x8 or all",
    )
    parser.add_argument("--batch", nargs="+", default=["any"], choices=tuple(_BATCHES), help="batch sizes, a file each")
    parser.add_argument("--compact-run", help="run folder of export.distil, exported beside the model as NAME_compact")
    parser.add_argument(
        "--encode-pose",
        choices=("none", "distilled", "full"),
        help="3D encoder in all files but NAME_compact: of the compact run (distilled) or of the run itself (full); "
        "distilled if not given, with a compact run",
    )
    parser.add_argument("--score-threshold", type=float, default=0.3, help="least score of a visible keypoint")
    parser.add_argument("--data", help="poses to calibrate and verify with; those of the run if not given")
    parser.add_argument("--gallery-size", type=int, default=500, help="poses of each test split to verify with")
    parser.add_argument("--seed", type=int, default=0, help="seed of the choice of poses and views")
    parser.add_argument("--name", default="vvipe", help="name of the model; its files start with it")
    parser.add_argument("--model-version", default="1.0.0", help="version of the model")
    parser.add_argument("--license", default="Apache-2.0", help="licence of the weights")
    parser.add_argument(
        "--android",
        nargs="?",
        const=str(ANDROID_ASSETS),
        help=f"also copy the {ANDROID_VARIANT} file, its model.json and its gallery into the app, or another folder",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
