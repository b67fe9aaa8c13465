"""The no-reply budget: how many conversations a number opened this month that nobody answered.

Since October 2025 WhatsApp tests a monthly cap on messages to people who do not answer; how high it is, nobody says.
So the figure is always shown, and an operator may set a cap of his own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from rules.quota import day_bounds, local_day

ALERT_SHARE: Final = 0.8


class Spent(StrEnum):
    """How much of the cap is spent."""

    OPEN = "open"
    """No cap is set."""
    OK = "ok"
    ALERT = "alert"
    """80 % of it: an alert is due."""
    EXHAUSTED = "exhausted"
    """All of it: no new conversation until somebody answers or the month ends."""


@dataclass(frozen=True)
class Budget:
    """A number's month. ``share`` and ``left`` (new conversations) are None without a cap; ``answered`` is a share too,
    0 while nothing was opened."""

    unanswered: int
    answered: float
    cap: int | None
    share: float | None
    left: int | None
    level: Spent
    why: str


def month_bounds(now: datetime, tz: str) -> tuple[datetime, datetime]:
    """Return the first instant of a number's calendar month and the first of the next (UTC).

    >>> from datetime import UTC
    >>> start, end = month_bounds(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), "Europe/Paris")
    >>> start.isoformat(), end.isoformat()
    ('2026-03-31T22:00:00+00:00', '2026-04-30T22:00:00+00:00')
    """
    first = local_day(now, tz).replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return day_bounds(first, tz)[0], day_bounds(following, tz)[0]


def budget(opened: int, answered: int, cap: int | None = None) -> Budget:
    """Return where a number's month stands: of ``opened`` conversations ``answered`` were; ``cap`` None: unlimited.

    Whoever has not answered yet counts as unanswered, and no more once they do.

    >>> spent = budget(opened=500, answered=90, cap=500)
    >>> spent.level.value, spent.left, spent.why
    ('alert', 90, '410 of 500 conversations opened this month are not answered: 82 % of the cap of 500')
    """
    unanswered = max(0, opened - answered)
    share_answered = answered / opened if opened else 0.0
    said = f"{unanswered} of {opened} conversations opened this month are not answered"
    if cap is None:
        return Budget(unanswered, share_answered, None, None, None, Spent.OPEN, f"{said}; no cap is set")
    left = max(0, cap - unanswered)
    share = unanswered / cap if cap else 1.0
    level = Spent.EXHAUSTED if left == 0 else Spent.ALERT if share >= ALERT_SHARE else Spent.OK
    why = f"{said}: {int(share * 100)} % of the cap of {cap}"
    return Budget(unanswered, share_answered, cap, share, left, level, why)
