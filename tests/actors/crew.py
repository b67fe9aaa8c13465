"""Real processes of ours: lines of the Procfile, started, signalled, ended by their ids."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import place
from local.supervise import read_procfile


class Crew:
    """The processes of one test; each is the leader of a group of its own."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        path = f"{place.ROOT / '.venv' / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
        self._environment = dict(environment) | {"PATH": path, "PYTHONUNBUFFERED": "1"}
        self._logs = logs
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, line: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start one line of the Procfile."""
        log = self._logs / f"{line}-{len(self._started)}.log"
        with log.open("wb") as output:
            started = subprocess.Popen(
                shlex.split(read_procfile()[line]),
                cwd=place.ROOT,
                env=self._environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._started.append(started)
        return started

    def words(self) -> str:
        """Return everything they wrote."""
        return "\n".join(log.read_text(errors="replace") for log in sorted(self._logs.glob("*.log")))

    def close(self) -> None:
        """End what still runs."""
        for started in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()
