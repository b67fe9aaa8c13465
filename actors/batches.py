"""Batches: the pacing of the next one, frozen at its start, and the breaker that may forbid it."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from models import attempts, pace, tuned
from models.progress import planned_end
from models.queries import json_text, sql
from rules.breaker import Adjustment, must_pause
from rules.pacing import Pace, gaps

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


async def must_stop(conn: Conn, campaign: UUID, since: datetime | None) -> str | None:
    """Return why the breaker pauses this campaign, resumed at ``since``, or None."""
    s = await tuned.in_force(conn)
    seen = await attempts.window(conn, campaign, since)
    reason = must_pause(seen.judged, errors=s.circuit_breaker_threshold, invalid=s.invalid_number_threshold)
    return reason or (await attempts.probing(conn, campaign, since)).why


async def start_batch(conn: Conn, sender: Record, campaign: Record, usual: Pace) -> Record | None:
    """Freeze the pacing of the next batch. None: the campaign is no longer sending."""
    adjustment = await pace.adjusted(conn, campaign["id"], usual)
    draws = [random.random() for _ in range(usual.size)]  # noqa: S311 (dice, not secrets)
    drawn = gaps(adjustment.delay, usual.size, usual.jitter, draws)
    batch: Record | None = await sql.start_batch(
        conn,
        campaign=campaign["id"],
        sender=sender["id"],
        size=usual.size,
        base_delay=usual.delay,
        delay=adjustment.delay,
        pause=usual.pause,
        gaps=drawn,
        error_rate=adjustment.error_rate,
        adjustment=adjustment.reason,
        planned_end=await planned_end(conn, campaign["id"]),
        profile=usual.profile,
        sources=json_text(_sources(usual, adjustment)),
    )
    return batch


def _sources(usual: Pace, adjustment: Adjustment) -> dict[str, str]:
    """Say which rule set each value of a batch."""
    sources = dict(usual.sources)
    if adjustment.delay > usual.delay:
        sources["delay"] = "error_rate"
    return sources
