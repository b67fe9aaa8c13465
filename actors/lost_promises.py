"""Promises whose answer never reached the process that made them: committed, and nobody knows of them.

A connection may break, or a freeze outlast a time-out, between PostgreSQL's commit and our reading of it. Such a
row is ``sending`` in the name of a process that lives, so no look-up may ever believe in its absence. But that
process alone has the right to write it, and never will: it gives the row back itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from models import pool, transitions
from models.queries import sql
from models.transitions import GiveBack

if TYPE_CHECKING:
    from actors.process import Process

log = structlog.get_logger()

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 35.0
"""A statement whose answer was lost may still commit for as long as ``statement_timeout`` lets it run."""


async def give_back(process: Process, sender: UUID, name: UUID) -> None:
    """Give back what ``name`` (this process's id at the time) promised for a sender before now and does not hold.

    Looks again and again, the database may be away; ends early when the process stops.
    """
    failed = time.monotonic()
    before: datetime | None = None
    while time.monotonic() - failed < PATIENCE_SECONDS:
        with contextlib.suppress(*pool.UNAVAILABLE, *pool.TRANSIENT):
            before = await _look(process, sender, name, failed, before)
        if process.stopping.is_set():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.stopping.wait(), LOOK_SECONDS)


async def _look(process: Process, sender: UUID, name: UUID, failed: float, before: datetime | None) -> datetime:
    """Give back what there is; returns the moment, by the database's clock, that nothing newer than is touched."""
    async with pool.connection() as conn:
        now: datetime = await conn.fetchval("SELECT clock_timestamp()")
        # Never later than the failure: what was promised since is being sent. Each look brings it closer.
        bound = now - timedelta(seconds=time.monotonic() - failed)
        before = bound if before is None else max(before, bound)
        rows = await sql.promises_of(conn, sender=sender, process=name, before=before)
        lost = [row for row in rows if row["id"] not in process.in_hand]
        for row in await transitions.give_back(conn, [_given(row["id"], row["attempt"]) for row in lost], by="send"):
            process.moved(row["campaign"])
            log.warning("a promise whose answer was lost is given back", message=str(row["id"]))
    return before


def _given(message: UUID, attempt: int) -> GiveBack:
    text = "the answer to the promise was lost: nothing was written"
    return GiveBack(
        message=message,
        attempt=attempt,
        wait=0.0,
        used_retry=False,
        error_class="lost_promise",
        error_text=text,
        why=f"not sent: {text}",
    )
