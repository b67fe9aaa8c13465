"""PostgreSQL and Valkey for one command, unless DATABASE_URL and REDIS_URL name real ones.

    with servers(place.home("dev"), durable=True) as ours:
        connect(ours.database_url, ours.redis_url)

One owner per folder, by a lock the kernel frees when the owner dies; whoever gets the lock stops what a
dead owner left running. The servers end with their owner, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import place
from local.postgres import DATABASE, Postgres, run_sql, with_database
from local.server import ServerError
from local.valkey import Valkey


@dataclass(frozen=True)
class Servers:
    """What a command works with. ``postgres`` and ``valkey`` are None where the user's own are used."""

    database_url: str
    redis_url: str
    postgres: Postgres | None
    valkey: Valkey | None

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make database ``name``, a copy of ``template`` if given, and return its address. Raises ServerError."""
        copy = f' TEMPLATE "{template}"' if template else ""
        run_sql(self.database_url, f'CREATE DATABASE "{name}"{copy}')
        return with_database(self.database_url, name)

    def drop_database(self, name: str) -> None:
        """Drop database ``name``, whoever is connected to it."""
        run_sql(self.database_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def servers(home: Path, *, durable: bool, environment: Mapping[str, str] = os.environ) -> Iterator[Servers]:
    """Run the servers of ``home`` until the block ends; raises ServerError.

    ``durable``: what was committed survives a power cut, and the next start finds it. Without it the
    servers are fast and may end without tidying up. RELANCE_PG=16 in ``environment`` takes that PostgreSQL.
    """
    with ExitStack() as stack:
        stack.enter_context(ownership(home))
        database_url, redis_url = environment.get("DATABASE_URL", ""), environment.get("REDIS_URL", "")
        postgres = valkey = None
        if not database_url:
            postgres = Postgres(home, durable=durable, version=environment.get("RELANCE_PG") or "18")
            stack.callback(postgres.stop)
            postgres.start()
            database_url = _own_database(postgres)
        if not redis_url:
            valkey = Valkey(home, durable=durable)
            stack.callback(valkey.stop)
            valkey.start()
            redis_url = valkey.url
        yield Servers(database_url, redis_url, postgres, valkey)


@contextmanager
def ownership(home: Path) -> Iterator[None]:
    """Hold ``home`` as its only owner. Raises ServerError when another command holds it."""
    place.own_folder(home)
    with (home / "owner").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ServerError(f"{home} is in use by process {file.read().strip() or '?'}: stop that first") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def remove(home: Path) -> None:
    """Delete a folder whose servers have stopped, and its stand-in in the temporary space."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(place.stand_in(home), ignore_errors=True)


def remove_stale(parent: Path) -> list[Path]:
    """Delete every ``test-<pid>`` below ``parent`` whose process is gone, stopping what it left running."""
    gone = []
    for home in sorted(parent.glob("test-*")):
        named = re.fullmatch(r"test-(\d+)", home.name)
        if named is None or _lives(int(named[1])):
            continue
        try:
            with ownership(home):
                for version in ("18", "16"):
                    Postgres(home, durable=False, version=version).stop_left_over()
                Valkey(home, durable=False).stop_left_over()
        except (ServerError, place.PlaceError, OSError):
            continue  # somebody else's, or still in use: not ours to clean
        remove(home)
        gone.append(home)
    return gone


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _own_database(postgres: Postgres) -> str:
    url = postgres.url(DATABASE)
    known = run_sql(postgres.url("postgres"), f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")  # noqa: S608
    if not known:
        run_sql(postgres.url("postgres"), f'CREATE DATABASE "{DATABASE}"')
    return url
