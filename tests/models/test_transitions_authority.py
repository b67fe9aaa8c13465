"""Authority: only whoever made a promise, or has a proof, gives it back, fails it, or says that nobody can tell."""

from __future__ import annotations

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


def given(message: UUID, attempt: int = 1, **changes: Any) -> GiveBack:
    usual: dict[str, Any] = {
        "wait": 0.0, "used_retry": True, "error_class": "never_left", "error_text": "refused", "why": "never left",
    }  # fmt: skip
    return GiveBack(message=message, attempt=attempt, **{**usual, **changes})


def failure(message: UUID, **changes: Any) -> Failure:
    return Failure(message=message, **{"error_class": "refused", "error_text": "no such number", **changes})


async def unchanged(conn: Conn, running: worlds.Running, before: dict[str, Any]) -> None:
    assert await worlds.everything(conn, running.campaign) == before


# --- give_back --------------------------------------------------------------------------------------


async def test_a_promise_given_back_waits_and_its_quota_comes_back(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await conn.execute("UPDATE message SET next_at = now() - interval '1 hour'")  # it was in the queue for a while
    (row,) = await transitions.give_back(conn, [given(promise.message, wait=60.0)], by="send")
    assert (row["id"], row["retries"], row["step"]) == (promise.message, 1, 1)
    stored = await worlds.row(conn, "message", promise.message)
    assert (stored["status"], stored["error_class"], stored["error_text"]) == ("pending", "never_left", "refused")
    assert timedelta(seconds=58) < stored["next_at"] - worlds.now() <= timedelta(seconds=61)
    assert await worlds.used(conn, running.sender) == 0
    assert await worlds.moves(conn, promise.message) == [("pending", "sending"), ("sending", "pending")]
    assert await worlds.state(conn, running.first.recipient) == "queued"
    assert await worlds.moves(conn, running.first.recipient) == []
    await books.check(conn, running.campaign)


async def test_what_may_have_left_keeps_its_quota_and_its_retries(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    (row,) = await transitions.give_back(conn, [given(promise.message, used_retry=False, refund=False)], by="retrier")
    assert row["retries"] == 0
    assert await worlds.used(conn, running.sender) == 1


async def test_quota_comes_back_to_the_day_it_was_charged_to(conn: Conn) -> None:
    running, _, promises = await worlds.promised(conn, 5)
    tomorrow = worlds.TODAY + timedelta(days=1)
    await conn.execute("INSERT INTO quota_day (sender, day, used) VALUES ($1, $2, 7)", running.sender, tomorrow)
    await transitions.give_back(conn, [given(p.message) for p in promises[:3]], by="send")
    assert await worlds.used(conn, running.sender) == 2
    assert await worlds.used(conn, running.sender, tomorrow) == 7


async def test_a_doubt_proven_absent_queues_its_person_again(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await transitions.doubt(conn, [(promise.message, 1, "nobody can tell")], by="retrier")
    assert len(await transitions.give_back(conn, [given(promise.message)], by="retrier")) == 1
    assert await worlds.moves(conn, running.first.recipient) == [("queued", "unconfirmed"), ("unconfirmed", "queued")]
    await books.check(conn, running.campaign)


@pytest.mark.parametrize("attempt", [0, 2, 99])
async def test_only_the_promise_named_is_given_back(conn: Conn, attempt: int) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.give_back(conn, [given(promise.message, attempt)], by="send") == []
    await unchanged(conn, running, before)


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
async def test_what_was_accepted_is_never_given_back(conn: Conn, status: str) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await transitions.accept(conn, [worlds.fact(promise.message, status)], by="gateway")
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.give_back(conn, [given(promise.message)], by="retrier") == []
    await unchanged(conn, running, before)


async def test_giving_back_twice_is_once_and_refunds_once(conn: Conn) -> None:
    running, _, promises = await worlds.promised(conn, 2)
    assert len(await transitions.give_back(conn, [given(promises[0].message)], by="send")) == 1
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.give_back(conn, [given(promises[0].message)], by="send") == []
    await unchanged(conn, running, before)
    assert await worlds.used(conn, running.sender) == 1


async def test_a_stale_giver_does_not_touch_the_promise_of_his_successor(conn: Conn) -> None:
    running, lane, (promise,) = await worlds.promised(conn)
    await transitions.give_back(conn, [given(promise.message)], by="send")
    await transitions.claim_slice(conn, lane.claim())
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.give_back(conn, [given(promise.message, 1)], by="send") == []
    assert await transitions.doubt(conn, [(promise.message, 1, "late")], by="retrier") == []
    assert await transitions.fail(conn, [failure(promise.message, attempt=1)], by="send") == []
    await transitions.end_attempts(conn, [(promise.message, 1, "late")])
    await transitions.note_absent(conn, [(promise.message, 1)])
    await unchanged(conn, running, before)


# --- fail -------------------------------------------------------------------------------------------


async def test_a_refusal_fails_the_message_and_its_person_with_the_reason(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    (row,) = await transitions.fail(conn, [failure(promise.message, attempt=1)], by="send")
    assert (row["id"], row["sender"], row["error_class"]) == (promise.message, running.sender, "refused")
    person = await worlds.row(conn, "recipient", running.first.recipient)
    assert (person["state"], person["failed_step"], person["why"]) == ("failed", 1, "no such number")
    assert (await worlds.last_event(conn, promise.message))["why"] == "no such number"
    kept = await books.check(conn, running.campaign)
    assert (kept["send_failed"], kept["pending"]) == (1, 0)


async def test_a_failure_reported_after_the_acceptance_fails_who_awaited_a_reply(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    told = failure(running.first.message, round=0, error_class="reported", error_text="reported")
    assert len(await transitions.fail(conn, [told], by="gateway")) == 1
    assert await worlds.state(conn, running.first.recipient) == "failed"
    kept = await books.check(conn, running.campaign)
    assert (kept["sent"], kept["send_failed"]) == (0, 1)


@pytest.mark.parametrize("fence", [{"attempt": 2}, {"round": 1}, {"attempt": 1, "round": 1}])
async def test_a_failure_of_another_promise_or_round_is_no_news(conn: Conn, fence: dict[str, int]) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.fail(conn, [failure(promise.message, **fence)], by="gateway") == []
    await unchanged(conn, running, before)


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_what_is_on_the_phone_does_not_fail_any_more(conn: Conn, status: str) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await transitions.accept(conn, [worlds.fact(promise.message, status)], by="gateway")
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.fail(conn, [failure(promise.message, round=0)], by="gateway") == []
    await unchanged(conn, running, before)


async def test_failing_twice_in_one_call_or_two_is_once(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    assert len(await transitions.fail(conn, [failure(promise.message)] * 3, by="send")) == 1
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.fail(conn, [failure(promise.message)], by="send") == []
    await unchanged(conn, running, before)


async def test_message_2_fails_with_its_own_step(conn: Conn) -> None:
    running, lane = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    await transitions.fail(conn, [failure(second, attempt=1)], by="send")
    person = await worlds.row(conn, "recipient", running.first.recipient)
    assert (person["state"], person["failed_step"]) == ("failed", 2)
    assert person["replied_at"] is not None
    kept = await books.check(conn, running.campaign)
    assert (kept["message_2_failed"], kept["send_failed"], kept["sent"], kept["replied"]) == (1, 0, 1, 1)


async def test_the_failure_of_message_1_leaves_who_replied_meanwhile(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    await worlds.reply(conn, running, running.first)
    await transitions.fail(conn, [failure(running.first.message, round=0)], by="gateway")
    assert await worlds.state(conn, running.first.recipient) == "replied"
    await books.check(conn, running.campaign)


async def test_a_fenced_failure_of_rows_read_as_pending_spares_what_was_promised_meanwhile(conn: Conn) -> None:
    running = await worlds.launched(conn, 2)
    lane = await worlds.lane(conn, running)
    read = [(p.message, 0) for p in running.people]
    (promise,) = await transitions.claim_slice(conn, lane.claim())
    rows = await transitions.fail(conn, [failure(m, attempt=a) for m, a in read], by="sweeper")
    assert [r["id"] for r in rows] == [running.people[1].message]
    assert await worlds.status(conn, promise.message) == "sending"


# --- doubt ------------------------------------------------------------------------------------------


async def test_a_doubt_is_shown_on_the_message_and_its_person(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    (row,) = await transitions.doubt(conn, [(promise.message, 1, "the look-up failed")], by="retrier")
    assert (row["id"], row["step"]) == (promise.message, 1)
    assert await worlds.state(conn, running.first.recipient) == "unconfirmed"
    assert (await worlds.last_event(conn, running.first.recipient))["why"] == "the look-up failed"
    assert await worlds.used(conn, running.sender) == 1, "it may have left: its quota stays used"
    kept = await books.check(conn, running.campaign)
    assert (kept["unconfirmed"], kept["pending"]) == (1, 0)


async def test_a_doubt_about_message_2_leaves_its_person_replied(conn: Conn) -> None:
    running, lane = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    assert len(await transitions.doubt(conn, [(second, 1, "cut")], by="retrier")) == 1
    assert await worlds.state(conn, running.first.recipient) == "replied"
    kept = await books.check(conn, running.campaign)
    assert kept["unconfirmed"] == 0, "the figures of doubt are those of Message 1"


async def test_only_what_is_being_sent_can_be_doubted(conn: Conn) -> None:
    running, _lane, promises = await worlds.promised(conn, 4)
    pending, sent, failed, doubted = (p.message for p in promises)
    await transitions.give_back(conn, [given(pending)], by="send")
    await transitions.accept(conn, [worlds.fact(sent)], by="send")
    await transitions.fail(conn, [failure(failed)], by="send")
    await transitions.doubt(conn, [(doubted, 1, "cut")], by="retrier")
    before = await worlds.everything(conn, running.campaign)
    again = [(m, 1, "again") for m in (pending, sent, failed, doubted)]
    assert await transitions.doubt(conn, again, by="retrier") == []
    await unchanged(conn, running, before)


async def test_nothing_doubted_is_claimed(conn: Conn) -> None:
    _running, lane, (promise,) = await worlds.promised(conn)
    await transitions.doubt(conn, [(promise.message, 1, "cut")], by="retrier")
    assert await transitions.claim_slice(conn, lane.claim(10)) == []


# --- expire -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("was", ["sending", "unconfirmed", "sent"])
async def test_what_expired_at_the_gateway_is_sent_again_under_a_new_reference(conn: Conn, was: str) -> None:
    running, lane, (promise,) = await worlds.promised(conn)
    if was == "unconfirmed":
        await transitions.doubt(conn, [(promise.message, 1, "cut")], by="retrier")
    elif was == "sent":
        await transitions.accept(conn, [worlds.fact(promise.message, gateway_id="g", message_id="w")], by="send")
    assert len(await transitions.expire(conn, [(promise.message, 0)], 3, by="gateway")) == 1
    row = await worlds.row(conn, "message", promise.message)
    assert (row["status"], row["round"], row["retries"], row["attempt"]) == ("pending", 1, 1, 1)
    assert [row[c] for c in ("sent_at", "gateway_id", "whatsapp_message_id", "accept_ms", "failed_at")] == [None] * 5
    person = await worlds.row(conn, "recipient", running.first.recipient)
    assert (person["state"], person["window_ends_at"]) == ("queued", None)
    assert await worlds.used(conn, running.sender) == 0
    await books.check(conn, running.campaign)
    (again,) = await transitions.claim_slice(conn, lane.claim())
    assert again.reference == f"{promise.message}.1"
    assert again.attempt == 2


@pytest.mark.parametrize("was", ["sending", "unconfirmed", "sent"])
async def test_what_expired_once_too_often_has_failed(conn: Conn, was: str) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    if was == "unconfirmed":
        await transitions.doubt(conn, [(promise.message, 1, "cut")], by="retrier")
    elif was == "sent":
        await transitions.accept(conn, [worlds.fact(promise.message)], by="send")
    assert len(await transitions.expire(conn, [(promise.message, 0)], 0, by="gateway")) == 1
    row = await worlds.row(conn, "message", promise.message)
    assert (row["status"], row["error_class"]) == ("failed", "expired")
    person = await worlds.row(conn, "recipient", running.first.recipient)
    assert (person["state"], person["failed_step"]) == ("failed", 1)
    await books.check(conn, running.campaign)


async def test_an_expired_message_2_leaves_its_person_replied_and_waiting_for_it(conn: Conn) -> None:
    running, lane = await worlds.sent(conn)
    second = await worlds.message_2(conn, running, running.first)
    await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    await transitions.accept(conn, [worlds.fact(second)], by="send")
    assert await worlds.state(conn, running.first.recipient) == "followed_up"
    await transitions.expire(conn, [(second, 0)], 3, by="gateway")
    assert await worlds.state(conn, running.first.recipient) == "replied"
    await books.check(conn, running.campaign)
    again = await transitions.promise_message_2(
        conn, second, sender=running.sender, day=worlds.TODAY, quota=100, process=lane.process
    )
    assert again is not None
    assert again.reference == f"{second}.1"


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_what_is_on_the_phone_did_not_expire(conn: Conn, status: str) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await transitions.accept(conn, [worlds.fact(promise.message, status)], by="gateway")
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.expire(conn, [(promise.message, 0)], 3, by="gateway") == []
    await unchanged(conn, running, before)


async def test_an_expiry_of_an_older_round_told_twice_or_late_is_no_news(conn: Conn) -> None:
    running, lane, (promise,) = await worlds.promised(conn)
    assert len(await transitions.expire(conn, [(promise.message, 0)], 3, by="gateway")) == 1
    assert await transitions.expire(conn, [(promise.message, 0)], 3, by="gateway") == []
    await transitions.claim_slice(conn, lane.claim())
    before = await worlds.everything(conn, running.campaign)
    assert await transitions.expire(conn, [(promise.message, 0)], 3, by="retrier") == []
    told = failure(promise.message, round=0, error_class="reported", error_text="expired")
    assert await transitions.fail(conn, [told], by="gateway") == []
    await unchanged(conn, running, before)


async def test_an_acknowledgement_of_a_round_that_expired_does_not_stand_for_the_next_one(conn: Conn) -> None:
    """Webhooks arrive in any order: a "sent" of round 0 after its expiry would lose the person."""
    running, lane, (promise,) = await worlds.promised(conn)
    await transitions.expire(conn, [(promise.message, 0)], 3, by="gateway")
    stale = worlds.fact(promise.message, "sent", round=0)
    assert await transitions.accept(conn, [stale], by="gateway") == []
    (again,) = await transitions.claim_slice(conn, lane.claim())
    assert await transitions.accept(conn, [stale], by="gateway") == []
    right = worlds.fact(promise.message, "sent", round=again.round)
    assert len(await transitions.accept(conn, [stale, right], by="gateway")) == 1
    await books.check(conn, running.campaign)


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_what_is_on_the_phone_is_on_the_phone_whatever_its_round(conn: Conn, status: str) -> None:
    _running, lane, (promise,) = await worlds.promised(conn)
    await transitions.expire(conn, [(promise.message, 0)], 3, by="gateway")
    assert len(await transitions.accept(conn, [worlds.fact(promise.message, status, round=0)], by="gateway")) == 1
    assert await transitions.claim_slice(conn, lane.claim()) == []


# --- notes ------------------------------------------------------------------------------------------


async def test_notes_are_not_moves(conn: Conn) -> None:
    running, _, (promise,) = await worlds.promised(conn)
    await transitions.end_attempts(conn, [(promise.message, 1, "time-out")])
    await transitions.note_absent(conn, [(promise.message, 1)])
    row = await worlds.row(conn, "message", promise.message)
    assert (row["status"], row["error_text"]) == ("sending", "time-out")
    first = row["absent_at"]
    assert row["ended_at"] is not None
    await transitions.note_absent(conn, [(promise.message, 1)])
    assert (await worlds.row(conn, "message", promise.message))["absent_at"] == first
    assert await worlds.moves(conn, promise.message) == [("pending", "sending")]
    await books.check(conn, running.campaign)


async def test_nothing_named_is_nothing_done(conn: Conn) -> None:
    assert await transitions.give_back(conn, [], by="test") == []
    assert await transitions.fail(conn, [], by="test") == []
    assert await transitions.doubt(conn, [], by="test") == []
    assert await transitions.expire(conn, [], 3, by="test") == []
    await transitions.end_attempts(conn, [])
    await transitions.note_absent(conn, [])


async def test_only_the_promise_named_is_doubted(conn: Conn) -> None:
    _running, _, (promise,) = await worlds.promised(conn)
    assert await transitions.doubt(conn, [(promise.message, promise.attempt + 1, "who?")], by="retrier") == []
    assert await worlds.status(conn, promise.message) == "sending"
