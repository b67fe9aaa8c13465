"""What a send would do now, before anything is written: audience, texts, quota, plan, forecast, risk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from litestar import Router, post
from litestar.params import FromPath

import settings
from models import pool, reservations
from models.audience import reach
from models.launch_risk import risk_of
from models.pace import quiet_hours
from models.queries import from_json, sql
from rules.forecast import forecast
from rules.reservations import TooLittleRoom
from rules.text import BadTemplate, Hole, fill
from web import paces, senders
from web.campaigns import found
from web.wire.launching import Audience, Ends, Preview, Proposal, Risk, Sample

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Record

SAMPLES = 3


@post("/{campaign_id:uuid}/preview", status_code=200)
async def preview(campaign_id: FromPath[UUID]) -> Preview:
    """Say what a send would do now: who is reached, what they would read, what it costs, when it ends."""
    async with pool.connection() as conn:
        row = await found(conn, campaign_id)
        sender = await senders.found(conn, row["sender"])
        audience, missing = await audience_of(conn, row)
        later = launches_later(row, sender["now"])
        quota = await paces.quota_of(conn, sender, at=later, without=campaign_id)
        pace = await paces.in_force(conn, sender, row)
        needed = audience.reached - audience.incomplete  # the others are left out, or the launch is refused
        plan, too_little = await _possible_plan(conn, sender, row, needed, later)
        risk = await risk_of(conn, sender, row, pace, needed)
        first = await sql.audience_step(conn, campaign=campaign_id, after=UUID(int=0), many=SAMPLES)
    s = settings.get()
    ends = forecast(
        now=sender["now"],
        left=needed,
        pace=pace,
        tz=sender["time_zone"],
        limit_per_day=max(plan.values(), default=0) or quota.limit,
        left_today=next(iter(plan.values()), quota.remaining),
        window=timedelta(hours=s.reply_window_hours),
        quiet=quiet_hours(row["quiet_hours"], pace.profile),
        next_slot=max(sender["gate_at"], later) if later else sender["gate_at"],
        time_scale=s.time_scale,
    )
    return Preview(
        audience=audience,
        missing=missing,
        samples=[_sample(row, contact) for contact in first],
        quota_needed=needed,
        quota=quota,
        pace=paces.shown(pace),
        plan=plan,
        plan_reason=too_little,
        forecast=Ends(sending_ends_at=ends.sending_ends_at, completes_at=ends.completes_at, parts=dict(ends.parts)),
        risk=Risk(
            level=risk.level.value,
            sentences=list(risk.sentences),
            proposal=Proposal(profile=risk.proposal.profile, why=risk.proposal.why) if risk.proposal else None,
        ),
    )


router = Router("/campaigns", route_handlers=[preview], tags=["campaigns"])


async def audience_of(conn: pool.Conn, row: Record) -> tuple[Audience, dict[str, int]]:
    """Count who is reached, and per placeholder without default how many of them lack it."""
    found = await reach(conn, row)
    return Audience(**found.counted, incomplete=found.incomplete), dict(found.missing)


def launches_later(row: Record, now: datetime) -> datetime | None:
    """Return when a campaign is to be launched, if that lies ahead."""
    at: datetime | None = row["scheduled_at"]
    return at if at and at > now else None


def _sample(row: Record, contact: Record) -> Sample:
    """Write the texts of one contact."""
    attributes = {name: str(value) for name, value in (from_json(contact["attributes"]) or {}).items()}
    texts: list[str | None] = []
    missing: list[str] = []
    for template in (row["message_1"], row["message_2"]):
        try:
            texts.append(None if template is None else fill(template, contact["name"], attributes))
        except Hole as hole:
            texts.append(None)
            missing += [name for name in hole.missing if name not in missing]
        except BadTemplate as error:
            texts.append(None)
            missing.append(error.reason)
    return Sample(
        contact_id=contact["id"], name=contact["name"], message_1=texts[0], message_2=texts[1], missing=missing
    )


async def _possible_plan(
    conn: pool.Conn, sender: Record, row: Record, many: int, at: datetime | None
) -> tuple[dict[str, int], str]:
    """Return the plan that a send would make now, or none and why there is none."""
    try:
        return reservations.stored(await reservations.fit(conn, sender, row, many, at)), ""
    except TooLittleRoom as short:
        return {}, str(short)
