"""The retrier: what to do with a promise whose outcome nobody recorded.

It asks the gateway for our reference. Found: recorded as found. Absent: sent again only when absence is
*proven*, which takes a complete empty answer, twice, five seconds apart, each with a control (the same query
finds a message that this device was given after our promise), of a promise that nobody can still be keeping.
Anything less becomes ``unconfirmed``, and stays open to a later proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog

import settings
from actors import alerts
from actors.delivery import EXPIRES_SECONDS, accepted_as, overdue_seconds
from actors.process import Process, this
from actors.wake import wake
from gateway import LookupFailed, Outbound, SenderStopped
from models import pool, transitions
from models.queries import sql
from models.transitions import Fact, Failure, GiveBack
from rules.phone import mask

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

AT_ONCE = 200
SINGLY = 3
"""Up to so many are asked for one by one; more are first read off the device's list."""
SECOND_LOOK_SECONDS = 5.0
UNCONFIRMED_SECONDS = 60.0
"""After this, a promise that nobody is keeping and nothing is proven of is shown to people."""
FROZEN_SECONDS = 300.0
"""A frozen process keeps its promises open for so long."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def settle_doubts(sender_id: str) -> None:
    """Look up every promise of one sender that nobody is keeping, and settle what can be settled.

    If it dies: the rows are as they were; the scheduler wakes it again within a second or two.
    """
    process, sender = this(), UUID(sender_id)
    async with pool.connection() as conn:
        rows = await sql.doubtful(conn, sender=sender, older_than=overdue_seconds(), many=AT_ONCE)
        address = await conn.fetchval("SELECT device_id FROM sender WHERE id = $1", sender)
    if not rows:
        return
    try:
        settled = await _look_up(process, sender, address, rows)
    except (LookupFailed, SenderStopped) as error:
        log.warning("the gateway cannot be asked", sender=sender_id, doubts=len(rows), why=error.detail)
        settled = Settled(
            doubts=[_unconfirmed(row, f"the look-up failed: {error.detail}") for row in rows if _too_old(row)]
        )
    await _record(process, settled)


@dataclass
class Settled:
    """What one round of look-ups decided."""

    facts: list[Fact] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    expired: list[tuple[UUID, int]] = field(default_factory=list)
    absent: list[tuple[UUID, int]] = field(default_factory=list)
    again: list[GiveBack] = field(default_factory=list)
    doubts: list[tuple[UUID, int, str]] = field(default_factory=list)


async def _look_up(process: Process, sender: UUID, device: str, rows: list[Record]) -> Settled:
    """Ask the gateway about each row; decide by what it shows."""
    listed = await _listed(process, device, rows) if len(rows) > SINGLY else {}
    settled = Settled()
    for row in rows:
        reference = _reference(row)
        found = listed.get(reference) or next(iter(await process.gateway.find(device, reference)), None)
        if found is not None:
            _as_found(row, found, settled)
        else:
            await _as_absent(process, sender, device, row, settled)
    return settled


async def _listed(process: Process, device: str, rows: list[Record]) -> dict[str, Outbound]:
    """Read what the device was given since the oldest promise: 5,000 doubts must not take 5,000 questions."""
    since = min(row["promised_at"] for row in rows) - timedelta(seconds=5)
    wanted = {_reference(row) for row in rows}
    found: dict[str, Outbound] = {}
    async for outbound in process.gateway.outbound_since(device, since):
        if outbound.reference in wanted:
            found[outbound.reference] = outbound
            if len(found) == len(wanted):
                break
    return found


def _as_found(row: Record, found: Outbound, settled: Settled) -> None:
    """The gateway has it: whatever it says is recorded."""
    if found.progress == "failed" and found.expired:
        settled.expired.append((row["id"], row["round"]))
    elif found.progress == "failed":
        text = f"failed at the gateway: {found.error or 'no reason given'}"
        settled.failures.append(Failure(message=row["id"], round=row["round"], error_class="reported", error_text=text))
    else:
        settled.facts.append(
            Fact(
                message=row["id"],
                status=accepted_as(found),
                round=row["round"],
                at=found.created_at or datetime.now(UTC),
                why="found at the gateway",
                gateway_id=found.gateway_id,
                message_id=found.message_id,
            )
        )


async def _as_absent(process: Process, sender: UUID, device: str, row: Record, settled: Settled) -> None:
    """The gateway shows nothing: believed only of a promise that is over, only with a control, only twice."""
    if not _is_over(row):
        if row["age"] > FROZEN_SECONDS:
            settled.doubts.append(_unconfirmed(row, "its process is frozen, and the gateway shows nothing"))
        return
    if not await _control(process, sender, device, row):
        if _too_old(row):
            settled.doubts.append(
                _unconfirmed(row, "the gateway shows nothing, and no later message proves its look-up")
            )
        return
    if row["absent_at"] is None:
        settled.absent.append((row["id"], row["attempt"]))
    elif row["absent_for"] >= SECOND_LOOK_SECONDS:
        settled.again.append(
            GiveBack(
                message=row["id"],
                attempt=row["attempt"],
                wait=0.0,
                used_retry=False,
                error_class="absent",
                error_text="proven absent at the gateway",
                why="proven absent at the gateway: sent again",
            )
        )


def _is_over(row: Record) -> bool:
    """Whether nobody can still be keeping this promise.

    Its process is provably dead; or it said itself that its call ended, or its lock proves nothing because
    PostgreSQL restarted: then only once the gateway must not deliver it any more either.
    """
    expired = bool(row["age"] > EXPIRES_SECONDS + settings.get().gateway_timeout_seconds)
    if row["reborn"] or row["ended_at"] is not None:
        return expired
    return not row["alive"]


async def _control(process: Process, sender: UUID, device: str, row: Record) -> bool:
    """Whether the same query finds the latest message that this device took after our promise."""
    async with pool.connection() as conn:
        later = await sql.later_accepted(conn, sender=sender, than=row["promised_at"])
    return later is not None and bool(await process.gateway.find(device, _reference(later)))


def _too_old(row: Record) -> bool:
    return bool(row["status"] == "sending" and row["age"] > UNCONFIRMED_SECONDS and _is_over(row))


def _unconfirmed(row: Record, why: str) -> tuple[UUID, int, str]:
    return row["id"], row["attempt"], why


def _reference(row: Record) -> str:
    return str(row["id"]) if row["round"] == 0 else f"{row['id']}.{row['round']}"


async def _record(process: Process, settled: Settled) -> None:
    """Write what was decided, say it, and wake whoever waits for it."""
    async with pool.connection() as conn:
        moved = [
            *await transitions.accept(conn, settled.facts, by="retrier"),
            *await transitions.fail(conn, settled.failures, by="retrier"),
            *await transitions.expire(conn, settled.expired, settings.get().max_retry_attempts, by="retrier"),
            *await transitions.give_back(conn, settled.again, by="retrier"),
        ]
        await sql.sending_again(conn)
        doubted = await transitions.doubt(conn, settled.doubts, by="retrier")
        await transitions.note_absent(conn, settled.absent)
        for row in doubted:
            await alerts.say(
                conn,
                "unconfirmed",
                str(row["campaign"]),
                "messages are unconfirmed: the gateway cannot tell, a person decides",
            )
    for row in [*moved, *doubted]:
        log.info("doubt settled", message=str(row["id"]), campaign=str(row["campaign"]), phone=mask(row["phone"]))
        process.moved(row["campaign"])
        if row["step"] == 2:
            wake("send_message_2", row["id"])
    await process.unpark([row["id"] for row in [*moved, *doubted]])
