"""A warm parent: it has imported the libraries, and forks what a test starts.

A process of ours works more than a second before it does anything, nearly all of it imports of other people's
libraries, and a chaos run starts hundreds. What is forked here begins where such a process is after those imports. Its
own modules, settings, connections and threads are its own, as are its pid, its session and its log. It ends with its
parent, which ends with the tests.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import place
from local.leash import die_with_parent
from local.server import on_leash

LIBRARIES = (
    "argon2", "asyncpg", "dramatiq.brokers.redis", "dramatiq.cli", "httpx", "litestar", "litestar.openapi", "msgspec",
    "phonenumbers", "piccolo.engine.postgres", "piccolo.table", "prometheus_client", "redis.asyncio", "structlog",
    "uuid_utils", "uvicorn", "uvloop", "yaml",
)  # fmt: skip
"""What the processes of the Procfile import, none of it ours."""


class Child:
    """A process that the warm parent forked: as much of ``subprocess.Popen`` as the tests use."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.pid = int(told.recv(32))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code as Popen does (``-9``: killed by SIGKILL), None while it runs."""
        if self.returncode is None:
            self._told.settimeout(0)
            self._hear()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            self._hear()
        if self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self.returncode

    def terminate(self) -> None:
        """Send SIGTERM unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _hear(self) -> None:
        try:
            told = self._told.recv(32)
        except (BlockingIOError, TimeoutError):
            return
        # Without a word the warm parent itself is gone, and all its children with it.
        self.returncode = int(told) if told else -signal.SIGKILL
        self._told.close()


def start(command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path) -> Child:
    """Fork a process that runs ``command``, a Python program, its output appended to ``log``."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = json.dumps({"command": list(command), "environment": dict(environment), "cwd": str(cwd)})
    with theirs, log.open("ab") as output:
        socket.send_fds(_parent(), [request.encode()], [output.fileno(), theirs.fileno()])
    return Child(ours)


@functools.cache
def _parent() -> socket.socket:
    """Start the warm parent, and return the line to it; both end with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        parent = on_leash(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            log=Path(os.devnull),
            end_with=signal.SIGKILL,
            environment=os.environ,
            cwd=place.ROOT,
            keep=[theirs.fileno()],
        )

    @atexit.register
    def end() -> None:
        ours.close()
        parent.kill()
        parent.wait()

    return ours


def main(line: int) -> None:
    """Be the warm parent; every child returns from ``serve`` too, and runs its command."""
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # a collection in a child must not copy every page of the parent's
    run(serve(socket.socket(fileno=line)))


def serve(line: socket.socket) -> list[str]:
    """Fork for every request, tell each one's pid and end. Returns in a child, with its command."""
    parent = os.getpid()
    selector = selectors.DefaultSelector()
    selector.register(line, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                pid, told = key.data
                selector.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(pid, 0)
                told.send(str(os.waitstatus_to_exitcode(status)).encode())
                told.close()
                continue
            request, (output, answer), _, _ = socket.recv_fds(line, 1 << 20, 2)
            pid = os.fork()
            if pid == 0:
                selector.close()
                line.close()
                os.close(answer)
                return become(json.loads(request), output, parent)
            os.close(output)
            told = socket.socket(fileno=answer)
            told.send(str(pid).encode())
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, told))


def become(request: dict[str, object], output: int, parent: int) -> list[str]:
    """Make this fork what a started process is: leash, session, log, environment, folder. Returns its command."""
    die_with_parent(parent, signal.SIGTERM)
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    environment, command = request["environment"], request["command"]
    assert isinstance(environment, dict) and isinstance(command, list)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(str(request["cwd"]))
    return command


def run(command: list[str]) -> None:
    """Run ``python -m module …`` or a console script of ours, in this process."""
    program, *arguments = command
    if program == "python":
        _, module, *rest = arguments
        sys.argv = [module, *rest]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        path = shutil.which(program)
        assert path, f"{program} is not on PATH"
        sys.argv = [path, *arguments]
        runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]))
