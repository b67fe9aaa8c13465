"""The whole system on one machine: servers, simulator, and every line of the Procfile.

with running(place.home("demo"), env={"TIME_SCALE": "20"}, processes={"worker": 2}) as stack:
    httpx.get(stack.url + "/health/ready")
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

import httpx

import settings
from local import embedded, keys, place
from local.server import ServerError, last_lines
from local.supervise import Supervisor, read_procfile, render

SIMULATOR = "simulator"


@dataclass(frozen=True)
class Stack:
    """A running system. ``env`` is what its processes were started with; ``logs`` holds a file per process."""

    url: str
    simulator_url: str
    env: Mapping[str, str]
    home: Path
    logs: Path
    servers: embedded.Servers
    supervisor: Supervisor

    def pids(self) -> dict[str, list[int]]:
        """Return the pids now running, by Procfile name (``simulator`` among them)."""
        found: dict[str, list[int]] = {}
        for process in self.supervisor.processes():
            found.setdefault(process["group"], [])
            if process["pid"]:
                found[process["group"]].append(process["pid"])
        return found

    def tree(self, name: str) -> list[int]:
        """Return the pids of one Procfile line and of all their descendants, parents first."""
        tree = list(self.pids().get(name, []))
        for pid in tree:  # grows while it is walked
            tree += children(pid)
        return tree

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> list[int]:
        """Send a signal to the main processes of one line; supervisord brings back what ends. Returns the pids."""
        pids = self.pids()[name]
        for pid in pids:
            os.kill(pid, number)
        return pids

    def stop(self, name: str) -> None:
        """Stop one line in good order and leave it stopped."""
        self.supervisor.stop_group(name)

    def start(self, name: str) -> None:
        """Start a line that was stopped."""
        self.supervisor.start_group(name)

    def restart(self, name: str) -> None:
        """Stop one line in good order and start it again."""
        self.stop(name)
        self.start(name)

    def release(self) -> None:
        """Run the release line (migrations) and wait for its end. Raises ServerError."""
        run_release(self.env, self.logs)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until /health/ready answers 200. Raises ServerError with the web process's last words."""
        wait_until_ready(self.url, self.logs / "web.log", timeout)


@contextmanager
def running(
    home: Path,
    *,
    env: Mapping[str, str] | None = None,
    processes: Mapping[str, int] | None = None,
    base: Mapping[str, str] | None = None,
    durable: bool = True,
    simulator: bool = True,
    ready_within: float = 60.0,
) -> Iterator[Stack]:
    """Run the system of ``home`` until the block ends. Raises ServerError.

    ``env`` wins over everything; DATABASE_URL and REDIS_URL in it (or in ``base``) are used instead of
    servers of our own. ``base`` is the environment to start from, by default this process's without any
    setting of ours, so that a stray variable or ``.env`` changes nothing. ``processes`` says how many
    of a Procfile line run (default one each, 0 for none).
    """
    counts = dict(processes or {}) | ({} if simulator else {SIMULATOR: 0})
    given = dict(isolated_environment() if base is None else base) | dict(env or {})
    with ExitStack() as stack:
        servers = stack.enter_context(embedded.servers(home, durable=durable, environment=given))
        environment = complete_environment(given, home, servers)
        logs = place.own_folder(home / "logs", private=True)
        run_release(environment, logs)
        procfile = read_procfile()
        commands = {name: command for name, command in procfile.items() if name != "release"}
        run = place.own_folder(place.socket_base(home, home) / "s", private=True)
        simulator_url = environment["WASSENGER_BASE_URL"]
        commands[SIMULATOR] = simulator_command(environment)
        supervisor = Supervisor(
            render(commands, counts, socket=run / "s", logs=logs), run=run, logs=logs, environment=environment
        )
        stack.callback(supervisor.stop)
        supervisor.start()
        url = f"http://127.0.0.1:{environment['PORT']}"
        system = Stack(url, simulator_url, environment, home, logs, servers, supervisor)
        if counts.get(SIMULATOR, 1):
            wait_until_listening(simulator_url, logs / f"{SIMULATOR}.log", ready_within)
        if counts.get("web", 1):
            system.wait_ready(ready_within)
        yield system


def simulator_command(environment: Mapping[str, str]) -> str:
    """Return the line that starts the simulator where ``environment`` says the gateway is."""
    port = environment["WASSENGER_BASE_URL"].rpartition(":")[2]
    command = ["python", "-m", "local.simulator", "--port", port, "--token", environment["WASSENGER_API_KEY"]]
    command += ["--device", environment["WASSENGER_DEVICE_ID"]]
    if environment.get("WASSENGER_SIGNING_SECRET"):
        command += ["--signing-secret", environment["WASSENGER_SIGNING_SECRET"]]
    return shlex.join(command)


def isolated_environment() -> dict[str, str]:
    """Return this process's environment without ``.env`` and our settings, the servers' addresses excepted."""
    ours = {f.name.upper() for f in fields(settings.Settings)} - {"DATABASE_URL", "REDIS_URL"}
    return {k: v for k, v in os.environ.items() if k not in ours} | {"RELANCE_ENV_FILE": os.devnull}


def complete_environment(given: Mapping[str, str], home: Path, servers: embedded.Servers) -> dict[str, str]:
    """Add to ``given`` what it lacks: secrets of ``home``, addresses of the servers, free ports, our Python."""
    port = given.get("PORT") or str(free_port())
    made = keys.generated(home) | {
        "PORT": port,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WASSENGER_BASE_URL": f"http://127.0.0.1:{free_port()}",
    }
    return (
        made
        | {name: value for name, value in given.items() if value or name not in made}
        | {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "PATH": f"{place.ROOT / '.venv' / 'bin'}{os.pathsep}{given.get('PATH', os.defpath)}",
            "PYTHONPATH": str(place.ROOT),
            "PYTHONUNBUFFERED": "1",
        }
    )


def run_release(environment: Mapping[str, str], logs: Path) -> None:
    """Run the release line of the Procfile to its end. Raises ServerError with its last words."""
    log = logs / "release.log"
    with log.open("ab") as output:
        done = subprocess.run(
            ["/bin/sh", "-c", f"exec {read_procfile()['release']}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=place.ROOT,
            check=False,
        )
    if done.returncode != 0:
        raise ServerError(f"the release line ended with {done.returncode}\n{last_lines(log)}")


def wait_until_ready(url: str, log: Path, timeout: float) -> None:
    """Wait until ``url``/health/ready answers 200. Raises ServerError with the last answer and the log's end."""
    deadline, answer = time.monotonic() + timeout, "no answer"
    while time.monotonic() < deadline:
        try:
            response = httpx.get(f"{url}/health/ready", timeout=5, trust_env=False)
        except httpx.HTTPError as error:
            answer = f"{type(error).__name__}: {error}"
        else:
            if response.status_code == 200:
                return
            answer = f"{response.status_code} {response.text[:500]}"
        time.sleep(0.05)
    raise ServerError(f"{url} was not ready within {timeout:g} s ({answer})\n{last_lines(log)}")


def wait_until_listening(url: str, log: Path, timeout: float) -> None:
    """Wait until somebody listens at ``url``. Raises ServerError with the log's end."""
    deadline, parts = time.monotonic() + timeout, urlsplit(url)
    while time.monotonic() < deadline:
        try:
            socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), 5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise ServerError(f"nobody listened at {url} within {timeout:g} s\n{last_lines(log)}")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    try:
        listed = [task.joinpath("children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        shown = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True, check=False).stdout
        return [int(child) for child in re.findall(rf"^\s*{pid}\s+(\d+)$", shown, re.MULTILINE)]
    return [int(child) for line in listed for child in line.split()]
