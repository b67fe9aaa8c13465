"""Property 8: the identities of the live numbers hold after every single statement, whatever the order of things."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import settings as configuration
from models import reservations, transitions
from models.queries import sql
from models.transitions import Failure, GiveBack, Promise
from rules.reservations import Day
from tests import books, worlds

if TYPE_CHECKING:
    from models.pool import Conn

PEOPLE = 5
LIMIT = 100


class Play:
    """One campaign, and what can happen to the messages of it."""

    def __init__(self, conn: Conn, running: worlds.Running, lane: worlds.Lane, day: Any) -> None:
        self.conn, self.running, self.lane, self.day = conn, running, lane, day
        self.promises: list[Promise] = []

    def _any(self, n: int) -> Promise | None:
        return self.promises[n % len(self.promises)] if self.promises else None

    async def claim(self, n: int) -> None:
        self.promises += await transitions.claim_slice(self.conn, self.lane.claim(1 + n % 2, day=self.day))

    async def accept(self, n: int) -> None:
        if promise := self._any(n):
            status = ("sent", "delivered", "read")[n % 3]
            await transitions.accept(self.conn, [worlds.fact(promise.message, status)], by="test")

    async def give_back(self, n: int) -> None:
        if promise := self._any(n):
            back = GiveBack(
                message=promise.message, attempt=promise.attempt, wait=0.0, used_retry=bool(n % 2),
                error_class="never_left", error_text="x", why="x",
            )  # fmt: skip
            await transitions.give_back(self.conn, [back], by="test")

    async def doubt(self, n: int) -> None:
        if promise := self._any(n):
            await transitions.doubt(self.conn, [(promise.message, promise.attempt, "x")], by="test")

    async def fail(self, n: int) -> None:
        if promise := self._any(n):
            failure = Failure(message=promise.message, attempt=promise.attempt, error_class="refused", error_text="x")
            await transitions.fail(self.conn, [failure], by="test")

    async def opt_out(self, n: int) -> None:
        person = self.running.people[n % PEOPLE]
        await transitions.opt_out(
            self.conn, [person.contact], recipient=person.recipient, at=worlds.now(), why="STOP", by="test"
        )

    async def reply(self, n: int) -> None:
        await worlds.reply(self.conn, self.running, self.running.people[n % PEOPLE])

    async def holds(self) -> None:
        """The identities, and those of the day: nothing is used or reserved that is no message."""
        kept = await books.check_instant(self.conn, self.running.campaign)
        sender = await sql.read_sender(self.conn, sender=self.running.sender)
        today = (await reservations.days_of(self.conn, sender)).get(self.day) or Day(LIMIT)
        assert today.room == max(0, LIMIT - today.used - today.reserved)
        rows = await self.conn.fetchval(
            "SELECT count(*) FROM message WHERE campaign = $1 AND step = 1 AND status = 'pending'",
            self.running.campaign,
        )
        assert today.reserved == rows <= kept["pending"]


MOVES: list[Callable[[Play, int], Awaitable[None]]] = [
    Play.claim, Play.claim, Play.accept, Play.accept, Play.give_back, Play.doubt, Play.fail, Play.opt_out, Play.reply,
]  # fmt: skip


def test_8_identities_of_the_live_numbers_hold_at_every_instant(configured: configuration.Settings) -> None:
    from models import pool

    with asyncio.Runner() as runner:
        conn = runner.run(pool.connect())

        async def play(moves: list[tuple[int, int]]) -> None:
            running = await worlds.launched(conn, PEOPLE)
            await conn.execute("UPDATE sender SET daily_limit = $2 WHERE id = $1", running.sender, LIMIT)
            sender = await sql.read_sender(conn, sender=running.sender)
            day = await reservations.begin_day(conn, sender["id"], sender["time_zone"], LIMIT, sender["now"])
            stage = Play(conn, running, await worlds.lane(conn, running), day)
            for which, n in moves:
                await MOVES[which](stage, n)
                await stage.holds()

        @settings(
            max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(st.lists(st.tuples(st.integers(0, len(MOVES) - 1), st.integers(0, 11)), min_size=5, max_size=25))
        def holds(moves: list[tuple[int, int]]) -> None:
            runner.run(play(moves))

        try:
            holds()
        finally:
            conn.terminate()
