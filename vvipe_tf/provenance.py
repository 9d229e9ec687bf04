"""What a published number must carry: versions, commit, command."""

import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "tensorflow-probability")


def describe_versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers depend on."""
    return {"python": sys.version.split()[0]} | {package: version(package) for package in _PACKAGES}


def describe_commit() -> str | None:
    """Commit of this checkout, with `-dirty` where files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def describe_command(module: str, argv: list[str] | None) -> str:
    """The command line that was run, quoted so that a shell takes it again."""
    return shlex.join(["python", "-m", module, *(sys.argv[1:] if argv is None else argv)])
