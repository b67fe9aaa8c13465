"""The importer: an uploaded file of contacts, digested a thousand rows at a time.

The file is read twice. First every phone is parsed, to know which line of several with the same phone is the
last, and whether the file as a whole can be read, before anything is written. Then the rows are written; how
many have been is counted in the same transaction, so that a second run goes on exactly behind them.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import dramatiq
import structlog

from actors.import_plan import Plan, Step
from actors.process import this
from models import forgetting, imports, live, pool, stops, transitions
from models.queries import json_text, sql
from rules.phone import mask
from rules.rows import BadFile, BadRow, Row

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

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
            await _tell(upload)
    except BadFile as error:
        await _finish(upload, "failed", str(error))
    except asyncpg.DataError as error:
        await _finish(upload, "failed", f"the file holds a value that cannot be stored ({error}): remove it")
    else:
        await _finish(upload, "completed", "")


async def _finish(upload: UUID, state: str, why: str) -> None:
    async with pool.connection() as conn:
        if await sql.finish_import(conn, id=upload, state=state, why=why) is None:
            return
        row = await sql.read_import(conn, id=upload)
    await _tell(upload)
    figures = {name: row[name] for name in ("rows", "created", "updated", "unchanged", "rejected")}
    # Not why it failed: that quotes the file, and its phones may be written in ways that no mask knows.
    log.info("import finished", id=str(upload), state=state, dry_run=row["dry_run"], **figures)


async def _tell(upload: UUID) -> None:
    """Show whoever watches how far it is, and let nobody be shown what was true before."""
    await forgetting.imported()
    async with pool.connection() as conn:
        now = await imports.state(conn, upload)
    try:
        await this().redis.publish(live.FRAMES, live.frame_of("import", upload, now))
    except live.UNAVAILABLE as error:
        log.debug("no Redis: nobody sees this import", id=str(upload), error=str(error))


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
                allowed, figures = await _rehearse(started, step)
                async with pool.transaction() as conn:
                    return await _count(conn, upload, allowed, figures)
            async with pool.transaction() as conn:
                if await sql.lock_import(conn, id=upload, rows=step.first) is None:
                    return False
                allowed = await _without_erased(conn, step)
                return await _count(conn, upload, allowed, await _contacts(conn, started, allowed))
        except pool.TRANSIENT:
            if attempt == TRIES:
                raise
            await asyncio.sleep(0.1 * attempt)
    return False


async def _rehearse(started: Record, step: Step) -> tuple[Step, dict[str, int]]:
    """Do it all and undo it: a dry run says exactly what would happen."""
    allowed = step
    try:
        async with pool.transaction() as conn:
            allowed = await _without_erased(conn, step)
            raise _Rehearsed(await _contacts(conn, started, allowed))
    except _Rehearsed as rehearsed:
        return allowed, rehearsed.figures


async def _without_erased(conn: pool.Conn, step: Step) -> Step:
    """Reject the rows of people who asked to be erased."""
    erased = await stops.among(conn, [person for _, person, _ in step.contacts])
    if not erased:
        return step
    reason = "this person was erased at their request and cannot be added again"
    rejected = [
        BadRow(line=row.line, column="phone", value=mask(row.phone), reason=reason)
        for _, person, row in step.contacts
        if person in erased
    ]
    return Step(
        first=step.first,
        contacts=[one for one in step.contacts if one[1] not in erased],
        rejected=sorted([*step.rejected, *rejected], key=lambda bad: bad.line),
    )


async def _count(conn: pool.Conn, upload: UUID, step: Step, figures: dict[str, int]) -> bool:
    if await sql.lock_import(conn, id=upload, rows=step.first) is None:
        return False
    await sql.count_import(conn, id=upload, rows=step.rows, rejected=len(step.rejected), **figures)
    if step.rejected:
        await sql.add_rejected_rows(
            conn,
            upload=upload,
            lines=[bad.line for bad in step.rejected],
            titles=[bad.column for bad in step.rejected],
            values=[bad.value for bad in step.rejected],
            reasons=[bad.reason for bad in step.rejected],
        )
    return True


async def _contacts(conn: pool.Conn, started: Record, step: Step) -> dict[str, int]:
    """Make and change the contacts of one step; returns how many were created, updated and left as they were."""
    if not step.contacts:
        return {"created": 0, "updated": 0, "unchanged": 0}
    found = await _lay(conn, step.contacts)
    ids = {row["identity"]: row["id"] for row in found}
    if added_meanwhile := [one for one in step.contacts if one[1] not in ids]:
        more = await _lay(conn, added_meanwhile)  # by somebody else, while our insert waited: known by now
        found, ids = [*found, *more], ids | {row["identity"]: row["id"] for row in more}
    created = {row["id"] for row in found if row["what"] == "created"}
    changed = {row["id"] for row in found if row["what"] == "updated"}
    changed |= await _categorise(conn, started["category"], step, ids)
    changed |= await _opt_out(conn, step, ids)
    updated = len(changed - created)
    return {"created": len(created), "updated": updated, "unchanged": len(step.contacts) - len(created) - updated}


async def _lay(conn: pool.Conn, contacts: list[tuple[str, str, Row]]) -> list[Record]:
    """Make these contacts, or lay what their rows say over them; returns (id, identity, what)."""
    rows: list[Record] = await sql.import_contacts(
        conn,
        phones=[phone for phone, _, _ in contacts],
        identities=[person for _, person, _ in contacts],
        names=[row.name for _, _, row in contacts],
        attributes=[json_text(row.attributes) for _, _, row in contacts],
        consents=[row.consent_source for _, _, row in contacts],
    )
    return rows


async def _categorise(conn: pool.Conn, everyone: UUID | None, step: Step, ids: dict[str, UUID]) -> set[UUID]:
    """Put each contact into the categories of its row and of the upload; returns those that were not in them."""
    names = sorted({name for _, _, row in step.contacts for name in row.categories})
    known = {row["name"]: row["id"] for row in await sql.import_categories(conn, names=names)} if names else {}
    pairs = [(ids[person], known[name]) for _, person, row in step.contacts if person in ids for name in row.categories]
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
    stopped = [person for _, person, row in step.contacts if row.opted_out and person in ids]
    if not stopped:
        return set()
    rows = await sql.not_opted_out(conn, identities=stopped)
    people = [row["id"] for row in rows]
    if people:
        await transitions.opt_out(
            conn, people, recipient=None, at=datetime.now(UTC), why="opted out in an import", by="import"
        )
    return set(people) & set(ids.values())
