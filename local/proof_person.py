"""One person of a campaign, with everything both sides have of them, and what must have become of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

Row = Mapping[str, Any]

EARLY_SECONDS: Final = 2
"""A reply may be dated so much before the promise: gateways cut to the second, and clocks differ."""
EXPIRED: Final = "message:expired"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Both sides of one campaign.

    ``recipients``: id, phone, identity, state, failed_step, window_ends_at, opted_out_at (the contact's).
    ``messages``: id, recipient, step, phone, text, status, promised_at, sent_at.
    """

    status: str
    window_seconds: float
    has_message_2: bool
    recipients: Sequence[Row]
    messages: Sequence[Row]
    accepted: Sequence[Row]
    inbound: Sequence[Row]


@dataclass(frozen=True)
class Expected:
    """What must have become of one person."""

    reply: Literal["in_window", "late", "stop", "none", "unreached"]
    states: frozenset[str]
    message_2: bool | None
    """Due, not due, or (None) either: STOP came between the reply and Message 2."""


@dataclass
class Person:
    """One recipient with everything both sides have of it."""

    row: Row
    message: dict[int, Row]
    lines: dict[int, list[Row]]
    inbound: list[Row]

    @property
    def identity(self) -> str:
        """The key that all spellings of their number share."""
        return str(self.row["identity"])

    def took(self, step: int) -> list[Row]:
        """Return the lines of one step that the gateway took and did not let expire."""
        return [line for line in self.lines[step] if not expired(line)]

    def reached(self, step: int) -> bool:
        """Whether a message of this step left for good."""
        return any(line["failure"] is None for line in self.took(step))


def expected_of(person: Person, evidence: Evidence, unconfirmed_allowed: bool) -> Expected:
    """Say from the gateway's side alone what must have become of a person."""
    stopped = {"opted_out"} if person.row["opted_out_at"] is not None else set()
    doubt = {"unconfirmed"} if unconfirmed_allowed else set()
    if not person.reached(1):
        ends = {"failed"} | stopped | doubt | ({"cancelled"} if evidence.status == "cancelled" else set())
        return Expected("unreached", frozenset(ends), False)
    replies = _replies(person)
    if not replies:
        return Expected("none", frozenset({"no_interaction"} | stopped | doubt), False)
    if replies[0]["opt_out"]:
        return Expected("stop", frozenset({"opted_out"}), False)
    if not _in_window(replies[0], person.row["window_ends_at"]):
        return Expected("late", frozenset({"late_reply"} | stopped), False)
    if not evidence.has_message_2:
        return Expected("in_window", frozenset({"replied"} | stopped), False)
    if person.reached(2):
        return Expected("in_window", frozenset({"followed_up"}), True)
    if any(reply["opt_out"] for reply in replies[1:]) and not person.took(2):
        return Expected("in_window", frozenset({"opted_out", "failed"}), None)
    return Expected("in_window", frozenset({"failed"} | ({"replied"} if doubt else set())), True)


def _replies(person: Person) -> list[Row]:
    """Return what the person wrote since Message 1 was promised, oldest first."""
    promised: datetime | None = person.message[1]["promised_at"]
    begins = math.floor(promised.timestamp()) - EARLY_SECONDS if promised is not None else 0
    return [entry for entry in person.inbound if own_time(entry) >= begins]


def _in_window(reply: Row, ends: datetime | None) -> bool:
    return ends is not None and own_time(reply) < ends.timestamp()


def own_time(entry: Row) -> float:
    """Return when it was written, as the service could know it: the gateway's word, or the truth if that is less."""
    return min(float(entry["timestamp"]), float(entry["time"]))


def expired(line: Row) -> bool:
    """Whether a message that the gateway took expired in its queue: it never left."""
    return line["failure"] is not None and line["failure"]["code"] == EXPIRED
