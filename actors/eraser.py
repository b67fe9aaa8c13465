"""The eraser: an erased person's number leaves the stored webhooks too, and whatever was under way at the erasure."""

from __future__ import annotations

from uuid import UUID

import dramatiq
import structlog

from models import erasure, pool
from models.queries import sql

log = structlog.get_logger()

STEP = 2_000
"""Stored webhooks of one statement."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def erase_traces(entry_id: str) -> None:
    """Empty stored webhooks that mention an erased person, and erase who was added again meanwhile.

    If it dies: what was emptied is empty; the entry keeps its trace, and the scheduler wakes it again.
    """
    entry = UUID(entry_id)
    async with pool.connection() as conn:
        row = await sql.read_stop(conn, id=entry, settled=erasure.SETTLED_SECONDS)
    if row is None:
        return
    digits = erasure.digits_of(row["trace"])
    await _erase_again(row["trace"])
    waiting = await _empty_webhooks(digits)
    if row["settled"] and not waiting:
        async with pool.connection() as conn:
            await sql.end_erasure(conn, id=entry)
        log.info("an erased person has left no trace", entry=entry_id)


async def _erase_again(trace: str) -> None:
    """An import or a launch that had read this person just before the erasure may have written them just after."""
    for digits in trace.split():
        async with pool.transaction() as conn:
            people = await sql.lock_contacts(conn, identity=digits, lid=digits)
            await erasure.erase(conn, people, by="eraser")
    async with pool.connection() as conn:
        late = [row["id"] for row in await sql.erased_but_named(conn, within=2 * erasure.SETTLED_SECONDS)]
        if late:
            await sql.erase_messages(conn, contacts=late)


async def _empty_webhooks(digits: list[bytes]) -> int:
    """Empty every digested webhook that holds these digits; returns how many are still to be digested."""
    waiting, after = 0, UUID(int=0)
    while digits and after is not None:
        async with pool.connection() as conn:
            step = await sql.erase_webhooks(conn, digits=digits, after=after, many=STEP)
        waiting, after = waiting + step["waiting"], step["last"]
    return waiting
