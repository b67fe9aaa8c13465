"""The whole life of a campaign in any order: Hypothesis plays the gateway, the people, the crashes and the clock.

The model knows what the real modules cannot: what the gateway truly accepted. RELANCE_LIFE=deep plays much longer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import settings as configuration
from models import transitions
from models.queries import sql
from models.transitions import Failure, GiveBack, Promise
from rules.status import RecipientState
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

T = TypeVar("T")
PEOPLE = 3
QUOTA = 1_000_000
DEEP = os.environ.get("RELANCE_LIFE") == "deep"
PROFILE = settings(
    max_examples=600 if DEEP else 130,
    stateful_step_count=120 if DEEP else 50,
    derandomize=not DEEP,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    print_blob=True,
)
MESSAGE_ACCEPTED = ("sent", "delivered", "read")
FINAL = ("followed_up", "late_reply", "no_interaction", "failed", "opted_out", "cancelled")
BY_FACT = {
    ("no_interaction", "replied"), ("no_interaction", "late_reply"), ("no_interaction", "opted_out"),
    ("failed", "awaiting_reply"), ("cancelled", "awaiting_reply"), ("failed", "followed_up"),
    ("followed_up", "failed"), ("followed_up", "replied"), ("late_reply", "replied"),
}  # fmt: skip
"""The only ways out of a final state: facts. (What the gateway says of an accepted Message 2 is one.)"""
people = st.integers(0, PEOPLE - 1)
which = st.integers(0, 5)

MUST_HAPPEN = {
    *(("message", old, new) for old, new in (
        ("pending", "sending"), ("sending", "sent"), ("sending", "pending"), ("sent", "delivered"),
    )),
    *(("recipient", old, new) for old, new in (
        ("queued", "awaiting_reply"), ("awaiting_reply", "replied"), ("awaiting_reply", "no_interaction"),
        ("replied", "followed_up"),
    )),
}  # fmt: skip
"""A run that did not meet these has shown nothing."""


def pick(among: list[T], which: int) -> T:
    """Return one of those a rule can be about."""
    return among[which % len(among)]


@dataclass
class Truth:
    """What really happened to one message at the gateway."""

    promises: int = 0
    accepted: set[int] = field(default_factory=set)
    """Rounds in which the gateway accepted it."""
    expired: set[int] = field(default_factory=set)
    """Of those, the rounds in which it expired in the gateway's queue: it never left."""
    reported: bool = False
    """The gateway said of the current round that it failed."""
    sent_after_failure: bool = False
    """Its "sent" was told again after its failure: a fact moves it to sent from anywhere."""
    on_phone: bool = False
    calls: dict[int, Promise] = field(default_factory=dict)
    """Promises whose result nobody has recorded, by attempt."""

    @property
    def left(self) -> set[int]:
        """Rounds in which it left: there may only ever be one."""
        return self.accepted - self.expired


class Life(RuleBasedStateMachine):
    """One campaign with a handful of people, on a real database."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    conn: Connection[Record]

    # --- the world ---------------------------------------------------------------------------------

    @initialize(
        has_message_2=st.sampled_from([True, True, False]),
        promised=st.sampled_from([PEOPLE, 1, 0]),
        left=st.sampled_from([0, 1, PEOPLE]),
    )
    def launch(self, has_message_2: bool, promised: int, left: int) -> None:
        """Begin in the middle, too: some Message 1 promised, some of them accepted."""
        self.text = "Thank you" if has_message_2 else None
        self.world: worlds.Running = self.run(worlds.launched(self.conn, PEOPLE, message_2=self.text))
        self.lane: worlds.Lane = self.run(worlds.lane(self.conn, self.world, size=1000))
        self.base = worlds.now()
        self.truth: dict[UUID, Truth] = {p.message: Truth() for p in self.world.people}
        self.second: dict[int, UUID] = {}
        self.stopped: set[int] = set()
        self.seen: dict[UUID, str] = self.run(self._states())
        self.completed_once = False
        if promised:
            self.claim(promised)
        for _ in range(min(promised, left)):
            self.gateway_accepts(0, True)
        self.seen = self.run(self._states())

    async def _states(self) -> dict[UUID, str]:
        rows = await self.conn.fetch(
            "SELECT id, status FROM message WHERE campaign = $1"
            " UNION ALL SELECT id, state FROM recipient WHERE campaign = $1",
            self.world.campaign,
        )
        return {row["id"]: row["status"] for row in rows}

    def calls(self) -> list[Promise]:
        """Promises whose call is still open and that the gateway has not accepted."""
        return [c for t in self.truth.values() for c in t.calls.values() if c.round not in t.accepted]

    def accepted(self) -> list[UUID]:
        """Messages that the gateway accepted in some round."""
        return [message for message, truth in self.truth.items() if truth.accepted]

    def undone(self) -> list[UUID]:
        """Accepted messages of which it may still be told that they failed or expired."""
        return [m for m, t in self.truth.items() if t.left and not t.on_phone and not t.reported]

    def promised(self) -> list[UUID]:
        """Messages that were ever promised."""
        return [message for message, truth in self.truth.items() if truth.promises]

    def reached(self) -> list[int]:
        """People whom Message 1 left for: only they can answer it."""
        return [i for i, person in enumerate(self.world.people) if self.truth[person.message].left]

    def row(self, message: UUID) -> Any:
        return self.run(worlds.row(self.conn, "message", message))

    def status(self) -> str:
        return str(self.run(worlds.row(self.conn, "campaign", self.world.campaign))["status"])

    def promise_made(self, promise: Promise) -> None:
        """The heart of it all: nothing that left, or may leave, is ever promised again."""
        truth = self.truth[promise.message]
        assert not truth.left, f"{promise.reference} was accepted already and is promised again"
        assert promise.round not in truth.accepted, f"the reference {promise.reference} is used twice"
        assert not truth.calls, "a promise is made while another one is open"
        truth.promises += 1
        assert promise.attempt == truth.promises, "attempts are counted one by one"
        truth.calls[promise.attempt] = promise
        truth.reported = False

    # --- promises ------------------------------------------------------------------------------------

    @rule(many=st.integers(1, 3))
    def claim(self, many: int) -> None:
        before = self.status()
        self.run(self._ensure_batch())
        promises = self.run(transitions.claim_slice(self.conn, self.lane.claim(many, quota=QUOTA)))
        assert not promises or before == "sending"
        for promise in promises:
            assert not any(self.world.people[i].message == promise.message for i in self.stopped), "STOP was said"
            self.promise_made(promise)

    async def _ensure_batch(self) -> None:
        if await sql.open_batch(self.conn, sender=self.world.sender) is None and (
            row := await sql.start_batch(
                self.conn, campaign=self.world.campaign, sender=self.world.sender, size=10, base_delay=5.0, delay=5.0,
                pause=1.0, gaps=[5.0] * 10, error_rate=0.0, adjustment="-", planned_end=None,
                profile="standard", sources="{}",
            )
        ):  # fmt: skip
            self.lane = worlds.Lane(self.lane.sender, self.lane.campaign, row["id"], self.lane.owner, self.lane.epoch)

    @precondition(lambda self: self.second)
    @rule(which=which)
    def promise_second(self, which: int) -> None:
        who = pick(sorted(self.second), which)
        message = self.second[who]
        campaign = self.run(worlds.row(self.conn, "campaign", self.world.campaign))
        promise = self.run(
            transitions.promise_message_2(
                self.conn, message, sender=self.world.sender, day=worlds.TODAY, quota=QUOTA, process=self.lane.process
            )
        )
        if promise is not None:
            assert who not in self.stopped
            assert campaign["status"] != "cancelled"
            assert not (campaign["status"] == "paused" and campaign["holds"] == "all")
            self.promise_made(promise)

    # --- what the gateway does, seen or not ----------------------------------------------------------

    @precondition(lambda self: self.calls())
    @rule(which=which, seen=st.booleans())
    def gateway_accepts(self, which: int, seen: bool) -> None:
        """It takes the message; the answer reaches us, or we die first."""
        promise = pick(self.calls(), which)
        truth = self.truth[promise.message]
        truth.accepted.add(promise.round)
        if seen:
            truth.calls.pop(promise.attempt)
            fact = worlds.fact(promise.message, gateway_id=f"g{promise.reference}", round=promise.round)
            self.run(transitions.accept(self.conn, [fact], by="send"))

    @precondition(lambda self: self.calls())
    @rule(which=which, used=st.booleans(), wait=st.sampled_from([0.0, 0.0, 3600.0]))
    def never_left(self, which: int, used: bool, wait: float) -> None:
        """The call is refused a connection, or its absence is proven: given back."""
        promise = pick(self.calls(), which)
        back = GiveBack(
            message=promise.message, attempt=promise.attempt, wait=wait, used_retry=used, error_class="never_left",
            error_text="no connection", why="never left",
        )  # fmt: skip
        assert len(self.run(transitions.give_back(self.conn, [back], by="send"))) == 1
        self.truth[promise.message].calls.pop(promise.attempt)

    @precondition(lambda self: self.calls())
    @rule(which=which)
    def refused(self, which: int) -> None:
        promise = pick(self.calls(), which)
        told = Failure(message=promise.message, attempt=promise.attempt, error_class="refused", error_text="refused")
        assert len(self.run(transitions.fail(self.conn, [told], by="send"))) == 1
        self.truth[promise.message].calls.pop(promise.attempt)

    @precondition(lambda self: self.promised())
    @rule(which=which)
    def stale_words(self, which: int) -> None:
        """Somebody awakes who made an earlier promise: what he says of it changes nothing."""
        message = pick(self.promised(), which)
        attempt = self.row(message)["attempt"]
        before = self.run(worlds.everything(self.conn, self.world.campaign))
        back = GiveBack(
            message=message,
            attempt=attempt - 1,
            wait=0.0,
            used_retry=True,
            error_class="x",
            error_text="x",
            why="stale",
        )
        assert self.run(transitions.give_back(self.conn, [back], by="stale")) == []
        assert self.run(transitions.doubt(self.conn, [(message, attempt - 1, "stale")], by="stale")) == []
        told = Failure(message=message, attempt=attempt - 1, error_class="x", error_text="stale")
        assert self.run(transitions.fail(self.conn, [told], by="stale")) == []
        self.run(transitions.end_attempts(self.conn, [(message, attempt - 1, "stale")]))
        assert self.run(worlds.everything(self.conn, self.world.campaign)) == before

    @precondition(lambda self: any(truth.calls for truth in self.truth.values()))
    @rule(which=which)
    def doubt(self, which: int) -> None:
        message = pick([m for m, truth in self.truth.items() if truth.calls], which)
        if self.row(message)["status"] == "sending":
            self.run(transitions.doubt(self.conn, [(message, self.row(message)["attempt"], "cut")], by="retrier"))

    # --- webhooks ------------------------------------------------------------------------------------

    @precondition(lambda self: self.accepted())
    @rule(
        which=which, hours=st.integers(0, 30), copies=st.integers(1, 3),
        statuses=st.lists(st.sampled_from(["sent", "delivered", "read"]), min_size=1, max_size=3),
    )  # fmt: skip
    def acknowledgement(self, which: int, hours: int, copies: int, statuses: list[str]) -> None:
        """Of what it accepted only; in any order, again and again, also of a round that expired since."""
        message = pick(self.accepted(), which)
        truth = self.truth[message]
        facts = []
        for status in statuses * copies:
            if status == "sent":
                truth.sent_after_failure |= truth.reported and min(truth.accepted) in truth.left
                facts.append(
                    worlds.fact(message, status, at=self.base + timedelta(hours=hours), round=min(truth.accepted))
                )
            elif truth.left and not truth.reported:
                truth.on_phone = True
                facts.append(worlds.fact(message, status, at=self.base + timedelta(hours=hours), round=max(truth.left)))
        for fact in facts[:2]:
            self.run(transitions.accept(self.conn, [fact], by="gateway"))
        self.run(transitions.accept(self.conn, facts, by="gateway"))

    @precondition(lambda self: self.undone())
    @rule(which=which)
    def reported_failed(self, which: int) -> None:
        """Accepted, then failed on its way to the phone: the gateway tells, twice."""
        message = pick(self.undone(), which)
        truth = self.truth[message]
        truth.reported = True
        told = Failure(
            message=message, round=max(truth.left), error_class="reported", error_text="failed at the gateway"
        )
        for _ in range(2):
            self.run(transitions.fail(self.conn, [told], by="gateway"))

    @precondition(lambda self: self.undone())
    @rule(which=which, again=st.sampled_from([True, True, False]))
    def expired(self, which: int, again: bool) -> None:
        """Accepted, then left to expire in the gateway's queue: it never left. Told twice, too."""
        message = pick(self.undone(), which)
        truth = self.truth[message]
        who = next((i for i, person in enumerate(self.world.people) if person.message == message), None)
        if who is not None and self._answered(who):
            return  # who answered it has it: the gateway cannot truly say so
        round_ = max(truth.left)
        if self.row(message)["status"] not in ("sending", "unconfirmed", "sent"):
            return
        truth.expired.add(round_)
        truth.calls.clear()
        for _ in range(2):
            self.run(transitions.expire(self.conn, [(message, round_)], 3 if again else 0, by="gateway"))

    def _answered(self, who: int) -> bool:
        person = self.run(worlds.row(self.conn, "recipient", self.world.people[who].recipient))
        return person["replied_at"] is not None or person["state"] == "no_interaction"

    # --- people --------------------------------------------------------------------------------------

    @precondition(lambda self: self.reached())
    @rule(which=which, copies=st.integers(1, 3))
    def replies_in_time(self, which: int, copies: int) -> None:
        who = pick(self.reached(), which)
        made = [self._reply(who, RecipientState.REPLIED, self.text) for _ in range(copies)]
        for _, second in made:
            if second is not None:
                assert who not in self.second, "there is one Message 2"
                assert self.text is not None
                self.second[who] = second
                self.truth[second] = Truth()

    @precondition(lambda self: self.reached())
    @rule(which=which)
    def replies_late(self, which: int) -> None:
        who = pick(self.reached(), which)
        assert self._reply(who, RecipientState.LATE_REPLY, None)[1] is None

    def _reply(self, who: int, state: RecipientState, text: str | None) -> tuple[bool, UUID | None]:
        made: tuple[bool, UUID | None] = self.run(
            worlds.reply(self.conn, self.world, self.world.people[who], state=state, text=text)
        )
        return made

    @rule(who=people, answered=st.booleans())
    def says_stop(self, who: int, answered: bool) -> None:
        person = self.world.people[who]
        self.run(
            transitions.opt_out(
                self.conn, [person.contact], recipient=person.recipient if answered else None, at=worlds.now(),
                why="STOP", by="reply",
            )
        )  # fmt: skip
        self.stopped.add(who)

    # --- time, and the person at the desk ------------------------------------------------------------

    @rule(hours=st.integers(20, 60))
    def sweep(self, hours: int) -> None:
        until = self.base + timedelta(hours=hours)
        for row in self.run(transitions.mark_silent(self.conn, self.world.campaign, until)):
            assert row["window_ends_at"] < until

    @rule()
    def time_passes(self) -> None:
        self.run(
            self.conn.execute(
                "UPDATE message SET next_at = now() WHERE campaign = $1 AND status = 'pending'", self.world.campaign
            )
        )

    @rule()
    def lane_looks(self) -> None:
        self.run(transitions.cancel_stopped(self.conn, self.world.campaign))
        self.run(transitions.all_sent(self.conn, self.world.campaign))
        self.run(sql.sending_again(self.conn))

    @rule(holds=st.sampled_from(["all", "message_1"]))
    def pause(self, holds: Any) -> None:
        before = self.status()
        moved = self.run(transitions.pause(self.conn, self.world.campaign, holds=holds, why="stop", by="ana"))
        assert moved is (before in ("sending", "waiting"))

    @precondition(lambda self: self.status() == "paused")
    @rule()
    def resume(self) -> None:
        before = self.status()
        moved = self.run(transitions.resume(self.conn, self.world.campaign, why="go on", by="ana"))
        assert (moved is not None) is (before == "paused")

    @rule(sure=st.sampled_from([False] * 15 + [True]))
    def cancel(self, sure: bool) -> None:
        if sure:
            self.run(transitions.cancel(self.conn, self.world.campaign, why="no more", by="ana"))

    @precondition(lambda self: self.status() == "cancelled")
    @rule()
    def cancel_goes_on(self) -> None:
        if self.status() == "cancelled":
            self.run(transitions.cancel_pending(self.conn, self.world.campaign, "cancelled", "sweeper"))

    @precondition(lambda self: not self.completed_once and self.status() == "waiting")
    @rule(past_safety=st.sampled_from([False, False, True]))
    def complete(self, past_safety: bool) -> None:
        before, states = self.status(), self.run(self._states())
        done = self.run(
            transitions.complete(self.conn, self.world.campaign, report={}, why="over", past_safety=past_safety)
        )
        people_open = {"queued", "awaiting_reply"} | (set() if past_safety else {"unconfirmed"})
        somebody = any(states[p.recipient] in people_open for p in self.world.people)
        if done:
            assert before == "waiting"
            assert not somebody
            self.completed_once = True

    # --- what must hold after every step ------------------------------------------------------------

    @invariant()
    def nothing_left_twice(self) -> None:
        for message, truth in self.truth.items():
            assert len(truth.left) <= 1, f"{message} left in rounds {truth.left}"

    @invariant()
    def what_is_recorded_is_true_and_finals_stay_final_but_for_facts(self) -> None:
        now = self.run(self._states())
        for message, truth in self.truth.items():
            if now[message] in MESSAGE_ACCEPTED:
                assert truth.left, f"{message} is {now[message]} and never left"
            if now[message] in ("delivered", "read"):
                assert truth.on_phone
        for person in self.world.people:
            move = (self.seen[person.recipient], now[person.recipient])
            assert move[0] == move[1] or move[0] not in FINAL or move in BY_FACT, move
        order = {"sent": 1, "delivered": 2, "read": 3}
        for message in self.truth:
            old, new = order.get(self.seen.get(message, ""), 0), order.get(now[message], 0)
            assert new >= old or old == 1, "what is on the phone does not go back"
        self.seen = now

    @invariant()
    def who_said_stop_is_sent_nothing_more(self) -> None:
        row = self.run(
            self.conn.fetchrow(
                "SELECT count(*) AS late FROM message m JOIN contact c ON c.id = m.contact"
                " WHERE m.campaign = $1 AND m.promised_at > c.opted_out_at",
                self.world.campaign,
            )
        )
        assert row["late"] == 0

    @invariant()
    def the_books_are_right(self) -> None:
        self.run(books.check(self.conn, self.world.campaign))

    # --- and in the end ------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Let every doubt be settled by the truth, every window end: everybody is final, and so is the campaign."""
        if not hasattr(self, "world"):
            return
        if self.status() in ("cancelled", "completed"):
            return
        for _ in range(12):
            if self.status() == "paused":
                self.resume()
            self._settle()
            self.time_passes()
            self.sweep(60)
            self.lane_looks()
            if self.status() == "waiting" and not self.completed_once:
                self.complete(False)
            if self.status() == "completed":
                break
            self.claim(3)
            for at in range(len(self.second)):
                self.promise_second(at)
            while self.calls():
                self.gateway_accepts(0, True)
        states = {p.recipient: self.seen_now(p.recipient) for p in self.world.people}
        assert self.status() == "completed", (self.status(), states)
        self.the_books_are_right()
        for person in self.world.people:
            truth, status = self.truth[person.message], self.row(person.message)["status"]
            if not truth.sent_after_failure:
                assert (status in MESSAGE_ACCEPTED) is bool(truth.left and not truth.reported), (status, truth)

    def seen_now(self, subject: UUID) -> str:
        return str(self.run(self._states())[subject])

    def _settle(self) -> None:
        """The retrier's look-ups, by a gateway that can tell."""
        for message, truth in self.truth.items():
            row = self.row(message)
            if row["status"] in ("sending", "unconfirmed"):
                if truth.reported:
                    told = Failure(message=message, round=row["round"], error_class="reported", error_text="failed")
                    self.run(transitions.fail(self.conn, [told], by="retrier"))
                elif row["round"] in truth.left:
                    self.run(transitions.accept(self.conn, [worlds.fact(message, round=row["round"])], by="retrier"))
                else:
                    back = GiveBack(
                        message=message, attempt=row["attempt"], wait=0.0, used_retry=False, error_class="absent",
                        error_text="absent", why="proven absent",
                    )  # fmt: skip
                    self.run(transitions.give_back(self.conn, [back], by="retrier"))
                truth.calls.clear()
            elif truth.left and not truth.reported and row["status"] not in MESSAGE_ACCEPTED:
                self.run(transitions.accept(self.conn, [worlds.fact(message, round=max(truth.left))], by="gateway"))


def test_a_campaign_keeps_its_promises_in_whatever_order_things_happen(configured: configuration.Settings) -> None:
    from models import pool

    with asyncio.Runner() as runner:
        conn = runner.run(pool.connect())

        class OnThisDatabase(Life):
            def __init__(self) -> None:
                self.run = runner.run
                self.conn = conn
                super().__init__()

        try:
            run_state_machine_as_test(OnThisDatabase, settings=PROFILE)
            rows = runner.run(conn.fetch("SELECT DISTINCT subject, old, new FROM event WHERE old IS NOT NULL"))
            never = sorted(MUST_HAPPEN - {tuple(row.values()) for row in rows})
            assert never == [], "these moves were never tried: this run has shown little"
        finally:
            conn.terminate()
