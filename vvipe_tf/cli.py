"""What every command line tool here shares: how it ends."""

import sys
from collections.abc import Callable


def run_command(command: Callable[[], int | None]) -> int:
    """Runs a command; bad input ends in one line on stderr and exit code 2.

    Args:
        command: Function without arguments. `ValueError`, `FileNotFoundError` and `FileExistsError` mean bad input;
            anything else is a defect and keeps its traceback.

    Returns:
        Exit code: what the command returned, 0 for None, 2 for bad input, 130 when interrupted.
    """
    try:
        return command() or 0
    except (ValueError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
