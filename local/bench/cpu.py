"""What a process spent of the processor: the one figure that a busy machine does not change."""

from __future__ import annotations

import os
from pathlib import Path


def seconds(pid: int) -> float:
    """Return the seconds of processor a process has used, its own and the kernel's for it; 0 where nobody says."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
