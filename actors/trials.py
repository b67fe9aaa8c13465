"""Tests of a campaign: one text to one phone, once. Promise, call, record; what nobody can tell is not sent again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog

from actors import alerts, attachments
from actors.agreement import agreed
from actors.delivery import EXPIRES_SECONDS, accepted_as, media_of, overdue_seconds, still_in_time
from actors.process import Process, this
from gateway import Delivery, LookupFailed, Media, Order, Outbound, RateLimited, Refused, SenderStopped, Unreachable
from models import pool
from models.queries import sql
from models.reservations import begin_day, limit_of
from rules.phone import mask

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

log = structlog.get_logger()

REFERENCE = "test-"
"""A test's reference is no bare id: whoever reads the gateway's story back must not take it for a message."""
WAITS_SECONDS = 600.0
"""A test that no worker took within this time is not wanted any more."""
TELLS_SECONDS = 60.0
"""A promise whose look-ups prove nothing is unconfirmed after this."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def send_trial(trial_id: str) -> None:
    """Send one test that is pending, or look up one whose call must be over.

    If it dies: before the promise the row is pending and the scheduler wakes it again; after it, it is looked up, and
    never sent a second time.
    """
    process = this()
    async with pool.connection() as conn:
        row = await sql.trial_at_work(conn, trial=UUID(trial_id))
    if row is None or process.identity.id is None or process.stopping.is_set():
        return
    if row["status"] == "pending":
        await _send(process, process.identity.id, row)
    elif row["status"] == "sending" and row["promised_for"] > overdue_seconds():
        await _look_up(process, row)


def reference(trial: UUID) -> str:
    """Return our name for a test at the gateway."""
    return f"{REFERENCE}{trial}"


def trial_of(name: str | None) -> UUID | None:
    """Return the test that a reference names; None for anything else.

    >>> trial_of("test-00000000-0000-0000-0000-000000000001")
    UUID('00000000-0000-0000-0000-000000000001')
    """
    if name is None or not name.startswith(REFERENCE):
        return None
    try:
        return UUID(name.removeprefix(REFERENCE))
    except ValueError:
        return None


# --- promise, call -------------------------------------------------------------------------------


async def _send(process: Process, name: UUID, row: Record) -> None:
    if row["waited"] > WAITS_SECONDS:
        await _settle(row, "failed", "not sent: no worker took it within ten minutes", old="pending")
        return
    if not await agreed(process, row["sender"], row["device_id"]):
        return  # pending: the scheduler wakes it again
    try:
        media = await _attachment(process, row)
    except LookupFailed:
        return  # pending: the scheduler wakes it again
    except (Refused, SenderStopped) as error:
        await _settle(
            row, "failed", f"not sent: the gateway does not take its attachment: {error.detail}", old="pending"
        )
        await _consequences(row, error)
        return
    promised = time.monotonic()
    if not await _promise(name, row):
        return
    order = Order(
        device_id=row["device_id"],
        phone=row["phone"],
        text=row["text"],
        media=media,
        reference=reference(row["id"]),
        not_after=datetime.now(UTC) + timedelta(seconds=EXPIRES_SECONDS),
        may_write=lambda: still_in_time(promised),
    )
    try:
        taken = await process.gateway.send(order)
    except (Unreachable, RateLimited, SenderStopped, Refused) as error:
        await _settle(row, "failed", f"not sent: {error.detail}", refund=not isinstance(error, Refused))
        await _consequences(row, error)
    except Exception as error:  # whatever else it is, the text may have left: the look-up tells
        log.warning("a test is in doubt, it will be looked up", trial=str(row["id"]), error=str(error))
    else:
        await _settle(row, "sent", "accepted by the gateway", taken=taken)


async def _attachment(process: Process, row: Record) -> Media | None:
    """Return what the text carries; an uploaded file is handed to the gateway first."""
    if row["media"] is None:
        return None
    await attachments.hand_over(process, row["campaign"])
    async with pool.connection() as conn:
        return media_of(await sql.media_of_trial(conn, trial=row["id"]))


async def _promise(name: UUID, row: Record) -> bool:
    """Charge the number's day and promise; what forbids it is said on the row."""
    limit = limit_of(row)
    async with pool.connection() as conn:
        day = await begin_day(conn, row["sender"], row["time_zone"], limit, row["now"])
        promised = await sql.promise_trial(
            conn, trial=row["id"], sender=row["sender"], day=day, quota=limit, process=name
        )
        if promised is not None:
            return True
        if await sql.opted_out_of_trial(conn, identity=row["identity"]):
            why = "not sent: this number opted out"
        elif await sql.quota_used(conn, sender=row["sender"], day=day) >= limit:
            why = f"not sent: the daily limit of {limit} is reached"
        else:
            why = f"not sent: the sender is {row['sender_state']}, or somebody else was faster"
    await _settle(row, "failed", why, old="pending")
    return False


async def _consequences(row: Record, error: Exception) -> None:
    """What the gateway says of the number concerns every message of it."""
    if isinstance(error, SenderStopped):
        await alerts.sender_stopped(row["sender"], error.detail)


# --- later --------------------------------------------------------------------------------------------


async def acknowledged(conn: Conn, deliveries: list[tuple[int, Delivery]]) -> set[int]:
    """Record what the gateway says of tests; returns which of these (number, delivery) are about one."""
    if not deliveries:
        return set()
    told = [d.outbound for _, d in deliveries]
    rows = await sql.acknowledge_trials(
        conn,
        trials=[trial_of(o.reference) for o in told],
        gateway_ids=[o.gateway_id for o in told],
        message_ids=[o.message_id for o in told],
        statuses=["failed" if o.progress == "failed" else accepted_as(o) for o in told],
        whys=[f"failed at the gateway: {o.error or 'no reason given'}" if o.progress == "failed" else
              f"acknowledged: {accepted_as(o)}" for o in told],
    )  # fmt: skip
    return {deliveries[row["ord"] - 1][0] for row in rows}


# --- record ----------------------------------------------------------------------------------------


async def _look_up(process: Process, row: Record) -> None:
    """Ask the gateway for a test nobody recorded. Absence proves nothing here: it is told, not sent again."""
    try:
        found = next(iter(await process.gateway.find(row["device_id"], reference(row["id"]))), None)
    except (LookupFailed, SenderStopped) as error:
        found, told = None, f"the look-up failed: {error.detail}"
    else:
        told = "the gateway shows nothing of it"
    if found is not None and found.progress == "failed":
        await _settle(row, "failed", f"failed at the gateway: {found.error or 'no reason given'}", taken=found)
    elif found is not None:
        await _settle(row, "sent", "found at the gateway", taken=found)
    elif row["promised_for"] > TELLS_SECONDS:
        await _settle(row, "unconfirmed", f"it may have arrived: {told}; look at the phone, then test again")


async def _settle(
    row: Record, status: str, why: str, *, old: str = "sending", taken: Outbound | None = None, refund: bool = False
) -> None:
    """Write what became of it. That it left is a fact: nothing fences it."""
    async with pool.connection() as conn:
        await sql.settle_trial(
            conn,
            trial=row["id"],
            status=status,
            why=why,
            old=[old, "unconfirmed"] if status == "sent" else [old],
            gateway_id=taken.gateway_id if taken else None,
            message_id=taken.message_id if taken else None,
            refund=refund,
        )
    about = {"campaign": str(row["campaign"]), "trial": str(row["id"]), "step": row["step"]}
    log.info("test of a campaign", **about, phone=mask(row["phone"]), status=status, why=why)
