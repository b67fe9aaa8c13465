"""``bin/rehearse``: a deploy as a platform does it, on this machine, with a rolling restart amid a campaign.

A clean copy of what is committed, an environment with nothing but ``requirements.txt``, the release line, then every
other line of the Procfile as a process of its own that knows nothing but its environment: ``PORT`` and the addresses
of separate servers. While the campaign sends, the same is started once more beside it and the first one is told to
end. Exit 0 only if database and gateway agree about every person: nothing lost, nothing twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from local import demo, demo_contacts, demo_proof, demo_world, embedded, keys, place, setup, stack
from local.demo_screen import Screen
from local.procfile import read_procfile
from local.router import Router
from local.server import ServerError, last_lines
from local.units import DRAIN_SECONDS

STEP_SECONDS = 180.0
"""No step takes longer; one that does has failed."""
SENDING_SECONDS = 600.0
RESTART_AT = 0.3
"""The rolling restart begins when this share of Message 1 has left."""
BEATING = (
    "SELECT count(*) FROM heartbeat WHERE kind = $1 AND ended_at IS NULL AND beat_at > now() - interval '3 seconds'"
)


@dataclass(frozen=True)
class Deployed:
    """What a platform knows of an application: its copy, its variables, its address."""

    url: str
    simulator_url: str
    env: Mapping[str, str]
    copy: Path
    logs: Path


class Formation:
    """The processes of one deploy: each line of the Procfile but the release, in a process group of its own."""

    def __init__(self, deployed: Deployed, number: int, port: int) -> None:
        self.port = port
        self._deployed = deployed
        self._number = number
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def release(self) -> None:
        """Run the release line to its end. Raises ServerError."""
        if self._start("release", {}).wait(STEP_SECONDS):
            raise ServerError(f"the release failed\n{last_lines(self._log('release'))}")

    def start(self, *names: str) -> None:
        """Start these lines."""
        for name in names:
            self._running[name] = self._start(name, {"PORT": str(self.port)} if name == "web" else {})

    def wait_ready(self) -> None:
        """Wait until the web process says that it can serve. Raises ServerError."""
        stack.wait_until_ready(f"http://127.0.0.1:{self.port}", self._log("web"), STEP_SECONDS)

    def end(self) -> dict[str, float]:
        """Tell every process to end, to its whole group as platforms do; returns how long each took (seconds)."""
        began, took = time.monotonic(), {}
        for process in self._running.values():
            _signal(process, signal.SIGTERM)
        for name, process in self._running.items():
            try:
                process.wait(DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                raise ServerError(f"{name} was still there {DRAIN_SECONDS} s after SIGTERM") from None
            took[name] = time.monotonic() - began
        return took

    def kill(self) -> None:
        """End what is left, whatever it does."""
        for process in self._running.values():
            _signal(process, signal.SIGKILL)
            process.wait()

    def _start(self, name: str, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", f"exec {read_procfile(self._deployed.copy / 'Procfile')[name]}"],
                cwd=self._deployed.copy,
                env={**self._deployed.env, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self._deployed.logs / f"{name}.{self._number}.log"


def main(arguments: list[str] | None = None) -> int:
    """Rehearse; returns the exit code."""
    parser = argparse.ArgumentParser(prog="bin/rehearse", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=200, metavar="N", help="people of the file that are written to")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    screen, home = Screen(), place.home("rehearsal")
    try:
        demo.remove_last_run(home)
        agreed = rehearse(home, options.contacts, screen)
    except (ServerError, place.PlaceError, setup.SetupError, demo.StepFailed, httpx.HTTPError) as error:
        screen.failed(f"{error}\nWhat the processes said: {home / 'logs'}")
        return 1
    if agreed:
        embedded.remove(home)
    return 0 if agreed else 1


def rehearse(home: Path, contacts: int, screen: Screen) -> bool:
    """Do it once; returns whether both sides agree."""
    began = time.monotonic()
    with ExitStack() as on_end:
        screen.step("A clean copy, and an environment with requirements.txt alone")
        copy = clean_copy(home)
        environment = home / "environment"
        setup.create_environment(environment)
        setup.install(environment, copy / "requirements.txt")
        screen.say(f"{sum(1 for one in copy.rglob('*.py'))} source files, {_packages(environment)} packages")
        screen.step("Separate servers, known by their addresses; the gateway; a router in front")
        without = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        servers = on_end.enter_context(embedded.servers(home, durable=False, environment=without))
        deployed = describe(home, copy, environment, servers, contacts)
        on_end.enter_context(simulator(deployed))
        first, second = Formation(deployed, 1, stack.free_port()), Formation(deployed, 2, stack.free_port())
        on_end.callback(first.kill)
        on_end.callback(second.kill)
        router = on_end.enter_context(Router(int(deployed.env["PORT"]), first.port).running())
        screen.step("Release, then the processes of the Procfile")
        first.release()
        lines = [name for name in read_procfile(copy / "Procfile") if name != "release"]
        first.start(*lines)
        first.wait_ready()
        screen.say(f"{', '.join(lines)}: ready at {deployed.url}")
        agreed = campaign(deployed, contacts, screen, lambda: roll(deployed, router, first, second, lines, screen))
        took = second.end()
        screen.say("Ended in good order: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
        screen.verdict(agreed, time.monotonic() - began)
        return agreed


def clean_copy(home: Path) -> Path:
    """Unpack what is committed, as ``git push`` would carry it. Raises ServerError."""
    copy = home / "app"
    copy.mkdir()
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=place.ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise ServerError(f"git archive failed, and a deploy is what is committed: {packed.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(copy)], input=packed.stdout, check=True)
    return copy


def describe(home: Path, copy: Path, environment: Path, servers: embedded.Servers, contacts: int) -> Deployed:
    """Return what the platform sets: only variables, and nothing of this process's own."""
    port, gateway = stack.free_port(), f"http://127.0.0.1:{stack.free_port()}"
    url = f"http://127.0.0.1:{port}"
    env = {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.defpath}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **keys.generated(home),
        **demo_world.shortened(contacts),
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "WASSENGER_BASE_URL": gateway,
        "PORT": str(port),
        "PUBLIC_URL": url,
        "TRUSTED_PROXIES": "0",
    }
    return Deployed(url, gateway, env, copy, place.own_folder(home / "logs", private=True))


@contextmanager
def simulator(deployed: Deployed) -> Iterator[None]:
    """Run the gateway, from this checkout: it is no part of what is deployed."""
    env = {**stack.isolated_environment(), "PYTHONPATH": str(place.ROOT)}
    env["PATH"] = f"{place.ROOT / '.venv' / 'bin'}{os.pathsep}{os.defpath}"
    log = deployed.logs / "simulator.log"
    with log.open("ab") as output:
        command = ["/bin/sh", "-c", f"exec {stack.simulator_command(deployed.env)}"]
        process = subprocess.Popen(
            command, cwd=place.ROOT, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        stack.wait_until_listening(deployed.simulator_url, log, STEP_SECONDS)
        yield
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def campaign(deployed: Deployed, contacts: int, screen: Screen, roll: Callable[[], None]) -> bool:
    """Send a campaign, ``roll`` in its middle, wait for its end, and compare both sides."""
    rows = demo_contacts.read(demo.FILE)[:contacts]
    file = deployed.logs.parent / "contacts.csv"
    demo_contacts.write(file, rows)
    phones = demo_world.invited(rows)
    demo.set_the_world(deployed.simulator_url, demo_world.behaviour(phones, 1), 1)
    relance = demo.Relance(deployed, screen)
    relance("doctor", "--fix")
    relance("import", str(file), "--category", demo.CATEGORY, "--region", demo_world.REGION)
    made = demo.write_campaign(relance)
    relance("campaign", "send", demo.CAMPAIGN)
    wait_for(lambda: _figures(deployed, made)["sent"] >= RESTART_AT * len(phones), SENDING_SECONDS, "the middle")
    roll()
    wait_for(lambda: _figures(deployed, made)["status"] == "completed", SENDING_SECONDS, "the campaign's end")
    asyncio.run(demo.wait_until_quiet(deployed))
    relance("campaign", "report", demo.CAMPAIGN)
    screen.step("The proof: the database against the gateway's ledger, person by person")
    return asyncio.run(demo_proof.prove(deployed, made, phones, screen))


def roll(deployed: Deployed, router: Router, old: Formation, new: Formation, lines: list[str], screen: Screen) -> None:
    """Deploy once more beside what runs: release, new processes up and seen, then the old ones are told to end."""
    screen.step("A rolling restart in the middle: new processes first, then SIGTERM to the old ones")
    new.release()
    new.start(*lines)
    new.wait_ready()
    router.target = new.port
    for kind in lines:
        wait_for(lambda kind=kind: _beating(deployed, kind) >= 2, STEP_SECONDS, f"two {kind} processes")  # type: ignore[misc]
    took = old.end()
    screen.say("Old processes ended: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))


def wait_for(so: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is so. Raises ServerError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not so():
        if time.monotonic() > deadline:
            raise ServerError(f"waited {seconds:g} s for {what}")
        time.sleep(0.5)


def _figures(deployed: Deployed, made: str) -> Mapping[str, Any]:
    return demo_proof.progress_of(deployed, made)


def _beating(deployed: Deployed, kind: str) -> int:
    async def count() -> int:
        conn = await asyncpg.connect(deployed.env["DATABASE_URL"])
        try:
            return int(await conn.fetchval(BEATING, kind))
        finally:
            await conn.close()

    return asyncio.run(count())


def _packages(environment: Path) -> int:
    listed = setup.run([str(environment / "bin" / "python"), "-m", "pip", "list", "--format", "json"]).stdout
    return len(json.loads(listed.splitlines()[0]))


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


if __name__ == "__main__":
    sys.exit(main())
