"""Pace and quota of a number, as the API shows them, and the checks of what a request says about them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

import settings
from models import maturity, pace, reservations, warmth
from models.queries import json_text, sql
from rules import quota
from rules.pacing import OutOfBounds, Pace, Source, resolve
from rules.reservations import Day
from rules.warmup import CAPS
from web.problems import Problem
from web.wire.config import PaceInForce, Pacing
from web.wire.senders import Maturity, NewConversations, Quota

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


def overrides(given: Pacing) -> dict[str, Any]:
    """Return what a request names, as it is stored."""
    named: dict[str, Any] = msgspec.to_builtins(given)
    return named


async def check(conn: Conn, sender: dict[str, Any], campaign: dict[str, Any] | None = None) -> Pace:
    """Return the pace that would result, or raise the 422 that names the value and its range."""
    layers = [pace.environment(), await pace.configuration(conn), pace.layer(Source.SENDER, sender)]
    if campaign is not None:
        layers.append(pace.layer(Source.CAMPAIGN, campaign))
    try:
        return resolve(*layers, mature_delay=settings.get().mature_delay_seconds)
    except OutOfBounds as error:
        raise Problem(422, "out_of_range", str(error)) from None


async def in_force(conn: Conn, sender: Record, campaign: Record | None = None) -> Pace:
    """Return the pace in force for a sender, or for a campaign of it."""
    return await pace.in_force(conn, sender["id"], sender["pacing"], campaign["pacing"] if campaign else json_text({}))


def shown(pace: Pace) -> PaceInForce:
    """Shape a pace."""
    return PaceInForce(
        profile=pace.profile,
        delay_seconds=pace.delay,
        size=pace.size,
        pause_seconds=pace.pause,
        jitter=pace.jitter,
        sources=dict(pace.sources),
    )


async def quota_of(conn: Conn, sender: Record, *, at: datetime | None = None, without: UUID | None = None) -> Quota:
    """Return the local day of a number that ``at`` (now) lies in; ``without`` what one campaign has planned."""
    day = quota.local_day(at or sender["now"], sender["time_zone"])
    limit = reservations.limit_of(sender)
    counted = (await reservations.days_of(conn, sender, without)).get(day) or Day(limit)
    return Quota(
        day=day.isoformat(),
        limit=limit,
        used=counted.used,
        reserved=counted.reserved,
        remaining=counted.room,
        level=quota.level(counted.used, limit).value,
    )


async def maturity_of(conn: Conn, sender: Record) -> Maturity:
    """Return whether a number counts as mature, and why."""
    judged = await maturity.of(conn, sender["id"])
    return Maturity(
        mature=judged.mature,
        computed=judged.computed,
        override=sender["mature"],
        first_used_at=sender["first_used_at"],
        reasons=list(judged.reasons),
        missing=list(judged.missing),
    )


async def new_conversations(conn: Conn, sender: Record) -> NewConversations:
    """Return a number's new conversations today, their cap where its profile has one, and what holds them."""
    day = quota.local_day(sender["now"], sender["time_zone"])
    profile = (await in_force(conn, sender)).profile
    warm = await warmth.today(conn, sender["id"], day) if CAPS[profile].warmed else None
    row = await sql.warmth_of(conn, sender=sender["id"], day=day)
    held = sender["new_chats_after"] is not None and sender["new_chats_after"] > sender["now"]
    return NewConversations(
        opened_today=row["opened"] if row else 0,
        cap=warm.cap if warm else None,
        cap_reason=warm.why if warm else f"the {profile} profile has no warm-up",
        held_until=sender["new_chats_after"] if held else None,
        held_reason=sender["new_chats_why"] if held else "",
    )


def check_quiet_hours(text: str | None) -> str | None:
    """Return quiet hours as they are stored (null: those of QUIET_HOURS), or raise the 422."""
    if text is None:
        return None
    try:
        quota.parse_quiet(text)
    except quota.BadQuietHours as error:
        raise Problem(422, "bad_quiet_hours", str(error)) from None
    return text.strip()
