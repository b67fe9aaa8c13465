from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import embedded, place


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A whole checkout of the test's own, so that a command somebody runs here is not disturbed."""
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "node_modules")
    shutil.copytree(place.ROOT, root, ignore=ignored)
    (root / ".venv").symlink_to(place.ROOT / ".venv")
    yield root
    for home in (root / ".relance").glob("*"):
        embedded.remove(home)
