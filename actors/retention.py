"""Retention: raw webhooks, and the moves of campaigns that are over, are not kept for ever."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import dramatiq
import structlog

import settings
from actors.process import Process, this
from models import pool
from models.queries import sql

log = structlog.get_logger()

STEP = 2_000
"""Rows of one statement."""
MOST_STEPS = 500
"""Steps of one run and kind; the next run goes on."""
REST_SECONDS = 0.05
"""Between two steps the disk is others'."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def forget_old() -> None:
    """Remove what is older than ``INBOX_KEPT_DAYS`` and ``EVENTS_KEPT_DAYS`` (0: nothing), step by step.

    If it dies: what was removed is gone; the scheduler wakes it again within the hour.
    """
    s, now = settings.get(), datetime.now(UTC)
    async with pool.alone("retention") as first:
        if not first:
            return
        if s.inbox_kept_days:
            gone = await _webhooks(this(), now - timedelta(days=s.inbox_kept_days))
            log.info("old webhooks were removed", webhooks=gone, days=s.inbox_kept_days)
        if s.events_kept_days:
            gone = await _events(this(), now - timedelta(days=s.events_kept_days))
            log.info("old moves were removed", moves=gone, days=s.events_kept_days)


async def _webhooks(process: Process, before: datetime) -> int:
    """Remove digested webhooks that came before; returns how many."""
    gone, after = 0, UUID(int=0)
    for _ in range(MOST_STEPS):
        async with pool.connection() as conn:
            step = await sql.forget_webhooks(conn, after=after, before=smallest_key(before), many=STEP)
        gone += step["gone"]
        if step["last"] is None or process.stopping.is_set():
            break
        after = step["last"]
        await asyncio.sleep(REST_SECONDS)
    return gone


async def _events(process: Process, before: datetime) -> int:
    """Remove moves of people and messages of campaigns that are over; returns how many."""
    gone = after = 0
    for _ in range(MOST_STEPS):
        async with pool.connection() as conn:
            step = await sql.forget_events(conn, after=after, before=before, many=STEP)
        gone += step["gone"]
        if not step["more"] or process.stopping.is_set():
            break
        after = step["last"]
        await asyncio.sleep(REST_SECONDS)
    return gone


def smallest_key(at: datetime) -> UUID:
    """Return the smallest time-ordered key (UUIDv7) of a moment.

    >>> smallest_key(datetime(2026, 1, 1, tzinfo=UTC))
    UUID('019b76da-a800-0000-0000-000000000000')
    """
    return UUID(int=int(at.timestamp() * 1000) << 80)
