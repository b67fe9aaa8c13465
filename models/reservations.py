"""The days of a number: used, reserved, and what a launch may still take. Reservations are counted, never stored.

A Message 1 that is launched and not promised holds one place: under ``message.quota_day`` where its launch was spread
over several days, else on the current day. Promising it turns the place into use in one statement; failure, cancel and
opt-out free it because the row is pending no more. What a day leaves over moves when the next one begins.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import settings
from models import newcomers, no_reply, pace
from models.queries import from_json, json_text, sql
from rules.quota import day_bounds, local_day
from rules.reservations import Day, Days, Move, Plan, TooLittleRoom, moved, overdue, spread, today_only

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

_DAY = timedelta(days=1)


def limit_of(sender: Record) -> int:
    """Return a number's daily limit (``daily_limit`` of its row, else DAILY_MESSAGE_LIMIT)."""
    return int(sender["daily_limit"] or settings.get().daily_message_limit)


async def days_of(conn: Conn, sender: Record, without: UUID | None = None) -> Days:
    """Return the days of a number from today on, in one snapshot; ``without`` the plan of one campaign.

    ``sender``: a row with ``id``, ``time_zone``, ``daily_limit`` and ``now``. Before anything left today, what earlier
    days left over is shown where it will move.
    """
    today = local_day(sender["now"], sender["time_zone"])
    days, left_over, begun = await _count(conn, sender["id"], today, limit_of(sender), without)
    if begun:
        day = days[today]
        return {**days, today: Day(day.limit, day.used, day.reserved + left_over)}
    return _rolled(days, left_over, today, limit_of(sender))[0]


async def begin_day(conn: Conn, sender: UUID, tz: str, limit: int, now: datetime) -> date:
    """Make sure the local day of a number has begun, and return it; whoever begins it moves what is left over.

    What does not fit beside the places that others reserved for today waits for the next day with room.
    """
    today = local_day(now, tz)
    if await sql.day_has_begun(conn, sender=sender, day=today):
        return today
    async with conn.transaction():
        if await sql.ensure_quota_day(conn, sender=sender, day=today):
            await sql.resolve_alert(conn, kind="quota", subject=str(sender))
            await _roll(conn, sender, tz, limit, today)
    return today


async def fit(conn: Conn, sender: Record, campaign: Record, many: int, at: datetime | None = None) -> Plan:
    """Plan ``many`` messages of a campaign, on the local day of ``at`` (now) or spread as it says.

    Raises rules.reservations.TooLittleRoom. Within a launch take ``sql.lock_reservations`` first.
    """
    days, limit = await days_of(conn, sender, without=campaign["id"]), limit_of(sender)
    first = local_day(at or sender["now"], sender["time_zone"])
    plan = _place(many, first, campaign["spread_over_days"], days, limit)
    used = await pace.in_force(conn, sender["id"], sender["pacing"], campaign["pacing"])
    new_cap, monthly = await newcomers.cap(conn, sender, used), settings.get().monthly_no_reply_cap
    if new_cap is None and not monthly:
        return plan
    new = await newcomers.in_audience(conn, campaign["id"], sender["id"])
    if new_cap is not None:
        await _fit_newcomers(conn, sender, campaign, new, new_cap, first, days)
    if monthly:
        await _fit_budget(conn, sender, new, first)
    return plan


async def reserve(conn: Conn, campaign: UUID, plan: Plan) -> None:
    """Keep a launch's plan with its campaign: it counts until the rows are there, and says to which day each goes."""
    await sql.plan_campaign(conn, campaign=campaign, plan=json_text(stored(plan)))


def stored(plan: Plan) -> dict[str, int]:
    """Return a plan as it is stored and shown."""
    return {day.isoformat(): many for day, many in sorted(plan.items())}


def plan_of(campaign: Record) -> dict[str, int]:
    """Return the plan a campaign was launched with: messages per local day."""
    told: dict[str, int] = from_json(campaign["quota_plan"]) or {}
    return dict(sorted(told.items()))


def _place(many: int, first: date, over_days: int | None, days: Days, limit: int) -> Plan:
    return spread(many, first, over_days, days, limit) if over_days else today_only(many, first, days, limit)


async def _fit_newcomers(
    conn: Conn, sender: Record, campaign: Record, new: int, new_cap: int, first: date, days: Days
) -> None:
    """Refuse what opens more new conversations on a day than warm-up allows; those launched before come first."""
    today, now = local_day(sender["now"], sender["time_zone"]), days.get(first) or Day(limit_of(sender))
    left = await newcomers.today(conn, sender, new_cap, used=now.used, reserved=now.reserved, limit=limit_of(sender))
    capped = {day: Day(new_cap, 0, min(new_cap, what.reserved)) for day, what in days.items() if day > today}
    capped[today] = Day(left.new)
    try:
        _place(new, first, campaign["spread_over_days"], capped, new_cap)
    except TooLittleRoom as short:
        remedy = (
            f"warm-up lets this number open {new_cap} new conversations a day; spread it over more days, "
            "or write to people it knows"
        )
        raise TooLittleRoom(short.day, short.needed, short.remaining, remedy) from None


async def _fit_budget(conn: Conn, sender: Record, new: int, first: date) -> None:
    """Refuse to open more conversations than the month may leave unanswered."""
    month = await no_reply.of_month(conn, sender)
    if month.left is not None and new > month.left:
        raise TooLittleRoom(first, new, month.left, f"{month.why}; write to people who answer, or raise the cap")


async def _count(
    conn: Conn, sender: UUID, today: date, limit: int, without: UUID | None
) -> tuple[dict[date, Day], int, bool]:
    """Return the days as their rows are, what waits without a day, and whether today has begun."""
    days, left_over, begun = {today: Day(limit)}, 0, False
    for row in await sql.reservations_of(conn, sender=sender, today=today, without=without):
        if row["day"] is None:
            left_over = max(0, row["reserved"])
            continue
        days[row["day"]] = Day(limit, row["used"], row["reserved"])
        begun = begun or (row["day"] == today and row["begun"])
    return days, left_over, begun


def _rolled(days: dict[date, Day], left_over: int, today: date, limit: int) -> tuple[Days, list[Move]]:
    """Return the days once what is left over has moved, and the moves."""
    held = {**days, today - _DAY: Day(limit, 0, left_over)}
    moves = overdue(held, today, limit)
    return {day: what for day, what in moved(held, moves, limit).items() if day >= today}, moves


async def _roll(conn: Conn, sender: UUID, tz: str, limit: int, today: date) -> None:
    days, left_over, _ = await _count(conn, sender, today, limit, None)
    for move in _rolled(days, left_over, today, limit)[1]:
        if move.into > today:
            starts, _ = day_bounds(move.into, tz)
            await sql.move_reservations(conn, sender=sender, today=today, into=move.into, starts=starts, many=move.many)
