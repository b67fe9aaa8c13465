"""Whether a number is mature: what it did, read from the rows, and what the rules say to that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from models import tuned
from models.queries import sql
from rules.breaker import COUNTED
from rules.maturity import Facts, Maturity, Thresholds, judge

if TYPE_CHECKING:
    from models.pool import Conn

RECENT = 500
"""Messages, and ended conversations, that a number's rates are taken from."""


async def of(conn: Conn, sender: UUID) -> Maturity:
    """Judge a number by the thresholds in force; a person's override counts more."""
    return (await with_facts(conn, sender))[0]


async def with_facts(conn: Conn, sender: UUID) -> tuple[Maturity, Facts]:
    """Judge a number, and return what it was judged by too."""
    s = await tuned.in_force(conn)
    row = await sql.maturity_facts(
        conn, sender=sender, recent=RECENT, counted=sorted(COUNTED), window=s.reply_window_hours * 3600
    )
    facts = Facts(
        first_used_at=row["first_used_at"],
        sent=row["sent"],
        attempts=row["attempts"],
        failed=row["failed"],
        opened=row["opened"],
        answered=row["answered"],
    )
    thresholds = Thresholds(
        age=timedelta(days=s.mature_age_days),
        sent=s.mature_sent,
        failure_rate=s.mature_failure_rate,
        reply_rate=s.mature_reply_rate,
    )
    return judge(facts, row["now"], thresholds, row["override"]), facts
