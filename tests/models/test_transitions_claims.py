"""The promise of Message 1: who may claim, which rows, what it charges."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from models import transitions
from models.queries import sql
from models.transitions import Promise
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]


async def test_claiming_promises_the_oldest_rows_and_says_everything_that_sending_needs(conn: Conn) -> None:
    running = await worlds.launched(conn, 5)
    lane = await worlds.lane(conn, running)
    promises = await transitions.claim_slice(conn, lane.claim(3))
    assert [p.message for p in promises] == [p.message for p in running.people[:3]]
    first = promises[0]
    assert first == Promise(
        message=running.first.message, recipient=running.first.recipient, campaign=running.campaign,
        contact=running.first.contact, sender=running.sender, step=1, phone=running.first.phone, text="Hello",
        media=None, attempt=1, retries=0, round=0, batch=lane.batch,
    )  # fmt: skip
    assert first.reference == str(first.message)
    row = await worlds.row(conn, "message", first.message)
    assert (row["status"], row["process"], row["batch"], row["quota_day"]) == (
        "sending", lane.process, lane.batch, worlds.TODAY,
    )  # fmt: skip
    assert row["promised_at"] is not None
    assert await worlds.moves(conn, first.message) == [("pending", "sending")]
    event = await worlds.last_event(conn, first.message)
    assert (event["moved_by"], event["campaign"], event["why"]) == ("lane", running.campaign, "promised by its lane")
    assert await worlds.status(conn, running.people[3].message) == "pending"
    kept = await books.check(conn, running.campaign)
    assert (kept["total"], kept["pending"]) == (5, 5), "what is being sent still counts as pending"


async def test_claiming_charges_the_quota_counts_the_batch_and_advances_the_gate(conn: Conn) -> None:
    running = await worlds.launched(conn, 3)
    lane = await worlds.lane(conn, running)
    await transitions.claim_slice(conn, lane.claim(2, gate_in=30.0))
    assert await worlds.used(conn, running.sender) == 2
    assert (await worlds.row(conn, "batch", lane.batch))["attempted"] == 2
    assert 29 < (await sql.read_lane(conn, sender=running.sender))["gate_in"] <= 30
    await transitions.claim_slice(conn, lane.claim(1, gate_in=0.0))
    assert (await sql.read_lane(conn, sender=running.sender))["gate_in"] > 28, "the gate never moves back"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"owner": uuid7()}, id="another owner"),
        pytest.param({"epoch": 7}, id="another epoch"),
        pytest.param({"sender": uuid7()}, id="another sender"),
        pytest.param({"fence": 601.0}, id="too little of the lease left"),
        pytest.param({"quota": 0}, id="no quota"),
        pytest.param({"many": 0}, id="nothing wanted"),
        pytest.param({"campaign": uuid7()}, id="another campaign"),
        pytest.param({"day": worlds.TODAY + timedelta(days=1)}, id="a day without a row"),
    ],
)
async def test_a_claim_that_does_not_fit_changes_nothing_at_all(conn: Conn, change: dict[str, object]) -> None:
    running = await worlds.launched(conn, 2)
    lane = await worlds.lane(conn, running)
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.claim_slice(conn, lane.claim(**{"many": 2, **change})) == []  # type: ignore[arg-type]
    assert await worlds.everything(conn, running.campaign) == before


async def test_an_owner_whose_lease_ran_out_claims_nothing(conn: Conn) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    await conn.execute("UPDATE sender SET lease_until = now() - interval '1 ms' WHERE id = $1", running.sender)
    assert await transitions.claim_slice(conn, lane.claim(fence=0.0)) == []


async def test_an_owner_who_lost_the_lane_claims_nothing_ever_again(conn: Conn) -> None:
    running = await worlds.launched(conn, 2)
    stale = await worlds.lane(conn, running)
    await conn.execute("UPDATE sender SET lease_until = now() - interval '1 s' WHERE id = $1", running.sender)
    taken = await sql.take_lane(conn, sender=running.sender, owner=uuid7(), seconds=600.0)
    assert taken["lease_epoch"] == stale.epoch + 1
    assert await transitions.claim_slice(conn, stale.claim()) == []
    assert await sql.renew_lane(conn, sender=stale.sender, owner=stale.owner, epoch=stale.epoch, seconds=10.0) is None
    await sql.leave_lane(conn, sender=stale.sender, owner=stale.owner, epoch=stale.epoch, idle_seconds=0.0)
    still = await worlds.row(conn, "sender", running.sender)
    assert still["lease_until"] is not None, "leaving a lane one does not own leaves it to its owner"


async def test_the_same_owner_with_an_older_epoch_is_a_stranger(conn: Conn) -> None:
    running = await worlds.launched(conn, 2)
    stale = await worlds.lane(conn, running)
    await conn.execute("UPDATE sender SET lease_until = now() - interval '1 s' WHERE id = $1", running.sender)
    await sql.take_lane(conn, sender=running.sender, owner=stale.owner, seconds=600.0)
    assert await transitions.claim_slice(conn, stale.claim()) == []


async def test_a_lane_has_one_owner_whoever_tries_at_once(conn: Conn) -> None:
    running = await worlds.launched(conn)
    async with worlds.connections(10) as many:
        taken = await asyncio.gather(
            *(sql.take_lane(c, sender=running.sender, owner=uuid7(), seconds=10.0) for c in many)
        )
    assert sum(row is not None for row in taken) == 1


@pytest.mark.parametrize("state", ["blocked", "offline", "paused"])
async def test_a_sender_that_may_not_send_claims_nothing(conn: Conn, state: str) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    assert await transitions.move_sender(conn, running.sender, old=["ready"], new=state, why="test", by="test")
    assert await transitions.claim_slice(conn, lane.claim()) == []


async def test_a_degraded_sender_goes_on(conn: Conn) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    await transitions.move_sender(conn, running.sender, old=["ready"], new="degraded", why="test", by="test")
    assert len(await transitions.claim_slice(conn, lane.claim())) == 1


async def test_rows_that_are_not_due_yet_wait(conn: Conn) -> None:
    running = await worlds.launched(conn, 2)
    lane = await worlds.lane(conn, running)
    await conn.execute("UPDATE message SET next_at = now() + interval '1 h' WHERE id = $1", running.first.message)
    promises = await transitions.claim_slice(conn, lane.claim(5))
    assert [p.message for p in promises] == [running.people[1].message]


async def test_who_opted_out_is_never_claimed(conn: Conn) -> None:
    running = await worlds.launched(conn, 3)
    lane = await worlds.lane(conn, running)
    await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", running.first.contact)
    promises = await transitions.claim_slice(conn, lane.claim(3))
    assert [p.message for p in promises] == [p.message for p in running.people[1:]]
    assert await worlds.status(conn, running.first.message) == "pending"


@pytest.mark.parametrize("holds", ["all", "message_1"])
async def test_a_paused_campaign_is_never_claimed(conn: Conn, holds: str) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    assert await transitions.pause(conn, running.campaign, holds=holds, why="test", by="test")  # type: ignore[arg-type]
    assert await transitions.claim_slice(conn, lane.claim()) == []


async def test_a_cancelled_campaign_is_never_claimed(conn: Conn) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    assert await transitions.cancel(conn, running.campaign, why="test", by="test")
    assert await transitions.claim_slice(conn, lane.claim()) == []


async def test_a_campaign_still_launching_is_never_claimed(conn: Conn) -> None:
    running = await worlds.launched(conn)
    lane = await worlds.lane(conn, running)
    other = await worlds.draft(conn, running.sender)
    await transitions.start_launch(conn, other, window=60, safety=60, why="test", by="test")
    id_, phone = (await worlds.contacts(conn, 1))[0]
    await sql.add_recipients(
        conn, campaign=other, ids=[uuid7()], contacts=[id_], identities=[phone], phones=[phone], texts=["Hello"]
    )
    assert await transitions.claim_slice(conn, lane.claim(campaign=other)) == []


@pytest.mark.parametrize("end", ["pause", "cancel"])
async def test_a_claim_that_waited_while_the_campaign_was_stopped_promises_nothing(conn: Conn, end: str) -> None:
    """The claim began before the pause and got its locks after it: the pause counts."""
    running = await worlds.launched(conn, 2)
    lane = await worlds.lane(conn, running)
    async with worlds.connections(2) as (holder, claimer):
        held = holder.transaction()
        await held.start()
        await sql.push_gate(holder, sender=running.sender, seconds=0.0)
        claiming = asyncio.create_task(transitions.claim_slice(claimer, lane.claim()))
        while not await worlds.waits_for_a_lock(conn, claimer):
            await asyncio.sleep(0.005)
        if end == "pause":
            assert await transitions.pause(conn, running.campaign, holds="all", why="test", by="test")
        else:
            assert await transitions.cancel(conn, running.campaign, why="test", by="test")
        await held.commit()
        assert await claiming == []
    assert await worlds.status(conn, running.first.message) == "pending"


async def test_a_row_that_somebody_holds_is_passed_over_without_waiting(conn: Conn) -> None:
    running = await worlds.launched(conn, 2)
    lane = await worlds.lane(conn, running)
    async with worlds.connections(1) as (holder,), holder.transaction():
        await holder.execute("SELECT FROM contact WHERE id = $1 FOR NO KEY UPDATE", running.first.contact)
        async with asyncio.timeout(1.0):
            promises = await transitions.claim_slice(conn, lane.claim(2))
    assert [p.message for p in promises] == [running.people[1].message]


async def test_twenty_claimers_at_once_spend_the_quota_exactly_and_promise_no_row_twice(conn: Conn) -> None:
    running = await worlds.launched(conn, 150)
    lane = await worlds.lane(conn, running)
    got: list[UUID] = []

    async def claim(c: Conn, many: int) -> None:
        while promises := await transitions.claim_slice(c, lane.claim(many, quota=101)):
            got.extend(p.message for p in promises)

    async with worlds.connections(20) as many:
        await asyncio.gather(*(claim(c, 1 + i % 4) for i, c in enumerate(many)))
    assert len(got) == len(set(got)) == 101
    assert await worlds.used(conn, running.sender) == 101
    assert (await worlds.row(conn, "batch", lane.batch))["attempted"] == 101
    await books.check(conn, running.campaign)


async def test_twenty_claimers_of_two_campaigns_share_one_quota(conn: Conn) -> None:
    one = await worlds.launched(conn, 40)
    other = await worlds.launched(conn, 40, sender=one.sender)
    lane = await worlds.lane(conn, one)

    async def claim(c: Conn, campaign: UUID) -> int:
        total = 0
        while promises := await transitions.claim_slice(c, lane.claim(3, campaign=campaign, quota=50)):
            total += len(promises)
        return total

    async with worlds.connections(20) as many:
        totals = await asyncio.gather(*(claim(c, (one, other)[i % 2].campaign) for i, c in enumerate(many)))
    assert sum(totals) == 50 == await worlds.used(conn, one.sender)


async def test_a_second_promise_of_a_row_carries_the_next_attempt_and_forgets_the_first_one(conn: Conn) -> None:
    running, lane, (promise,) = await worlds.promised(conn)
    await transitions.end_attempts(conn, [(promise.message, 1, "cut")])
    await transitions.note_absent(conn, [(promise.message, 1)])
    again = transitions.GiveBack(
        message=promise.message, attempt=1, wait=0.0, used_retry=True, error_class="never_left", error_text="no",
        why="never left",
    )  # fmt: skip
    await transitions.give_back(conn, [again], by="test")
    (second,) = await transitions.claim_slice(conn, lane.claim())
    assert (second.message, second.attempt, second.retries, second.round) == (promise.message, 2, 1, 0)
    row = await worlds.row(conn, "message", promise.message)
    assert [row[c] for c in ("ended_at", "absent_at", "error_class", "error_text")] == [None] * 4
    assert await worlds.used(conn, running.sender) == 1, "the first one never left: its quota came back"


async def test_every_promise_names_the_process_that_made_it(conn: Conn) -> None:
    running, lane = await worlds.sent(conn)
    first = await worlds.row(conn, "message", running.first.message)
    assert first["process"] == lane.process
    second = await worlds.message_2(conn, running, running.first)
    promise = await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    assert promise is not None
    assert (await worlds.row(conn, "message", second))["process"] == lane.process
