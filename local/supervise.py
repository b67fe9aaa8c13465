"""The Procfile, run by supervisord, which brings back whatever dies."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from local.place import ROOT
from local.procfile import read_procfile as read_procfile
from local.server import LEASH, ServerError, last_lines, on_leash

DRAIN_SECONDS = 10
"""How long a process may take to end after TERM; design: it drains in 5."""


def render(commands: Mapping[str, str], counts: Mapping[str, int], *, socket: Path, logs: Path) -> str:
    """Write supervisord's configuration: each command ``counts[name]`` times (default once, 0: not at all)."""
    lines = [
        *("[supervisord]", "nodaemon=true", "umask=077", "minprocs=64", "logfile_maxbytes=0"),
        *(f"logfile={_plain(logs / 'supervisord.log')}", f"pidfile={_plain(socket)}.pid"),
        *(["user=root"] if os.geteuid() == 0 else []),  # as it is; only to say that it is meant
        *("[unix_http_server]", f"file={_plain(socket)}", "chmod=0700"),
        *("[rpcinterface:supervisor]",),
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for name, command in commands.items():
        count = counts.get(name, 1)
        if count == 0:
            continue
        # The leash: a child ends with its supervisor. exec: TERM reaches the program, not a shell.
        leashed = [sys.executable, "-I", "-S", str(LEASH), "-", str(int(signal.SIGTERM)), "--"]
        lines += [
            f"[program:{name}]",
            f"command={_plain(shlex.join([*leashed, '/bin/sh', '-c', f'exec {command}']))}",
            f"numprocs={count}",
            "process_name=%(program_name)s" + ("-%(process_num)d" if count > 1 else ""),
            f"directory={_plain(ROOT)}",
            *("autorestart=true", "startsecs=0", f"stopwaitsecs={DRAIN_SECONDS}", "killasgroup=true"),
            *("redirect_stderr=true", "stdout_logfile_maxbytes=0"),
            f"stdout_logfile={_plain(logs / name)}" + ("-%(process_num)d" if count > 1 else "") + ".log",
        ]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    return str(value).replace("%", "%%")


class Supervisor:
    """A running supervisord and the processes under it."""

    def __init__(self, configuration: str, *, run: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._socket = run / "s"
        self._log = logs / "supervisord.log"
        self._file = run / "supervisord.conf"
        self._file.write_text(configuration)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 20.0) -> None:
        """Start it and wait until it can be talked to. Raises ServerError."""
        self._socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._file)]
        # Its own words go to its log file, which also gets what it says before it has one.
        self._process = on_leash(
            command, log=self._log, end_with=signal.SIGTERM, environment=self._environment, cwd=ROOT
        )
        deadline = time.monotonic() + timeout
        while not self._socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"supervisord did not start\n{last_lines(self._log)}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    def stop(self) -> None:
        """End everything under it, then it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(DRAIN_SECONDS + 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def processes(self) -> list[dict[str, Any]]:
        """Return what supervisord says of each process: ``group``, ``name``, ``pid`` (0: none), ``statename``."""
        answer = self._ask("getAllProcessInfo")
        assert isinstance(answer, list)
        return answer

    def stop_group(self, name: str) -> None:
        """Stop every process of one Procfile line, and leave it stopped."""
        self._ask("stopProcessGroup", name, True)

    def start_group(self, name: str) -> None:
        """Start every process of one Procfile line."""
        self._ask("startProcessGroup", name, True)

    def _ask(self, question: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            return getattr(ServerProxy("http://127.0.0.1", transport=transport).supervisor, question)(*arguments)
        finally:
            transport.close()
