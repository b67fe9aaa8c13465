"""Why the estimate moved: the forecast run again, one input swapped at a time, and the largest shares named.

That time passes moves nothing: what was sent as planned leaves the end where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rules.forecast import HORIZON, Inputs, OpenBatch
from rules.quota import local_day

LEAST_SECONDS: Final = 30.0
"""A shorter move of the end is not worth a word …"""
LEAST_SHARE: Final = 0.01
"""… nor is less than this share of the time that is left."""
MOST: Final = 3
"""Causes named at once."""


@dataclass(frozen=True)
class Cause:
    """One input that changed, in words, and by how many seconds it moved the last Message 1 (negative: sooner)."""

    words: str
    seconds: float


def moved(before: Inputs, after: Inputs) -> str:
    """Say why the last Message 1 of a campaign is expected at another time than before; empty while it is not.

    >>> from datetime import UTC
    >>> from rules.pacing import Pace
    >>> pace = Pace(delay=3, size=75, pause=30, jitter=0.25, profile="standard")
    >>> start = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    >>> before = Inputs(now=start, left=1000, pace=pace, tz="UTC", limit_per_day=5000, left_today=5000,
    ...                 window=timedelta(hours=24))
    >>> moved(before, replace(before, pace=replace(pace, delay=4.5)))
    'the delay grew from 3 to 4.5 s: +25 min'
    >>> moved(before, replace(before, now=start + timedelta(seconds=30), left=990, left_today=4990))
    ''
    """
    if after.attempts == 0:
        return ""
    if before.attempts == 0:
        return f"{_messages(after.attempts)} were added"
    ends = _end(before), _end(after)
    least = max(LEAST_SECONDS, LEAST_SHARE * (ends[1] - after.now).total_seconds())
    total = (ends[1] - ends[0]).total_seconds()
    if abs(total) < least:
        return ""
    found = sorted(causes(before, after), key=lambda cause: abs(cause.seconds), reverse=True)
    named = [cause for cause in found[:MOST] if abs(cause.seconds) >= least] or found[:1]
    return "; ".join(f"{cause.words}: {_span(cause.seconds)}" for cause in named)


def causes(before: Inputs, after: Inputs) -> list[Cause]:
    """Return what each changed input contributes; together they are the whole move, to the second."""
    found, at = [], before
    ends = _end(before)
    for words, changed in _swaps(before, after):
        if (then := replace(at, **changed)) == at:
            continue
        later = _end(then)
        found.append(Cause(words, (later - ends).total_seconds()))
        at, ends = then, later
    return [cause for cause in found if cause.seconds]


def _swaps(before: Inputs, after: Inputs) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the inputs to swap, in order, with the words for each; all of them made, ``before`` is ``after``."""
    planned = _as_planned(before, after)
    yield _progress(before, planned), {name: getattr(planned, name) for name in _PASSING}
    yield f"{_messages(after.left - planned.left)} were added", {"left": after.left}
    yield from _pace(before, planned, after)
    yield _quota(planned.left_today - after.left_today), {"left_today": after.left_today}
    limit = _changed(before.limit_per_day, after.limit_per_day)
    yield f"the daily limit {limit}", {"limit_per_day": after.limit_per_day}
    quiet = f"quiet hours are now {after.quiet or 'none'} instead of {before.quiet or 'none'}"
    yield quiet, {"quiet": after.quiet}
    yield f"the number's time zone is now {after.tz}", {"tz": after.tz}
    waiting = len(after.retries_due)
    yield "1 retry waits" if waiting == 1 else f"{waiting} retries wait", {"retries_due": after.retries_due}
    others = f"other campaigns on the number have {sum(after.others)} messages left instead of {sum(planned.others)}"
    yield others, {"others": after.others}
    yield "the time scale changed", {"time_scale": after.time_scale, "window": after.window}


def _pace(before: Inputs, planned: Inputs, after: Inputs) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what changed about the pace: of the batches to come and, with it, of the open one."""
    old, new = before.pace, after.pace
    was, now = planned.batch, after.batch
    slower = replace(was, delay=now.delay) if was and now else was
    delay = f"the delay {_changed(old.delay, new.delay, ' s')}"
    pause = f"the pause between batches {_changed(old.pause, new.pause, ' s')}"
    if was and now and old.delay == new.delay:
        delay = f"the delay of the open batch {_changed(was.delay, now.delay, ' s')}"
    if was and now and old.pause == new.pause:
        pause = f"the pause after the open batch {_changed(was.pause, now.pause, ' s')}"
    yield delay, {"pace": replace(old, delay=new.delay), "batch": slower}
    yield pause, {"pace": replace(old, delay=new.delay, pause=new.pause), "batch": now}
    yield f"the size of the batches {_changed(old.size, new.size)}", {"pace": new}


_PASSING: Final = ("now", "left", "batch", "next_slot", "retries_due", "left_today", "others", "windows_end")
"""Inputs that change by themselves while a campaign is sent as planned."""


def _as_planned(before: Inputs, after: Inputs) -> Inputs:
    """Return how far the campaign is, with everything else as it was: what ``after`` would be had nothing changed."""
    still_waiting = tuple(due for due in before.retries_due if due > after.now and due in after.retries_due)
    came_due = len(before.retries_due) - len(still_waiting)
    left = min(after.left, before.left + came_due)
    same_day = local_day(before.now, before.tz) == local_day(after.now, before.tz)
    spent = max(0, before.left + came_due - left)
    shrunk = len(after.others) == len(before.others) and all(
        now <= then for now, then in zip(after.others, before.others, strict=True)
    )
    return replace(
        before,
        now=after.now,
        left=left,
        batch=_batch_as_planned(before, after.batch),
        next_slot=after.next_slot,
        retries_due=still_waiting,
        left_today=before.left_today - spent if same_day else after.left_today,
        others=after.others if shrunk else before.others,
        windows_end=after.windows_end,
    )


def _batch_as_planned(before: Inputs, batch: OpenBatch | None) -> OpenBatch | None:
    """Return the open batch at a pace that was known before: that of the batch open then, or of those to come."""
    if batch is None:
        return None
    known = [(before.pace.delay, before.pace.pause)]
    known += [(before.batch.delay, before.batch.pause)] if before.batch else []
    if (batch.delay, batch.pause) in known:
        return batch
    return OpenBatch(left=batch.left, delay=known[0][0], pause=known[0][1])


def _progress(before: Inputs, planned: Inputs) -> str:
    """Say what it means when the lane is not where it should be."""
    late = _end(planned) - _end(before)
    if late < timedelta(0):
        return "sending went faster than planned, or fewer are left to send to"
    held = (planned.next_slot or planned.now) - planned.now
    usual = timedelta(seconds=(before.pace.pause + 2 * before.pace.delay) / before.time_scale)
    if held > usual:
        return f"nothing may leave before {planned.now.astimezone(UTC) + held:%H:%M} UTC"
    return "sending went slower than planned"


def _quota(elsewhere: int) -> str:
    if elsewhere < 0:
        return f"today's quota has room for {_messages(-elsewhere)} more"
    return f"{_messages(elsewhere)} of today's quota went elsewhere"


def _end(inputs: Inputs) -> datetime:
    return inputs.forecast().sending_ends_at or inputs.now + HORIZON


def _changed(old: float, new: float, unit: str = "") -> str:
    return f"{'grew' if new > old else 'fell'} from {old:g} to {new:g}{unit}"


def _messages(many: int) -> str:
    return "1 message" if many == 1 else f"{many} messages"


def _span(seconds: float) -> str:
    sign, minutes = "+" if seconds >= 0 else "−", round(abs(seconds) / 60)
    if abs(seconds) < 60:
        return f"{sign}{abs(seconds):.0f} s"
    if minutes < 60:
        return f"{sign}{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{sign}{hours} h {minutes} min" if minutes else f"{sign}{hours} h"
    days = round(hours / 24)
    return (
        f"{sign}{days} days"
        if days < HORIZON.days / 2
        else "more than ten years"
        if sign == "+"
        else "within ten years"
    )
