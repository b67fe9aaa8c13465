"""The counters cannot drift: twenty writers on one campaign, and every instant adds up."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from models import transitions
from models.queries import sql
from models.transitions import Failure, GiveBack, Promise
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

WRITERS = 20
SECONDS = 3.0
PEOPLE = 400


class Writer:
    """One writer: makes moves of every kind on people picked at random, in whatever order they came."""

    def __init__(self, conn: Conn, seed: int, crowd: list[worlds.Running], lanes: list[worlds.Lane]) -> None:
        self.conn = conn
        self.dice = random.Random(seed)
        self.crowd = crowd
        self.lanes = lanes
        self.moves = 0

    async def work(self, until: float) -> None:
        while time.monotonic() < until:
            act = self.dice.choice(
                [self.claim, self.claim, self.facts, self.facts, self.results, self.reply, self.time]
            )
            self.moves += await act()

    def some(self, many: int) -> list[worlds.Person]:
        """People of several campaigns, overlapping with everybody else's choice, in no order."""
        return [self.dice.choice(self.dice.choice(self.crowd).people) for _ in range(many)]

    async def promised(self) -> list[Record]:
        rows: list[Record] = await self.conn.fetch(
            "SELECT id, attempt, round FROM message WHERE id = ANY($1) AND status IN ('sending', 'unconfirmed')",
            [p.message for p in self.some(60)],
        )
        return rows

    async def claim(self) -> int:
        return len(await self._claim())

    async def _claim(self) -> list[Promise]:
        return await transitions.claim_slice(self.conn, self.dice.choice(self.lanes).claim(self.dice.randint(1, 20)))

    async def facts(self) -> int:
        told = [worlds.fact(p.message, self.dice.choice(["sent", "delivered", "read"])) for p in self.some(40)]
        return len(await transitions.accept(self.conn, told, by="gateway"))

    async def results(self) -> int:
        rows = await self.promised()
        kind = self.dice.randrange(4)
        if kind == 0:
            return len(await transitions.doubt(self.conn, [(r["id"], r["attempt"], "cut") for r in rows], by="retrier"))
        if kind == 1:
            back = [
                GiveBack(message=r["id"], attempt=r["attempt"], wait=0.0, used_retry=False, error_class="absent",
                         error_text="absent", why="absent")
                for r in rows
            ]  # fmt: skip
            return len(await transitions.give_back(self.conn, back, by="retrier"))
        if kind == 2:
            bad = [Failure(message=r["id"], round=r["round"], error_class="x", error_text="no") for r in rows]
            return len(await transitions.fail(self.conn, bad[:5], by="gateway"))
        expired = [(r["id"], r["round"]) for r in rows]
        return len(await transitions.expire(self.conn, expired[:10], 3, by="gateway"))

    async def reply(self) -> int:
        running = self.dice.choice(self.crowd)
        person = self.dice.choice(running.people)
        if self.dice.random() < 0.1:
            return len(
                await transitions.opt_out(
                    self.conn, [person.contact], recipient=person.recipient, at=worlds.now(), why="STOP", by="reply"
                )
            )
        moved, second = await worlds.reply(self.conn, running, person)
        if second is not None:
            await transitions.promise_message_2(
                self.conn, second, sender=running.sender, day=worlds.TODAY, quota=1_000_000, process=running.sender
            )
            await transitions.accept(self.conn, [worlds.fact(second)], by="send")
        return int(moved)

    async def time(self) -> int:
        running = self.dice.choice(self.crowd)
        if self.dice.random() < 0.05:
            return await transitions.cancel_stopped(self.conn, running.campaign)
        rows: list[Any] = await sql.mark_silent(self.conn, campaign=running.campaign, until=worlds.now(), many=5)
        return len(rows)


@pytest.mark.parametrize("slots", [pytest.param(16, id="every slot"), pytest.param(1, id="one slot")])
async def test_twenty_writers_leave_counters_that_equal_the_rows_and_never_deadlock(conn: Conn, slots: int) -> None:
    if slots == 1:  # what two writers meet whose connections fall into the same slot, all the time
        await conn.execute(
            "CREATE OR REPLACE FUNCTION counter_slot() RETURNS smallint LANGUAGE sql STABLE AS $$ SELECT 0::smallint $$"
        )
    sender = await worlds.new_sender(conn)
    people = await worlds.contacts(conn, PEOPLE)
    crowd = [await worlds.launched(conn, sender=sender, people=people, window=0.5) for _ in range(3)]
    first = await worlds.lane(conn, crowd[0], size=10_000)
    lanes = [
        worlds.Lane(sender, r.campaign, first.batch, first.owner, first.epoch) for r in crowd
    ]  # one batch of one sender under all of them: the worst crowding there can be
    instants = 0
    async with worlds.connections(WRITERS + 1) as (watcher, *many):
        writers = [Writer(c, seed, crowd, lanes) for seed, c in enumerate(many)]
        until = time.monotonic() + SECONDS
        working = [asyncio.create_task(w.work(until)) for w in writers]
        while not all(task.done() for task in working):
            await books.check_instant(watcher, crowd[instants % 3].campaign)
            instants += 1
        outcomes = await asyncio.gather(*working, return_exceptions=True)
    failed = [o for o in outcomes if o is not None]
    assert not failed, f"{len(failed)} of {WRITERS} writers: {failed[0]!r}"
    moved = sum(w.moves for w in writers)
    print(f"{moved} moves, {instants} instants")
    assert moved > 500
    assert instants > 20
    for running in crowd:
        await books.check(conn, running.campaign)
    used = await conn.fetchval("SELECT count(DISTINCT slot) FROM campaign_stats")
    assert used == 1 if slots == 1 else used > 8, "writers spread over the slots"
