"""Warm-up: how many new conversations a number may open a day, an hour and a minute, and how it earns more.

The stages are the starting profile drawn from public ramps (whapi.cloud, wapower, pragmaz, MoltFlow): claims, not
guarantees. Age is the ceiling; each further stage must be earned; a warning costs one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from rules.pacing import Pace, ProfileName


@dataclass(frozen=True)
class Stage:
    """From this day of a number's life on (its first is day 0) it may open so many new conversations a day."""

    from_day: int
    cap: int


STAGES: Final = (Stage(0, 20), Stage(4, 40), Stage(8, 80), Stage(15, 150), Stage(29, 300))
"""20 on days 0-3, 40 on days 4-7, 80 in week 2, 150 in weeks 3 and 4, then 300."""


@dataclass(frozen=True, kw_only=True)
class Caps:
    """Rolling caps on Message 1 of one number; None: no such cap. ``warmed``: the stages above apply."""

    per_minute: int | None = None
    per_hour: int | None = None
    warmed: bool = False


CAPS: Final[Mapping[ProfileName, Caps]] = {
    "standard": Caps(),
    "careful": Caps(per_minute=4, per_hour=30, warmed=True),
    "official": Caps(),
}
"""Per hour: whapi.cloud; per minute: the vendor's own campaign tool stops at 5."""


@dataclass(frozen=True, kw_only=True)
class Earned:
    """What earns the next stage, judged over what happened since the last one; our own sample of ``least``."""

    reply_rate: float = 0.25
    failure_rate: float = 0.03
    least: int = 20


@dataclass(frozen=True, kw_only=True)
class Day:
    """One local day of a number: conversations it opened whose reply window has ended, how many of them were answered;
    its settled attempts, how many failed; whether there was a warning (a reach-out lock, a silent drop, a restriction,
    a tripped breaker)."""

    day: date
    opened: int = 0
    answered: int = 0
    attempts: int = 0
    failed: int = 0
    warned: bool = False


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a number stands: its stage (0 to 4), since when, why, and what it has to show since then."""

    stage: int = 0
    since: date | None = None
    why: str = "the first stage: it has still to earn the next"
    shown: Day = Day(day=date.min)

    @property
    def cap(self) -> int:
        """New conversations a day."""
        return STAGES[self.stage].cap


def ceiling(age_days: int) -> int:
    """Return the highest stage that a number's age allows.

    >>> [ceiling(days) for days in (0, 3, 4, 8, 15, 28, 29, 400)]
    [0, 0, 1, 2, 3, 3, 4, 4]
    """
    return max((stage for stage, s in enumerate(STAGES) if age_days >= s.from_day), default=0)


def climb(days: Iterable[Day], *, first_used: date, today: date, start: int = 0, earned: Earned = Earned()) -> Standing:
    """Return where a number stands today, walked through its days (in any order; days without anything may miss).

    Each day begins with at most one stage up, if age allows it and what was shown since the last change earns it; a
    warning takes a stage back at once, and what was shown before it counts no more. ``start``: the stage it began
    with; a number that a person declares mature begins at the last. The same days always give the same standing.

    >>> first = date(2026, 5, 4)
    >>> good = Day(day=first + timedelta(days=3), opened=40, answered=12, attempts=40, failed=1)
    >>> stood = climb([good], first_used=first, today=first + timedelta(days=4))
    >>> stood.cap, stood.why
    (40, '30.0 % of 40 people answered, 2.5 % of 40 attempts failed, and day 4 allows it')
    """
    standing = Standing(stage=start, why=f"began at stage {start + 1}") if start else Standing()
    happened = {day.day: day for day in days if day.day <= today}
    morning = min(happened, default=today)
    while morning <= today:
        standing = _up(standing, morning, (morning - first_used).days, earned)
        standing = _lived(standing, happened.get(morning, Day(day=morning)))
        morning += timedelta(days=1)
    return standing


def next_allowed(
    now: datetime, caps: Caps, of_minute: datetime | None, of_hour: datetime | None, time_scale: float = 1.0
) -> datetime | None:
    """Return before when the rolling caps let no Message 1 leave; None if one may leave now.

    ``of_minute`` is when the ``per_minute``-th last Message 1 left, ``of_hour`` when the ``per_hour``-th last did
    (None: there are not so many). ``time_scale`` shortens minute and hour for a trial.

    >>> from datetime import UTC
    >>> now = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
    >>> next_allowed(now, CAPS["careful"], None, now - timedelta(minutes=40)) - now
    datetime.timedelta(seconds=1200)
    """
    rolling = (
        (caps.per_minute, of_minute, timedelta(minutes=1)),
        (caps.per_hour, of_hour, timedelta(hours=1)),
    )
    until = [last + span / time_scale for cap, last, span in rolling if cap is not None and last is not None]
    latest = max(until, default=now)
    return latest if latest > now else None


def slowed(pace: Pace, per_hour: int | None) -> Pace:
    """Return the pace with the pause long enough that its batches keep the hourly cap by themselves.

    For the batches to come and for the forecast: the pause may then be longer than its profile allows a person to name.

    >>> pace = Pace(delay=30, size=20, pause=1050, jitter=0.5, profile="careful")
    >>> slowed(pace, 30).pause, slowed(pace, 100).pause
    (1800.0, 1050)
    """
    if per_hour is None:
        return pace
    needed = pace.size * (3600 / per_hour - pace.delay)
    return replace(pace, pause=needed) if needed > pace.pause else pace


def _up(standing: Standing, morning: date, age: int, earned: Earned) -> Standing:
    """Return the standing with which a day begins."""
    shown = standing.shown
    if standing.stage >= ceiling(age) or not _enough(shown, earned):
        return standing
    why = (
        f"{_share(shown.answered, shown.opened)} people answered, {_share(shown.failed, shown.attempts)} attempts "
        f"failed, and day {age} allows it"
    )
    return Standing(stage=standing.stage + 1, since=morning, why=why, shown=Day(day=morning))


def _lived(standing: Standing, day: Day) -> Standing:
    """Return the standing once it is known what happened on a day."""
    if not day.warned:
        return replace(standing, shown=_sum(standing.shown, day))
    stage = max(0, standing.stage - 1)
    back = "one stage back" if stage < standing.stage else "still at the first stage"
    why = f"{back}: there was a warning on {day.day}"
    return Standing(stage=stage, since=day.day, why=why, shown=Day(day=day.day))


def _enough(shown: Day, earned: Earned) -> bool:
    if shown.opened < earned.least or shown.attempts < earned.least:
        return False
    answered, failed = shown.answered / shown.opened, shown.failed / shown.attempts
    return answered >= earned.reply_rate and failed < earned.failure_rate


def _sum(shown: Day, day: Day) -> Day:
    return Day(
        day=day.day,
        opened=shown.opened + day.opened,
        answered=shown.answered + day.answered,
        attempts=shown.attempts + day.attempts,
        failed=shown.failed + day.failed,
    )


def _share(part: int, of: int) -> str:
    return f"{part / of * 100:.1f} % of {of}"
