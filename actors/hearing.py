"""Hearing: have we heard everything this number was told?

Webhooks get lost: an endpoint was down, the gateway disabled it, a device changed its id, a database was restored.
So every now and then, and before silence is believed, what the device received is read back from the gateway;
whatever has no inbox row yet is stored, marked, and digested like any other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import dramatiq
import structlog

from actors import alerts
from actors.process import Process, this
from actors.wake import wake
from gateway import LookupFailed, SenderStopped
from models import pool
from models.queries import sql

log = structlog.get_logger()

OVERLAP = timedelta(minutes=2)
"""Read again what was received shortly before the last reading: clocks differ, lists lag."""
DEAF = timedelta(hours=1)
"""Where the gateway cannot be asked for so long, webhooks alone must do, and a person is told."""
ALERT = "deaf"


@dramatiq.actor(queue_name="work", max_retries=0)
async def hear_sender(sender_id: str) -> None:
    """Read back what a number received since the last time: a reply whose webhook was lost is not answered a day late.

    If it dies: nothing is noted as heard; the scheduler wakes it again.
    """
    await read_back(this(), UUID(sender_id))


async def read_back(process: Process, sender: UUID) -> datetime:
    """Read back what a sender received; returns the moment up to which everything has been heard (not yet digested).

    Where the gateway cannot be asked, the moment of the last reading, at most an hour ago.
    """
    async with pool.connection() as conn:
        row = await sql.heard_from(conn, sender=sender)
    now: datetime = row["now"]
    since = (row["heard_until"] or row["first_launch"] or now) - OVERLAP
    try:
        missed = [raw async for raw in process.gateway.inbound_since(row["device_id"], since)]
    except (LookupFailed, SenderStopped) as error:
        log.warning("what a number received cannot be read back", sender=str(sender), why=error.detail)
        async with pool.connection() as conn:
            await alerts.say(conn, ALERT, str(sender), f"received messages cannot be read back: {error.detail}")
        return max(row["heard_until"] or now - DEAF, now - DEAF)
    async with pool.connection() as conn:
        new = [await _store(process, conn, raw) for raw in missed]
        await sql.heard_until(conn, sender=sender, until=now)
        await alerts.over(conn, ALERT, str(sender))
    # What was missed must be digested first: silence is believed at the next sweep.
    return since if any(new) else now


async def _store(process: Process, conn: pool.Conn, raw: bytes) -> bool:
    """Store one received message, if its webhook never came; returns whether it was new."""
    named = process.gateway.name(raw)
    if not named.readable:
        return False
    stored = await sql.store_fetched(
        conn, event_key=named.event_key, kind=named.kind, device_id=named.device_id, body=raw
    )
    if stored is not None:
        log.warning("a missed webhook was read back", inbox=str(stored), kind=named.kind)
        wake("handle_interaction", stored)
    return stored is not None
