"""``python -m scheduler``: one leader; a second one stands by."""

from __future__ import annotations

import sys

import uvloop

import settings
from models import logs


def main() -> int:
    """Start; returns the exit code."""
    try:
        settings.get()
    except settings.BadSettings as error:
        sys.stderr.write(f"scheduler: {error}\n")
        return 1
    logs.configure("scheduler")
    from scheduler.running import run  # after the settings are known to be good

    uvloop.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
