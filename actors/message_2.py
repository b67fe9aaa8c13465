"""Message 2: promised and sent at once, by a path of its own. It never waits for a Message 1 slot."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog

import settings
from actors import alerts, lost_promises, typing_time
from actors.agreement import agreed
from actors.delivery import Delivery, deliver, still_in_time
from actors.process import Process, this
from models import live, pool, transitions
from models.queries import sql
from models.reservations import begin_day, limit_of
from models.transitions import Promise
from rules.quota import day_bounds, message_2_limit

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()


@dramatiq.actor(queue_name="replies", max_retries=0)
async def send_message_2(message_id: str) -> None:
    """Send one Message 2 that is pending: after a retry's wait, a resume, a new day, or a crash of the handler.

    If it dies: before the promise the row is pending and the scheduler wakes it again; after it, the retrier asks
    the gateway.
    """
    await send(this(), UUID(message_id))


async def send(process: Process, message: UUID) -> None:
    """Promise and send one Message 2, and record what became of it before returning."""
    if process.identity.id is None or process.stopping.is_set():
        return  # nothing may be promised just now: the row is pending, the scheduler sees it
    async with pool.connection() as conn:
        address = await sql.message_2_address(conn, message=message)
    if address is None or address["status"] != "pending":
        return
    if not await agreed(process, address["sender"], address["device_id"]):
        return  # pending: the scheduler wakes it again
    name, promised = process.agreed[address["sender"]], time.monotonic()
    try:
        async with pool.connection() as conn:
            promise = await _promise(conn, process, name, message, address)
            if promise is None:
                return
            process.in_hand.add(promise.message)
    except pool.UNAVAILABLE:
        process.start(lost_promises.give_back(process, address["sender"], name), "lost promises")
        raise
    await _own_gap(process, address["sender"])
    typing = typing_time.before_message_2(promise, address["since_reply"] + time.monotonic() - promised)
    done = await deliver(process.gateway, promise, address["device_id"], lambda: still_in_time(promised), typing=typing)
    process.recorder.put(promise, done.result)
    await _consequences(promise, done)


async def _promise(conn: pool.Conn, process: Process, name: UUID, message: UUID, row: Record) -> Promise | None:
    """Charge the quota of the number's local day, up to its allowance for replies; beyond it goes next day."""
    s, now = settings.get(), await conn.fetchval("SELECT now()")
    sender, limit = row["sender"], limit_of(row)
    quota = message_2_limit(limit, s.message_2_allowance)
    day = await begin_day(conn, sender, row["time_zone"], limit, now)
    promise = await transitions.promise_message_2(conn, message, sender=sender, day=day, quota=quota, process=name)
    if promise is None and await sql.quota_used(conn, sender=sender, day=day) >= quota:
        _, tomorrow = day_bounds(day, row["time_zone"])
        await sql.defer_message(conn, message=message, at=tomorrow, why="the daily limit, replies included, is reached")
        log.warning("Message 2 goes next day: the daily limit is reached", message=str(message))
    return promise


async def _own_gap(process: Process, sender: UUID) -> None:
    """Keep ``REPLY_GAP_SECONDS`` between two Message 2 of one sender, at most as long as the promise allows."""
    gap = settings.get().reply_gap_seconds
    if gap:
        most = settings.LEASE_SECONDS - settings.get().fence_seconds - 1
        wait = await process.gate.reserve(live.reply_gate(sender), floor=0.0, span=gap, reach=most)
        await asyncio.sleep(min(wait, most))


async def _consequences(promise: Promise, done: Delivery) -> None:
    if done.stopped is not None:
        await alerts.sender_stopped(promise.sender, done.stopped)
