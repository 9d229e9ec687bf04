"""The commands for keypoints, poses and collections of them: `python -m vvipe_tf COMMAND ...`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from vvipe_tf.cli import CommandParser, run_command

# A command is the module of its name in `vvipe_tf.commands`, with `add_arguments(parser)` and `run(arguments)`. It is
# imported when it is called, and imports what it needs when it runs: `--help` answers at once.
COMMANDS = {
    "lift": "2D keypoints to canonical 3D poses: JSON, CSV, npz, BVH, TRC",
    "embed": "keypoints or poses to view-invariant embeddings",
    "index": "build, extend and describe an index of poses",
    "search": "find the poses of an index that are nearest to others",
    "compare": "two sequences, seen from different cameras",
    "generate": "new poses: neighbours, samples, interpolations",
    "plot": "pictures of poses",
    "convert": "keypoint files and pose files into other formats",
}


def available_commands() -> dict[str, str]:
    """The commands that this copy of the package has, with a line on each."""
    return {name: line for name, line in COMMANDS.items() if find_spec(f"vvipe_tf.commands.{name}") is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: Name of the command and its arguments; those of the process by default.

    Returns:
        Exit code: 0, 2 for bad input, 130 when interrupted, 141 when the reader of the output went away.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    commands = available_commands()
    name = _parser(commands).parse_args(argv[:1] or ["--help"]).command
    command = import_module(f"vvipe_tf.commands.{name}")
    parser = CommandParser(prog=f"python -m vvipe_tf {name}", description=f"{name}: {commands[name]}.")
    command.add_arguments(parser)
    arguments = parser.parse_args(argv[1:])
    try:
        code = run_command(lambda: command.run(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # `... | head` has had enough. Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


def _parser(commands) -> CommandParser:
    width = max(map(len, commands))
    parser = CommandParser(
        prog="python -m vvipe_tf",
        usage=f"%(prog)s [-h] {{{','.join(commands)}}} ...",
        description="commands:\n" + "\n".join(f"  {name:{width}}  {line}" for name, line in commands.items()),
        epilog="python -m vvipe_tf COMMAND --help tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=commands, help="what to do")
    return parser


if __name__ == "__main__":
    sys.exit(main())
