"""How many are left today, how near the limit that is, and when the night ends.

Days and quiet hours are those of a number's time zone (an IANA name, else ZoneInfoNotFoundError).
Every time taken and returned is aware; those returned are UTC.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAY = timedelta(days=1)


class Level(StrEnum):
    """How much of a day's limit is used."""

    OK = "ok"
    """At most 75 %."""
    ATTENTION = "attention"
    """At most 90 %."""
    DANGER = "danger"
    """At most all of it."""
    BLOCKED = "blocked"
    """More than the limit: only Message 2 may have gone so far."""


@dataclass(frozen=True)
class Quiet:
    """Hours of each day in which no Message 1 goes out: from ``start`` to ``end``, over midnight if end < start."""

    start: time
    end: time


class BadQuietHours(ValueError):
    """These are no quiet hours; the text says how to write them."""


def local_day(now: datetime, tz: str) -> date:
    """Return the date it is for a number in ``tz``.

    >>> local_day(datetime(2026, 1, 1, 23, 30, tzinfo=UTC), "Europe/Paris")
    datetime.date(2026, 1, 2)
    """
    return now.astimezone(ZoneInfo(tz)).date()


def day_bounds(day: date, tz: str) -> tuple[datetime, datetime]:
    """Return the first instant of a local day and the first of the next (UTC): 23, 24 or 25 hours, as it comes.

    >>> start, end = day_bounds(date(2026, 3, 29), "Europe/Paris")
    >>> end - start
    datetime.timedelta(seconds=82800)
    """
    return _instant(day, time.min, tz), _instant(day + _DAY, time.min, tz)


def next_day(at: datetime, tz: str, after: datetime) -> datetime:
    """Return the first day later than ``at``, at the same time on the wall, that lies after ``after`` (UTC).

    >>> next_day(datetime(2026, 3, 28, 8, 0, tzinfo=UTC), "Europe/Paris", datetime(2026, 3, 28, 9, 0, tzinfo=UTC))
    datetime.datetime(2026, 3, 29, 7, 0, tzinfo=datetime.timezone.utc)
    """
    local = at.astimezone(ZoneInfo(tz))
    day = max(local.date() + _DAY, local_day(after, tz))
    found = _instant(day, local.time(), tz)
    return found if found > after else _instant(day + _DAY, local.time(), tz)


def remaining(limit: int, used: int, reserved: int) -> int:
    """Return how many Message 1 a day still takes, never less than 0.

    >>> remaining(1000, used=700, reserved=200), remaining(1000, used=1100, reserved=0)
    (100, 0)
    """
    return max(0, limit - used - reserved)


def message_2_limit(limit: int, allowance: float) -> int:
    """Return up to how many messages of a day Message 2 may go: the limit and a share of it, rounded down.

    >>> message_2_limit(1000, 0.5)
    1500
    """
    return limit + math.floor(limit * allowance + 1e-9)  # 1000 · 0.29 is 290, whatever binary fractions say


def level(used: int, limit: int) -> Level:
    """Return the alert level of a day.

    >>> [level(used, 1000).value for used in (750, 751, 900, 901, 1000, 1001)]
    ['ok', 'attention', 'attention', 'danger', 'danger', 'blocked']
    """
    for share, name in ((75, Level.OK), (90, Level.ATTENTION), (100, Level.DANGER)):
        if used * 100 <= limit * share:
            return name
    return Level.BLOCKED


def parse_quiet(text: str) -> Quiet | None:
    """Read ``21:00-08:00``; empty is None, no quiet hours. Raises BadQuietHours.

    >>> parse_quiet("21:00-08:00")
    Quiet(start=datetime.time(21, 0), end=datetime.time(8, 0))
    """
    if not text.strip():
        return None
    found = _QUIET.fullmatch(text.strip())
    if found is None:
        raise BadQuietHours(f"quiet hours {text!r} cannot be read: write them like 21:00-08:00, or leave them empty")
    start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if start == end:
        raise BadQuietHours(f"quiet hours {text!r} have no length: name two different times, or leave them empty")
    return Quiet(start, end)


def quiet_until(now: datetime, tz: str, quiet: str) -> datetime | None:
    """Return when the quiet hours that ``now`` lies in end; None outside them.

    Where a clock change repeats an hour, quiet lasts from its first to its last reading.

    >>> quiet_until(datetime(2026, 1, 1, 22, 0, tzinfo=UTC), "Europe/Paris", "21:00-08:00")
    datetime.datetime(2026, 1, 2, 7, 0, tzinfo=datetime.timezone.utc)
    """
    return next((end for start, end in _nights(now, tz, quiet) if start <= now < end), None)


def quiet_from(now: datetime, tz: str, quiet: str) -> datetime | None:
    """Return when quiet hours begin next, after ``now``; None if there are none.

    >>> quiet_from(datetime(2026, 1, 1, 12, 0, tzinfo=UTC), "Europe/Paris", "21:00-08:00")
    datetime.datetime(2026, 1, 1, 20, 0, tzinfo=datetime.timezone.utc)
    """
    return next((start for start, _ in _nights(now, tz, quiet) if start > now), None)


def _nights(now: datetime, tz: str, quiet: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield the quiet periods around ``now`` in order, from yesterday's to the day after tomorrow's."""
    hours = parse_quiet(quiet)
    if hours is None:
        return
    over_midnight = _DAY if hours.end < hours.start else timedelta(0)
    today = local_day(now, tz)
    for offset in (-1, 0, 1, 2):  # two days on, because a time zone may skip a whole day
        day = today + timedelta(days=offset)
        start = _instant(day, hours.start, tz)
        end = _instant(day + over_midnight, hours.end, tz, last=True)
        if start < end:
            yield start, end


def _instant(day: date, clock: time, tz: str, *, last: bool = False) -> datetime:
    """Return the instant at which a clock on the wall reaches a time: its first reading, or its ``last``.

    A time that the clock jumps over is reached at the jump.
    """
    zone = ZoneInfo(tz)
    written = datetime.combine(day, clock)
    readings = [written.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    if readings[0] <= readings[1]:
        return readings[1 if last else 0]
    before, reached = readings[1], readings[0]  # a gap: the jump lies between the two
    while reached - before > timedelta(seconds=1):
        middle = (before + (reached - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None) >= written:
            reached = middle
        else:
            before = middle
    return reached
