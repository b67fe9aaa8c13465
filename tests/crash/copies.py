"""Copies of a running PostgreSQL cluster: a base backup that takes its place, a standby that takes over its address."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import embedded
from local.postgres import PORT, ROLE, Postgres, run_sql
from local.server import MINIMAL_ENVIRONMENT

SOCKET = f".s.PGSQL.{PORT}"


def base_backup(postgres: Postgres, target: Path, *more: str) -> None:
    """Take a base backup of the running cluster."""
    who = postgres.account
    subprocess.run(
        [
            *(str(postgres.binaries / "pg_basebackup"), "-h", str(postgres.sockets), "-U", ROLE, "-D", str(target)),
            *("--checkpoint=fast", "--wal-method=stream", "--no-sync", *more),
        ],
        env=MINIMAL_ENVIRONMENT,
        cwd="/",
        check=True,
        capture_output=True,
        user=who.uid if who else None,
        group=who.gid if who else None,
        extra_groups=[] if who else None,
    )


def backup_beside(postgres: Postgres) -> Path:
    """Take a base backup of the running cluster, beside it."""
    backup = postgres.area / "backup"
    shutil.rmtree(backup, ignore_errors=True)
    base_backup(postgres, backup)
    return backup


def restore(postgres: Postgres, backup: Path) -> None:
    """Kill the cluster and start the backup in its place."""
    postgres.kill()
    shutil.rmtree(postgres.data)
    backup.rename(postgres.data)
    postgres.start()


class Standby(Postgres):
    """A second cluster that follows a first one, until it is told to lag, and takes over its address."""

    def __init__(self, primary: Postgres) -> None:
        self._primary = primary
        self.home = primary.log.parent.parent / "standby"
        super().__init__(self.home, durable=True, version=primary.version)
        base_backup(primary, self.data, "--write-recovery-conf")

    def lag(self) -> None:
        """Receive nothing from now on."""
        self._sql("ALTER SYSTEM SET primary_conninfo = ''")
        self._sql("SELECT pg_reload_conf()")

    def receives(self) -> bool:
        """Whether it still follows the first one."""
        return self._sql("SELECT count(*) FROM pg_stat_wal_receiver") != "0"

    def promote(self) -> None:
        """Become a primary, with whatever it has."""
        self._sql("SELECT pg_promote(true, 60)")

    def take_over(self) -> None:
        """Let whoever connects to the first one's address from now on reach this one."""
        link = self._primary.sockets / "new"
        link.symlink_to(self.sockets / SOCKET)
        os.replace(link, self._primary.sockets / SOCKET)

    def _sql(self, statement: str) -> str:
        return run_sql(self.url(), statement, version=self.version)

    def _is_ready(self) -> bool:
        try:
            lines = self.pid_file.read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() in ("ready", "standby") and lines[0] == str(self.pid)


@contextmanager
def standby(primary: Postgres) -> Iterator[Standby]:
    """Run a standby of a cluster until the block ends."""
    second = Standby(primary)
    try:
        second.start()
        yield second
    finally:
        second.stop()
        embedded.remove(second.home)
