"""What a campaign's forecast is made of, just now, and what it says in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import settings
from models import pace, tuned
from models.queries import from_json, sql
from rules.breaker import adjust
from rules.forecast import Forecast, Inputs, OpenBatch
from rules.quota import local_day, remaining

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

_PART_WORDS = {
    "hold": "the lane is held back",
    "pause": "pauses between batches",
    "quota": "the daily limit",
    "quiet_hours": "quiet hours",
    "retries": "retries due later",
    "other_campaigns": "other campaigns of the number",
}


async def inputs(conn: Conn, row: Record, pending: int, sample: Record, failed: int, settled: int) -> Inputs:
    """Return where the campaign stands, for the pacing to be run forward from."""
    s = settings.get()
    now: datetime = row["now"]
    window = timedelta(seconds=row["window_seconds"])
    retries = [r["next_at"] for r in await sql.retries_waiting(conn, campaign=row["id"])]
    others = [r["pending"] for r in await sql.others_pending(conn, sender=row["sender"], campaign=row["id"])]
    limit, left_today = await _quota(conn, row, pending)
    usual = await pace.in_force(conn, row["sender"], row["sender_pacing"], row["pacing"])
    in_force = await tuned.in_force(conn)
    slower = adjust(
        usual.delay, usual.profile, failed, settled, in_force.error_rate_threshold, in_force.delay_increase_factor
    )
    last_sent = None if row["all_answered"] else sample["last_sent_at"]
    return Inputs(
        now=now,
        left=max(0, pending - len(retries)),
        pace=replace(usual, delay=slower.delay),
        tz=row["time_zone"],
        limit_per_day=limit,
        left_today=left_today,
        window=window,
        quiet=pace.quiet_hours(row["quiet_hours"], usual.profile),
        batch=_open_batch(row),
        next_slot=row["gate_at"],
        retries_due=tuple(retries),
        others=tuple(others),
        windows_end=last_sent + window if last_sent else None,
        time_scale=s.time_scale,
    )


def reason(status: str, ends: Forecast | None) -> str:
    """Say what makes it later than the delay alone would, or why there is no forecast."""
    if ends is None:
        return f"no forecast: the campaign is {status}"
    if ends.sending_ends_at is None:
        return "no end within ten years: the daily limit is too small for this campaign"
    added = [f"{words} ({ends.parts[part]:.0f} s)" for part, words in _PART_WORDS.items() if ends.parts[part] >= 1]
    return "later by " + ", ".join(added) if added else "the delay alone"


async def _quota(conn: Conn, row: Record, pending: int) -> tuple[int, int]:
    """Return how many may leave on a day to come, and today: by the number's limit and a spread launch's plan."""
    today = local_day(row["now"], row["time_zone"])
    used = await sql.quota_used(conn, sender=row["sender"], day=today)
    limit = row["daily_limit"] or settings.get().daily_message_limit
    left_today = remaining(limit, used, 0)
    if len(from_json(row["quota_plan"]) or {}) < 2:
        return limit, left_today
    rows = await sql.planned_ahead(conn, sender=row["sender"], campaign=row["id"], today=today)
    ahead = [day["many"] for day in rows]
    return (max(ahead), min(left_today, pending - sum(ahead))) if ahead else (limit, left_today)


def _open_batch(row: Record) -> OpenBatch | None:
    if row["number"] is None or row["finished_at"] is not None or row["attempted"] >= row["size"]:
        return None
    return OpenBatch(left=row["size"] - row["attempted"], delay=row["delay"], pause=row["pause"])
