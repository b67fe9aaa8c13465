"""Acknowledgements: what the gateway tells about messages of ours, digested hundreds at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import dramatiq
import structlog

import settings
from actors import devices, trials
from actors.delivery import accepted_as
from actors.process import Process, this
from gateway import Delivery, Event, SessionChange, Unreadable
from models import pool, transitions
from models.queries import sql
from models.transitions import Fact, Failure
from rules.phone import mask

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

AT_ONCE = 500
LOOKS = 9
"""An acknowledgement of a message we do not know is looked at so often, over 2^9 s: it may be older than our
record of the send."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def digest_acknowledgements() -> None:
    """Digest every acknowledgement that waits, a few hundred per statement.

    If it dies: rows without an outcome are still there and the scheduler wakes it again; facts may be
    recorded any number of times.
    """
    process = this()
    try:
        while not process.stopping.is_set() and await _digest_some(process) == AT_ONCE:
            pass
    except pool.TRANSIENT as error:
        log.info("acknowledgements met a lock and wait for the next wake-up", error=str(error))


async def _digest_some(process: Process) -> int:
    """Digest one bounded step; returns how many rows it had."""
    rows: list[Record] = []
    try:
        async with pool.transaction() as conn:
            rows = await sql.take_acknowledgements(conn, many=AT_ONCE)
            await _digest(conn, process, rows)
    except (*pool.UNAVAILABLE, *pool.TRANSIENT):
        raise
    except asyncpg.PostgresError as error:
        log.warning("acknowledgements are digested one by one", rows=len(rows), error=str(error))
        for row in rows:
            await _digest_singly(process, row["id"])
    return len(rows)


async def _digest_singly(process: Process, inbox: UUID) -> None:
    """One row that the database refuses must not hold up the others; its fifth failure is its outcome."""
    try:
        async with pool.transaction() as conn:
            row = await sql.lock_inbox(conn, id=inbox)
            if row is not None:
                await _digest(conn, process, [row])
    except (*pool.UNAVAILABLE, *pool.TRANSIENT):
        raise
    except asyncpg.PostgresError as error:
        async with pool.connection() as conn:
            times = await sql.digestion_failed(conn, id=inbox, why=f"{type(error).__name__}: {error}"[:500])
        log.error("an acknowledgement could not be digested", inbox=str(inbox), times=times, error=str(error))


async def _digest(conn: pool.Conn, process: Process, rows: list[Record]) -> None:
    """Record what these rows say, and their outcomes."""
    outcomes: dict[UUID, tuple[str, str]] = {}
    deliveries: list[tuple[Record, Delivery]] = []
    for row in rows:
        event = _parse(process, row["body"])
        if isinstance(event, Delivery):
            deliveries.append((row, event))
        elif isinstance(event, SessionChange):
            outcomes[row["id"]] = await _session(conn, event)
        elif isinstance(event, str):
            outcomes[row["id"]] = ("unreadable", event)
        else:
            outcomes[row["id"]] = ("ignored", getattr(event, "reason", type(event).__name__))
    outcomes |= await _deliveries(conn, process, deliveries)
    await sql.digested(
        conn, ids=list(outcomes), outcomes=[o for o, _ in outcomes.values()], whys=[w for _, w in outcomes.values()]
    )


def _parse(process: Process, body: bytes) -> Event | str:
    try:
        return process.gateway.parse(body)
    except Unreadable as error:
        return error.detail


async def _deliveries(
    conn: pool.Conn, process: Process, deliveries: list[tuple[Record, Delivery]]
) -> dict[UUID, tuple[str, str]]:
    """Record what the gateway says of messages of ours; returns the outcome of each inbox row."""
    if not deliveries:
        return {}
    references = [_split(d.outbound.reference) for _, d in deliveries]
    resolved = {
        row["ord"] - 1: row
        for row in await sql.resolve_references(
            conn,
            references=[str(ref) if ref else None for ref, _ in references],
            gateway_ids=[d.outbound.gateway_id for _, d in deliveries],
            message_ids=[d.outbound.message_id for _, d in deliveries],
        )
    }
    tests = await trials.acknowledged(conn, [(i, d) for i, (_, d) in enumerate(deliveries) if i not in resolved])
    outcomes: dict[UUID, tuple[str, str]] = {}
    facts: list[Fact] = []
    failures: list[Failure] = []
    expired: list[tuple[UUID, int]] = []
    unknown: list[UUID] = []
    for index, (row, delivery) in enumerate(deliveries):
        known, (_, round_) = resolved.get(index), references[index]
        if known is None and index in tests:
            outcomes[row["id"]] = ("recorded", "of a test")
            continue
        if known is None:
            if row["attempts"] < LOOKS:
                unknown.append(row["id"])
            else:
                outcomes[row["id"]] = ("unmatched", "no message of ours has this reference or id")
            continue
        outcomes[row["id"]] = ("recorded", delivery.outbound.progress)
        if delivery.outbound.progress == "failed":
            told = round_ if round_ is not None else known["round"]
            text = f"failed at the gateway: {delivery.outbound.error or 'no reason given'}"
            if delivery.outbound.expired:
                expired.append((known["id"], told))
            else:
                failures.append(Failure(message=known["id"], round=told, error_class="reported", error_text=text))
        elif delivery.outbound.progress != "queued":
            facts.append(_fact(known["id"], round_, delivery))
    await sql.postpone(conn, ids=unknown)
    erased = [row["id"] for index, (row, _) in enumerate(deliveries) if index in resolved and resolved[index]["erased"]]
    if erased:
        await sql.empty_webhooks(conn, ids=erased)
    moved = [
        *await transitions.accept(conn, facts, by="gateway"),
        *await transitions.fail(conn, failures, by="gateway"),
        *await transitions.expire(conn, expired, settings.get().max_retry_attempts, by="gateway"),
    ]
    if on_their_way := [fact.message for fact in facts if fact.status == "sent"]:
        # After the facts, which lock people before their messages: the other way round it would deadlock.
        await sql.note_heard(conn, ids=on_their_way)
    for row in moved:
        process.moved(row["campaign"])
        log.debug("acknowledged", message=str(row["id"]), phone=mask(row["phone"]))
    return outcomes


def _fact(message: UUID, round_: int | None, delivery: Delivery) -> Fact:
    status = accepted_as(delivery.outbound)
    return Fact(
        message=message,
        round=round_,
        status=status,
        at=delivery.at,
        why=f"acknowledged: {status}",
        gateway_id=delivery.outbound.gateway_id,
        message_id=delivery.outbound.message_id,
    )


def _split(reference: str | None) -> tuple[UUID | None, int | None]:
    """Read our reference back: the message's id, and the round of a person's retry."""
    if reference is None:
        return None, None
    name, _, round_ = reference.partition(".")
    try:
        return UUID(name), int(round_) if round_ else 0
    except ValueError:
        return None, None


async def _session(conn: pool.Conn, event: SessionChange) -> tuple[str, str]:
    """The device itself changed."""
    sender = await conn.fetchval("SELECT id FROM sender WHERE device_id = $1", event.device_id)
    if sender is None:
        return "unmatched", "no sender of ours has this device"
    await devices.told(conn, sender, event.state, event.reason)
    return "recorded", event.state
