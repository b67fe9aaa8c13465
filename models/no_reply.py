"""The no-reply budget of a number: conversations it opened this month that nobody answered, and the optional cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import settings
from models.queries import sql
from rules.budget import Budget, budget, month_bounds

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


async def of_month(conn: Conn, sender: Record) -> Budget:
    """Return where the calendar month of a number stands (``sender``: a row with id, time_zone and now)."""
    starts, ends = month_bounds(sender["now"], sender["time_zone"])
    row = await sql.conversations_of_month(conn, sender=sender["id"], starts=starts, ends=ends)
    return budget(row["opened"], row["answered"], settings.get().monthly_no_reply_cap or None)
