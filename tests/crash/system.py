"""The system as real processes that a test starts, kills, freezes and brings back, one by one.

The commands are those of the Procfile, each in a process group of its own, without a supervisor: what a test
kills stays dead until it starts it again. Each system has a Redis, a simulator and a database of its own.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from local import embedded, place, stack
from local.server import on_leash
from local.supervise import read_procfile
from tests.crash import warm
from tests.crash.process import Process
from tests.crash.story import Story
from tests.simulator_process import Simulator, running_simulator, until

PROCFILE = {name: command for name, command in read_procfile().items() if name != "release"}
QUIET = {"reply_rate": 0.0, "read_rate": 0.0, "latency_ms": 3}
"""Nobody answers unless a test says so."""
EVENTS = ("message:in:new", "message:out:sent", "message:out:ack", "message:out:failed", "message:reaction",
          "message:update", "number:session")  # fmt: skip
"""What an operator has registered for a device."""
PACE = {
    "TIME_SCALE": "4",
    "WASSENGER_RATE_LIMIT_SECONDS": "2",
    "MATURE_DELAY_SECONDS": "2",
    "WASSENGER_BATCH_SIZE": "100",
    "WASSENGER_BATCH_PAUSE_SECONDS": "0",
    "SWEEP_INTERVAL_SECONDS": "1",
    "HEARING_INTERVAL_SECONDS": "5",
    "CIRCUIT_BREAKER_THRESHOLD": "1",
    "DAILY_MESSAGE_LIMIT": "1000000",
    "LOG_LEVEL": "debug",
}
"""A message every half second, no pause between batches, and nothing else that could hold a lane up."""


class System:
    """A running system. ``books`` reads and writes its database, ``simulator`` is the judge."""

    def __init__(
        self, environment: dict[str, str], simulator: Simulator, servers: embedded.Servers, books: Story, logs: Path
    ) -> None:
        self.environment = environment
        self.simulator = simulator
        self.servers = servers
        self.books = books
        self.logs = logs
        self.processes: list[Process] = []

    @property
    def url(self) -> str:
        """Where its web process listens."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def hook(self) -> str:
        """The address that webhooks go to, token included."""
        return f"{self.url}/webhooks/wassenger?token={self.environment['WASSENGER_WEBHOOK_SECRET']}"

    def start(self, *names: str, prefix: str = "") -> list[Process]:
        """Start one process for each Procfile name given; ``prefix`` goes before the command."""
        return [self._start(name, prefix) for name in names]

    def _start(self, name: str, prefix: str) -> Process:
        log = self.logs / f"{name}-{len(self.processes)}.log"
        process = Process(name, self._run(shlex.split(f"{prefix} {PROCFILE[name]}"), log, cold=bool(prefix)), log)
        self.processes.append(process)
        return process

    def _run(self, command: list[str], log: Path, *, cold: bool) -> subprocess.Popen[bytes] | warm.Child:
        if cold:
            return on_leash(command, log=log, end_with=signal.SIGTERM, environment=self.environment, cwd=place.ROOT)
        return warm.start(command, log=log, environment=self.environment, cwd=place.ROOT)

    def living(self, name: str | None = None) -> list[Process]:
        """Return what runs, of one name or all of it."""
        return [p for p in self.processes if p.lives and name in (None, p.name)]

    def only(self, name: str) -> Process:
        """Return the one process of this name that runs."""
        (process,) = self.living(name)
        return process

    def pids(self) -> list[int]:
        """Return every pid of every process that runs."""
        return [pid for process in self.living() for pid in process.tree()]

    async def known(self, *processes: Process, seconds: float = 60) -> None:
        """Wait until these serve: the workers and schedulers by their heartbeat, the web by its health."""
        for process in processes or self.living():
            await until(partial(self._serves, process), seconds=seconds, what=f"{process.name} to serve")

    async def _serves(self, process: Process) -> bool:
        if process.name == "web":
            return self._answers()
        assert process.lives, f"{process.name} ended at its start with {process.popen.returncode}: see {self.logs}"
        return bool(
            await self.books.value(
                "SELECT count(*) FROM heartbeat WHERE pid = ANY($1::int[]) AND beat_at > now() - interval '3 seconds'",
                process.tree(),
            )
        )

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    async def further(self, many: int, *, seconds: float = 60) -> None:
        """Wait until the gateway has taken so many further messages."""
        wanted = len(self.simulator.ledger()) + many
        await until(lambda: len(self.simulator.ledger()) >= wanted, seconds=seconds, what=f"{many} further messages")

    async def quiet(self, *, seconds: float = 60, still: float = 2.5) -> None:
        """Wait until everything people said is digested, every Message 2 has left, and it stays so."""
        since: float | None = None

        async def quiet() -> bool:
            nonlocal since
            heard = {line["id"] for line in self.simulator.inbound(genuine=True)}
            known = await self.books.rows("SELECT whatsapp_message_id FROM interaction")
            waiting = await self.books.value(
                "SELECT (SELECT count(*) FROM inbox WHERE digested_at IS NULL)"
                " + (SELECT count(*) FROM message WHERE step = 2 AND status IN ('pending', 'sending'))"
            )
            if waiting or not heard <= {row["whatsapp_message_id"] for row in known}:
                since = None
            elif since is None:
                since = time.monotonic()
            return since is not None and time.monotonic() - since > still

        await until(quiet, seconds=seconds, what="every reply to be answered")

    async def bring_back(self) -> list[Process]:
        """Start again whatever has ended, as a supervisor would; returns what was started."""
        started = []
        for process in [p for p in self.processes if not p.lives]:
            self.processes.remove(process)
            started += self.start(process.name)
        return started

    def end(self) -> None:
        """End every process."""
        for process in self.living():
            process.kill()


@asynccontextmanager
async def running(
    home: Path,
    database: str | None,
    *,
    start: Iterable[str] = ("worker", "scheduler"),
    senders: int = 1,
    settings: Mapping[str, str] | None = None,
    behaviour: Mapping[str, Any] | None = None,
    seed: int = 1,
    listen: str = "127.0.0.1",
    events: Sequence[str] = EVENTS,
) -> AsyncIterator[System]:
    """Run a system in ``home`` until the block ends.

    ``database``: the address of a migrated one; None for a durable PostgreSQL of its own, which may be killed.
    ``start``: Procfile names, one process each. With ``web`` among them every webhook of ``events`` goes there.
    ``listen``: the address at which the simulator is the gateway.
    """
    with ExitStack() as stop:
        place.own_folder(home)
        stop.callback(embedded.remove, home)
        given = stack.isolated_environment() | dict(PACE) | dict(settings or {})
        given |= {"DATABASE_URL": database or "", "REDIS_URL": ""}
        servers = stop.enter_context(embedded.servers(home, durable=database is None, environment=given))
        devices = [device(number) for number in range(senders)]
        more = ("--host", listen, *(part for name in devices[1:] for part in ("--device", name)))
        simulator = stop.enter_context(running_simulator(seed=seed, device=devices[0], arguments=more))
        given |= {
            "WASSENGER_BASE_URL": simulator.url,
            "WASSENGER_API_KEY": simulator.token,
            "WASSENGER_DEVICE_ID": devices[0],
        }
        environment = stack.complete_environment(given, home, servers)
        logs = place.own_folder(home / "logs", private=True)
        if database is None:
            await asyncio.to_thread(stack.run_release, environment, logs)
        books = await Story.opened(servers.database_url)
        system = System(environment, simulator, servers, books, logs)
        stop.callback(system.end)
        simulator.behave(QUIET | dict(behaviour or {}))
        wanted = list(start)
        if "web" in wanted:
            simulator.behave(webhook_retry_most=1.0, webhook_attempts=100)
            for name in devices:
                body = {"name": "Relance", "url": system.hook, "events": list(events), "device": name}
                answer = simulator.call("POST", "/v1/webhooks", json=body)
                assert answer.is_success, answer.text
        try:
            await books.make_senders(devices)
            await system.known(*system.start(*wanted))
            yield system
        except Exception as error:
            error.add_note(await books.remaining())
            error.add_note(keep_logs(logs))
            raise
        finally:
            await books.close()


def keep_logs(logs: Path) -> str:
    """Copy the logs of a failed run to the folder named by ``RELANCE_CRASH_LOGS``, and say where they are."""
    given = os.environ.get("RELANCE_CRASH_LOGS")
    if not given:
        return "set RELANCE_CRASH_LOGS to a folder to keep the logs of the processes"
    kept = Path(given) / logs.parent.name
    shutil.copytree(logs, kept, dirs_exist_ok=True)
    return f"the logs of the processes are in {kept}"


def device(number: int) -> str:
    """Name the device of one sender."""
    return f"5a1e{number + 1:020x}"
