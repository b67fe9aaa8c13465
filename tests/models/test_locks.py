"""Nobody holds a lock for ever, and STOP never loses a race."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest

from models import transitions
from models.transitions import Promise
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

ROUNDS = 60
NETWORK = {
    "tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3", "tcp_user_timeout": "8000",
}  # fmt: skip
"""Seconds, seconds, times, milliseconds: a client that is gone is known to be within 11 s."""


async def test_a_writer_frozen_inside_a_transaction_is_thrown_out_and_the_others_go_on(conn: Conn) -> None:
    running, _, promises = await worlds.promised(conn, 2)
    same = "CREATE OR REPLACE FUNCTION counter_slot() RETURNS smallint LANGUAGE sql STABLE AS $$ SELECT 0::smallint $$"
    await conn.execute(same)
    async with worlds.connections(1) as (frozen,):
        held = frozen.transaction()
        await held.start()
        await transitions.accept(frozen, [worlds.fact(promises[0].message)], by="send")  # and holds the counters
        began = time.monotonic()
        refused = 0
        while True:
            try:
                moved = await transitions.accept(conn, [worlds.fact(promises[1].message)], by="send")
                break
            except asyncpg.LockNotAvailableError:
                refused += 1
        waited = time.monotonic() - began
        assert len(moved) == 1
        assert refused == 1, "lock_timeout (2 s) speaks first: transient, tried again"
        assert 2.5 < waited < 4.0
        pid = frozen.get_server_pid()
        assert await conn.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid) == 0, "thrown out"
    assert await worlds.status(conn, promises[0].message) == "sending", "what it had not committed is undone"
    await books.check(conn, running.campaign)


async def test_every_connection_carries_the_time_outs_that_free_its_locks(conn: Conn) -> None:
    from models import pool

    shown = {name: await conn.fetchval(f"SHOW {name}") for name in pool.SERVER_SETTINGS}
    wanted = {
        "idle_in_transaction_session_timeout": "3s", "lock_timeout": "2s", "statement_timeout": "30s",
        "synchronous_commit": "on", "TimeZone": "UTC",
    }  # fmt: skip
    assert {name: shown.get(name, shown.get(name.lower())) for name in wanted} == wanted
    await pool.open_pool(2)
    try:
        async with pool.connection() as lent:
            assert await lent.fetchval("SHOW idle_in_transaction_session_timeout") == "3s"
            assert await lent.fetchval("SHOW lock_timeout") == "2s"
    finally:
        await pool.close_pool()


async def test_a_transaction_that_fails_leaves_nothing_and_its_connection_usable(conn: Conn) -> None:
    from models import pool

    _running, _, (promise,) = await worlds.promised(conn)
    await pool.open_pool(1)
    try:
        with pytest.raises(RuntimeError, match="in the middle"):
            async with pool.transaction() as lent:
                await transitions.accept(lent, [worlds.fact(promise.message)], by="send")
                raise RuntimeError("in the middle")
        async with pool.connection() as lent:
            assert not lent.is_in_transaction()
            assert await worlds.status(lent, promise.message) == "sending"
    finally:
        await pool.close_pool()


async def test_overlapping_batches_in_the_order_of_their_arrival_do_not_deadlock(conn: Conn) -> None:
    running, _, promises = await worlds.promised(conn, 200)

    async def acknowledge(c: Conn, seed: int) -> None:
        dice = random.Random(seed)
        for status in ("sent", "delivered", "read"):
            for _ in range(4):
                some = dice.sample(promises, 80)
                await transitions.accept(c, [worlds.fact(p.message, status) for p in some], by="gateway")

    async with worlds.connections(12) as many:
        await asyncio.gather(*(acknowledge(c, seed) for seed, c in enumerate(many)))
    await books.check(conn, running.campaign)


class Race:
    """STOP of one person against a promise to send to them, both at full speed."""

    def __init__(self, running: worlds.Running, person: worlds.Person) -> None:
        self.running = running
        self.person = person
        self.stopped_at = float("inf")
        """When STOP was known to be committed (monotonic)."""

    async def stop(self, conn: Conn) -> None:
        await transitions.opt_out(
            conn, [self.person.contact], recipient=self.person.recipient, at=worlds.now(), why="STOP", by="reply"
        )
        self.stopped_at = time.monotonic()


async def test_message_2_is_never_promised_after_its_person_said_stop(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, ROUNDS)
    dice = random.Random(7)
    won = {"stop": 0, "promise": 0}
    async with worlds.connections(3) as (stopper, *repliers):
        for person in running.people:
            second = await worlds.message_2(conn, running, person)
            race = Race(running, person)
            began: list[float] = []

            async def promise(c: Conn, second: UUID = second, began: list[float] = began) -> Promise | None:
                began.append(time.monotonic())
                return await transitions.promise_message_2(
                    c, second, sender=running.sender, day=worlds.TODAY, quota=10_000, process=running.sender
                )

            async def late(c: Conn, wait: float = dice.random() * 0.003) -> Promise | None:
                await asyncio.sleep(wait)
                return await promise(c)

            _, *made = await asyncio.gather(race.stop(stopper), *(late(c) for c in repliers))
            assert await promise(conn) is None, "nothing is promised once STOP is committed"
            status = await worlds.status(conn, second)
            promised = [p for p in made if p is not None]
            assert len(promised) == (status == "sending")
            assert status in ("sending", "cancelled"), "what was not promised is cancelled, never left pending"
            won["promise" if promised else "stop"] += 1
            after = [p for p, at in zip(made, began, strict=False) if at > race.stopped_at and p is not None]
            assert after == []
    assert min(won.values()) > 0, f"the race never went both ways: {won}"
    await books.check(conn, running.campaign)


async def test_message_1_is_never_claimed_after_its_person_said_stop(conn: Conn) -> None:
    running = await worlds.launched(conn, ROUNDS)
    lane = await worlds.lane(conn, running)
    stopped: dict[UUID, float] = {}
    claimed: dict[UUID, float] = {}
    async with worlds.connections(4) as (claimer, *stoppers):

        async def stop(c: Conn, people: list[worlds.Person]) -> None:
            for person in people:
                race = Race(running, person)
                await race.stop(c)
                stopped[person.message] = race.stopped_at

        async def claim(c: Conn) -> None:
            while len(stopped) + len(claimed) < ROUNDS:
                began = time.monotonic()
                for promise in await transitions.claim_slice(c, lane.claim(1)):
                    claimed[promise.message] = began

        backwards = running.people[::-1]
        async with asyncio.timeout(20):
            await asyncio.gather(claim(claimer), *(stop(c, backwards[i::3]) for i, c in enumerate(stoppers)))
    assert claimed
    assert all(began < stopped[message] for message, began in claimed.items() if message in stopped)
    for person in running.people:
        status = await worlds.status(conn, person.message)
        assert status == ("sending" if person.message in claimed else "cancelled")
    await books.check(conn, running.campaign)


async def test_a_promise_waits_for_a_stop_that_is_being_written_and_then_is_not_made(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    async with worlds.connections(2) as (stopper, replier):
        held = stopper.transaction()
        await held.start()
        await Race(running, running.first).stop(stopper)
        promising = asyncio.create_task(
            transitions.promise_message_2(
                replier, second, sender=running.sender, day=worlds.TODAY, quota=100, process=running.sender
            )
        )
        while not await worlds.waits_for_a_lock(conn, replier):
            await asyncio.sleep(0.005)
        await held.commit()
        assert await promising is None
    assert await worlds.status(conn, second) == "cancelled"


async def test_a_stop_waits_for_a_promise_that_is_being_made_and_leaves_it(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    async with worlds.connections(2) as (stopper, replier):
        held = replier.transaction()
        await held.start()
        promise = await transitions.promise_message_2(
            replier, second, sender=running.sender, day=worlds.TODAY, quota=100, process=running.sender
        )
        assert promise is not None
        stopping = asyncio.create_task(Race(running, running.first).stop(stopper))
        while not await worlds.waits_for_a_lock(conn, stopper):
            await asyncio.sleep(0.005)
        await held.commit()
        await stopping
    assert await worlds.status(conn, second) == "sending"
    assert await worlds.state(conn, running.first.recipient) == "opted_out"
    await books.check(conn, running.campaign)


async def test_a_message_2_made_while_its_person_says_stop_is_never_sent(conn: Conn) -> None:
    """Two webhooks of one person at once, without the handler's lock: the promise still reads the person's word."""
    running, _ = await worlds.sent(conn, ROUNDS)
    async with worlds.connections(2) as (stopper, replier):
        for person in running.people:
            race = Race(running, person)
            _, (_, second) = await asyncio.gather(race.stop(stopper), worlds.reply(replier, running, person))
            if second is not None:
                promise = await transitions.promise_message_2(
                    conn, second, sender=running.sender, day=worlds.TODAY, quota=10_000, process=running.sender
                )
                assert promise is None
    await books.check(conn, running.campaign)


async def test_a_promise_reads_a_stop_that_is_being_written_by_hand(conn: Conn) -> None:
    """A person's word may come by an import or the API: the promise waits for whoever is writing it."""
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    async with worlds.connections(2) as (writer, replier):
        held = writer.transaction()
        await held.start()
        await writer.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", running.first.contact)
        promising = asyncio.create_task(
            transitions.promise_message_2(
                replier, second, sender=running.sender, day=worlds.TODAY, quota=100, process=running.sender
            )
        )
        while not await worlds.waits_for_a_lock(conn, replier):
            assert not promising.done(), "it did not wait for the person's word"
            await asyncio.sleep(0.005)
        await held.commit()
        assert await promising is None
    assert await worlds.status(conn, second) == "pending"


def test_a_connection_over_a_network_is_given_up_when_nobody_answers() -> None:
    """Asked for at the server, which frees the locks of a client that is gone; on a socket file it has no meaning."""
    from models import pool

    asked = {name: pool.SERVER_SETTINGS.get(name) for name in NETWORK}
    assert asked == NETWORK
