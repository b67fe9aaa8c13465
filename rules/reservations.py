"""Reservations: which local day each message of a campaign is planned for, and what becomes of those left over.

A reservation holds a place under a day's limit for one message. Sending turns it into use; midnight moves what is
unsent to the next day with room; cancel, failure and opt-out release it. Pure arithmetic over the days of one number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from rules.quota import remaining

HORIZON: Final = 3653
"""Days ahead that a plan may reach: what does not fit into ten years has a wrong limit."""

_NEXT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """One local day of a number: its limit, messages used, and places reserved for planned ones."""

    limit: int
    used: int = 0
    reserved: int = 0

    @property
    def room(self) -> int:
        """Places that are neither used nor reserved."""
        return remaining(self.limit, self.used, self.reserved)


Days = Mapping[date, Day]
"""What is known of a number's days. A day that is not in it has the usual limit, and nothing used or reserved."""

Plan = Mapping[date, int]
"""How many messages are planned for each local day; every count is positive."""


@dataclass(frozen=True)
class Move:
    """So many reservations go from one day to another."""

    out_of: date
    into: date
    many: int


class TooLittleRoom(ValueError):
    """The messages do not fit. ``day`` is the first that is too small, ``remaining`` what it still takes, ``needed``
    what it would have to; the text says so, with the remedy."""

    def __init__(self, day: date, needed: int, remaining: int, remedy: str) -> None:
        self.day, self.needed, self.remaining = day, needed, remaining
        super().__init__(f"{needed} messages are needed on {day} and {remaining} remain: {remedy}")


def plan(many: int, first: date, days: Days, usual_limit: int) -> Plan:
    """Plan a launch: what ``first`` still takes, then each following day, as full as its room allows.

    Raises TooLittleRoom when ten years do not hold it.

    >>> plan(25, date(2026, 5, 4), {date(2026, 5, 4): Day(limit=10, used=3)}, usual_limit=10)
    {datetime.date(2026, 5, 4): 7, datetime.date(2026, 5, 5): 10, datetime.date(2026, 5, 6): 8}
    """
    planned: dict[date, int] = {}
    left, day = many, first
    while left > 0:
        if (day - first).days > HORIZON:
            raise TooLittleRoom(first, many, many - left, "raise the daily limit")
        if taken := min(left, _day(days, day, usual_limit).room):
            planned[day] = taken
            left -= taken
        day += _NEXT
    return planned


def today_only(many: int, today: date, days: Days, usual_limit: int) -> Plan:
    """Plan a launch for one day, whole or not at all; raises TooLittleRoom with what remains.

    >>> today_only(8, date(2026, 5, 4), {date(2026, 5, 4): Day(limit=10, used=3)}, usual_limit=10)
    Traceback (most recent call last):
    rules.reservations.TooLittleRoom: 8 messages are needed on 2026-05-04 and 7 remain: send to fewer people, on another day, or spread it over several days
    """  # noqa: E501 - the error's text is one line
    room = _day(days, today, usual_limit).room
    if many > room:
        remedy = "send to fewer people, on another day, or spread it over several days"
        raise TooLittleRoom(today, many, room, remedy)
    return {today: many} if many else {}


def spread(many: int, first: date, over_days: int, days: Days, usual_limit: int) -> Plan:
    """Plan a launch evenly over ``over_days`` days from ``first`` on; the first days take what does not divide.

    Raises TooLittleRoom when one of the days has too little room, and ValueError for less than one day.

    >>> spread(10, date(2026, 5, 4), 3, {}, usual_limit=1000)
    {datetime.date(2026, 5, 4): 4, datetime.date(2026, 5, 5): 3, datetime.date(2026, 5, 6): 3}
    """
    if over_days < 1:
        raise ValueError(f"spread_over_days={over_days}: at least 1")
    each, more = divmod(many, over_days)
    planned = {first + n * _NEXT: each + (n < more) for n in range(over_days) if each + (n < more)}
    for day, needed in planned.items():
        room = _day(days, day, usual_limit).room
        if needed > room:
            raise TooLittleRoom(day, needed, room, "spread it over more days, or raise the daily limit")
    return planned


def reserve(days: Days, planned: Plan, usual_limit: int) -> Days:
    """Return the days with a plan reserved on them. Raises TooLittleRoom, and then nothing is reserved.

    >>> reserve({}, {date(2026, 5, 4): 4}, usual_limit=10)[date(2026, 5, 4)]
    Day(limit=10, used=0, reserved=4)
    """
    reserved = dict(days)
    for on, many in planned.items():
        day = _day(days, on, usual_limit)
        if many > day.room:
            raise TooLittleRoom(on, many, day.room, "plan it again with what the days take now")
        reserved[on] = replace(day, reserved=day.reserved + many)
    return reserved


def release(days: Days, planned: Plan) -> Days:
    """Return the days without these reservations: of a cancelled campaign, or of a message that failed or whose
    contact opted out. Raises ValueError when a day does not hold so many.

    >>> release({date(2026, 5, 4): Day(limit=10, reserved=4)}, {date(2026, 5, 4): 3})[date(2026, 5, 4)].reserved
    1
    """
    released = dict(days)
    for on, many in planned.items():
        day = days.get(on)
        if day is None or many > day.reserved:
            raise ValueError(f"{many} reservations cannot be released on {on}: {day.reserved if day else 0} are held")
        released[on] = replace(day, reserved=day.reserved - many)
    return released


def charge(days: Days, sent_on: date, planned_for: date | None, usual_limit: int) -> Days:
    """Return the days once a message has been promised on ``sent_on``: one more used, its reservation (held on
    ``planned_for``; None: it had none, like Message 2) gone.

    >>> charge({date(2026, 5, 4): Day(limit=10, reserved=4)}, date(2026, 5, 4), date(2026, 5, 4), 10)[date(2026, 5, 4)]
    Day(limit=10, used=1, reserved=3)
    """
    left = dict(release(days, {planned_for: 1}) if planned_for is not None else days)
    day = _day(left, sent_on, usual_limit)
    left[sent_on] = replace(day, used=day.used + 1)
    return left


def overdue(days: Days, today: date, usual_limit: int) -> list[Move]:
    """Return the moves of the reservations that days gone by still hold: to today and on, the oldest first, each to
    the first day with room. Made, they leave nothing overdue; what other campaigns reserved stays theirs.

    >>> held = {date(2026, 5, 3): Day(limit=10, used=6, reserved=4), date(2026, 5, 4): Day(limit=10, reserved=9)}
    >>> for move in overdue(held, date(2026, 5, 4), usual_limit=10):
    ...     print(move.out_of, "->", move.into, move.many)
    2026-05-03 -> 2026-05-04 1
    2026-05-03 -> 2026-05-05 3
    """
    moves, left = [], dict(days)
    for out_of in sorted(day for day in days if day < today and days[day].reserved):
        planned = plan(days[out_of].reserved, today, left, usual_limit)
        left = dict(reserve(left, planned, usual_limit))
        moves += [Move(out_of, into, many) for into, many in planned.items()]
    return moves


def moved(days: Days, moves: list[Move], usual_limit: int) -> Days:
    """Return the days once moves are made; raises as ``release`` and ``reserve`` do.

    >>> held = {date(2026, 5, 3): Day(limit=10, used=6, reserved=4)}
    >>> after = moved(held, [Move(date(2026, 5, 3), date(2026, 5, 4), 4)], usual_limit=10)
    >>> after[date(2026, 5, 3)].reserved, after[date(2026, 5, 4)].reserved
    (0, 4)
    """
    out_of, into = Counter[date](), Counter[date]()
    for move in moves:
        out_of[move.out_of] += move.many
        into[move.into] += move.many
    return reserve(release(days, out_of), into, usual_limit)


def _day(days: Days, day: date, usual_limit: int) -> Day:
    return days.get(day) or Day(limit=usual_limit)
