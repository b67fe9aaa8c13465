"""A worker is killed: before its promise, between promise and answer, after the answer but before the record.

One worker holds five lanes, each in another of these moments, when it gets SIGKILL. No webhook tells anybody
anything: what is settled is settled by asking the gateway. Each lane is let into its moment by a fact, never by a time.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.crash import judge
from tests.crash.claims import held_claim_of
from tests.crash.process import alive, send
from tests.crash.stage import FIGURES, Ground, Stage
from tests.crash.story import Campaign, phones
from tests.crash.system import System
from tests.simulator_process import until

if TYPE_CHECKING:
    from asyncpg import Record

EACH = 6
BEFORE, PROMISED, ON_ITS_WAY, TAKEN, ANSWERED = range(5)
"""The moment each of the five lanes is in: nothing promised; promised, not written; written, no answer and not
accepted; accepted, no answer; answered, not recorded."""
RECOVERY_SECONDS = 15.0


@dataclass
class Killed:
    """What stood in the rows at the kill, and in the rows and in the ledger when all was over."""

    campaigns: list[Campaign]
    before: list[dict[str, Record]]
    after: list[dict[str, Record]]
    ledger: list[judge.Line]
    moves: dict[str, list[str]]
    batches: int
    verdict: judge.Verdict
    died: float
    settled: float
    caught: dict[int, str]
    """Whose message was in its moment when the worker died, by moment."""

    def first(self, moment: int) -> tuple[Record, Record, list[judge.Line]]:
        """Return the message caught in a moment: its row at the kill and at the end, and what the gateway took."""
        phone = self.caught[moment]
        lines = [line for line in self.ledger if line["phone"] == phone]
        return self.before[moment][phone], self.after[moment][phone], lines


async def play(ground: Ground) -> Killed:
    """Have all five moments at once, kill the worker, bring it back, and wait until everything has left."""
    scripts = {
        phones(ON_ITS_WAY, 1)[0]: {"send": ["hang", "ok"]},
        phones(TAKEN, 1)[0]: {"send": "timeout_after_accept"},
    }
    async with ground.system(senders=5, behaviour={"phones": scripts}) as system, system.books.apart() as blocker:
        books, simulator = system.books, system.simulator
        campaigns = [await books.draft(EACH, sender=number) for number in range(5)]
        await books.shut_gates()
        for campaign in campaigns:
            assert await books.launch(campaign)
        await until(books.gates_found_shut, seconds=60, what="every lane to leave its shut gate")
        # Nothing is settled before the kill, however long a slow machine takes to get there: the gateway cannot be
        # asked, and the process's one recorder waits for our lock with the first result it is given.
        simulator.behave(lookups_unavailable=True)
        locked = blocker.transaction()
        await locked.start()
        await blocker.execute("SELECT FROM recipient WHERE campaign = $1 FOR UPDATE", campaigns[ANSWERED].id)
        await books.open_gate(campaigns[ANSWERED])
        await until(lambda: _waits(system), seconds=60, what="the recorder to wait for our lock")
        await books.open_gate(campaigns[ON_ITS_WAY])
        await until(lambda: _promised(system, campaigns[ON_ITS_WAY]), seconds=60, what="a message on its way")
        await books.open_gate(campaigns[TAKEN])
        taken_first = campaigns[TAKEN].phones[0]
        await until(lambda: judge.lines_of(system, taken_first), seconds=60, what="a message taken without a word")
        worker = system.only("worker")
        child = worker.tree()[-1]
        async with held_claim_of(books, campaigns[PROMISED]) as held:
            await books.open_gate(campaigns[PROMISED])
            last = await held.freeze_between_promise_and_write(child)
            send(child, signal.SIGKILL)
            died = time.time()
        before = [await books.messages(campaign) for campaign in campaigns]
        # What the dead one had asked PostgreSQL to record must not be recorded after all.
        await books.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        await locked.rollback()
        simulator.behave(lookups_unavailable=False)
        taken = {line["phone"] for line in system.simulator.ledger()}
        caught = {moment: campaigns[moment].phones[0] for moment in (BEFORE, ON_ITS_WAY, TAKEN)} | {
            PROMISED: next(phone for phone, row in before[PROMISED].items() if row["id"] == last),
            ANSWERED: next(p for p, row in before[ANSWERED].items() if row["status"] == "sending" and p in taken),
        }
        await until(lambda: not worker.lives, seconds=30, what="the master to end with its worker")
        assert not alive(child)
        await system.bring_back()
        # Each number sends one more: on a slow machine the blow may meet the last message of another lane too, and
        # without a later one nothing proves a doubt about that.
        later = [await books.launched(1, sender=number) for number in range(5)]
        await books.rows("UPDATE sender SET gate_at = least(gate_at, now()), not_before = now()")
        await books.all_left(*campaigns, *later)
        moves: dict[str, list[str]] = {}
        for row in await books.rows(
            "SELECT m.phone, e.new, e.why FROM event e JOIN message m ON m.id = e.subject_id ORDER BY e.id"
        ):
            moves.setdefault(row["phone"], []).append(f"{row['new']}: {row['why']}")
        return Killed(
            campaigns=campaigns,
            before=before,
            after=[await books.messages(campaign) for campaign in campaigns],
            ledger=system.simulator.ledger(),
            moves=moves,
            batches=await books.value("SELECT count(*) FROM batch WHERE campaign = $1", campaigns[BEFORE].id),
            verdict=await judge.assert_right(system, *campaigns, *later),
            died=died,
            caught=caught,
            settled=float(await books.value("SELECT extract(epoch FROM max(at)) FROM event WHERE subject = 'message'")),
        )


async def _promised(system: System, campaign: Campaign) -> bool:
    row = (await system.books.messages(campaign))[campaign.phones[0]]
    return bool(row["status"] == "sending")


async def _waits(system: System) -> bool:
    return bool(
        await system.books.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


SCENES = [(35.0, play)]


@pytest.fixture
def killed(stage: Stage) -> Killed:
    """What was seen; played once for all tests of this file."""
    return stage.told(play)


def test_worker_before_the_promise_sends_once_in_the_same_batch(killed: Killed) -> None:
    before = killed.before[BEFORE]
    assert {row["status"] for row in before.values()} == {"pending"}
    _, after, lines = killed.first(BEFORE)
    assert after["attempt"] == 1
    assert len(lines) == 1
    assert killed.batches == 1


def test_worker_between_promise_and_write_sends_once_proven_absent(killed: Killed) -> None:
    before, after, lines = killed.first(PROMISED)
    assert before["status"] == "sending"
    assert after["attempt"] == 2
    assert len(lines) == 1
    assert "pending: proven absent at the gateway: sent again" in killed.moves[after["phone"]]


def test_worker_between_promise_and_answer_sends_once_proven_absent(killed: Killed) -> None:
    before, after, lines = killed.first(ON_ITS_WAY)
    assert before["status"] == "sending"
    assert after["attempt"] == 2
    assert len(lines) == 1
    assert lines[0]["time"] > killed.died


def test_worker_after_the_gateway_took_it_is_found_and_recorded(killed: Killed) -> None:
    before, after, lines = killed.first(TAKEN)
    assert before["status"] == "sending"
    assert after["attempt"] == 1
    assert after["gateway_id"] == lines[0]["id"]
    assert len(lines) == 1
    assert any(move.endswith(": found at the gateway") for move in killed.moves[after["phone"]])


def test_worker_after_the_answer_before_the_record_is_found_and_recorded(killed: Killed) -> None:
    before, after, lines = killed.first(ANSWERED)
    assert before["status"] == "sending"
    assert lines[0]["time"] < killed.died
    assert after["attempt"] == 1
    assert after["gateway_id"] == lines[0]["id"]
    assert len(lines) == 1
    assert any(move.endswith(": found at the gateway") for move in killed.moves[after["phone"]])


def test_every_lane_goes_on_after_a_killed_worker(
    killed: Killed, record_property: Callable[[str, object], None]
) -> None:
    assert killed.verdict.wrong == []
    first = {
        line["device"]: line["time"] - killed.died for line in reversed(killed.ledger) if line["time"] > killed.died
    }
    record_property(
        FIGURES,
        f"recovery after SIGKILL of a worker: the next message after {min(first.values()):.1f} s (design:"
        f" {RECOVERY_SECONDS:g} s), the last doubt settled after {killed.settled - killed.died:.1f} s",
    )
    assert first
