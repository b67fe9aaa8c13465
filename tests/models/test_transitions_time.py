"""What time decides, in bounded steps: silence, the rest of a cancel, people who stopped meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from models import transitions
from models.queries import sql
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]


async def test_silence_is_marked_for_whom_the_window_has_ended_and_nobody_else(conn: Conn) -> None:
    running, _, promises = await worlds.promised(conn, 4, window=100.0)
    base = worlds.now() - timedelta(hours=1)
    await transitions.accept(
        conn, [worlds.fact(p.message, at=base + timedelta(seconds=i)) for i, p in enumerate(promises)], by="send"
    )
    await worlds.reply(conn, running, running.people[0])
    until = base + timedelta(seconds=102)  # the third window ends at this very moment: not before it
    rows = await transitions.mark_silent(conn, running.campaign, until)
    assert [r["id"] for r in rows] == [promises[1].recipient]
    assert rows[0]["contact"] == promises[1].contact
    assert rows[0]["window_ends_at"] == base + timedelta(seconds=101)
    assert [await worlds.state(conn, p.recipient) for p in promises] == [
        "replied", "no_interaction", "awaiting_reply", "awaiting_reply",
    ]  # fmt: skip
    kept = await books.check(conn, running.campaign)
    assert (kept["no_interaction"], kept["sent"]) == (1, 4)
    assert await transitions.mark_silent(conn, running.campaign, until) == []


async def test_silence_is_marked_in_bounded_steps_by_several_sweepers_once_each(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 300)
    until = worlds.now() + timedelta(days=2)

    async def sweep(c: Conn) -> int:
        total = 0
        while rows := await sql.mark_silent(c, campaign=running.campaign, until=until, many=20):
            assert len(rows) <= 20
            total += len(rows)
        return total

    async with worlds.connections(5) as many:
        totals = await asyncio.gather(*(sweep(c) for c in many))
    assert sum(totals) == 300
    kept = await books.check(conn, running.campaign)
    assert kept["no_interaction"] == 300


async def test_a_reply_and_the_sweep_at_once_leave_the_reply(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 40)
    until = worlds.now() + timedelta(days=2)
    async with worlds.connections(6) as (sweeper, *many):

        async def answer(c: Conn, people: list[worlds.Person]) -> None:
            for who in people:
                moved, second = await worlds.reply(c, running, who)
                assert moved
                assert second is not None

        await asyncio.gather(
            *(answer(c, running.people[i::5]) for i, c in enumerate(many)),
            transitions.mark_silent(sweeper, running.campaign, until),
        )
    states = {await worlds.state(conn, who.recipient) for who in running.people}
    assert states == {"replied"}
    await books.check(conn, running.campaign)


async def test_a_row_somebody_holds_is_left_to_the_next_sweep(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 2)
    until = worlds.now() + timedelta(days=2)
    async with worlds.connections(1) as (holder,), holder.transaction():
        await holder.execute("SELECT FROM recipient WHERE id = $1 FOR NO KEY UPDATE", running.first.recipient)
        async with asyncio.timeout(1.0):
            rows = await transitions.mark_silent(conn, running.campaign, until)
    assert [r["id"] for r in rows] == [running.people[1].recipient]
    assert len(await transitions.mark_silent(conn, running.campaign, until)) == 1


async def test_what_a_cancelled_campaign_has_not_promised_is_cancelled_and_the_rest_left(conn: Conn) -> None:
    running = await worlds.launched(conn, 5)
    lane = await worlds.lane(conn, running)
    promises = await transitions.claim_slice(conn, lane.claim(2))
    await transitions.accept(conn, [worlds.fact(promises[0].message)], by="send")
    await transitions.cancel(conn, running.campaign, why="stop it", by="ana")
    assert await transitions.cancel_pending(conn, running.campaign, "the campaign was cancelled", "sweeper") == 3
    assert await transitions.cancel_pending(conn, running.campaign, "the campaign was cancelled", "sweeper") == 0
    kept = await books.check(conn, running.campaign)
    assert (kept["cancelled"], kept["sent"], kept["pending"]) == (3, 1, 1)
    states = [await worlds.state(conn, p.recipient) for p in running.people]
    assert states == ["awaiting_reply", "queued", "cancelled", "cancelled", "cancelled"]


async def test_a_cancelled_message_2_leaves_its_person_replied(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    await transitions.cancel(conn, running.campaign, why="stop it", by="ana")
    assert await transitions.cancel_pending(conn, running.campaign, "the campaign was cancelled", "sweeper") == 1
    assert await worlds.status(conn, second) == "cancelled"
    assert await worlds.state(conn, running.first.recipient) == "replied"
    await books.check(conn, running.campaign)


async def test_pending_rows_of_people_who_stopped_are_cancelled_and_nobody_elses(conn: Conn) -> None:
    running = await worlds.launched(conn, 3)
    await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", running.people[1].contact)
    assert await transitions.cancel_stopped(conn, running.campaign) == 1
    assert [await worlds.state(conn, p.recipient) for p in running.people] == ["queued", "opted_out", "queued"]
    kept = await books.check(conn, running.campaign)
    assert (kept["cancelled"], kept["opted_out"], kept["pending"]) == (1, 1, 2)
    assert await transitions.cancel_stopped(conn, running.campaign) == 0
