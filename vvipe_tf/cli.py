"""What every command line tool here shares: how it reads its flags, and how it ends."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn


class CommandParser(argparse.ArgumentParser):
    """Reads flags; a wrong one ends in one line on stderr and exit code 2. Flags are never abbreviated."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"allow_abbrev": False} | kwargs)

    def error(self, message: str) -> NoReturn:
        """Ends the process."""
        self.exit(2, f"error: {' '.join(message.split())} (see {self.prog} --help)\n")


def run_command(command: Callable[[], int | None]) -> int:
    """Runs a command; bad input ends in one line on stderr and exit code 2.

    Args:
        command: Function without arguments. `ValueError` and `OSError` mean bad input, a file that cannot be read or
            written among them; anything else is a defect and keeps its traceback.

    Returns:
        Exit code: what the command returned, 0 for None, 2 for bad input, 130 when interrupted.
    """
    try:
        return command() or 0
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        # Errors of the system name the reason by a number first.
        reason = f"{error.strerror}: {error.filename}" if getattr(error, "filename", None) else str(error)
        print(f"error: {' '.join(reason.split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
