"""What may hold a lane back between two messages: quiet hours, the daily limit, the circuit breaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

import settings
from actors import alerts, batches
from actors.process import Process
from models import pace, pool, transitions, warmth
from models.queries import sql
from models.reservations import limit_of
from models.transitions import Failure
from rules.pacing import ProfileName
from rules.quota import day_bounds, local_day, quiet_until
from rules.warmup import CAPS, next_allowed

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Record

log = structlog.get_logger()

STAY_SECONDS = 30.0
"""The lane waits so long itself; for longer it gives the lease back and is woken again."""


@dataclass(frozen=True)
class Rest:
    """Nothing may leave for ``seconds``, and why. ``leave``: better give the lane back meanwhile."""

    seconds: float
    why: str
    leave: bool = False


def limit(sender: Record) -> int:
    """Return how many messages a number may send on one local day."""
    return limit_of(sender)


def quiet(sender: Record, campaign: Record, profile: ProfileName) -> Rest | None:
    """Return how long the quiet hours of a campaign last; None outside them. In the careful profile they are each
    recipient's own (``actors.holds``)."""
    if profile == "careful":
        return None
    until = quiet_until(sender["now"], sender["time_zone"], pace.quiet_hours(campaign["quiet_hours"], profile))
    if until is None:
        return None
    return _until(sender, until, "quiet hours")


async def capped(sender: Record, profile: ProfileName) -> Rest | None:
    """Return how long the rolling caps of a profile (per minute and hour) hold this number; None while they do not."""
    caps = CAPS[profile]
    most = max(caps.per_minute or 0, caps.per_hour or 0)
    if not most:
        return None
    async with pool.connection() as conn:
        left = [row["promised_at"] for row in await sql.left_before(conn, sender=sender["id"], many=most)]
    of_minute, of_hour = (
        left[cap - 1] if cap is not None and len(left) >= cap else None for cap in (caps.per_minute, caps.per_hour)
    )
    until = next_allowed(sender["now"], caps, of_minute, of_hour, settings.get().time_scale)
    if until is None:
        return None
    seconds = (until - sender["now"]).total_seconds()
    return Rest(min(STAY_SECONDS, seconds), "the hourly cap of its profile", leave=seconds > STAY_SECONDS)


async def out_of_quota(process: Process, sender: Record, campaign: UUID) -> Rest | None:
    """Return how long the daily limit holds; None while there is room (or what is left was failed, as settings say)."""
    day = local_day(sender["now"], sender["time_zone"])
    _, tomorrow = day_bounds(day, sender["time_zone"])
    async with pool.connection() as conn:
        used = await sql.quota_used(conn, sender=sender["id"], day=day)
        if used < limit(sender):
            return None
        if settings.get().quota_exhausted == "fail":
            await _fail_for_quota(process, conn, campaign, tomorrow)
            return None
        why = f"the daily limit of {limit(sender)} is reached: what is left goes from {tomorrow.isoformat()} on"
        await alerts.say(conn, "quota", str(sender["id"]), why)
    return _until(sender, tomorrow, why)


async def _fail_for_quota(process: Process, conn: pool.Conn, campaign: UUID, tomorrow: datetime) -> None:
    """Fail the Message 1 of a campaign that are due today, in bounded steps (``QUOTA_EXHAUSTED=fail``).

    What a spread launch planned for later days waits for them; Message 2 has an allowance of its own.
    """
    rows = await sql.due_before(conn, campaign=campaign, before=tomorrow, many=transitions.STEP)
    text = "the daily limit of this number is reached (QUOTA_EXHAUSTED=fail)"
    failures = [
        Failure(message=row["id"], attempt=row["attempt"], error_class="quota", error_text=text) for row in rows
    ]
    await transitions.fail(conn, failures, by="lane")
    process.moved(campaign)


def _until(sender: Record, until: datetime, why: str) -> Rest:
    """Rest until a moment, but look again every half minute: limits and hours may be changed."""
    log.info("the lane rests", sender=str(sender["id"]), why=why, until=until.isoformat())
    return Rest(min(STAY_SECONDS, (until - sender["now"]).total_seconds()), why, leave=True)


async def breaker(process: Process, campaign: UUID) -> bool:
    """Pause a campaign whose attempts fail too often; whether it had to."""
    async with pool.connection() as conn:
        row = await conn.fetchrow("SELECT breaker_since, sender FROM campaign WHERE id = $1", campaign)
        if row is None:
            return False
        reason = await batches.must_stop(conn, campaign, row["breaker_since"])
    if reason is None:
        return False
    why = f"circuit breaker: {reason}"
    # All or nothing: a lane that ends in between must not pause a campaign that nobody is told of.
    async with pool.transaction() as conn:
        paused = await transitions.pause(conn, campaign, holds="message_1", why=why, by="breaker")
        if paused:
            await warmth.warn(conn, row["sender"], "breaker", reason)
            await alerts.say(conn, "breaker", str(campaign), f"campaign paused: {reason}")
    if paused:
        log.warning("the circuit breaker paused a campaign", campaign=str(campaign), why=reason)
        process.moved(campaign)
    return True
