"""The life of a campaign and of its sender: each move once, from where it may start, with its event."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from models import transitions
from models.queries import from_json, sql
from models.transitions import Failure
from rules.status import CAMPAIGN_OPEN, CampaignStatus
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]


async def campaign_in(conn: Conn, status: str) -> UUID:
    """Make a campaign and bring it to a status as production does."""
    sender = await worlds.new_sender(conn)
    made = await worlds.draft(conn, sender)
    if status == "scheduled":
        assert await transitions.schedule(conn, made, worlds.now() + timedelta(days=1), why="later", by="ana")
    if status in ("draft", "scheduled"):
        return made
    assert await transitions.start_launch(conn, made, window=100.0, safety=200.0, why="go", by="ana")
    if status == "launching":
        return made
    assert await transitions.finish_launch(conn, made, "nobody is in") == sender
    if status in ("waiting", "completed"):
        assert await transitions.all_sent(conn, made)
    if status == "completed":
        assert await transitions.complete(conn, made, report={}, why="done", past_safety=False)
    elif status == "paused":
        assert await transitions.pause(conn, made, holds="all", why="stop", by="ana")
    elif status == "cancelled":
        assert await transitions.cancel(conn, made, why="no more", by="ana")
    return made


async def attempt(conn: Conn, move: str, campaign: UUID) -> bool:
    """Try one move; returns whether it moved."""
    moved: Any
    if move == "schedule":
        moved = await transitions.schedule(conn, campaign, worlds.now(), why="w", by="b")
    elif move == "start_launch":
        moved = await transitions.start_launch(conn, campaign, window=1.0, safety=2.0, why="w", by="b")
    elif move == "finish_launch":
        moved = await transitions.finish_launch(conn, campaign, "w") is not None
    elif move == "all_sent":
        moved = await transitions.all_sent(conn, campaign)
    elif move == "pause":
        moved = await transitions.pause(conn, campaign, holds="message_1", why="w", by="b")
    elif move == "resume":
        moved = await transitions.resume(conn, campaign, why="w", by="b") is not None
    elif move == "cancel":
        moved = await transitions.cancel(conn, campaign, why="w", by="b")
    else:
        moved = await transitions.complete(conn, campaign, report={"sent": 0}, why="w", past_safety=False)
    return bool(moved)


MOVES: dict[str, tuple[set[str], str]] = {
    "schedule": ({"draft"}, "scheduled"),
    "start_launch": ({"draft", "scheduled"}, "launching"),
    "finish_launch": ({"launching"}, "sending"),
    "all_sent": ({"sending"}, "waiting"),
    "pause": ({"sending", "waiting"}, "paused"),
    "resume": ({"paused"}, "sending"),
    "cancel": ({str(status) for status in CAMPAIGN_OPEN}, "cancelled"),
    "complete": ({"waiting"}, "completed"),
}


@pytest.mark.parametrize("status", [str(s) for s in CampaignStatus])
async def test_each_move_starts_only_where_it_may_and_tells_its_event(conn: Conn, status: str) -> None:
    for move, (starts, ends) in MOVES.items():
        campaign = await campaign_in(conn, status)
        told = await worlds.moves(conn, campaign)
        before = await worlds.row(conn, "campaign", campaign)
        moved = await attempt(conn, move, campaign)
        after = await worlds.row(conn, "campaign", campaign)
        assert moved is (status in starts), (status, move)
        if moved:
            assert after["status"] == ends
            assert await worlds.moves(conn, campaign) == [*told, (status, ends)]
        else:
            assert after == before, (status, move)
            assert await worlds.moves(conn, campaign) == told


async def test_a_campaign_begins_with_an_event_of_its_own(conn: Conn) -> None:
    campaign = await worlds.draft(conn, await worlds.new_sender(conn))
    assert await worlds.moves(conn, campaign) == [(None, "draft")]


async def test_two_launches_at_once_are_one(conn: Conn) -> None:
    campaign = await campaign_in(conn, "draft")
    async with worlds.connections(10) as many:
        moved = await asyncio.gather(*(attempt(c, "start_launch", campaign) for c in many))
    assert sum(moved) == 1
    assert await worlds.moves(conn, campaign) == [(None, "draft"), ("draft", "launching")]


async def test_two_launchers_at_once_add_everybody_once(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    campaign = await worlds.draft(conn, sender)
    people = await worlds.contacts(conn, 500)
    await transitions.start_launch(conn, campaign, window=60.0, safety=60.0, why="go", by="ana")

    async def launch(c: Conn) -> int:
        total = 0
        for at in range(0, 500, 50):
            step = people[at : at + 50]
            phones = [p for _, p in step]
            total += await sql.add_recipients(
                c, campaign=campaign, ids=[uuid7() for _ in step], contacts=[i for i, _ in step],
                identities=phones, phones=phones, texts=["Hello"] * len(step),
            )  # fmt: skip
        return total

    async with worlds.connections(4) as many:
        added = await asyncio.gather(*(launch(c) for c in many))
    assert sum(added) == 500
    kept = await books.check(conn, campaign)
    assert kept["total"] == kept["pending"] == 500


async def test_two_spellings_of_one_person_are_one_recipient(conn: Conn) -> None:
    campaign = await campaign_in(conn, "launching")
    (one, phone), (other, spelled) = await worlds.contacts(conn, 2)
    added = await sql.add_recipients(
        conn, campaign=campaign, ids=[uuid7(), uuid7()], contacts=[one, other],
        identities=[phone, phone], phones=[phone, spelled], texts=["Hello", "Hello"],
    )  # fmt: skip
    assert added == 1


@pytest.mark.parametrize("status", ["sending", "cancelled", "draft"])
async def test_nobody_is_added_to_a_campaign_that_is_not_launching(conn: Conn, status: str) -> None:
    campaign = await campaign_in(conn, status)
    (one, phone) = (await worlds.contacts(conn, 1))[0]
    added = await sql.add_recipients(
        conn, campaign=campaign, ids=[uuid7()], contacts=[one], identities=[phone], phones=[phone], texts=["Hi"]
    )
    assert added is None
    assert await conn.fetchval("SELECT count(*) FROM recipient") == 0


@pytest.mark.parametrize("open_status", ["pending", "sending"])
async def test_a_campaign_waits_only_when_every_message_1_has_left(conn: Conn, open_status: str) -> None:
    running = await worlds.launched(conn)
    if open_status == "sending":
        await transitions.claim_slice(conn, (await worlds.lane(conn, running)).claim())
    assert await transitions.all_sent(conn, running.campaign) is False
    told = Failure(message=running.first.message, error_class="refused", error_text="no")
    await transitions.fail(conn, [told], by="send")
    assert await transitions.all_sent(conn, running.campaign) is True


async def test_a_message_1_that_comes_back_brings_its_campaign_back_to_sending(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    assert await transitions.all_sent(conn, running.campaign)
    assert await sql.sending_again(conn) == []
    await transitions.expire(conn, [(running.first.message, 0)], 3, by="gateway")
    assert [r["id"] for r in await sql.sending_again(conn)] == [running.campaign]


@pytest.mark.parametrize(
    ("person", "within", "past"),
    [
        ("awaiting_reply", False, False), ("no_interaction", True, True), ("unconfirmed", False, True),
        ("failed", True, True), ("late_reply", True, True), ("opted_out", True, True),
        ("message 2 pending", False, False), ("message 2 sending", False, False),
        ("message 2 unconfirmed", False, True), ("message 2 sent", True, True), ("message 2 failed", True, True),
    ],
)  # fmt: skip
async def test_a_campaign_completes_when_its_last_person_is_final(
    conn: Conn, person: str, within: bool, past: bool
) -> None:
    running, lane, (promise,) = await worlds.promised(conn)
    who = running.first
    if person == "unconfirmed":
        await transitions.doubt(conn, [(promise.message, 1, "cut")], by="retrier")
    elif person == "failed":
        refused = Failure(message=who.message, error_class="refused", error_text="no")
        await transitions.fail(conn, [refused], by="send")
    else:
        await transitions.accept(conn, [worlds.fact(promise.message)], by="send")
    if person == "no_interaction":
        await transitions.mark_silent(conn, running.campaign, worlds.now() + timedelta(days=2))
    elif person == "late_reply":
        await worlds.reply(conn, running, who, text=None, state="late_reply")
    elif person == "opted_out":
        await transitions.opt_out(conn, [who.contact], recipient=who.recipient, at=worlds.now(), why="STOP", by="reply")
    elif person.startswith("message 2"):
        second = await worlds.message_2(conn, running, who)
        if person != "message 2 pending":
            await transitions.promise_message_2(
                conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
            )
        if person == "message 2 unconfirmed":
            await transitions.doubt(conn, [(second, 1, "cut")], by="retrier")
        elif person == "message 2 sent":
            await transitions.accept(conn, [worlds.fact(second)], by="send")
        elif person == "message 2 failed":
            told = Failure(message=second, error_class="refused", error_text="no")
            await transitions.fail(conn, [told], by="send")
    await transitions.all_sent(conn, running.campaign)
    for past_safety, completes in ((False, within), (True, past)):
        assert await sql.nobody_open(conn, campaign=running.campaign, past_safety=past_safety) is completes
        done = await transitions.complete(
            conn, running.campaign, report={"sent": 1}, why="done", past_safety=past_safety
        )
        assert done is completes
        if done:
            row = await worlds.row(conn, "campaign", running.campaign)
            assert from_json(row["final_stats"]) == {"sent": 1}
            assert row["completed_at"] is not None
            return


async def test_one_open_person_of_many_keeps_a_campaign_open(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 50)
    await transitions.all_sent(conn, running.campaign)
    for who in running.people[:49]:
        await worlds.reply(conn, running, who, text=None)
    assert await transitions.complete(conn, running.campaign, report={}, why="done", past_safety=False) is False
    await worlds.reply(conn, running, running.people[49], text=None)
    assert await transitions.complete(conn, running.campaign, report={}, why="done", past_safety=False) is True


@pytest.mark.parametrize("end", ["pause", "cancel"])
async def test_pausing_and_cancelling_close_the_batch(conn: Conn, end: str) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    assert await attempt(conn, end, running.campaign)
    batch = await worlds.row(conn, "batch", lane.batch)
    assert batch["finished_at"] is not None
    assert batch["finished_why"] == ("paused" if end == "pause" else "cancelled")
    assert await sql.open_batch(conn, sender=running.sender) is None


async def test_paused_time_is_added_up_and_the_breaker_starts_afresh(conn: Conn) -> None:
    campaign = await campaign_in(conn, "paused")
    for seconds in (100, 50):
        await conn.execute(
            "UPDATE campaign SET paused_at = now() - make_interval(secs => $2) WHERE id = $1", campaign, float(seconds)
        )
        assert await transitions.resume(conn, campaign, why="go on", by="ana") is not None
        row = await worlds.row(conn, "campaign", campaign)
        assert (row["paused_at"], row["holds"]) == (None, None)
        assert row["breaker_since"] is not None
        await transitions.pause(conn, campaign, holds="all", why="stop", by="ana")
    assert 150 <= (await worlds.row(conn, "campaign", campaign))["paused_seconds"] < 152


async def test_pause_and_resume_hammered_keep_one_story(conn: Conn) -> None:
    campaign = await campaign_in(conn, "sending")

    async def hammer(c: Conn, move: str) -> int:
        return sum([await attempt(c, move, campaign) for _ in range(25)])

    async with worlds.connections(10) as many:
        moved = await asyncio.gather(*(hammer(c, ("pause", "resume")[i % 2]) for i, c in enumerate(many)))
    told = (await worlds.moves(conn, campaign))[3:]
    assert len(told) == sum(moved)
    assert all(move == (("sending", "paused"), ("paused", "sending"))[i % 2] for i, move in enumerate(told))


async def test_stopping_a_sender_pauses_its_campaigns_and_nobody_elses(conn: Conn) -> None:
    sending, _ = await worlds.sent(conn, 1)
    waiting = await worlds.launched(conn, 0, sender=sending.sender)
    await transitions.all_sent(conn, waiting.campaign)
    other = await worlds.launched(conn)
    stopped = await transitions.stop_sender(conn, sending.sender, state="blocked", why="401", by="lane")
    assert set(stopped) == {sending.campaign, waiting.campaign}
    for campaign in stopped:
        row = await worlds.row(conn, "campaign", campaign)
        assert (row["status"], row["holds"], row["why"]) == ("paused", "all", "401")
    assert (await worlds.row(conn, "campaign", other.campaign))["status"] == "sending"
    assert await worlds.moves(conn, sending.sender) == [("ready", "blocked")]
    assert await sql.open_batch(conn, sender=sending.sender) is None
    assert await transitions.stop_sender(conn, sending.sender, state="blocked", why="401", by="lane") == []
    assert await worlds.moves(conn, sending.sender) == [("ready", "blocked")]


async def test_a_sender_moves_by_compare_and_set(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    assert not await transitions.move_sender(conn, sender, old=["offline"], new="ready", why="back", by="gateway")
    assert await transitions.move_sender(conn, sender, old=["ready"], new="offline", why="gone", by="gateway")
    assert await transitions.move_sender(conn, sender, old=["offline"], new="ready", why="back", by="gateway")
    assert await worlds.moves(conn, sender) == [("ready", "offline"), ("offline", "ready")]
