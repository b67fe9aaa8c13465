"""The no-reply budget, watched: an alert at 80 % of the cap, and no Message 1 once it is spent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import settings
from actors import alerts
from actors.restraints import STAY_SECONDS, Rest
from models import pool
from models.no_reply import of_month
from models.queries import sql
from rules.budget import Spent, month_bounds

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

ALERT = "no_reply_budget"


async def watch() -> None:
    """Raise or resolve the alert of every number; nothing where no cap is set."""
    if not settings.get().monthly_no_reply_cap:
        return
    async with pool.connection() as conn:
        for sender in await sql.list_senders(conn):
            month = await of_month(conn, sender)
            if month.level in (Spent.ALERT, Spent.EXHAUSTED):
                await alerts.say(conn, ALERT, str(sender["id"]), f"{sender['name']}: {month.why}")
            else:
                await alerts.over(conn, ALERT, str(sender["id"]))


async def spent(conn: Conn, sender: Record) -> Rest | None:
    """Return how long a spent budget holds Message 1: until somebody answers, or the month ends. None: it does not."""
    if not settings.get().monthly_no_reply_cap:
        return None
    month = await of_month(conn, sender)
    if month.level is not Spent.EXHAUSTED:
        return None
    await alerts.say(conn, ALERT, str(sender["id"]), f"Message 1 is held: {month.why}")
    ends = month_bounds(sender["now"], sender["time_zone"])[1]
    return Rest(min(STAY_SECONDS, (ends - sender["now"]) / timedelta(seconds=1)), month.why, leave=True)
