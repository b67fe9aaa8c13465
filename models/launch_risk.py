"""What a launch would risk, from what its number did and what it is about to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models import maturity, newcomers, warmth
from models import pace as pace_of
from rules import risk
from rules.maturity import Thresholds
from rules.pacing import Pace
from rules.quota import local_day

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


async def risk_of(conn: Conn, sender: Record, campaign: Record, pace: Pace, messages: int) -> risk.Risk:
    """Judge the launch of a campaign of so many messages at this pace."""
    judged, facts = await maturity.with_facts(conn, sender["id"])
    used = facts.first_used_at or sender["created_at"]
    return risk.judge(
        risk.Facts(
            pace=pace,
            messages=messages,
            new=min(messages, await newcomers.in_audience(conn, campaign["id"], sender["id"])),
            new_cap=(await warmth.today(conn, sender["id"], local_day(sender["now"], sender["time_zone"]))).cap,
            mature=judged.mature,
            age_days=(sender["now"] - used).days,
            quiet=bool(pace_of.quiet_hours(campaign["quiet_hours"], pace.profile)),
            reply_rate=facts.answered / facts.opened if facts.opened >= Thresholds().least else None,
        )
    )
