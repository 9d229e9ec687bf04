"""Trains V-VIPE: `python -m training.train`.

Without a flag it trains a small model on built-in synthetic poses in a few minutes and prints how well it retrieves
poses across cameras. The run folder then holds everything that `training.evaluate`, `training.figures` and
`export.to_tflite` need. Started again with the same flags, an interrupted run goes on where it was.
"""

import sys
from collections.abc import Sequence

from training.config import parse_config
from vvipe_tf.cli import run_command
from vvipe_tf.provenance import describe_command
from vvipe_tf.silence import silenced_start


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""

    def command():
        config = parse_config(argv, __doc__.splitlines()[0])
        with silenced_start():
            from training.run import run_training

        run_training(config, describe_command("training.train", argv))

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
