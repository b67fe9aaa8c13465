"""Sends whose outcome is not known: the gateway took them and did not say so, or did not take them and did not say so.

Three systems run at the same time, told apart by what can be learned of a doubt: look-ups that show a message only
seconds later, look-ups that ignore what they are asked, and none at all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from local import proof
from models import transitions
from tests.crash import judge
from tests.crash.stage import Ground, Stage
from tests.crash.story import Campaign, phones
from tests.crash.system import System
from tests.simulator_process import until

if TYPE_CHECKING:
    from asyncpg import Record

TOOK = ("timeout_after_accept", "timeout_after_accept", "error_after_accept", "html_after_accept",
        "close_after_accept", "garbled_after_accept")  # fmt: skip
"""The gateway has it: it never answers, answers too late, with a 5xx, with a page, by closing, with half a body."""
TOOK_NOT = ("hang", "close", "html_502", "error", "unavailable")
"""The gateway does not have it, and its answer does not prove that."""
LATE_SECONDS = 7.0
"""An answer that comes after the deadline of the call."""
NO_ACKS = {"ack_loss": 1.0}
"""An acknowledgement would settle a doubt before any look-up."""
DOUBTED = ("late_ack", "reply", "reply_before", "resolved_as_sent", "resolved_by_retry", "found_later", "absent_later")
"""What settles each of the doubts that no look-up could."""


@dataclass
class Outcome:
    """How one system stood in the end."""

    campaign: Campaign
    messages: dict[str, Record]
    second: dict[str, Record]
    lines: dict[str, list[judge.Line]]
    moves: dict[str, list[str]]
    states: dict[str, str]
    alerts: list[Record]
    unconfirmed: dict[str, Record]
    """The rows that were unconfirmed, as they were then."""

    def phone(self, name: str) -> str:
        """Return whose doubt was settled in this way."""
        return self.campaign.phones[DOUBTED.index(name)]


@dataclass
class Doubts:
    """The three systems."""

    lagging: Outcome
    careless: Outcome
    silent: Outcome


async def lagging(ground: Ground) -> Outcome:
    """Look-ups show a message only three seconds after it was taken; the simulator's webhooks of people come."""
    return await _with_look_ups(ground, ("web", "worker", "replies", "scheduler"), lookup_lag_seconds=3.0)


async def careless(ground: Ground) -> Outcome:
    """Look-ups list everything there is, whatever they were asked, seven rows a page."""
    return await _with_look_ups(ground, ("worker", "scheduler"), lookup_ignores_filter=True, page_limit=7)


async def _with_look_ups(ground: Ground, start: tuple[str, ...], **behaviour: Any) -> Outcome:
    everybody = phones(0, 24)
    sends: dict[str, Any] = {phone: {"send": how} for phone, how in zip(everybody, TOOK, strict=False)}
    sends |= {p: {"send": [how, "ok"]} for p, how in zip(everybody[len(TOOK) :], TOOK_NOT, strict=False)}
    async with ground.system(start=start, behaviour=NO_ACKS | behaviour | {"phones": sends}) as system:
        campaign = await system.books.launched(24, message_2="And now the second one of campaign 0")
        await until(lambda: judge.lines_of(system, everybody[0]), seconds=60, what="the first message to be taken")
        system.simulator.behave(timeout_seconds=LATE_SECONDS)
        if "web" in start:
            # Somebody answers what is still in doubt here.
            system.simulator.say(everybody[0])
        await system.books.all_left(campaign, seconds=120)
        if "web" in start:
            await until(lambda: len(judge.lines_of(system, everybody[0])) == 2, seconds=60, what="Message 2")
            await until(lambda: _followed_up(system, campaign), seconds=30, what="the reply to be followed up")
        await judge.assert_right(system, campaign)
        return await _outcome(system, campaign, {})


async def silent(ground: Ground) -> Outcome:
    everybody = phones(0, 12)
    who = dict(zip(DOUBTED, everybody, strict=False))
    sends: dict[str, Any] = {phone: {"send": "timeout_after_accept"} for phone in who.values()}
    sends |= {who[name]: {"send": ["hang", "ok"]} for name in ("resolved_by_retry", "absent_later")}
    everything = ("web", "worker", "replies", "scheduler")
    async with ground.system(start=everything, behaviour=NO_ACKS | {"phones": sends}) as system:
        books, simulator = system.books, system.simulator
        # Whoever sends reads the gateway's story before its first message: the lane's first one, a first Message 2.
        first = await books.launched(1, message_2="And now the second one of campaign 0", people=everybody[-1:])
        await books.all_left(first)
        simulator.say(everybody[-1])
        await until(lambda: len(simulator.ledger()) == 2, seconds=60, what="the first Message 2")
        campaign = await books.launched(11, message_2="And now the second one of campaign 1", people=everybody[:-1])
        simulator.behave(lookups_unavailable=True)
        await until(lambda: judge.lines_of(system, who["reply_before"]), seconds=60, what="a message in doubt")
        simulator.say(who["reply_before"])
        await until(lambda: _unconfirmed(system, 6), seconds=180, what="what nobody can tell to be unconfirmed")
        unconfirmed = {row["phone"]: row for row in (await books.messages(campaign)).values()}
        rows = await books.messages(campaign)
        simulator.event(_acknowledgement(system, judge.lines_of(system, who["late_ack"])[0]))
        simulator.say(who["reply"])
        async with books.connection() as conn:
            sent = await transitions.confirm(conn, rows[who["resolved_as_sent"]]["recipient"], "test")
            retried = await transitions.retry_unconfirmed(conn, rows[who["resolved_by_retry"]]["recipient"], "test")
        assert sent and retried
        alerts = await books.rows("SELECT * FROM alert")
        await until(lambda: _unconfirmed(system, 2), seconds=60, what="four of them to be settled")
        simulator.behave(lookups_unavailable=False)
        await books.all_left(campaign, seconds=120)
        for name in ("reply", "reply_before"):
            await until(partial(_got, system, who[name], 2), seconds=60, what="Message 2")
        await until(lambda: _followed_up(system, campaign), seconds=30, what="the replies to be followed up")
        await judge.assert_right(system, campaign)
        return await _outcome(system, campaign, unconfirmed, alerts)


async def _outcome(
    system: System, campaign: Campaign, unconfirmed: dict[str, Record], alerts: list[Record] | None = None
) -> Outcome:
    moves: dict[str, list[str]] = {}
    for row in await system.books.rows(
        "SELECT m.phone, e.new, e.why, e.moved_by FROM event e JOIN message m ON m.id = e.subject_id"
        " WHERE m.step = 1 ORDER BY e.id"
    ):
        moves.setdefault(row["phone"], []).append(f"{row['new']} by {row['moved_by']}: {row['why']}")
    return Outcome(
        campaign=campaign,
        messages=await system.books.messages(campaign),
        second=await system.books.messages(campaign, 2),
        lines={phone: judge.lines_of(system, phone) for phone in campaign.phones},
        moves=moves,
        states=await system.books.states(campaign),
        alerts=alerts or [],
        unconfirmed=unconfirmed,
    )


async def _unconfirmed(system: System, many: int) -> bool:
    rows = await system.books.rows("SELECT status, count(*) FROM message WHERE step = 1 GROUP BY 1")
    found = {row["status"]: row["count"] for row in rows}
    return found.get("unconfirmed", 0) == many and "sending" not in found and "pending" not in found


async def _followed_up(system: System, campaign: Campaign) -> bool:
    second = await system.books.messages(campaign, 2)
    return bool(second) and all(row["status"] in proof.ACCEPTED for row in second.values())


def _got(system: System, phone: str, many: int) -> bool:
    return len(judge.lines_of(system, phone)) == many


def _acknowledgement(system: System, line: judge.Line) -> bytes:
    """Write the acknowledgement of a message as the gateway did, long ago; it was only delivered now."""
    data = {"id": line["id"], "waId": line["waId"], "phone": line["phone"], "status": "sent", "deliveryStatus": "sent",
            "device": system.simulator.device, "reference": line["reference"]}  # fmt: skip
    event = {"id": line["waId"], "object": "message", "event": "message:out:sent", "created": int(line["time"]),
             "device": {"id": system.simulator.device}, "data": data}  # fmt: skip
    return json.dumps(event).encode()


SCENES = [(100.0, silent), (45.0, lagging), (45.0, careless)]


@pytest.fixture
def doubts(stage: Stage) -> Doubts:
    """The three systems, each played once."""
    return Doubts(stage.told(lagging), stage.told(careless), stage.told(silent))


# --- look-ups that lag, look-ups that ignore their filter -----------------------------------------------


@pytest.mark.parametrize("which", ["lagging", "careless"])
def test_what_the_gateway_took_without_saying_so_is_found_and_not_sent_again(doubts: Doubts, which: str) -> None:
    outcome: Outcome = getattr(doubts, which)
    for phone, how in zip(outcome.campaign.phones, TOOK, strict=False):
        row, (line, *_) = outcome.messages[phone], outcome.lines[phone]
        assert row["attempt"] == 1, how
        assert row["gateway_id"] == line["id"] or how == "garbled_after_accept", how
        assert len([taken for taken in outcome.lines[phone] if taken["reference"] == str(row["id"])]) == 1, how


@pytest.mark.parametrize("which", ["lagging", "careless"])
def test_what_the_gateway_never_took_is_sent_once_more_when_that_is_proven(doubts: Doubts, which: str) -> None:
    outcome: Outcome = getattr(doubts, which)
    for phone, how in zip(outcome.campaign.phones[len(TOOK) :], TOOK_NOT, strict=False):
        assert outcome.messages[phone]["attempt"] == 2, how
        assert len(outcome.lines[phone]) == 1, how
        assert any("proven absent" in move for move in outcome.moves[phone]), how


@pytest.mark.parametrize("which", ["lagging", "careless"])
def test_nothing_is_unconfirmed_where_look_ups_answer(doubts: Doubts, which: str) -> None:
    outcome: Outcome = getattr(doubts, which)
    assert not [move for moves in outcome.moves.values() for move in moves if move.startswith("unconfirmed")]


def test_a_reply_to_a_message_in_doubt_waits_for_the_look_up_and_counts(doubts: Doubts) -> None:
    outcome = doubts.lagging
    phone = outcome.campaign.phones[0]
    assert outcome.states[phone] == "followed_up"
    assert outcome.messages[phone]["gateway_id"] == outcome.lines[phone][0]["id"]
    assert len(outcome.second) == 1


# --- no look-ups at all ------------------------------------------------------------------------------------


def test_what_nobody_can_tell_is_unconfirmed_shown_and_alerted_never_sent_again(doubts: Doubts) -> None:
    outcome = doubts.silent
    waiting = [name for name in DOUBTED if name != "reply_before"]
    assert {outcome.unconfirmed[outcome.phone(name)]["status"] for name in waiting} == {"unconfirmed"}
    assert {outcome.unconfirmed[outcome.phone(name)]["attempt"] for name in waiting} == {1}
    assert [(row["kind"], row["subject"]) for row in outcome.alerts if row["kind"] == "unconfirmed"] == [
        ("unconfirmed", str(outcome.campaign.id))
    ]


def test_a_late_acknowledgement_settles_what_was_unconfirmed(doubts: Doubts) -> None:
    row, lines, moves = _of(doubts, "late_ack")
    assert row["attempt"] == 1
    assert row["gateway_id"] == lines[0]["id"]
    assert moves[-1].startswith("sent by gateway")


def test_a_reply_settles_what_was_unconfirmed_and_gets_its_message_2(doubts: Doubts) -> None:
    row, lines, moves = _of(doubts, "reply")
    assert row["attempt"] == 1
    assert moves[-1].startswith("sent by reply")
    assert len(lines) == 2
    assert doubts.silent.states[doubts.silent.phone("reply")] == "followed_up"


def test_a_reply_that_came_while_nobody_could_tell_counts_as_proof_in_the_end(doubts: Doubts) -> None:
    row, lines, _ = _of(doubts, "reply_before")
    assert row["attempt"] == 1
    assert len(lines) == 2
    assert doubts.silent.states[doubts.silent.phone("reply_before")] == "followed_up"


def test_a_person_says_that_it_arrived(doubts: Doubts) -> None:
    row, lines, moves = _of(doubts, "resolved_as_sent")
    assert row["attempt"] == 1
    assert len(lines) == 1
    assert moves[-1].startswith("sent by test")


def test_a_person_sends_it_again_under_a_new_reference(doubts: Doubts) -> None:
    row, lines, _ = _of(doubts, "resolved_by_retry")
    assert (row["attempt"], row["round"]) == (2, 1)
    assert [line["reference"] for line in lines] == [f"{row['id']}.1"]


def test_look_ups_that_come_back_settle_the_rest(doubts: Doubts) -> None:
    row, lines, moves = _of(doubts, "found_later")
    assert row["attempt"] == 1
    assert row["gateway_id"] == lines[0]["id"]
    assert "by retrier: found at the gateway" in moves[-1]
    row, lines, moves = _of(doubts, "absent_later")
    assert row["attempt"] == 2
    assert len(lines) == 1
    assert any("proven absent" in move for move in moves)


def _of(doubts: Doubts, name: str) -> tuple[Record, list[judge.Line], list[str]]:
    phone = doubts.silent.phone(name)
    return doubts.silent.messages[phone], doubts.silent.lines[phone], doubts.silent.moves[phone]
