"""The release process: bring the database to this version of the code. Safe to run twice at once.

``python -m models.migrate`` goes forward; ``python -m models.migrate --back ID`` reverses every migration
from ID on (``--back all``: everything). In between two releases old and new code run side by side, so a
migration only ever adds; what is no longer used is dropped a release later.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from piccolo.apps.migrations.commands.backwards import run_backwards
from piccolo.apps.migrations.commands.forwards import run_forwards

import settings
from models import credentials, pool
from models.queries import sql
from rules import accounts
from rules.status import ALLOWED

if TYPE_CHECKING:
    from asyncpg import Connection, Record

LOCK = 5_242_001
"""Key of the advisory lock that lets one release run at a time."""
LOCK_WAIT_SECONDS = 300
OLDEST_POSTGRESQL = 14
BOOKKEEPING = Path(__file__).parent / "bookkeeping.sql"
TRIES = 5
"""A migration gives up its locks after 2 s (``lock_timeout``) rather than stop the service; then tries again."""


class MigrationFailed(Exception):
    """The release did not complete; the text says why and what to do. Nothing half-done is left."""


async def migrate() -> None:
    """Run what has not run, install the bookkeeping, copy the law, and make the first sender and the first admin."""
    async with _alone() as conn:
        await _piccolo(lambda: run_forwards("relance"))
        await _patiently(lambda: conn.execute(BOOKKEEPING.read_text()))
        await _copy_the_law(conn)
        await _first_sender(conn)
        await _first_admin(conn)


async def migrate_back(to: str) -> None:
    """Reverse every migration from ``to`` on (``all``: everything)."""
    async with _alone():
        await _piccolo(lambda: run_backwards("relance", to, auto_agree=True))


@asynccontextmanager
async def _alone() -> AsyncIterator[Connection[Record]]:
    conn = await pool.connect()
    try:
        if conn.get_server_version().major < OLDEST_POSTGRESQL:
            raise MigrationFailed(
                f"PostgreSQL {conn.get_server_version().major} is too old: at least {OLDEST_POSTGRESQL} is needed"
            )
        async with asyncio.timeout(LOCK_WAIT_SECONDS):
            while not await conn.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        yield conn
    finally:
        await conn.close()


async def _patiently(run: Callable[[], Awaitable[object]]) -> None:
    """Try a change of the schema again while somebody's transaction holds its tables."""
    for attempt in range(1, TRIES + 1):
        try:
            await run()
            return
        except asyncpg.LockNotAvailableError as error:
            if attempt == TRIES:
                raise MigrationFailed("tables stayed locked; stop long transactions and release again") from error
            await asyncio.sleep(attempt)


async def _piccolo(command: Callable[[], Awaitable[object]]) -> None:
    """Run one of Piccolo's commands; it prints to the terminal and exits the process on failure."""

    async def quietly() -> None:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                await command()
        except SystemExit as error:
            if error.code not in (0, None):
                raise MigrationFailed(f"a migration failed:\n{said.getvalue()}") from error

    await _patiently(quietly)


async def _copy_the_law(conn: Connection[Record]) -> None:
    moves = [(subject, old, new) for subject, law in ALLOWED.items() for old, news in law.items() for new in news]
    async with conn.transaction():
        await conn.execute("DELETE FROM allowed_move")
        await conn.copy_records_to_table("allowed_move", records=moves, columns=["subject", "old", "new"])


async def _first_sender(conn: Connection[Record]) -> None:
    """Make the sender of ``WASSENGER_DEVICE_ID``, unless it exists."""
    s = settings.get()
    if s.wassenger_device_id:
        await conn.execute(
            "INSERT INTO sender (id, gateway, device_id, name, time_zone)"
            " VALUES (gen_random_uuid(), $1, $2, 'First number', $3) ON CONFLICT (gateway, device_id) DO NOTHING",
            s.gateway,
            s.wassenger_device_id,
            s.default_timezone,
        )


async def _first_admin(conn: Connection[Record]) -> None:
    """Make the admin of ``ADMIN_EMAIL`` while there is no user at all; a later release changes nobody."""
    s = settings.get()
    if not s.admin_email or await sql.any_user(conn):
        return
    try:
        email = accounts.email(s.admin_email)
        accounts.check_password(s.admin_password, email)
    except accounts.BadAccount as error:
        raise MigrationFailed(f"ADMIN_EMAIL and ADMIN_PASSWORD cannot be used: {error}") from None
    await sql.add_first_user(conn, email=email, password_hash=await credentials.hash_password(s.admin_password))


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    try:
        if arguments[:1] == ["--back"] and len(arguments) == 2:
            asyncio.run(migrate_back(arguments[1]))
        elif not arguments:
            asyncio.run(migrate())
        else:
            print("usage: python -m models.migrate [--back ID|all]", file=sys.stderr)
            return 2
    except (MigrationFailed, settings.BadSettings) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    except pool.UNAVAILABLE as error:
        print(f"release: no database ({type(error).__name__}: {error}); check DATABASE_URL", file=sys.stderr)
        return 1
    except asyncpg.PostgresError as error:
        print(f"release: the database refused ({type(error).__name__}: {error}); check DATABASE_URL", file=sys.stderr)
        return 1
    print("release: the database is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
