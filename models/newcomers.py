"""New conversations of a number: how many warm-up lets it open a day, and what is left of that."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from models import pace
from models.queries import sql
from rules.pacing import Pace
from rules.quota import day_bounds, local_day
from rules.room import Room, Today, room
from rules.warmup import CAPS, Day, climb

if TYPE_CHECKING:
    from datetime import date

    from asyncpg import Record

    from models.pool import Conn

LOOKED_BACK_DAYS = 60
"""A number older than this has long earned or lost its stage."""


async def cap(conn: Conn, sender: Record, pace: Pace) -> int | None:
    """Return how many new conversations a day this number may open at this pace; None: as many as its limit."""
    if not CAPS[pace.profile].warmed:
        return None
    return await warmed_cap(conn, sender)


async def warmed_cap(conn: Conn, sender: Record) -> int:
    """Return the cap that warm-up gives this number, whatever its pace."""
    tz, today = sender["time_zone"], local_day(sender["now"], sender["time_zone"])
    lived = await sql.lived_days(conn, sender=sender["id"], tz=tz, days=LOOKED_BACK_DAYS)
    return climb([Day(**row) for row in lived], first_used=_first_used(sender, tz), today=today).cap


async def today(conn: Conn, sender: Record, new_cap: int, *, used: int, reserved: int, limit: int) -> Room:
    """Return what the day of a number still takes, its cap on new conversations included."""
    day = local_day(sender["now"], sender["time_zone"])
    starts, ends = day_bounds(day, sender["time_zone"])
    row = await sql.conversations_of_day(conn, sender=sender["id"], day=day, starts=starts, ends=ends)
    return room(
        Today(
            limit=limit, used=used, reserved=reserved, new_cap=new_cap, opened=row["opened"],
            reserved_new=row["reserved"],
        )
    )  # fmt: skip


async def in_audience(conn: Conn, campaign: UUID, sender: UUID) -> int:
    """Count the people of a campaign whom its number never wrote to."""
    many: int = await sql.new_people(conn, campaign=campaign, sender=sender)
    return many


async def pace_of(conn: Conn, sender: Record, campaign: Record) -> Pace:
    """Return the pace of a campaign just now."""
    return await pace.in_force(conn, sender["pacing"], campaign["pacing"])


def _first_used(sender: Record, tz: str) -> date:
    """Return the day a number was first used, as far as it is known: else the day it was added here."""
    known = dict(sender).get("first_used_at") or sender["created_at"]
    return local_day(known, tz)
