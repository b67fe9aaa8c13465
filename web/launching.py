"""What a person does with a campaign: send, pause, resume, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from litestar import Router, post
from litestar.params import FromPath, FromQuery, JSONBody

import settings
from actors.wake import wake
from models import pool, reservations, transitions
from models.queries import sql
from rules.reservations import Plan, TooLittleRoom
from web import senders
from web.auth import who
from web.campaigns import found, locked, shown, too_little_room
from web.previews import audience_of, launches_later
from web.problems import Problem
from web.wire.campaigns import Campaign
from web.wire.launching import Audience, Launched, PauseOrder, SendOrder

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Record


@post("/{campaign_id:uuid}/send", status_code=202)
async def send(
    campaign_id: FromPath[UUID],
    data: JSONBody[SendOrder | None] = None,
    skip_incomplete: FromQuery[bool] = False,
) -> Launched:
    """Launch a campaign, or schedule it if its ``scheduled_at`` lies ahead.

    409: already launched, not launchable, or its sender is not ready. 422: nobody to send to, or contacts whose text
    would have a hole. 429 with ``remaining``: more than the number may still send that day.
    """
    skip = skip_incomplete or (data is not None and data.skip_incomplete)
    async with pool.transaction() as conn:
        row = await locked(conn, campaign_id)
        _refuse_unlaunchable(row["status"])
        sender = await senders.found(conn, row["sender"])
        senders.refuse_stopped(sender)
        later = launches_later(row, row["now"])
        await sql.lock_reservations(conn, sender=sender["id"])
        audience, missing = await audience_of(conn, row)
        reserved = _reserved(audience, missing, skip)
        plan = await _plan(conn, sender, row, reserved, later)
        await reservations.reserve(conn, campaign_id, plan)
        status = await _start(conn, row, later)
    if later is None:
        wake("launch_campaign", campaign_id)
    return Launched(
        reserved=reserved,
        plan=reservations.stored(plan),
        excluded=_left_out(audience, skip),
        status=status,
        scheduled_at=later,
    )


@post("/{campaign_id:uuid}/pause", status_code=200)
async def pause(campaign_id: FromPath[UUID], data: JSONBody[PauseOrder | None] = None) -> Campaign:
    """Stop sending within a second. Scope ``message_1``: replies are still answered. 409 if nothing is being sent."""
    scope = data.scope if data else "all"
    async with pool.connection() as conn:
        if not await transitions.pause(conn, campaign_id, holds=scope, why="a person paused it", by=who()):
            raise await _not_possible(conn, campaign_id, "paused")
        return await _moved(conn, campaign_id)


@post("/{campaign_id:uuid}/resume", status_code=200)
async def resume(campaign_id: FromPath[UUID]) -> Campaign:
    """Go on where it stopped, with a new batch. 409 if it is not paused."""
    async with pool.connection() as conn:
        sender = await transitions.resume(conn, campaign_id, why="a person resumed it", by=who())
        if sender is None:
            raise await _not_possible(conn, campaign_id, "resumed")
        wake("send_batch", sender)
        return await _moved(conn, campaign_id)


@post("/{campaign_id:uuid}/cancel", status_code=200)
async def cancel(campaign_id: FromPath[UUID]) -> Campaign:
    """End a campaign for good: nothing more is sent, Message 2 included. 409 if it has ended."""
    async with pool.connection() as conn:
        if not await transitions.cancel(conn, campaign_id, why="a person cancelled it", by=who()):
            raise await _not_possible(conn, campaign_id, "cancelled")
        wake("sweep_campaigns")
        return await _moved(conn, campaign_id)


router = Router("/campaigns", route_handlers=[send, pause, resume, cancel], tags=["campaigns"])


# --- may it be sent? --------------------------------------------------------------------------------


def _refuse_unlaunchable(status: str) -> None:
    if status in ("launching", "sending", "waiting", "paused", "completed"):
        raise Problem(409, "already_launched", f"the campaign was launched already: it is {status}")
    if status == "cancelled":
        raise Problem(409, "not_launchable", "the campaign was cancelled: make a new one")


async def _plan(conn: pool.Conn, sender: Record, row: Record, many: int, at: datetime | None) -> Plan:
    """Say which day each message is planned for, or raise the 429 with what remains; nothing is half-launched."""
    await reservations.begin_day(conn, sender["id"], sender["time_zone"], reservations.limit_of(sender), sender["now"])
    try:
        return await reservations.fit(conn, sender, row, many, at)
    except TooLittleRoom as short:
        raise too_little_room(short) from None


def _reserved(audience: Audience, missing: dict[str, int], skip: bool) -> int:
    """Return how many messages will be sent, or refuse."""
    if audience.incomplete and not skip:
        raise Problem(
            422,
            "incomplete_contacts",
            f"{audience.incomplete} contacts lack {', '.join(missing)}: complete them, write a default such as "
            f"{{{{{next(iter(missing))}|…}}}}, or send with skip_incomplete",
            missing=missing,
        )
    reserved = audience.reached - audience.incomplete
    if reserved == 0:
        raise Problem(422, "empty_audience", "nobody is left to send to", audience=_left_out(audience, skip))
    return reserved


def _left_out(audience: Audience, skip: bool) -> dict[str, int]:
    """Say by reason who of the categories gets nothing."""
    reasons = {name: getattr(audience, name) for name in ("opted_out", "excluded", "contacted_recently", "same_person")}
    return reasons | ({"incomplete": audience.incomplete} if skip else {})


async def _start(conn: pool.Conn, row: Record, later: datetime | None) -> str:
    """Schedule or launch; returns the new status."""
    s = settings.get()
    if later is not None:
        if row["status"] == "scheduled":
            raise Problem(409, "already_scheduled", f"the campaign is scheduled for {later.isoformat()} already")
        await transitions.schedule(conn, row["id"], later, why="a person scheduled it", by=who())
        return "scheduled"
    await transitions.start_launch(
        conn,
        row["id"],
        window=s.reply_window_hours * 3600,
        safety=s.campaign_safety_timeout_hours * 3600,
        why="a person sent it",
        by=who(),
    )
    return "launching"


# --- after a move ------------------------------------------------------------------------------------


async def _not_possible(conn: pool.Conn, campaign: UUID, what: str) -> Problem:
    status: Any = (await found(conn, campaign))["status"]
    return Problem(409, "not_possible", f"the campaign is {status}: it cannot be {what} now")


async def _moved(conn: pool.Conn, campaign: UUID) -> Campaign:
    """Let those who watch see it, and return the campaign."""
    wake("refresh_stats", campaign)
    return await shown(conn, campaign)
