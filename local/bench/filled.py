"""The filled system that the API is measured on."""

from __future__ import annotations

from dataclasses import dataclass

from local import stack
from local.bench import cpu, requests
from local.bench.wire import Server

WORKERS = ("worker", "replies", "scheduler")


@dataclass(frozen=True)
class Filled:
    """A filled, running system and how long each measurement takes (seconds)."""

    system: stack.Stack
    known: requests.Known
    seconds: float

    @property
    def web(self) -> Server:
        """The web process, as an admin asks it."""
        return Server(self.system.url, self.system.env["BOOTSTRAP_API_KEY"])

    @property
    def spent(self) -> float:
        """Seconds of processor that the web process has used."""
        return sum(cpu.seconds(pid) for pid in self.system.pids()["web"])
