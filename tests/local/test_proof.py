"""The proof must catch what it is for: each test breaks one thing in a world that is right, and is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.evidence import Simulated
from local.proof import compare, wrong_figures
from local.proof_person import Evidence
from local.story import tell
from rules.phone import identity

NOW = datetime(2026, 11, 20, 10, 0, 0, 400_000, tzinfo=UTC)
WINDOW = 10.0


class World:
    """A campaign as both sides would have it, built person by person."""

    def __init__(self) -> None:
        self.recipients: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.accepted: list[dict[str, Any]] = []
        self.inbound: list[dict[str, Any]] = []

    def person(self, state: str, *, sent: bool = True, failed_step: int | None = None) -> dict[str, Any]:
        """Add one recipient; with ``sent`` Message 1 left, one second after the one before."""
        number = len(self.recipients)
        phone = f"+3319900{number:04}"
        at = NOW + timedelta(seconds=number)
        row: dict[str, Any] = {
            "id": f"r{number}", "contact": f"c{number}", "phone": phone, "identity": identity(phone), "state": state,
            "failed_step": failed_step, "window_ends_at": at + timedelta(seconds=WINDOW) if sent else None,
            "opted_out_at": None, "why": "because",
        }  # fmt: skip
        self.recipients.append(row)
        self.message(row, 1, at, status="sent" if sent else "failed", taken=sent)
        return row

    def message(
        self, row: dict[str, Any], step: int, at: datetime, *, status: str = "sent", taken: bool = True
    ) -> dict[str, Any]:
        message = {
            "id": f"{row['id']}-m{step}", "recipient": row["id"], "step": step, "phone": row["phone"],
            "text": f"Message {step}", "status": status, "promised_at": at, "sent_at": at if taken else None,
            "attempt": 1, "retries": 0, "round": 0, "why": "because",
        }  # fmt: skip
        self.messages.append(message)
        if taken:
            self.line(message)
        return message

    def line(self, message: dict[str, Any], *, round_: int = 0, failure: str | None = None) -> dict[str, Any]:
        line = {
            "reference": message["id"] + (f".{round_}" if round_ else ""), "phone": message["phone"],
            "text": message["text"], "time": message["promised_at"].timestamp() + 0.1, "status": "sent",
            "outcome": "ok", "failure": {"code": failure, "reason": "told"} if failure else None,
        }  # fmt: skip
        self.accepted.append(line)
        return line

    def writes(self, row: dict[str, Any], after: float, *, stop: bool = False, genuine: bool = True) -> None:
        """The person writes so many seconds after Message 1."""
        at = self.first(row)["promised_at"].timestamp() + after
        self.inbound.append({
            "phone": row["phone"], "genuine": genuine, "opt_out": stop, "time": at, "timestamp": int(at),
            "type": "text", "body": "STOP" if stop else "oui",
        })  # fmt: skip

    def first(self, row: dict[str, Any]) -> dict[str, Any]:
        return next(m for m in self.messages if m["recipient"] == row["id"] and m["step"] == 1)

    def answered(self) -> dict[str, Any]:
        """Add somebody who replied in time and got Message 2."""
        row = self.person("followed_up")
        self.writes(row, 3)
        self.message(row, 2, self.first(row)["promised_at"] + timedelta(seconds=3.2))
        return row

    def evidence(self, status: str = "completed", has_message_2: bool = True) -> Evidence:
        return Evidence(
            status=status, window_seconds=WINDOW, has_message_2=has_message_2, recipients=self.recipients,
            messages=self.messages, accepted=self.accepted, inbound=self.inbound,
        )  # fmt: skip

    def kinds(self, **more: Any) -> set[str]:
        return {d.kind for d in compare(self.evidence(), **more).differences}


@pytest.fixture
def world() -> World:
    """Everybody there can be, and all of it right."""
    world = World()
    world.answered()
    world.person("no_interaction")
    late = world.person("late_reply")
    world.writes(late, 14)
    stopped = world.person("opted_out")
    world.writes(stopped, 2, stop=True)
    stopped["opted_out_at"] = NOW + timedelta(seconds=60)
    world.person("failed", sent=False, failed_step=1)
    return world


def test_a_world_that_is_right_has_no_difference_and_the_right_figures(world: World) -> None:
    verdict = compare(world.evidence(), invited=[r["phone"] for r in world.recipients])
    assert verdict.differences == []
    assert (verdict.people, verdict.accepted, verdict.recorded) == (5, {1: 4, 2: 1}, {1: 4, 2: 1})
    assert verdict.replies == {"in_window": 1, "none": 1, "late": 1, "stop": 1, "unreached": 1}
    figures = {"total": 5, "sent": 4, "message_2_sent": 1, "no_interaction": 1, "late_replies": 1, "unconfirmed": 0}
    assert wrong_figures(verdict, figures) == []
    assert wrong_figures(verdict, figures | {"sent": 3}) == ["the service shows sent 3, and it is 4"]


def test_a_message_accepted_twice_is_doubled(world: World) -> None:
    world.line(world.messages[0])
    assert world.kinds() == {"doubled"}


def test_a_message_accepted_again_in_another_round_is_doubled(world: World) -> None:
    world.line(world.messages[0], round_=1)
    assert world.kinds() == {"doubled"}


def test_a_message_that_expired_in_the_queue_and_went_again_is_not_doubled(world: World) -> None:
    world.accepted[0]["failure"] = {"code": "message:expired", "reason": "expired"}
    world.line(world.messages[0], round_=1)
    assert world.kinds() == set()


def test_a_message_recorded_as_sent_that_the_gateway_never_saw_is_lost(world: World) -> None:
    del world.accepted[2]
    assert "lost" in world.kinds()


def test_a_message_that_only_expired_and_is_recorded_as_sent_is_lost(world: World) -> None:
    world.accepted[2]["failure"] = {"code": "message:expired", "reason": "expired"}
    assert "lost" in world.kinds()


def test_a_message_that_left_and_is_recorded_as_failed_is_unrecorded(world: World) -> None:
    world.messages[2]["status"] = "failed"
    assert world.kinds() == {"unrecorded"}


def test_a_failure_the_gateway_told_of_must_be_recorded(world: World) -> None:
    row = world.person("failed", failed_step=1)
    world.accepted[-1]["failure"] = {"code": "message:failed", "reason": "lost"}
    world.first(row)["status"] = "failed"
    assert world.kinds() == set()
    world.first(row)["status"] = "pending"
    assert world.kinds() == {"unrecorded"}
    world.first(row)["status"] = "sent"
    assert world.kinds() == {"lost"}


def test_what_the_database_does_not_know_is_an_unknown_reference(world: World) -> None:
    world.accepted.append(world.accepted[0] | {"reference": "somebody-else"})
    assert world.kinds() == {"unknown_reference"}


def test_another_text_or_number_than_meant_is_altered(world: World) -> None:
    world.accepted[0] = world.accepted[0] | {"text": "something else"}
    assert world.kinds() == {"altered"}


def test_a_message_2_without_a_reply_is_unasked(world: World) -> None:
    silent = world.recipients[1]
    world.message(silent, 2, NOW + timedelta(seconds=5))
    silent["state"] = "followed_up"
    assert world.kinds() == {"message_2_unasked", "wrong_state"}


def test_a_message_2_after_a_late_reply_is_unasked(world: World) -> None:
    world.message(world.recipients[2], 2, NOW + timedelta(seconds=20))
    assert world.kinds() == {"message_2_unasked"}


def test_noise_is_no_reply(world: World) -> None:
    world.writes(world.recipients[1], 2, genuine=False)
    assert world.kinds() == set()


def test_a_reply_in_the_window_without_message_2_is_missing(world: World) -> None:
    row = world.person("followed_up")
    world.writes(row, 9.5)
    assert world.kinds() == {"message_2_missing", "wrong_state"}


def test_a_message_2_that_failed_for_a_reason_is_not_missing(world: World) -> None:
    row = world.person("failed", failed_step=2)
    world.writes(row, 4)
    world.message(row, 2, NOW, status="failed", taken=False)
    assert world.kinds() == set()
    row["failed_step"] = 1
    assert world.kinds() == {"wrong_state"}


def test_a_message_2_after_stop_is_caught(world: World) -> None:
    stopped = world.recipients[3]
    world.message(stopped, 2, NOW + timedelta(seconds=8))
    assert world.kinds() == {"message_2_after_stop"}


def test_a_message_2_promised_after_the_contact_had_opted_out_is_caught(world: World) -> None:
    row = world.answered()
    world.writes(row, 3.1, stop=True)
    row["opted_out_at"] = world.first(row)["promised_at"] + timedelta(seconds=4)
    assert world.kinds() == set(), "the stop came after the promise"
    row["opted_out_at"] = world.first(row)["promised_at"] + timedelta(seconds=3.15)
    assert world.kinds() == {"message_2_after_stop"}


def test_a_stop_between_the_reply_and_message_2_may_win(world: World) -> None:
    row = world.person("opted_out")
    world.writes(row, 3)
    world.writes(row, 3.1, stop=True)
    row["opted_out_at"] = world.first(row)["promised_at"] + timedelta(seconds=3.2)
    assert world.kinds() == set()


@pytest.mark.parametrize("state", ["queued", "awaiting_reply", "replied", "late_reply", "failed", "cancelled"])
def test_a_silent_person_in_any_other_state_is_wrong(world: World, state: str) -> None:
    world.recipients[1]["state"] = state
    world.recipients[1]["failed_step"] = 1
    assert world.kinds() == {"wrong_state"}


def test_cancelled_is_right_only_in_a_cancelled_campaign(world: World) -> None:
    row = world.person("cancelled", sent=False)
    world.first(row)["status"] = "cancelled"
    assert world.kinds() == {"wrong_state"}
    assert compare(world.evidence(status="cancelled")).differences == []


def test_without_a_message_2_a_reply_is_final(world: World) -> None:
    plain = World()
    row = plain.person("replied")
    plain.writes(row, 2)
    assert compare(plain.evidence(has_message_2=False)).differences == []
    assert compare(plain.evidence(has_message_2=True)).differences != []


def test_a_window_of_another_length_or_beginning_is_wrong(world: World) -> None:
    world.recipients[1]["window_ends_at"] += timedelta(seconds=1)
    assert world.kinds() == {"wrong_window"}
    world.recipients[1]["window_ends_at"] -= timedelta(seconds=1)
    world.accepted[2]["time"] -= 7  # the lines are those of the first (two steps), then the silent one
    assert world.kinds() == {"wrong_window"}


def test_a_reply_from_before_the_promise_is_no_reply(world: World) -> None:
    world.writes(world.recipients[1], -4)
    assert world.kinds() == set()


def test_a_doubt_is_allowed_only_where_nobody_could_look(world: World) -> None:
    row = world.person("unconfirmed")
    world.first(row)["status"] = "unconfirmed"
    row["window_ends_at"] = None
    world.first(row)["sent_at"] = None
    assert world.kinds() == {"unrecorded", "wrong_state"}
    assert world.kinds(unconfirmed_allowed=True) == set()


def test_who_is_missing_and_who_should_not_be_there_is_named(world: World) -> None:
    phones = [r["phone"] for r in world.recipients]
    assert world.kinds(invited=[*phones, "+33261910001"]) == {"not_invited"}
    assert world.kinds(invited=phones[1:]) == {"uninvited"}


@given(after=st.floats(0, 30), stop=st.booleans())
def test_whatever_a_person_writes_exactly_one_story_is_right(after: float, stop: bool) -> None:
    right = []
    for state in ("followed_up", "late_reply", "opted_out", "no_interaction"):
        world = World()
        row = world.person(state)
        world.writes(row, after, stop=stop)
        if state == "followed_up":
            world.message(row, 2, NOW + timedelta(seconds=after))
        if not world.kinds():
            right.append(state)
    # The gateway dates in whole seconds: what it dates inside the window is inside.
    inside = int(NOW.timestamp() + after) < NOW.timestamp() + WINDOW
    assert right == ["opted_out" if stop else "followed_up" if inside else "late_reply"]


def test_the_story_tells_both_sides_in_order_and_masks_the_number(world: World) -> None:
    row = world.recipients[0]
    at = world.first(row)["promised_at"]
    webhook = {"phone": row["phone"], "event": "message:in:new",
               "deliveries": [{"time": at.timestamp() + 3.1, "status": 200, "error": None}]}  # fmt: skip
    event = {"subject": "message", "old": "pending", "new": "sending", "why": "promised", "moved_by": "lane", "at": at}
    entry = {"at": at, "received_at": at + timedelta(seconds=3.1), "type": "text", "outcome": "follow_up", "why": "due"}
    seen = Simulated(world.accepted, world.inbound, [webhook])
    lines = list(tell(row["identity"], world.evidence(), seen, {"events": [event], "interactions": [entry]}))
    told = "\n".join(lines)
    assert row["phone"] not in told
    assert row["phone"][1:] not in told
    order = ["pending → sending", "accepted r0-m1", "text oui", "judged follow_up", "accepted r0-m2"]
    assert sorted(order, key=told.index) == order
    assert "answered 200" in told
    assert "is followed_up (because)" in told


def test_the_story_of_somebody_unknown_says_so(world: World) -> None:
    seen = Simulated([], [], [])
    assert "no such recipient" in "\n".join(tell("33261910001", world.evidence(), seen, {}))


def test_a_broken_world_changes_the_verdict_whatever_is_broken(world: World) -> None:
    broken: list[Callable[[World], object]] = [
        lambda w: w.accepted.pop(),
        lambda w: w.accepted.append(w.accepted[0]),
        lambda w: w.inbound.pop(0),
        lambda w: w.messages.pop(0),
        lambda w: w.recipients[0].update(state="no_interaction"),
    ]
    for breaking in broken:
        one = World()
        one.answered()
        assert one.kinds() == set()
        breaking(one)
        assert one.kinds() != set()
