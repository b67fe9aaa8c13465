"""The guards of a number: no new conversations under a reach-out lock, nothing at all where nothing arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog

import settings
from actors import alerts
from actors.process import Process, this
from models import pool, transitions, tuned, warmth
from models.queries import sql
from rules import reachout, silence
from rules.breaker import COUNTED, Kind, kind
from rules.pacing import scaled
from rules.silence import Silence

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

log = structlog.get_logger()

OUTCOMES = 60
"""Newest settled messages of a number that a reach-out lock is looked for in."""
LEARNED = 400
"""Newest messages of a number that the delay of acknowledgements is learned from."""
JUDGED = 20
"""Messages that silence is judged by."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def guard_sender(sender_id: str) -> None:
    """Look whether a number that is sending may still open conversations, and whether anything arrives.

    If it dies: the scheduler has it look again within seconds.
    """
    await look(this(), UUID(sender_id))


async def look(process: Process, sender: UUID) -> None:
    """Judge the newest messages of a number, and do what follows."""
    async with pool.connection() as conn:
        await _new_chats(conn, sender)
        for campaign in await _silence(conn, sender):
            process.moved(campaign)


async def _new_chats(conn: Conn, sender: UUID) -> None:
    """Hold new conversations of a number that may open none just now; known chats and Message 2 go on."""
    rows = await sql.outcomes_of(conn, sender=sender, many=OUTCOMES, counted=sorted(COUNTED))
    lock = reachout.judge([_outcome(row) for row in rows])
    if lock is None:
        return
    rest = (await tuned.in_force(conn)).reach_out_rest_hours * 3600
    if await sql.hold_new_chats(conn, sender=sender, seconds=rest, why=lock.why) is None:
        return
    log.warning("new conversations of a number pause", sender=str(sender), why=lock.why, hours=rest / 3600)
    await warmth.warn(conn, sender, "reach_out", lock.why)
    await alerts.say(conn, "reach_out", str(sender), f"new conversations pause for {rest / 3600:g} h: {lock.why}")


def _outcome(row: Record) -> reachout.Outcome:
    what = kind(row["error_class"], row["error_text"]) if row["failed"] else None
    return reachout.Outcome(
        known_chat=row["known_chat"],
        failed=row["failed"],
        error=row["error_text"],
        invalid_number=what is Kind.INVALID_NUMBER,
    )


async def _silence(conn: Conn, sender: UUID) -> list[UUID]:
    """Warn, then pause Message 1 of a number whose messages are accepted and never heard of again."""
    verdict = await verdict_of(conn, sender)
    if verdict.level is Silence.HEARD:
        await alerts.over(conn, "silence", str(sender))
    if verdict.level not in (Silence.WARNING, Silence.TRIP):
        return []
    await warmth.warn(conn, sender, "silence", verdict.why)
    if verdict.level is Silence.WARNING:
        await alerts.say(conn, "silence", str(sender), verdict.why)
        return []
    paused = []
    async with conn.transaction():  # nobody's campaign is paused unsaid
        for row in await sql.running_campaigns_of(conn, sender=sender):
            why = f"circuit breaker: {verdict.why}"
            if await transitions.pause(conn, row["id"], holds="message_1", why=why, by="breaker"):
                paused.append(row["id"])
        if paused:
            await sql.start_guard_anew(conn, sender=sender)  # a person's resume is judged by what comes after it
            await alerts.say(conn, "silence", str(sender), f"{verdict.why}; {len(paused)} campaigns paused")
    if paused:
        log.warning("a number is not heard of any more", sender=str(sender), why=verdict.why, campaigns=len(paused))
    return paused


async def verdict_of(conn: Conn, sender: UUID) -> silence.Verdict:
    """Judge the silence of a number."""
    floor = scaled(silence.FLOOR_SECONDS, settings.get().time_scale)
    learned = silence.Learned(**await sql.lag_learned(conn, sender=sender, many=LEARNED))
    lag = silence.lag(learned, floor=floor)
    if lag is None:
        return silence.judge(learned, [], floor=floor)
    rows = await sql.accepted_before(conn, sender=sender, lag=lag, many=JUDGED)
    return silence.judge(learned, [silence.Accepted(**row) for row in rows], floor=floor, look_at=JUDGED)
