"""What a launch would risk, from what its number did and what it is about to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import settings
from models import newcomers
from models.queries import sql
from rules import maturity, risk
from rules.pacing import Pace

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


async def risk_of(conn: Conn, sender: Record, campaign: Record, pace: Pace, messages: int) -> risk.Risk:
    """Judge the launch of a campaign of so many messages at this pace."""
    facts = await maturity_facts(conn, sender)
    known = dict(sender)
    judged = maturity.judge(facts, sender["now"], override=known.get("mature"))
    return risk.judge(
        risk.Facts(
            pace=pace,
            messages=messages,
            new=min(messages, await newcomers.in_audience(conn, campaign["id"], sender["id"])),
            new_cap=await newcomers.warmed_cap(conn, sender),
            mature=judged.mature,
            age_days=(sender["now"] - facts.first_used_at).days if facts.first_used_at else None,
            quiet=bool(campaign["quiet_hours"] or settings.get().quiet_hours),
            reply_rate=facts.answered / facts.opened if facts.opened >= maturity.Thresholds().least else None,
        )
    )


async def maturity_facts(conn: Conn, sender: Record) -> maturity.Facts:
    """Read what a number did. First used: as known, else when it was added here."""
    row = await sql.number_facts(conn, sender=sender["id"])
    return maturity.Facts(first_used_at=dict(sender).get("first_used_at") or sender["created_at"], **row)
