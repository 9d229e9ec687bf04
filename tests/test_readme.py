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
COMMANDS = sorted(
    {
        (module, flags)
        for page in PAGES
        for module, flags in re.findall(r"python -m ((?:training|export|vvipe_tf)[\w.]*)([^\n`|]*)", page.read_text())
    }
)


@pytest.mark.parametrize("module", sorted({module for module, _ in COMMANDS}))
def test_a_module_that_is_named_answers_and_knows_its_flags(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = {flag for name, flags in COMMANDS if name == module for flag in re.findall(r"(?<=\s)--[a-z0-9-]+", flags)}
    if "{" not in done.stdout.split("\n\n")[0]:
        assert shown <= set(re.findall(r"--[a-z0-9-]+", done.stdout))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]
