"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real motion capture archives, or a skip that says why."""
    folder = Path(os.environ.get("VVIPE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real motion capture not found at {folder}; set VVIPE_SHARED_DATA")
    return folder
