"""Every command that the README shows exists, and every file it names is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *(ROOT / "training").glob("*.md"), *(ROOT / "export").glob("*.md"))
)
# A module, with its subcommands where it has them, and the flags behind it.
COMMAND = re.compile(r"python -m ((?:training|export)\.\w+|vvipe_tf(?: [a-z]+(?=\s))+)([^\n`|]*)")
COMMANDS = sorted({command for page in PAGES for command in COMMAND.findall(page.read_text())})


@pytest.mark.parametrize("command", sorted({command for command, _ in COMMANDS}))
def test_a_command_that_is_named_answers_and_knows_its_flags(command):
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = {flag for name, flags in COMMANDS if name == command for flag in re.findall(r"(?<=\s)--[a-z0-9-]+", flags)}
    assert shown <= set(re.findall(r"--[a-z0-9-]+", done.stdout))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]
