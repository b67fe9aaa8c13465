"""When will it end? The pacing run forward with mean draws, never a second set of constants.

The mean of a batch's gaps is its delay (``rules.pacing.gaps``), so a stretch of open time is one division:
the run takes a step per day, night and exhausted quota, not per message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final

from rules.pacing import Pace, scaled
from rules.quota import day_bounds, local_day, quiet_from, quiet_until

HORIZON: Final = timedelta(days=3653)
"""Ten years: what takes longer has no date, it has a wrong quota."""

_ROUNDING: Final = 1e-9
"""Gaps that binary fractions are off: a slot this near the end of the open time lies at its end, not before."""

PARTS: Final = ("hold", "delay", "pause", "quota", "quiet_hours", "retries", "other_campaigns", "window")
"""What can add time: the lane held back, gaps, pauses between batches, days waited for quota, quiet hours,
retries due later, other campaigns on the number, and the reply window after the last message."""


@dataclass(frozen=True, kw_only=True)
class OpenBatch:
    """The batch that runs now, at the pace frozen in it: attempts left, seconds of gap and of the pause after."""

    left: int
    delay: float
    pause: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """When the last Message 1 leaves and when the campaign is over if nobody else replies (UTC).

    Both None: not within ten years. ``parts`` says in seconds what each of PARTS adds; together they lead
    from now to ``completes_at`` (up to it, where it is None).
    """

    sending_ends_at: datetime | None
    completes_at: datetime | None
    parts: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What ``forecast`` is told, kept to run it again: see there for each."""

    now: datetime
    left: int
    pace: Pace
    tz: str
    limit_per_day: int
    left_today: int
    window: timedelta
    quiet: str = ""
    batch: OpenBatch | None = None
    next_slot: datetime | None = None
    retries_due: tuple[datetime, ...] = ()
    others: tuple[int, ...] = ()
    windows_end: datetime | None = None
    time_scale: float = 1.0

    @property
    def attempts(self) -> int:
        """Attempts still to be made, waiting retries included."""
        return self.left + len(self.retries_due)

    def forecast(self) -> Forecast:
        """Run the pacing forward from these inputs."""
        return forecast(**{f.name: getattr(self, f.name) for f in fields(self)})


def forecast(
    *,
    now: datetime,
    left: int,
    pace: Pace,
    tz: str,
    limit_per_day: int,
    left_today: int,
    window: timedelta,
    quiet: str = "",
    batch: OpenBatch | None = None,
    next_slot: datetime | None = None,
    retries_due: Sequence[datetime] = (),
    others: Sequence[int] = (),
    windows_end: datetime | None = None,
    time_scale: float = 1.0,
) -> Forecast:
    """Run the pacing forward.

    ``left``: Message 1 still to be tried, without those in ``retries_due`` (one time per retry that waits).
    ``pace``: what new batches will run with, adaptivity included. ``tz``, ``limit_per_day``, ``left_today``:
    the number's day and quota. ``next_slot``: the first moment the lane is free. ``others``: Message 1 left in each
    other campaign of the number, served in turn. ``windows_end``: when the last window open now ends.

    >>> from datetime import UTC
    >>> pace = Pace(delay=3, size=75, pause=30, jitter=0.25, profile="standard")
    >>> start = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    >>> sure = forecast(now=start, left=1000, pace=pace, tz="UTC", limit_per_day=1000, left_today=1000,
    ...                 window=timedelta(hours=24))
    >>> sure.sending_ends_at - start, sure.parts["pause"]
    (datetime.timedelta(seconds=3387), 390.0)
    """
    attempts = left + len(retries_due)
    lane = _Lane(pace, batch, tz, limit_per_day, left_today, quiet, time_scale)
    start = max(now, next_slot or now)
    parts = dict.fromkeys(PARTS, 0.0)
    parts["hold"] = (start - now).total_seconds() if attempts else 0.0
    ends = _run(lane, start, attempts, parts) if attempts else now
    if attempts and others and ends is not None:
        alone = ends
        ends = _run(lane, start, attempts + sum(min(other, attempts) for other in others), {})
        parts["other_campaigns"] = ((ends or start + HORIZON) - alone).total_seconds()
    if ends is None:
        return Forecast(sending_ends_at=None, completes_at=None, parts=parts)
    last_retry = max(retries_due, default=ends)
    parts["retries"] = max(0.0, (last_retry - ends).total_seconds())
    ends = max(ends, last_retry)
    completes = max(ends + window if attempts else ends, windows_end or ends)
    parts["window"] = (completes - ends).total_seconds()
    return Forecast(sending_ends_at=ends.astimezone(UTC), completes_at=completes.astimezone(UTC), parts=parts)


@dataclass(frozen=True)
class _Lane:
    """What a number's lane is bound by while it runs."""

    pace: Pace
    batch: OpenBatch | None
    tz: str
    limit_per_day: int
    left_today: int
    quiet: str
    time_scale: float


@dataclass(frozen=True)
class _Rhythm:
    """Slots ``delay`` apart, with ``pause`` added after each full batch of ``size``; ``first`` are left of this one."""

    delay: float
    pause: float
    size: int
    first: int

    def waits(self, slots: int) -> tuple[float, float]:
        """Return the seconds of gaps and of pauses between the first slot and the one ``slots`` later."""
        pauses = 0 if slots < self.first else 1 + (slots - self.first) // self.size
        return slots * self.delay, pauses * self.pause

    def fit(self, seconds: float) -> int:
        """Return how many slots begin within so many seconds, the first at 0."""
        straight = max(1, self._slots(seconds))
        if straight <= self.first:
            return straight
        rest = seconds - self.first * self.delay - self.pause
        if rest <= 0:
            return self.first
        batches, rest = divmod(rest, self.size * self.delay + self.pause)
        return self.first + int(batches) * self.size + min(self.size, self._slots(rest))

    def _slots(self, seconds: float) -> int:
        return math.ceil(seconds / self.delay - _ROUNDING)

    def after(self, slots: int) -> _Rhythm:
        """Return the rhythm as it goes on ``slots`` later."""
        if slots < self.first:
            return _Rhythm(self.delay, self.pause, self.size, self.first - slots)
        return _Rhythm(self.delay, self.pause, self.size, self.size - (slots - self.first) % self.size)


def _run(lane: _Lane, start: datetime, attempts: int, parts: dict[str, float]) -> datetime | None:
    """Return the slot of the last attempt, adding to ``parts`` what took the time; None beyond the horizon."""
    slot, left, quota = start.astimezone(UTC), attempts, lane.left_today
    today_ends = _day_end(slot, lane.tz)
    for rhythm, due in _rhythms(lane, attempts):
        while due:
            if slot - start > HORIZON:
                return None
            if slot >= today_ends:
                quota, today_ends = lane.limit_per_day, _day_end(slot, lane.tz)
            if night_ends := quiet_until(slot, lane.tz, lane.quiet):
                slot = _wait(slot, night_ends, "quiet_hours", parts)
            elif quota <= 0:
                slot = _wait(slot, today_ends, "quota", parts)
            else:
                closes = min(today_ends, quiet_from(slot, lane.tz, lane.quiet) or today_ends)
                sent = min(due, quota, rhythm.fit((closes - slot).total_seconds()))
                due, left, quota = due - sent, left - sent, quota - sent
                delay, pause = rhythm.waits(sent if left else sent - 1)
                _add(parts, delay=delay, pause=pause)
                slot, rhythm = slot + timedelta(seconds=delay + pause), rhythm.after(sent)
    return slot


def _rhythms(lane: _Lane, attempts: int) -> list[tuple[_Rhythm, int]]:
    """Cut the attempts into those of the open batch, at its own pace, and those of the batches to come."""
    pace, scale, rhythms = lane.pace, lane.time_scale, []
    in_batch = min(attempts, lane.batch.left) if lane.batch else 0
    if lane.batch and in_batch:
        frozen = _Rhythm(scaled(lane.batch.delay, scale), scaled(lane.batch.pause, scale), pace.size, lane.batch.left)
        rhythms.append((frozen, in_batch))
    coming = _Rhythm(scaled(pace.delay, scale), scaled(pace.pause, scale), pace.size, pace.size)
    return [*rhythms, (coming, attempts - in_batch)]


def _day_end(moment: datetime, tz: str) -> datetime:
    return day_bounds(local_day(moment, tz), tz)[1]


def _wait(slot: datetime, until: datetime, part: str, parts: dict[str, float]) -> datetime:
    _add(parts, **{part: (until - slot).total_seconds()})
    return until


def _add(parts: dict[str, float], **seconds: float) -> None:
    for part, value in seconds.items():
        parts[part] = parts.get(part, 0.0) + value
