"""New conversations of a number: how many warm-up lets it open a day, and what is left of that."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from models import warmth
from models.queries import sql
from rules.pacing import Pace
from rules.quota import local_day
from rules.room import Room, Today, room
from rules.warmup import CAPS

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


async def cap(conn: Conn, sender: Record, pace: Pace) -> int | None:
    """Return how many new conversations a day this number may open at this pace; None: as many as its limit."""
    if not CAPS[pace.profile].warmed:
        return None
    return (await warmth.today(conn, sender["id"], local_day(sender["now"], sender["time_zone"]))).cap


async def today(conn: Conn, sender: Record, new_cap: int, *, used: int, reserved: int, limit: int) -> Room:
    """Return what the day of a number still takes, its cap on new conversations included."""
    day = local_day(sender["now"], sender["time_zone"])
    opened = (await warmth.today(conn, sender["id"], day)).opened
    waiting = await sql.new_conversations_waiting(conn, sender=sender["id"], day=day)
    return room(Today(limit=limit, used=used, reserved=reserved, new_cap=new_cap, opened=opened, reserved_new=waiting))


async def in_audience(conn: Conn, campaign: UUID, sender: UUID) -> int:
    """Count the people of a campaign whom its number never wrote to."""
    many: int = await sql.new_people(conn, campaign=campaign, sender=sender)
    return many
