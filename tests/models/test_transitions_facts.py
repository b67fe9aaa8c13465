"""Facts: the gateway has the message. Any order, any number of times, from anywhere, never backwards."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from models import transitions
from models.transitions import Failure, GiveBack
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

ORDER = ["sent", "delivered", "read"]
AFTERWARDS = {"pending", "sending", "unconfirmed", "failed", "cancelled"}


async def bring_to(conn: Conn, status: str) -> tuple[worlds.Running, worlds.Lane, UUID]:
    """Make one Message 1 and bring it to a status as production does."""
    if status in ("pending", "cancelled"):
        running = await worlds.launched(conn)
        lane = await worlds.lane(conn, running)
        if status == "cancelled":
            await transitions.cancel(conn, running.campaign, why="test", by="test")
            assert await transitions.cancel_pending(conn, running.campaign, "cancelled", "test") == 1
    else:
        running, lane, (promise,) = await worlds.promised(conn)
        if status == "unconfirmed":
            await transitions.doubt(conn, [(promise.message, 1, "nobody can tell")], by="test")
        elif status == "failed":
            refused = Failure(message=promise.message, attempt=1, error_class="refused", error_text="refused")
            await transitions.fail(conn, [refused], by="test")
        elif status in ORDER:
            await transitions.accept(conn, [worlds.fact(promise.message, status)], by="test")
    message = running.first.message
    assert await worlds.status(conn, message) == status
    return running, lane, message


@pytest.mark.parametrize("told", ORDER)
@pytest.mark.parametrize("was", [*sorted(AFTERWARDS), *ORDER])
async def test_a_fact_moves_a_message_forward_from_every_status_and_never_back(conn: Conn, was: str, told: str) -> None:
    running, _, message = await bring_to(conn, was)
    rows = await transitions.accept(conn, [worlds.fact(message, told)], by="gateway")
    forward = was in AFTERWARDS or ORDER.index(told) > ORDER.index(was)
    assert await worlds.status(conn, message) == (told if forward else was)
    assert [(r["was"], r["status"]) for r in rows] == ([(was, told)] if forward else [])
    assert await worlds.state(conn, running.first.recipient) == "awaiting_reply"
    row = await worlds.row(conn, "message", message)
    assert (row["error_class"], row["error_text"], row["failed_at"]) == (None, None, None)
    kept = await books.check(conn, running.campaign)
    assert kept["sent"] == 1
    assert kept["send_failed"] == kept["cancelled"] == kept["unconfirmed"] == kept["pending"] == 0


@pytest.mark.parametrize("order", list(itertools.permutations(ORDER)), ids=" then ".join)
async def test_acknowledgements_in_any_order_end_at_read_with_every_time_they_told(
    conn: Conn, order: tuple[str, ...]
) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    base = worlds.now()
    told = {status: base + timedelta(seconds=ORDER.index(status)) for status in ORDER}
    for status in order:
        await transitions.accept(conn, [worlds.fact(promise.message, status, at=told[status])], by="gateway")
    row = await worlds.row(conn, "message", promise.message)
    assert (row["status"], row["read_at"]) == ("read", told["read"])
    assert row["sent_at"] is not None
    chain = await worlds.moves(conn, promise.message)
    assert chain[-1][1] == "read"
    assert len(chain) == 1 + len(
        {s for i, s in enumerate(order) if all(ORDER.index(s) > ORDER.index(e) for e in order[:i])}
    )
    assert await worlds.moves(conn, running.first.recipient) == [("queued", "awaiting_reply")]
    await books.check(conn, running.campaign)


async def test_of_several_facts_in_one_batch_the_furthest_counts_once(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    facts = [worlds.fact(promise.message, s) for s in ("sent", "read", "delivered", "sent", "read")]
    rows = await transitions.accept(conn, facts, by="gateway")
    assert [(r["was"], r["status"]) for r in rows] == [("sending", "read")]
    assert await worlds.moves(conn, promise.message) == [("pending", "sending"), ("sending", "read")]
    await books.check(conn, running.campaign)


async def test_the_same_fact_again_is_no_news(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    fact = worlds.fact(promise.message, gateway_id="g1", message_id="w1", accept_ms=12.0)
    assert len(await transitions.accept(conn, [fact], by="gateway")) == 1
    before = await worlds.everything(conn, running.campaign)
    for _ in range(3):
        assert await transitions.accept(conn, [fact], by="gateway") == []
    assert await worlds.everything(conn, running.campaign) == before


async def test_an_acknowledgement_before_the_send_is_recorded_keeps_what_the_record_adds(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    delivered = worlds.now()
    early = worlds.fact(promise.message, "delivered", at=delivered, message_id="w1")
    assert len(await transitions.accept(conn, [early], by="gateway")) == 1
    record = worlds.fact(promise.message, "sent", gateway_id="g1", message_id="w1", accept_ms=31.5)
    await transitions.accept(conn, [record], by="send")
    row = await worlds.row(conn, "message", promise.message)
    assert (row["status"], row["gateway_id"], row["whatsapp_message_id"], row["accept_ms"]) == (
        "delivered", "g1", "w1", 31.5,
    )  # fmt: skip
    assert row["delivered_at"] == delivered
    assert await worlds.moves(conn, promise.message) == [("pending", "sending"), ("sending", "delivered")]
    await books.check(conn, running.campaign)


async def test_the_window_opens_when_the_gateway_accepted_and_stays_there(conn: Conn) -> None:
    at = worlds.now() - timedelta(minutes=3)
    running, _ = await worlds.sent(conn, at=at, window=100.0)
    assert (await worlds.row(conn, "recipient", running.first.recipient))["window_ends_at"] == at + timedelta(
        seconds=100
    )
    await transitions.accept(conn, [worlds.fact(running.first.message, "read")], by="gateway")
    row = await worlds.row(conn, "recipient", running.first.recipient)
    assert row["window_ends_at"] == at + timedelta(seconds=100)
    assert (await worlds.row(conn, "message", running.first.message))["sent_at"] == at


@pytest.mark.parametrize(
    ("state", "makes"),
    [("replied", "a reply"), ("late_reply", "a late reply"), ("no_interaction", "silence"), ("opted_out", "STOP")],
)
async def test_a_later_acknowledgement_leaves_what_the_person_did(conn: Conn, state: str, makes: str) -> None:
    running, _ = await worlds.sent(conn)
    who = running.first
    if state == "replied":
        await worlds.reply(conn, running, who)
    elif state == "late_reply":
        await worlds.reply(conn, running, who, text=None, state="late_reply")
    elif state == "no_interaction":
        await transitions.mark_silent(conn, running.campaign, worlds.now() + timedelta(days=2))
    else:
        await transitions.opt_out(conn, [who.contact], recipient=who.recipient, at=worlds.now(), why="STOP", by="reply")
    assert await worlds.state(conn, who.recipient) == state
    assert len(await transitions.accept(conn, [worlds.fact(who.message, "read")], by="gateway")) == 1
    assert await worlds.state(conn, who.recipient) == state
    assert await worlds.status(conn, who.message) == "read"
    await books.check(conn, running.campaign)


async def test_a_fact_is_recorded_whoever_owns_the_lane_and_whatever_became_of_the_campaign(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await conn.execute("UPDATE sender SET lease_epoch = lease_epoch + 5, lease_owner = NULL, lease_until = NULL")
    await transitions.cancel(conn, running.campaign, why="test", by="test")
    assert len(await transitions.accept(conn, [worlds.fact(promise.message)], by="send")) == 1
    await books.check(conn, running.campaign)


async def test_a_fact_about_a_row_given_back_stops_it_from_being_sent_again(conn: Conn) -> None:
    running, lane, (promise,) = await worlds.promised(conn)
    again = GiveBack(
        message=promise.message, attempt=1, wait=0.0, used_retry=False, error_class="absent", error_text="absent",
        why="absent",
    )  # fmt: skip
    await transitions.give_back(conn, [again], by="retrier")
    await transitions.accept(conn, [worlds.fact(promise.message)], by="gateway")
    assert await transitions.claim_slice(conn, lane.claim()) == []
    await books.check(conn, running.campaign)


async def test_a_fact_about_message_2_follows_up(conn: Conn) -> None:
    running, lane = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    promise = await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    assert promise is not None
    before = (await worlds.row(conn, "recipient", running.first.recipient))["window_ends_at"]
    await transitions.accept(conn, [worlds.fact(second, "delivered")], by="send")
    row = await worlds.row(conn, "recipient", running.first.recipient)
    assert (row["state"], row["window_ends_at"]) == ("followed_up", before)
    kept = await books.check(conn, running.campaign)
    assert (kept["message_2_sent"], kept["sent"], kept["replied"]) == (1, 1, 1)


async def test_proof_that_message_2_left_after_all_follows_up_whom_it_had_failed(conn: Conn) -> None:
    running, lane = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    await transitions.fail(
        conn, [Failure(message=second, attempt=1, error_class="refused", error_text="no")], by="send"
    )
    row = await worlds.row(conn, "recipient", running.first.recipient)
    assert (row["state"], row["failed_step"]) == ("failed", 2)
    await transitions.accept(conn, [worlds.fact(second)], by="gateway")
    row = await worlds.row(conn, "recipient", running.first.recipient)
    assert (row["state"], row["failed_step"]) == ("followed_up", None)
    await books.check(conn, running.campaign)


async def test_proof_about_message_1_leaves_a_person_whose_message_2_failed(conn: Conn) -> None:
    """Message 1 was reported failed after the reply; its late proof must not reopen a window long used."""
    running, lane = await worlds.sent(conn)
    who = running.first
    second = await worlds.message_2(conn, running, who)
    await transitions.fail(
        conn, [Failure(message=who.message, round=0, error_class="reported", error_text="reported")], by="gateway"
    )
    assert await worlds.state(conn, who.recipient) == "replied"
    await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    await transitions.fail(
        conn, [Failure(message=second, attempt=1, error_class="refused", error_text="no")], by="send"
    )
    await transitions.accept(conn, [worlds.fact(who.message, "delivered")], by="gateway")
    row = await worlds.row(conn, "recipient", who.recipient)
    assert (row["state"], row["failed_step"]) == ("failed", 2)
    await books.check(conn, running.campaign)


async def test_facts_about_nobody_and_no_facts_are_no_news(conn: Conn) -> None:
    running = await worlds.launched(conn)
    unknown = running.campaign  # a key of no message
    assert await transitions.accept(conn, [], by="gateway") == []
    assert await transitions.accept(conn, [worlds.fact(unknown)], by="gateway") == []


async def test_five_hundred_facts_move_in_one_statement(conn: Conn) -> None:
    running, _, promises = await worlds.promised(conn, 500)
    statuses: list[Any] = [ORDER[i % 3] for i in range(500)]
    rows = await transitions.accept(
        conn, [worlds.fact(p.message, s) for p, s in zip(promises, statuses, strict=True)], by="gateway"
    )
    assert len(rows) == 500
    kept = await books.check(conn, running.campaign)
    assert (kept["sent"], kept["delivered"], kept["read"]) == (
        500,
        statuses.count("delivered") + statuses.count("read"),
        statuses.count("read"),
    )


async def test_sent_that_comes_after_the_report_of_its_failure_is_no_news(conn: Conn) -> None:
    """The two overtook each other. On the phone is on the phone all the same."""
    running, _, (promise,) = await worlds.promised(conn)
    await transitions.accept(conn, [worlds.fact(promise.message)], by="send")
    report = transitions.Failure(message=promise.message, round=0, error_class="reported", error_text="failed there")
    assert len(await transitions.fail(conn, [report], by="gateway")) == 1
    assert await transitions.accept(conn, [worlds.fact(promise.message)], by="gateway") == []
    assert await worlds.status(conn, promise.message) == "failed"
    assert await transitions.accept(conn, [worlds.fact(promise.message, "delivered")], by="gateway")
    assert await worlds.state(conn, running.first.recipient) == "awaiting_reply"
