"""The campaign launcher: audience in, recipients and Message 1 rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog
from uuid_utils.compat import uuid7

import settings
from actors import alerts, attachments
from actors.process import Process, this
from actors.wake import wake
from gateway import LookupFailed, Refused, SenderStopped
from models import pool, reservations, transitions
from models.audience import reach
from models.queries import from_json, json_text, sql
from models.reservations import limit_of
from rules.quota import next_day
from rules.reservations import TooLittleRoom
from rules.text import BadTemplate, Hole, fill

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

STEP = 2_000
"""Contacts of one statement: bounded memory, and a cancel is seen between two."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def launch_campaign(campaign_id: str) -> None:
    """Make a recipient and a Message 1 for every contact of the audience, then let the lane begin.

    If it dies: the rows made so far stay, the campaign is still launching, the scheduler wakes it again, and
    whoever is in already is skipped.
    """
    process, campaign = this(), UUID(campaign_id)
    async with pool.connection() as conn:
        found = await sql.campaign(conn, campaign=campaign)
    if found is None or found["status"] not in ("scheduled", "launching"):
        return
    if found["status"] == "scheduled" and not await _start_scheduled(campaign):
        return
    async with pool.alone(f"launch {campaign}") as ours:
        if ours:
            await _launch(process, campaign)


async def _launch(process: Process, campaign: UUID) -> None:
    if not await _files_handed_over(process, campaign):
        return
    async with pool.connection() as conn:  # its texts are what they were when it began: nobody may change them since
        texts = await sql.campaign(conn, campaign=campaign)
    added, holes = await _add_audience(process, campaign, texts["message_1"], texts["message_2"])
    if added is None:
        log.info("the launch was cancelled", campaign=str(campaign))
        return
    async with pool.connection() as conn:
        # With those of an earlier, interrupted run.
        added = await conn.fetchval("SELECT count(*) FROM recipient WHERE campaign = $1", campaign)
        sender = await transitions.finish_launch(conn, campaign, why=_summary(added, holes))
    if sender is not None:
        log.info("campaign launched", campaign=str(campaign), recipients=added, left_out_for_holes=holes)
        process.moved(campaign)
        wake("send_batch", sender)


async def _files_handed_over(process: Process, campaign: UUID) -> bool:
    """Hand the campaign's files to the gateway; False: not now, the scheduler wakes us again, or it was cancelled."""
    try:
        await attachments.hand_over(process, campaign)
    except Refused as error:
        async with pool.connection() as conn:
            why = f"the gateway does not take its attachment: {error.detail}"
            await transitions.cancel(conn, campaign, why=why, by="launcher")
            await alerts.say(conn, "attachment", str(campaign), f"a campaign was cancelled: {why}")
        process.moved(campaign)
        return False
    except (LookupFailed, SenderStopped) as error:
        log.warning(
            "the launch waits: its attachment is not with the gateway", campaign=str(campaign), why=error.detail
        )
        async with pool.connection() as conn:
            await alerts.say(conn, "attachment", str(campaign), f"a launch waits for its attachment: {error.detail}")
        return False
    async with pool.connection() as conn:
        await alerts.over(conn, "attachment", str(campaign))
    return True


async def _start_scheduled(campaign: UUID) -> bool:
    """Begin the launch of a campaign whose time has come, if its number's day has room; else try again next day.

    Returns whether it is being launched.
    """
    s = settings.get()
    async with pool.transaction() as conn:
        row = await sql.lock_campaign(conn, campaign=campaign)
        if row["status"] != "scheduled" or row["scheduled_at"] > row["now"]:
            return bool(row["status"] == "launching")
        sender = await sql.read_sender(conn, sender=row["sender"])
        await sql.lock_reservations(conn, sender=sender["id"])
        await reservations.begin_day(conn, sender["id"], sender["time_zone"], limit_of(sender), sender["now"])
        try:
            plan = await reservations.fit(conn, sender, row, (await reach(conn, row)).complete)
        except TooLittleRoom as short:
            await _postpone(conn, sender, row, short)
            return False
        await reservations.reserve(conn, campaign, plan)
        await transitions.start_launch(
            conn,
            campaign,
            window=s.reply_window_hours * 3600,
            safety=s.campaign_safety_timeout_hours * 3600,
            why="its scheduled time has come",
            by="scheduler",
        )
        await alerts.over(conn, "launch_postponed", str(campaign))
    return True


async def _postpone(conn: pool.Conn, sender: Record, row: Record, short: TooLittleRoom) -> None:
    """Leave it scheduled for the same local time of the next day, with the reason; a person is told."""
    at = next_day(row["scheduled_at"], sender["time_zone"], after=sender["now"])
    try:
        plan = reservations.stored(await reservations.fit(conn, sender, row, short.needed, at))
    except TooLittleRoom:
        plan = {}
    why = f"not launched, tried again on {at.date()}: {short}"
    await sql.postpone_launch(conn, campaign=row["id"], at=at, plan=json_text(plan), why=why)
    await alerts.say(conn, "launch_postponed", str(row["id"]), f"campaign {row['name']}: {why}")
    log.warning("a scheduled launch found too little room", campaign=str(row["id"]), why=why)


async def _add_audience(
    process: Process, campaign: UUID, message_1: str, message_2: str | None
) -> tuple[int | None, int]:
    """Add the audience step by step, in the order of its keys; (None, …): the campaign was cancelled meanwhile."""
    after, added, holes = UUID(int=0), 0, 0
    while not process.stopping.is_set():
        async with pool.connection() as conn:
            rows = await sql.audience_step(conn, campaign=campaign, after=after, many=STEP)
            if not rows:
                return added, holes
            texts = {row["id"]: _text(message_1, message_2, row) for row in rows}
            reached = [row for row in rows if texts[row["id"]] is not None]
            many = await sql.add_recipients(
                conn,
                campaign=campaign,
                ids=[uuid7() for _ in reached],
                contacts=[row["id"] for row in reached],
                identities=[row["identity"] for row in reached],
                phones=[row["phone"] for row in reached],
                texts=[texts[row["id"]] for row in reached],
            )
        if many is None:
            return None, holes
        added, holes, after = added + many, holes + len(rows) - len(reached), rows[-1]["id"]
        process.moved(campaign)
    return None, holes


def _text(message_1: str, message_2: str | None, contact: Record) -> str | None:
    """Fill Message 1 for one contact; None where either text has a hole (the launch was told to leave those out)."""
    attributes = {key: str(value) for key, value in (from_json(contact["attributes"]) or {}).items()}
    try:
        if message_2 is not None:
            fill(message_2, contact["name"], attributes)
        return fill(message_1, contact["name"], attributes)
    except (Hole, BadTemplate):
        return None


def _summary(added: int, holes: int) -> str:
    left_out = f"; {holes} left out, their text would have had a hole" if holes else ""
    return f"launched with {added} recipients{left_out}"
