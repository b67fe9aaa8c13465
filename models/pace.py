"""The pace of a campaign just now: whose word counts, and how the last attempts went."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import settings
from models import maturity, tuned
from models.attempts import window
from models.queries import from_json
from rules.breaker import Adjustment, adjust
from rules.pacing import Layer, Pace, ProfileName, Source, resolve
from rules.warmup import CAPS, slowed

if TYPE_CHECKING:
    from models.pool import Conn

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


async def in_force(conn: Conn, sender: UUID, sender_pacing: str | None, campaign_pacing: str | None) -> Pace:
    """Return the pace that new batches run with, before adaptivity. Pacings are the jsonb texts.

    Of a number that would gain by it is asked whether it is mature; a profile's hourly cap lengthens the pause.
    """
    layers = (
        environment(),
        await configuration(conn),
        layer(Source.SENDER, from_json(sender_pacing) or {}),
        layer(Source.CAMPAIGN, from_json(campaign_pacing) or {}),
    )
    mature_delay = (await tuned.in_force(conn)).mature_delay_seconds
    faster = resolve(*layers, mature=True, mature_delay=mature_delay)
    if faster.sources["delay"] != Source.MATURITY.value:
        return _capped(faster)
    judged = await maturity.of(conn, sender)
    return _capped(faster if judged.mature else resolve(*layers, mature_delay=mature_delay))


def _capped(pace: Pace) -> Pace:
    slower = slowed(pace, CAPS[pace.profile].per_hour)
    return slower if slower is pace else replace(slower, sources={**slower.sources, "pause": "hourly_cap"})


def quiet_hours(named: str | None, profile: ProfileName) -> str:
    """Return the quiet hours of a campaign: its own, else those of the settings; empty for none. In the careful
    profile they are the recipient's, and where nobody names any it has some of its own."""
    s = settings.get()
    return named or s.quiet_hours or (s.careful_quiet_hours if profile == "careful" else "")


async def attempts(conn: Conn, campaign: UUID, since: datetime | None) -> tuple[int, int]:
    """Return (failed, settled) of the last attempts since ``since``: the error rate as it is shown."""
    seen = await window(conn, campaign, since)
    return seen.failed, seen.settled


async def adjusted(conn: Conn, campaign: UUID, pace: Pace) -> Adjustment:
    """Return the delay of the next batch."""
    s = await tuned.in_force(conn)
    failed, settled = await attempts(conn, campaign, None)
    return adjust(pace.delay, pace.profile, failed, settled, s.error_rate_threshold, s.delay_increase_factor)
