"""The pace of a campaign just now: whose word counts, and how the last attempts went."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import settings
from models.queries import from_json, sql
from rules.breaker import Adjustment, adjust
from rules.pacing import Layer, Pace, Source, resolve

if TYPE_CHECKING:
    from models.pool import Conn

WINDOW = 100
"""Settled attempts that the error rate looks at."""

LAYER_FIELDS = {
    "PACING_PROFILE": "profile",
    "WASSENGER_RATE_LIMIT_SECONDS": "delay",
    "WASSENGER_BATCH_SIZE": "size",
    "WASSENGER_BATCH_PAUSE_SECONDS": "pause",
    "PACING_JITTER": "jitter",
    "MESSAGES_PER_SECOND": "rate",
}
"""Run-time configuration speaks of pacing by the names of the settings."""


def environment() -> Layer:
    """Return what the environment says; its delay, size and pause are meant for the standard profile."""
    s = settings.get()
    return Layer(
        source=Source.ENVIRONMENT,
        profile=s.pacing_profile,
        delay=s.wassenger_rate_limit_seconds,
        size=s.wassenger_batch_size,
        pause=s.wassenger_batch_pause_seconds,
        jitter=s.pacing_jitter,
        rate=s.messages_per_second,
        meant_for="standard",
    )


def layer(source: Source, given: dict[str, Any]) -> Layer:
    """Read overrides as stored with a sender or campaign: {delay, size, pause, jitter, profile, rate}."""
    return Layer(source=source, **given)


async def configuration(conn: Conn) -> Layer:
    """Return what ``PATCH /api/config`` says."""
    rows = await conn.fetch("SELECT key, value FROM setting WHERE key = ANY($1)", list(LAYER_FIELDS))
    return Layer(source=Source.CONFIGURATION, **{LAYER_FIELDS[row["key"]]: from_json(row["value"]) for row in rows})


async def in_force(conn: Conn, sender_pacing: str | None, campaign_pacing: str | None) -> Pace:
    """Return the pace that new batches run with, before adaptivity. Arguments are the jsonb texts."""
    return resolve(
        environment(),
        await configuration(conn),
        layer(Source.SENDER, from_json(sender_pacing) or {}),
        layer(Source.CAMPAIGN, from_json(campaign_pacing) or {}),
        mature_delay=settings.get().mature_delay_seconds,
    )


async def attempts(conn: Conn, campaign: UUID, since: datetime | None) -> tuple[int, int]:
    """Return (failed, settled) of the last attempts since ``since``; each try counts, silence never does."""
    outcomes: list[bool] = []
    for row in await sql.settled_attempts(conn, campaign=campaign, since=since, last=WINDOW):
        if row["outcome"] is not None:
            outcomes.append(row["outcome"] == "failed")
        outcomes += [True] * row["retries"]
    last = outcomes[:WINDOW]
    return sum(last), len(last)


async def adjusted(conn: Conn, campaign: UUID, pace: Pace) -> Adjustment:
    """Return the delay of the next batch."""
    s = settings.get()
    failed, settled = await attempts(conn, campaign, None)
    return adjust(pace.delay, pace.profile, failed, settled, s.error_rate_threshold, s.delay_increase_factor)
