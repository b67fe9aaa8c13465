"""Batches: the pacing of the next one, frozen at its start, and the breaker that may forbid it."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import settings
from models import pace
from models.progress import planned_end
from models.queries import sql
from rules.breaker import breaker
from rules.pacing import gaps

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


async def must_stop(conn: Conn, campaign: UUID, since: datetime | None) -> str | None:
    """Return why the breaker pauses this campaign, or None."""
    failed, settled = await pace.attempts(conn, campaign, since)
    return breaker(failed, settled, settings.get().circuit_breaker_threshold)


async def start_batch(conn: Conn, sender: Record, campaign: Record) -> Record | None:
    """Freeze the pacing of the next batch. None: the campaign is no longer sending."""
    usual = await pace.in_force(conn, sender["pacing"], campaign["pacing"])
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
    )
    return batch
