"""The Procfile: which processes there are, in the order in which to read the system."""

from __future__ import annotations

import re
from pathlib import Path

from local.place import ROOT


def read_procfile(path: Path = ROOT / "Procfile") -> dict[str, str]:
    """Return the commands of a Procfile by process name, in their order."""
    found = (re.fullmatch(r"([A-Za-z0-9_-]+):\s*(.+)", line.strip()) for line in path.read_text().splitlines())
    return {line[1]: line[2] for line in found if line}
