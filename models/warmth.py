"""Where a number stands in its warm-up today: its cap of new conversations, why, and what it opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from models import tuned
from models.queries import sql
from rules.breaker import COUNTED
from rules.quota import local_day
from rules.warmup import STAGES, Day, Earned, climb

if TYPE_CHECKING:
    from models.pool import Conn

REMEMBERED_DAYS = 60
"""So far back the warm-up looks: a stage can be earned in a day, and no warning weighs for ever."""


@dataclass(frozen=True, kw_only=True)
class Warmth:
    """One local day of a number: of ``cap`` new conversations it ``opened`` so many."""

    day: date
    cap: int
    opened: int
    why: str


async def today(conn: Conn, sender: UUID, day: date) -> Warmth:
    """Return a number's warm-up on a local day: judged once a day, and again after a warning or a person's word."""
    row = await sql.warmth_of(conn, sender=sender, day=day)
    if row is not None and row["new_cap"] is not None:
        return Warmth(day=day, cap=row["new_cap"], opened=row["opened"], why=row["cap_why"])
    cap, why = await _judged(conn, sender, day)
    opened = await sql.note_cap(conn, sender=sender, day=day, cap=cap, why=why)
    return Warmth(day=day, cap=cap, opened=opened, why=why)


async def warn(conn: Conn, sender: UUID, kind: str, text: str) -> None:
    """Note a warning of a number: it stands a stage lower from now on. Once per kind and local day."""
    row = await conn.fetchrow("SELECT time_zone, now() AS now FROM sender WHERE id = $1", sender)
    if row is not None:
        await sql.note_warning(conn, sender=sender, day=local_day(row["now"], row["time_zone"]), kind=kind, text=text)


async def _judged(conn: Conn, sender: UUID, day: date) -> tuple[int, str]:
    s = await tuned.in_force(conn)
    number = await sql.age_of(conn, sender=sender)
    rows = await sql.days_of(conn, sender=sender, days=REMEMBERED_DAYS, counted=sorted(COUNTED))
    used = number["first_used_at"]
    standing = climb(
        [Day(**row) for row in rows],
        first_used=day if used is None else local_day(used, number["time_zone"]),
        today=day,
        start=len(STAGES) - 1 if number["mature"] else 0,
        earned=Earned(reply_rate=s.mature_reply_rate, failure_rate=s.mature_failure_rate),
    )
    return standing.cap, standing.why
