"""One process that a test started, with all its children: killed, frozen, thawed."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local import stack
from tests.crash.warm import Child


@dataclass
class Process:
    """One started command. ``pid`` is its main process; a worker's lanes run in a child of it."""

    name: str
    popen: subprocess.Popen[bytes] | Child
    log: Path

    @property
    def pid(self) -> int:
        """Its main process."""
        return self.popen.pid

    @property
    def lives(self) -> bool:
        """Whether the main process still runs."""
        return self.popen.poll() is None

    def tree(self) -> list[int]:
        """Return the pids of it and its descendants, parents first; empty when it has ended."""
        tree = [self.pid] if self.lives else []
        for pid in tree:  # grows while it is walked
            tree += stack.children(pid)
        return tree

    def signal(self, number: signal.Signals) -> list[int]:
        """Send a signal to it and its descendants; returns who was meant."""
        tree = self.tree()
        for pid in tree:
            send(pid, number)
        return tree

    def kill(self) -> list[int]:
        """SIGKILL all of it, as a machine that goes down would."""
        pids = self.signal(signal.SIGKILL)
        self.popen.wait()
        return pids

    def freeze(self) -> None:
        """SIGSTOP all of it."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT all of it."""
        self.signal(signal.SIGCONT)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def stands_still(pid: int) -> bool:
    """Whether every thread of a process has been stopped: a SIGSTOP takes a moment to reach them all."""
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    return all((thread / "stat").read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)


def alive(pid: int) -> bool:
    """Whether a process runs (one that only waits to be reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
