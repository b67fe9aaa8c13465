"""A backup can be restored, and what was restored works: with pg_dump and pg_restore, as docs/operations.md says."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from local import embedded
from local.postgres import installation
from models import transitions
from tests import books, worlds
from tests.models.test_migrations import release, shape


@pytest.fixture
def restored(servers: embedded.Servers) -> Iterator[str]:
    """An empty database."""
    name = f"relance_restored_{time.monotonic_ns()}"
    yield servers.create_database(name)
    servers.drop_database(name)


async def test_a_dump_is_restored_whole_and_the_campaign_goes_on_in_it(
    servers: embedded.Servers, environment: dict[str, str], database: str, restored: str, tmp_path: Path
) -> None:
    if servers.postgres is None:
        pytest.skip("the tools of the user's own server are the user's")
    conn = await asyncpg.connect(database)
    running, _, promises = await worlds.promised(conn, 5)
    await transitions.accept(conn, [worlds.fact(p.message) for p in promises[:3]], by="test")
    before = await _counts(conn)
    programs = installation(servers.postgres.version) / "bin"
    file = tmp_path / "relance.dump"
    for command in (
        [programs / "pg_dump", "--format=custom", f"--file={file}", database],
        [
            programs / "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={restored}",
            file,
        ],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    await conn.close()
    assert release(environment | {"DATABASE_URL": restored, "WASSENGER_DEVICE_ID": ""})[0] == 0
    assert await shape(restored) == await shape(database)
    copy = await asyncpg.connect(restored)
    assert await _counts(copy) == before
    await transitions.accept(
        copy, [worlds.fact(promises[3].message)], by="test"
    )  # triggers, law and counters are there
    await books.check(copy, running.campaign)
    await copy.close()


async def _counts(conn: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
    tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return {t["tablename"]: await conn.fetchval(f'SELECT count(*) FROM "{t["tablename"]}"') for t in tables}
