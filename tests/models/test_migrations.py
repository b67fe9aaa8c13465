"""The release process: forward, twice, at once, back to nothing, and on a database that is in use."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

import settings
from local import embedded, place
from local.postgres import with_database
from rules.status import ALLOWED
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

SCHEMA = """
SELECT 'column', table_name, column_name,
       concat_ws(' ', data_type, udt_name, is_nullable, regexp_replace(column_default, '_[0-9]+_', ''))
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', '', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "models.migrate", *arguments],
        cwd=place.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def release(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run one release to its end; returns its exit code and what it said."""
    with start(environment, *arguments) as process:
        said, _ = process.communicate(timeout=60)
    return process.returncode, said


async def shape(url: str) -> list[Record]:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetch(SCHEMA)
    finally:
        await conn.close()


@pytest.fixture
def empty(servers: embedded.Servers, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """An environment whose database has nothing in it."""
    name = f"relance_empty_{time.monotonic_ns()}"
    yield environment | {"DATABASE_URL": servers.create_database(name)}
    servers.drop_database(name)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Conn]:
    """A connection as anybody has one, without our time-outs."""
    opened = await asyncpg.connect(database)
    yield opened
    opened.terminate()


async def test_a_release_on_an_empty_database_makes_everything_and_a_second_one_nothing(
    empty: dict[str, str], environment: dict[str, str]
) -> None:
    assert release(empty) == (0, "release: the database is up to date\n")
    first = await shape(empty["DATABASE_URL"])
    assert len(first) > 150
    assert release(empty) == (0, "release: the database is up to date\n")
    assert await shape(empty["DATABASE_URL"]) == first == await shape(environment["DATABASE_URL"])


async def test_two_releases_at_once_both_succeed(empty: dict[str, str], environment: dict[str, str]) -> None:
    both = [start(empty), start(empty)]
    ends = [(process.communicate(timeout=60)[0], process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0], ends
    assert await shape(empty["DATABASE_URL"]) == await shape(environment["DATABASE_URL"])
    conn = await asyncpg.connect(empty["DATABASE_URL"])
    assert await conn.fetchval("SELECT count(*) FROM migration") == len(list(_migrations()))
    assert await conn.fetchval("SELECT count(*) FROM sender") == 1
    await conn.close()


def _migrations() -> Iterator[Any]:
    return (path for path in (place.ROOT / "models" / "migrations").glob("relance_*.py"))


async def test_every_migration_can_be_reversed_down_to_nothing_and_run_again(
    environment: dict[str, str], conn: Conn
) -> None:
    before = await shape(environment["DATABASE_URL"])
    code, said = release(environment, "--back", "all")
    assert code == 0, said
    left = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert [row["tablename"] for row in left] == ["migration"]
    code, said = release(environment)
    assert code == 0, said
    assert await shape(environment["DATABASE_URL"]) == before


async def test_the_law_in_the_database_is_the_law_of_the_rules(environment: dict[str, str], conn: Conn) -> None:
    law = {(subject, str(old), str(new)) for subject, m in ALLOWED.items() for old, news in m.items() for new in news}

    async def copied() -> set[tuple[str, str, str]]:
        rows = await conn.fetch("SELECT subject, old, new FROM allowed_move")
        assert len(rows) == len(law)
        return {(r["subject"], r["old"], r["new"]) for r in rows}

    assert await copied() == law
    await conn.execute("DELETE FROM allowed_move WHERE subject = 'message'")
    await conn.execute("INSERT INTO allowed_move (subject, old, new) VALUES ('message', 'read', 'pending')")
    assert release(environment)[0] == 0
    assert await copied() == law


async def test_the_first_sender_is_made_once_and_left_as_it_is(environment: dict[str, str], conn: Conn) -> None:
    assert release(environment)[0] == 0
    (sender,) = await conn.fetch("SELECT * FROM sender WHERE device_id = $1", environment["WASSENGER_DEVICE_ID"])
    assert (sender["gateway"], sender["state"], sender["time_zone"]) == ("wassenger", "ready", "UTC")
    await conn.execute("UPDATE sender SET name = 'Ours', state = 'blocked' WHERE id = $1", sender["id"])
    assert release(environment)[0] == 0
    again = await worlds.row(conn, "sender", sender["id"])
    assert (again["name"], again["state"]) == ("Ours", "blocked")


async def test_without_a_device_no_sender_is_made(empty: dict[str, str]) -> None:
    assert release(empty | {"WASSENGER_DEVICE_ID": ""})[0] == 0
    conn = await asyncpg.connect(empty["DATABASE_URL"])
    assert await conn.fetchval("SELECT count(*) FROM sender") == 0
    await conn.close()


def test_no_server_is_one_line_with_the_remedy(environment: dict[str, str]) -> None:
    code, said = release(environment | {"DATABASE_URL": "postgresql://relance:s3cret-word@127.0.0.1:9/relance"})
    assert code == 1
    assert said.startswith("release: no database (")
    assert "check DATABASE_URL" in said
    assert len(said.splitlines()) == 1
    assert "s3cret-word" not in said


def test_a_database_that_does_not_exist_is_one_line_with_the_remedy(environment: dict[str, str]) -> None:
    missing = with_database(environment["DATABASE_URL"], "nobody_made_this")
    code, said = release(environment | {"DATABASE_URL": missing})
    assert code == 1
    assert said.startswith("release: ")
    assert "check DATABASE_URL" in said
    assert len(said.splitlines()) == 1


def test_settings_it_cannot_use_are_named_and_end_it(environment: dict[str, str]) -> None:
    code, said = release(environment | {"DATABASE_URL": ""})
    assert code == 1
    assert "DATABASE_URL is missing" in said
    assert "Traceback" not in said or "BadSettings" in said


def test_an_argument_it_does_not_know_is_refused(environment: dict[str, str]) -> None:
    code, said = release(environment, "--forward")
    assert (code, said) == (2, "usage: python -m models.migrate [--back ID|all]\n")


async def test_a_server_too_old_is_refused_before_anything_is_touched(
    configured: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models import migrate, pool

    newest = await pool.connect()
    major = newest.get_server_version().major
    await newest.close()
    monkeypatch.setattr(migrate, "OLDEST_POSTGRESQL", major + 1)
    with pytest.raises(migrate.MigrationFailed, match=f"PostgreSQL {major} is too old: at least {major + 1} is needed"):
        await migrate.migrate()


async def test_the_tables_of_the_code_are_the_tables_of_the_migrations(configured: settings.Settings) -> None:
    from piccolo.apps.migrations.commands.new import AutoMigrationManager

    from models.piccolo_app import APP_CONFIG

    pending = await AutoMigrationManager().get_alter_statements(APP_CONFIG)
    assert [statement for kind in pending for statement in kind.statements] == []


async def test_every_column_of_every_table_is_in_the_database_with_its_type(
    configured: settings.Settings, conn: Conn
) -> None:
    from models.piccolo_app import APP_CONFIG

    rows = await conn.fetch(
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
    )
    stored = {(r["table_name"], r["column_name"]): r["is_nullable"] == "YES" for r in rows}
    declared = {
        (table._meta.tablename, column._meta.db_column_name): column._meta.null
        for table in APP_CONFIG.table_classes
        for column in table._meta.columns
    }
    assert {key: null for key, null in stored.items() if key[0] != "migration"} == declared


async def test_keys_made_by_the_database_are_version_7_and_ordered_by_time(conn: Conn) -> None:
    made = []
    for _ in range(20):
        at = time.time()
        made.append(((await conn.fetchval("SELECT uuid7()")), at))
        await asyncio.sleep(0.002)
    keys = [key for key, _ in made]
    assert all(key.version == 7 and key.variant == "specified in RFC 4122" for key in keys)
    assert keys == sorted(keys)
    for key, at in made:
        assert abs((key.int >> 80) / 1000 - at) < 1.0, "its first 48 bits are milliseconds of the clock"
    many = await conn.fetch("SELECT uuid7() AS key FROM generate_series(1, 20000)")
    assert len({row["key"] for row in many}) == 20_000
    assert all(row["key"].version == 7 for row in many)


async def test_a_release_waits_for_a_long_transaction_instead_of_failing(
    environment: dict[str, str], conn: Conn
) -> None:
    running = await worlds.launched(conn)
    held = conn.transaction()
    await held.start()
    await conn.execute("UPDATE message SET why = 'busy' WHERE id = $1", running.first.message)
    with start(environment) as process:
        ended = asyncio.create_task(asyncio.to_thread(process.communicate, timeout=60))
        await asyncio.sleep(3.5)
        await held.commit()
        said, _ = await ended
    assert process.returncode == 0, said


async def test_a_release_in_the_middle_of_the_work_disturbs_nobody_for_good(
    environment: dict[str, str], conn: Conn, configured: settings.Settings
) -> None:
    """Writers go on moving rows while a release runs: what fails does so transiently, and the books are right."""
    from models import pool, transitions

    running, _ = await worlds.sent(conn, 200)
    ended = asyncio.Event()
    transient: list[Exception] = []

    async def write(c: Conn, people: list[worlds.Person]) -> int:
        moved = 0
        for who in people:
            for status in ("delivered", "read"):
                while True:
                    try:
                        moved += len(await transitions.accept(c, [worlds.fact(who.message, status)], by="gateway"))
                        break
                    except pool.TRANSIENT as error:
                        transient.append(error)
            if not ended.is_set():
                await asyncio.sleep(0.01)
        return moved

    async with worlds.connections(4) as many:
        writing = [asyncio.create_task(write(c, running.people[i::4])) for i, c in enumerate(many)]
        code, said = await asyncio.to_thread(release, environment)
        ended.set()
        moved = await asyncio.gather(*writing)
    assert code == 0, said
    assert sum(moved) == 400
    await books.check(conn, running.campaign)


async def test_a_migration_gives_way_to_whoever_works_on_its_tables(
    environment: dict[str, str], conn: Conn, database: str
) -> None:
    """Waiting for a long transaction it makes all others wait behind it: so it never waits long, and comes back."""
    assert release(environment, "--back", "2026-11-20T08:00:01:000000")[0] == 0
    reader = await asyncpg.connect(database)
    # The session must outlive its own time-out for idle transactions, as a long report would.
    await conn.execute("SET idle_in_transaction_session_timeout = 0")
    held = conn.transaction()
    await held.start()
    await conn.execute("SELECT FROM message")
    with start(environment) as process:
        ended = asyncio.create_task(asyncio.to_thread(process.communicate, timeout=90))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        try:
            while not await reader.fetchval(waits):
                assert not ended.done(), "it did not wait"
                await asyncio.sleep(0.01)
            # Let through, though the transaction is still open.
            await reader.execute("SELECT FROM message", timeout=20)
        finally:
            await held.commit()
            said, _ = await ended
    await reader.close()
    assert process.returncode == 0, said
