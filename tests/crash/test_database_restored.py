"""The database is restored to an earlier moment, or a standby that lagged takes over.

What was sent since is forgotten here, and must not be sent again. The processes live on; the gateway's story is
read back before anything is promised.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from models import transitions
from tests.crash.copies import backup_beside, restore, standby
from tests.crash.judge import lines_of
from tests.crash.stage import Ground, scene
from tests.crash.story import Campaign
from tests.crash.system import System
from tests.simulator_process import until

EVERYBODY = ("web", "worker", "replies", "scheduler")
PEOPLE: dict[str, Any] = {
    "reply_rate": 0.6, "reply_delay": [0.2, 1.0], "reply_types": {"opt_out": 0, "reaction": 0}, "several_rate": 0.0,
    "reply_again_rate": 0.0,
}  # fmt: skip
"""No reactions: the gateway lists received messages, and a reaction is none."""
SETTINGS = {"TIME_SCALE": "2"}
"""A second between messages: the lane waits for its slot while the database changes behind its back."""
MANY = 150
"""More than can leave while the test lasts: whatever it waits for, a lane has something to send."""
NOT_LOCKS = """
SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
  AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted)
"""
"""Ends every connection but those by which processes are known to live."""


@scene(seconds=85)
async def test_database_restored_to_an_earlier_moment_sends_nothing_again(ground: Ground) -> str:
    async with ground.system(
        senders=2, start=EVERYBODY, own_postgres=True, behaviour=PEOPLE, settings=SETTINGS
    ) as system:
        postgres = system.servers.postgres
        assert postgres is not None
        campaigns = [await system.books.launched(MANY, sender=n, message_2="And the second one") for n in range(2)]
        await system.further(6)
        forgotten = 0
        for _ in range(2):
            backup = await asyncio.to_thread(backup_beside, postgres)
            before = len(system.simulator.ledger())
            await system.further(8)
            await _everybody_is_answered(system)
            await asyncio.to_thread(restore, postgres, backup)
            forgotten += len(system.simulator.ledger()) - before
            system.simulator.behave(reply_rate=PEOPLE["reply_rate"])
        read_back = await _nothing_twice(system, campaigns)
    return f"database restored twice: {forgotten} messages forgotten, {read_back} moves read back, nothing sent again"


@scene(seconds=70)
async def test_database_failed_over_to_a_lagging_standby_sends_nothing_again(ground: Ground) -> str:
    """While the old server still knows the processes, and their queries reach the new one, nothing is promised."""
    async with ground.system(
        senders=2, start=EVERYBODY, own_postgres=True, behaviour=PEOPLE, settings=SETTINGS
    ) as system:
        postgres = system.servers.postgres
        assert postgres is not None
        campaigns = [await system.books.launched(MANY, sender=n, message_2="And the second one") for n in range(2)]
        await system.further(6)
        with standby(postgres) as second:
            await until(second.receives, seconds=30, what="the standby to follow")
            await asyncio.to_thread(second.lag)
            await until(lambda: not second.receives(), seconds=30, what="the standby to lag")
            before = len(system.simulator.ledger())
            await system.further(8)
            await _everybody_is_answered(system)
            async with system.books.apart() as old:
                await asyncio.to_thread(second.promote)
                second.take_over()
                await old.execute(NOT_LOCKS)
                forgotten = len(system.simulator.ledger()) - before
                await until(lambda: _lanes_go_on(system), seconds=60, what="the lanes to reach the new server")
                await asyncio.sleep(4)  # several slots of each lane
                assert await _promises_since(system, "pg_conf_load_time()") == 0
            postgres.kill()
            system.simulator.behave(reply_rate=PEOPLE["reply_rate"])
            read_back = await _nothing_twice(system, campaigns)
            await system.books.close()
            system.end()
    return f"failed over to a lagging standby: {forgotten} messages forgotten, {read_back} moves read back, 0 again"


async def _everybody_is_answered(system: System) -> None:
    """Nobody writes any more, and who wrote has Message 2: a reply that is forgotten too is another story."""
    system.simulator.behave(reply_rate=0.0)
    await asyncio.sleep(1.5)  # what somebody is writing just now
    await system.quiet(still=0.5)


async def _lanes_go_on(system: System) -> bool:
    """Whether the worker renews the leases of its lanes on this server."""
    return bool(await system.books.value("SELECT every(lease_until > now()) FROM sender"))


async def _promises_since(system: System, moment: str) -> int:
    return int(await system.books.value(f"SELECT count(*) FROM event WHERE new = 'sending' AND at > {moment}"))


async def _nothing_twice(system: System, campaigns: list[Campaign]) -> int:
    """Let some more leave, then hold Message 1 until every reply is answered; nobody twice, every row as the ledger.

    What was forgotten is the oldest that waits, so it would be sent again first.
    """
    await system.further(8, seconds=120)
    async with system.books.connection() as conn:
        for campaign in campaigns:
            assert await transitions.pause(conn, campaign.id, holds="message_1", why="enough", by="test")
    await until(lambda: _settled(system), seconds=60, what="what is under way to be settled")
    await system.quiet(seconds=90)
    wrote = {line["phone"] for line in system.simulator.inbound(genuine=True)}
    assert {phone: len(lines_of(system, phone)) for phone in wrote} == dict.fromkeys(wrote, 2)
    got = Counter((line["phone"], line["text"]) for line in system.simulator.ledger())
    assert {who: times for who, times in got.items() if times > 1} == {}
    # An acknowledgement that came first may not have told the gateway's own id.
    rows = await system.books.rows("SELECT id FROM message WHERE status IN ('sent', 'delivered', 'read')")
    assert {str(row["id"]) for row in rows} == {line["reference"] for line in system.simulator.ledger()}
    assert await system.books.value("SELECT every(state = 'ready') FROM sender")
    return int(await system.books.value("SELECT count(*) FROM event WHERE moved_by = 'agreement'"))


async def _settled(system: System) -> bool:
    return await system.books.in_doubt() == 0
