"""The importer: an uploaded file of contacts, digested a thousand rows at a time.

The file is read twice. First every phone is parsed, to know which line of several with the same phone is the
last, and whether the file as a whole can be read, before anything is written. Then the rows are written; how
many have been is counted in the same transaction, so that a second run goes on exactly behind them.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog

import settings
from actors.process import this
from models import pool, transitions
from models.queries import json_text, sql
from rules.phone import BadPhone, identity, mask, parse
from rules.rows import BadFile, BadRow, Row, read

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

STEP = 1_000
"""Rows of one statement and one transaction."""
TRIES = 5
"""How often a batch is tried while others change the same contacts."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def import_contacts(import_id: str) -> None:
    """Digest one uploaded file: contacts made and changed, bad rows reported, the file dropped.

    If it dies: what was written stays and is counted; the scheduler wakes it again, and it goes on behind it.
    """
    upload = UUID(import_id)
    try:
        async with pool.alone(f"import {upload}") as alone:
            if alone:
                await _digest(upload)
    except pool.UNAVAILABLE as error:
        log.warning("an import waits for the database", id=import_id, error=str(error))


async def _digest(upload: UUID) -> None:
    async with pool.connection() as conn:
        started = await sql.start_import(conn, id=upload)
    if started is None:
        return
    try:
        # In a thread: parsing 100,000 phones takes seconds, and the lanes of this process go on meanwhile.
        plan = await asyncio.to_thread(Plan.of, started["body"], started["region"])
        steps = plan.steps(behind=started["rows"])
        while (step := await asyncio.to_thread(next, steps, None)) is not None:
            if this().stopping.is_set() or not await _write(upload, started, step):
                return
    except BadFile as error:
        await _finish(upload, "failed", str(error))
    else:
        await _finish(upload, "completed", "")


async def _finish(upload: UUID, state: str, why: str) -> None:
    async with pool.connection() as conn:
        if await sql.finish_import(conn, id=upload, state=state, why=why) is None:
            return
        row = await sql.read_import(conn, id=upload)
    figures = {name: row[name] for name in ("rows", "created", "updated", "unchanged", "rejected")}
    log.info("import finished", id=str(upload), state=state, why=why, dry_run=row["dry_run"], **figures)


# --- what the file says -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Step:
    """Up to STEP rows of the file: the first one's number (from 0), contacts to write, rows rejected."""

    first: int
    contacts: list[tuple[str, Row]]
    """(E.164, row)"""
    rejected: list[BadRow]

    @property
    def rows(self) -> int:
        """How many rows of the file these are."""
        return len(self.contacts) + len(self.rejected)


class Plan:
    """A file read through once: the phone of each row, and the last row of each phone."""

    def __init__(self, body: bytes, region: str | None, phones: array[int], last: dict[int, tuple[int, int]]) -> None:
        self._body = body
        self._region = region
        self._phones = phones
        self._last = last

    @classmethod
    def of(cls, body: bytes, region: str | None) -> Plan:
        """Read all of it; 8 bytes a row, and what a dictionary takes per phone. Raises BadFile."""
        region = region or settings.get().default_region or None
        phones = array("q")
        last: dict[int, tuple[int, int]] = {}
        for number, row in enumerate(read(body)):
            phone = _number(row.phone, region) if isinstance(row, Row) else 0
            phones.append(phone)
            if phone:
                last[phone] = number, row.line
        return cls(body, region, phones, last)

    def steps(self, behind: int) -> Iterator[Step]:
        """Yield the rows from number ``behind`` on, STEP at a time."""
        rows = islice(enumerate(read(self._body)), behind, None)
        while chunk := list(islice(rows, STEP)):
            judged = [self._judge(number, row) for number, row in chunk]
            yield Step(
                first=chunk[0][0],
                contacts=[one for one in judged if isinstance(one, tuple)],
                rejected=[one for one in judged if isinstance(one, BadRow)],
            )

    def _judge(self, number: int, row: Row | BadRow) -> tuple[str, Row] | BadRow:
        if isinstance(row, BadRow):
            return row
        phone = self._phones[number]
        if not phone:
            return BadRow(
                line=row.line, column="phone", value=mask(row.phone), reason=_why_bad(row.phone, self._region)
            )
        last, line = self._last[phone]
        if last != number:
            reason = f"the same phone comes again on line {line}: the last one counts"
            return BadRow(line=row.line, column="phone", value=mask(row.phone), reason=reason)
        return f"+{phone}", row


def _number(raw: str, region: str | None) -> int:
    """Return a phone's digits as a number; 0 for what is none."""
    try:
        return int(parse(raw, region))
    except BadPhone:
        return 0


def _why_bad(raw: str, region: str | None) -> str:
    try:
        parse(raw, region)
    except BadPhone as error:
        return error.reason
    return "the phone cannot be used"


# --- writing it ----------------------------------------------------------------------------------------


class _Rehearsed(Exception):
    """Undoes what a dry run has written; carries its figures."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures


async def _write(upload: UUID, started: Record, step: Step) -> bool:
    """Write one step and count it, or neither. False: somebody else has gone on with this import."""
    for attempt in range(1, TRIES + 1):
        try:
            if started["dry_run"]:
                figures = await _rehearse(started, step)
                async with pool.transaction() as conn:
                    return await _count(conn, upload, step, figures)
            async with pool.transaction() as conn:
                if await sql.lock_import(conn, id=upload, rows=step.first) is None:
                    return False
                return await _count(conn, upload, step, await _contacts(conn, started, step))
        except pool.TRANSIENT:
            if attempt == TRIES:
                raise
            await asyncio.sleep(0.1 * attempt)
    return False


async def _rehearse(started: Record, step: Step) -> dict[str, int]:
    """Do it all and undo it: a dry run says exactly what would happen."""
    try:
        async with pool.transaction() as conn:
            raise _Rehearsed(await _contacts(conn, started, step))
    except _Rehearsed as rehearsed:
        return rehearsed.figures


async def _count(conn: pool.Conn, upload: UUID, step: Step, figures: dict[str, int]) -> bool:
    if await sql.lock_import(conn, id=upload, rows=step.first) is None:
        return False
    errors = [
        {"line": bad.line, "column": bad.column, "value": bad.value, "reason": bad.reason} for bad in step.rejected
    ]
    await sql.count_import(
        conn, id=upload, rows=step.rows, rejected=len(step.rejected), errors=json_text(errors), **figures
    )
    return True


async def _contacts(conn: pool.Conn, started: Record, step: Step) -> dict[str, int]:
    """Make and change the contacts of one step; returns how many were created, updated and left as they were."""
    if not step.contacts:
        return {"created": 0, "updated": 0, "unchanged": 0}
    found = await sql.import_contacts(
        conn,
        phones=[phone for phone, _ in step.contacts],
        identities=[identity(phone) for phone, _ in step.contacts],
        names=[row.name for _, row in step.contacts],
        attributes=[json_text(row.attributes) for _, row in step.contacts],
        consents=[row.consent_source for _, row in step.contacts],
    )
    ids = {row["phone"]: row["id"] for row in found}
    created = {row["id"] for row in found if row["what"] == "created"}
    changed = {row["id"] for row in found if row["what"] == "updated"}
    changed |= await _categorise(conn, started["category"], step, ids)
    changed |= await _opt_out(conn, step, ids)
    updated = len(changed - created)
    return {"created": len(created), "updated": updated, "unchanged": len(step.contacts) - len(created) - updated}


async def _categorise(conn: pool.Conn, everyone: UUID | None, step: Step, ids: dict[str, UUID]) -> set[UUID]:
    """Put each contact into the categories of its row and of the upload; returns those that were not in them."""
    names = sorted({name for _, row in step.contacts for name in row.categories})
    known = {row["name"]: row["id"] for row in await sql.import_categories(conn, names=names)} if names else {}
    pairs = [(ids[phone], known[name]) for phone, row in step.contacts if phone in ids for name in row.categories]
    if everyone is not None:
        pairs += [(contact, everyone) for contact in ids.values()]
    if not pairs:
        return set()
    added = await sql.import_memberships(
        conn, contacts=[contact for contact, _ in pairs], categories=[category for _, category in pairs]
    )
    return {row["contact"] for row in added}


async def _opt_out(conn: pool.Conn, step: Step, ids: dict[str, UUID]) -> set[UUID]:
    """Opt out whom the file says, under every spelling of the number. "No" opts nobody in again."""
    stopped = [phone for phone, row in step.contacts if row.opted_out and phone in ids]
    if not stopped:
        return set()
    rows = await sql.not_opted_out(conn, identities=[identity(phone) for phone in stopped])
    people = [row["id"] for row in rows]
    if people:
        await transitions.opt_out(
            conn, people, recipient=None, at=datetime.now(UTC), why="opted out in an import", by="import"
        )
    return set(people) & set(ids.values())
