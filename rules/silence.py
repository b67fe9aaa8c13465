"""The silent-drop guard: a gateway says "accepted", and then nothing is ever heard of the messages again.

That is how some numbers are taken out of service (GREEN-API's ``yellowCard``: the API says 200, nothing is delivered).
How long is too long is learned from the number's own acknowledgements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FACTOR: Final = 3.0
"""Silence begins at so many times the 95th percentile of the recent acknowledgement delays."""
FLOOR_SECONDS: Final = 120.0
"""It never begins sooner: a phone that looks for its network is no silent drop."""


class Silence(StrEnum):
    """How it stands with the acknowledgements of a number."""

    UNKNOWN = "unknown"
    """Too little was ever acknowledged, or too little is old enough, to judge."""
    HEARD = "heard"
    """Acknowledgements come as they always did."""
    WARNING = "warning"
    """More than half of the last messages are silent: counts as a warning of the number."""
    TRIP = "trip"
    """Nearly all of them are: pause Message 1 of the number."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """How long acknowledgements took: the 95th percentile (seconds; None: there are none) over so many recent ones."""

    p95: float | None
    sample: int


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One message the gateway accepted, so many seconds ago; ``acked``: anything at all was heard of it since."""

    age: float
    acked: bool


@dataclass(frozen=True)
class Verdict:
    """The judgement; ``lag`` is the age (seconds) from which a message counts as silent, None where none is learned."""

    level: Silence
    lag: float | None
    silent: int
    judged: int
    why: str


def lag(learned: Learned, *, factor: float = FACTOR, floor: float = FLOOR_SECONDS, least: int = 20) -> float | None:
    """Return after how many seconds without a word a message is silent; None while fewer than ``least`` were heard of.

    >>> lag(Learned(p95=90, sample=100)), lag(Learned(p95=2, sample=100)), lag(Learned(p95=2, sample=19))
    (270.0, 120.0, None)
    """
    if learned.p95 is None or learned.sample < least:
        return None
    return max(floor, learned.p95 * factor)


def judge(
    learned: Learned,
    newest_first: Sequence[Accepted],
    *,
    look_at: int = 20,
    warn_from: int = 5,
    trip_from: int = 10,
    factor: float = FACTOR,
    floor: float = FLOOR_SECONDS,
    least: int = 20,
) -> Verdict:
    """Judge the last ``look_at`` accepted messages that are old enough to have been heard of.

    A warning when more than half of at least ``warn_from`` are silent; tripped when more than four fifths of at least
    ``trip_from`` are. ``newest_first``: accepted messages of the number, of any campaign and step.

    >>> learned = Learned(p95=10, sample=200)
    >>> judge(learned, [Accepted(age=300 + n, acked=False) for n in range(12)]).why
    'silent drop: nothing was heard of 12 of the last 12 accepted messages for more than 120 s'
    """
    after = lag(learned, factor=factor, floor=floor, least=least)
    if after is None:
        why = f"not judged: {learned.sample} acknowledgements are known, {least} are needed to learn their delay"
        return Verdict(Silence.UNKNOWN, None, 0, 0, why)
    old = [message for message in newest_first if message.age > after][:look_at]
    silent = sum(not message.acked for message in old)
    heard = f"nothing was heard of {silent} of the last {len(old)} accepted messages for more than {after:.0f} s"
    if len(old) < warn_from:
        few = f"not judged: {len(old)} messages are older than {after:.0f} s, {warn_from} are needed"
        return Verdict(Silence.UNKNOWN, after, silent, len(old), few)
    if len(old) >= trip_from and 5 * silent > 4 * len(old):
        return Verdict(Silence.TRIP, after, silent, len(old), f"silent drop: {heard}")
    level = Silence.WARNING if 2 * silent > len(old) else Silence.HEARD
    return Verdict(level, after, silent, len(old), heard)
