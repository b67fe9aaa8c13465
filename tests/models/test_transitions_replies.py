"""The reply, the one Message 2 it makes, and STOP."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from models import transitions
from models.queries import sql
from models.transitions import Failure, GiveBack, Promise
from rules.status import RecipientState
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]


async def promise(conn: Conn, running: worlds.Running, message: UUID, quota: int = 100) -> Promise | None:
    return await transitions.promise_message_2(
        conn, message, sender=running.sender, day=worlds.TODAY, quota=quota, process=running.sender
    )


async def stop(conn: Conn, person: worlds.Person, *, answered: bool = True) -> list[Record]:
    return await transitions.opt_out(
        conn,
        [person.contact],
        recipient=person.recipient if answered else None,
        at=worlds.now(),
        why="STOP",
        by="reply",
    )


# --- record_reply -----------------------------------------------------------------------------------


async def test_a_reply_in_time_makes_the_one_row_of_message_2(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    at = worlds.now()
    moved, second = await worlds.reply(conn, running, running.first, at=at)
    assert moved
    assert second is not None
    row = await worlds.row(conn, "message", second)
    assert (row["step"], row["status"], row["text"], row["contact"], row["sender"], row["campaign"], row["phone"]) == (
        2, "pending", "Thank you", running.first.contact, running.sender, running.campaign, running.first.phone,
    )  # fmt: skip
    person = await worlds.row(conn, "recipient", running.first.recipient)
    assert (person["state"], person["replied_at"]) == ("replied", at)
    kept = await books.check(conn, running.campaign)
    assert (kept["replied"], kept["total"]) == (1, 1), "Message 2 is not one more of Message 1"


async def test_ten_copies_of_one_reply_at_once_make_one_message_2(conn: Conn) -> None:
    for _ in range(5):
        running, _ = await worlds.sent(conn)
        async with worlds.connections(10) as many:
            made = await asyncio.gather(*(worlds.reply(c, running, running.first) for c in many))
        assert sum(moved for moved, _ in made) == 1
        assert sum(second is not None for _, second in made) == 1
        rows = await conn.fetch("SELECT id FROM message WHERE campaign = $1 AND step = 2", running.campaign)
        assert len(rows) == 1
        kept = await books.check(conn, running.campaign)
        assert kept["replied"] == 1


async def test_without_a_message_2_a_reply_is_final(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, message_2=None)
    assert await worlds.reply(conn, running, running.first, text=None) == (True, None)
    assert await worlds.state(conn, running.first.recipient) == "replied"
    await books.check(conn, running.campaign)


async def test_a_late_reply_makes_no_message_2_and_lowers_silence(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    await transitions.mark_silent(conn, running.campaign, worlds.now() + timedelta(days=2))
    moved = await worlds.reply(conn, running, running.first, text=None, state=RecipientState.LATE_REPLY)
    assert moved == (True, None)
    kept = await books.check(conn, running.campaign)
    assert (kept["no_interaction"], kept["late_replies"], kept["replied"]) == (0, 1, 1)


async def test_a_reply_in_its_window_that_reached_us_after_the_sweep_still_counts(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    await transitions.mark_silent(conn, running.campaign, worlds.now() + timedelta(days=2))
    moved, second = await worlds.reply(conn, running, running.first)
    assert moved
    assert second is not None
    assert await worlds.moves(conn, running.first.recipient) == [
        ("queued", "awaiting_reply"), ("awaiting_reply", "no_interaction"), ("no_interaction", "replied"),
    ]  # fmt: skip
    await books.check(conn, running.campaign)


async def test_an_earlier_reply_digested_after_a_late_one_counts_with_its_own_time(conn: Conn) -> None:
    at = worlds.now() - timedelta(hours=25)
    running, _ = await worlds.sent(conn, at=at)
    late, in_time = at + timedelta(hours=24, minutes=30), at + timedelta(hours=1)
    await worlds.reply(conn, running, running.first, at=late, text=None, state=RecipientState.LATE_REPLY)
    moved, second = await worlds.reply(conn, running, running.first, at=in_time)
    assert moved
    assert second is not None
    assert (await worlds.row(conn, "recipient", running.first.recipient))["replied_at"] == in_time
    kept = await books.check(conn, running.campaign)
    assert (kept["replied"], kept["late_replies"]) == (1, 0)


@pytest.mark.parametrize("became", ["replied", "followed_up", "failed", "opted_out", "queued", "late_reply"])
async def test_a_reply_of_somebody_it_does_not_concern_moves_nothing(conn: Conn, became: str) -> None:
    state = RecipientState.REPLIED
    if became == "queued":
        running = await worlds.launched(conn)
    else:
        running, _ = await worlds.sent(conn)
    who = running.first
    if became == "failed":
        told = Failure(message=who.message, round=0, error_class="reported", error_text="reported")
        await transitions.fail(conn, [told], by="gateway")
    elif became == "opted_out":
        await stop(conn, who)
    elif became == "late_reply":
        state = RecipientState.LATE_REPLY
        await worlds.reply(conn, running, who, text=None, state=state)
    elif became != "queued":
        second = await worlds.message_2(conn, running, who)
        if became == "followed_up":
            assert await promise(conn, running, second) is not None
            await transitions.accept(conn, [worlds.fact(second)], by="send")
    assert await worlds.state(conn, who.recipient) == became
    before = await worlds.everything(conn, running.campaign)
    assert await worlds.reply(conn, running, who, state=state) == (False, None)
    assert await worlds.everything(conn, running.campaign) == before


# --- promise_message_2 ------------------------------------------------------------------------------


async def test_message_2_is_promised_once_and_charged(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    charged = await worlds.used(conn, running.sender)
    async with worlds.connections(10) as many:
        promises = [p for p in await asyncio.gather(*(promise(c, running, second) for c in many)) if p is not None]
    (made,) = promises
    assert (made.step, made.attempt, made.message, made.phone, made.text) == (
        2, 1, second, running.first.phone, "Thank you",
    )  # fmt: skip
    assert await worlds.used(conn, running.sender) == charged + 1
    assert (await worlds.row(conn, "message", second))["batch"] is None
    await books.check(conn, running.campaign)


async def test_twenty_message_2_at_once_do_not_pass_their_allowance(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 20)
    seconds = [await worlds.message_2(conn, running, who) for who in running.people]
    async with worlds.connections(20) as many:
        made = await asyncio.gather(*(promise(c, running, m, quota=27) for c, m in zip(many, seconds, strict=True)))
    assert sum(p is not None for p in made) == 7
    assert await worlds.used(conn, running.sender) == 27
    await books.check(conn, running.campaign)


@pytest.mark.parametrize(
    ("held", "goes"),
    [
        ("paused all", False), ("paused message_1", True), ("cancelled", False), ("sender blocked", False),
        ("sender degraded", True), ("opted out", False), ("not due", False), ("no quota", False), ("waiting", True),
    ],
)  # fmt: skip
async def test_what_holds_message_2_and_what_does_not(conn: Conn, held: str, goes: bool) -> None:
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    quota = 100
    if held == "paused all":
        await transitions.pause(conn, running.campaign, holds="all", why="test", by="test")
    elif held == "paused message_1":
        await transitions.pause(conn, running.campaign, holds="message_1", why="test", by="test")
    elif held == "cancelled":
        await transitions.cancel(conn, running.campaign, why="test", by="test")
    elif held.startswith("sender"):
        await transitions.move_sender(conn, running.sender, old=["ready"], new=held[7:], why="test", by="test")
    elif held == "opted out":
        await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", running.first.contact)
    elif held == "not due":
        await sql.defer_message(conn, message=second, at=worlds.now() + timedelta(hours=1), why="tomorrow")
    elif held == "waiting":
        assert await transitions.all_sent(conn, running.campaign)
    else:
        quota = 1
    before = await worlds.everything(conn, running.campaign)
    assert (await promise(conn, running, second, quota) is not None) is goes
    if not goes:
        assert await worlds.everything(conn, running.campaign) == before


async def test_message_1_is_never_promised_as_message_2(conn: Conn) -> None:
    running = await worlds.launched(conn)
    await worlds.lane(conn, running)
    assert await promise(conn, running, running.first.message) is None


async def test_a_promise_of_message_2_that_waited_while_its_campaign_was_cancelled_is_not_made(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    async with worlds.connections(2) as (holder, replier):
        held = holder.transaction()
        await held.start()
        await holder.execute("SELECT FROM contact WHERE id = $1 FOR NO KEY UPDATE", running.first.contact)
        promising = asyncio.create_task(promise(replier, running, second))
        while not await worlds.waits_for_a_lock(conn, replier):
            await asyncio.sleep(0.005)
        assert await transitions.cancel(conn, running.campaign, why="test", by="test")
        await held.commit()
        assert await promising is None


# --- opt_out ----------------------------------------------------------------------------------------


async def test_stop_ends_everything_of_a_person_in_every_campaign(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    people = await worlds.contacts(conn, 2)
    answered, _ = await worlds.sent(conn, sender=sender, people=people)
    queued = await worlds.launched(conn, sender=sender, people=people)
    replied = await worlds.launched(conn, sender=sender, people=people)
    for person in replied.people:
        await transitions.accept(conn, [worlds.fact(person.message)], by="test")
    who = people[0][0]
    second = await worlds.message_2(conn, replied, replied.of(who))
    rows = await stop(conn, answered.of(who))
    assert {r["campaign"] for r in rows} == {answered.campaign, queued.campaign, replied.campaign}
    assert (await worlds.row(conn, "contact", who))["opted_out_at"] is not None
    assert await worlds.state(conn, answered.of(who).recipient) == "opted_out"
    assert await worlds.status(conn, answered.of(who).message) == "sent"
    assert await worlds.status(conn, queued.of(who).message) == "cancelled"
    assert await worlds.status(conn, second) == "cancelled"
    for running in (answered, queued, replied):
        assert await worlds.state(conn, running.of(people[1][0]).recipient) != "opted_out", "the other one stays"
        kept = await books.check(conn, running.campaign)
        assert kept["opted_out"] == 1
    assert (await books.check(conn, answered.campaign))["replied"] == 1, "STOP is an answer to this campaign"
    assert (await books.check(conn, queued.campaign))["replied"] == 0


async def test_stop_twice_is_once(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    await stop(conn, running.first)
    at = (await worlds.row(conn, "contact", running.first.contact))["opted_out_at"]
    before = await worlds.everything(conn, running.campaign)
    assert await stop(conn, running.first) == []
    assert await worlds.everything(conn, running.campaign) == before
    assert (await worlds.row(conn, "contact", running.first.contact))["opted_out_at"] == at


async def test_stop_leaves_what_is_final_and_what_is_promised(conn: Conn) -> None:
    running, _, (promise_1,) = await worlds.promised(conn)
    await stop(conn, running.first, answered=False)
    assert await worlds.status(conn, promise_1.message) == "sending", "it may have left: facts will tell"
    assert await worlds.state(conn, running.first.recipient) == "opted_out"
    await transitions.accept(conn, [worlds.fact(promise_1.message)], by="send")
    assert await worlds.state(conn, running.first.recipient) == "opted_out"
    followed, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, followed, followed.first)
    await promise(conn, followed, second)
    await transitions.accept(conn, [worlds.fact(second)], by="send")
    assert await stop(conn, followed.first) == []
    assert await worlds.state(conn, followed.first.recipient) == "followed_up"
    await books.check(conn, followed.campaign)


async def test_what_was_being_sent_when_its_person_said_stop_and_comes_back_is_cancelled(conn: Conn) -> None:
    running, lane, (promised,) = await worlds.promised(conn)
    await stop(conn, running.first, answered=False)
    back = GiveBack(
        message=promised.message, attempt=1, wait=0.0, used_retry=False, error_class="never_left", error_text="no",
        why="never left",
    )  # fmt: skip
    await transitions.give_back(conn, [back], by="send")
    assert await transitions.claim_slice(conn, lane.claim()) == []
    assert await transitions.cancel_stopped(conn, running.campaign) == 1
    assert await worlds.status(conn, promised.message) == "cancelled"
    await books.check(conn, running.campaign)


async def test_opting_in_again_reopens_nothing(conn: Conn) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    await stop(conn, running.first, answered=False)
    await sql.opt_in(conn, contact=running.first.contact)
    assert await transitions.claim_slice(conn, lane.claim()) == []
    assert await worlds.state(conn, running.first.recipient) == "opted_out"


async def test_message_2_is_promised_by_a_living_process_only(conn: Conn) -> None:
    """The server that commits the promise holds the lock of who promises: another one may have forgotten messages."""
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    nobody = uuid7()
    promise = await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=nobody
    )
    assert promise is None
    await worlds.lives(conn, nobody)
    assert await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=nobody
    )


async def test_a_pending_message_2_of_somebody_who_stopped_is_not_promised(conn: Conn) -> None:
    """However the row came to be pending: the promise reads the person's word by itself."""
    running, _ = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", running.first.contact)
    promise = await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=running.sender
    )
    assert (promise, await worlds.status(conn, second)) == (None, "pending")
