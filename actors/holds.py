"""Whom a lane may write to just now: people who are awake, and no more new ones than the number may open.

Who may not be written to yet is put off in SQL, with the reason: the lane goes on with somebody else, and what is
due again is found like everything else that is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from models import pace, warmth
from models.queries import sql
from rules.pacing import ProfileName
from rules.quota import day_bounds, local_day
from rules.warmup import CAPS
from rules.zones import quiet_for

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

log = structlog.get_logger()

STEP = 500
"""People looked at in one step."""
REACH_OUT = "reach-out lock"
WARM_UP = "warm-up"
QUIET = "quiet hours "


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What bounds the next Message 1 of a campaign: quiet hours by recipient, and room for new conversations (None:
    no bound) until when, and why."""

    quiet: str
    new: int | None
    until: datetime
    reason: str
    tz: str


async def bounds(conn: Conn, sender: Record, quiet_hours: str | None, profile: ProfileName) -> Bounds:
    """Read what bounds a campaign of this number now (``sender`` as ``read_lane`` gives it)."""
    quiet = pace.quiet_hours(quiet_hours, profile) if profile == "careful" else ""
    day = local_day(sender["now"], sender["time_zone"])
    _, tomorrow = day_bounds(day, sender["time_zone"])
    if sender["new_chats_after"] is not None and sender["new_chats_after"] > sender["now"]:
        return Bounds(quiet=quiet, new=0, until=sender["new_chats_after"], reason=REACH_OUT, tz=sender["time_zone"])
    new = None
    if CAPS[profile].warmed:
        warm = await warmth.today(conn, sender["id"], day)
        new = max(0, warm.cap - warm.opened)
    return Bounds(quiet=quiet, new=new, until=tomorrow, reason=WARM_UP, tz=sender["time_zone"])


async def allowed(conn: Conn, sender: Record, campaign: UUID, within: Bounds, many: int) -> list[UUID] | None:
    """Return up to ``many`` messages that may leave now, the oldest first; None: whoever is next.

    Those before them that may not are put off.
    """
    if not within.quiet and within.new is None:
        return None
    while rows := await sql.next_due(conn, campaign=campaign, many=STEP, look_back=within.new is not None):
        free: list[UUID] = []
        held: list[tuple[UUID, datetime, str]] = []
        room = within.new
        for row in rows:
            if len(free) == many:
                break
            asleep = quiet_for(sender["now"], row["phone"], within.quiet, within.tz)
            if asleep is not None:
                held.append((row["id"], asleep, QUIET + within.quiet))
            elif room is None or row["known"]:
                free.append(row["id"])
            elif room > 0:
                free.append(row["id"])
                room -= 1
            elif within.new == 0:
                held.append((row["id"], within.until, within.reason))
        await _hold(conn, campaign, held)
        if free:
            return free
        if not held:  # cannot be: nobody free and nobody held
            break
    return []


async def let_go(conn: Conn, sender: Record) -> None:
    """Let go what was put off for a reason that is over: other quiet hours, a lock undone, a larger cap."""
    for row in await sql.held_of(conn, sender=sender["id"]):
        usual = await pace.in_force(conn, sender["id"], sender["pacing"], row["pacing"])
        now = await bounds(conn, sender, row["quiet_hours"], usual.profile)
        if not _over(row["held"], now):
            continue
        while await sql.release_messages(conn, campaign=row["campaign"], reason=row["held"], many=STEP) == STEP:
            pass
        log.info("messages may leave again", campaign=str(row["campaign"]), held_by=row["held"])


def _over(held: str, now: Bounds) -> bool:
    if held.startswith(QUIET):
        return held != QUIET + now.quiet
    return now.new != 0 or held != now.reason


async def _hold(conn: Conn, campaign: UUID, held: list[tuple[UUID, datetime, str]]) -> None:
    if not held:
        return
    ids, untils, reasons = (list(column) for column in zip(*held, strict=True))
    await sql.hold_messages(conn, ids=ids, untils=untils, reasons=reasons)
    counted = {reason: reasons.count(reason) for reason in set(reasons)}
    log.info("messages are put off", campaign=str(campaign), **{r.replace(" ", "_"): n for r, n in counted.items()})
