"""The interaction handler: a stored webhook becomes an interaction, and maybe Message 2, sent at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import dramatiq
import structlog

import settings
from actors import automatics, message_2
from actors.agreement import agreed
from actors.mutex import reply_mutex
from actors.process import Process, this
from actors.wake import wake
from gateway import Inbound, Unreadable
from models import pool, stops, transitions
from models.queries import from_json, sql
from models.transitions import Fact, Failure
from rules.phone import identity, mask
from rules.reply import FirstMessage, Heard, Outcome, Verdict, is_opt_out, judge
from rules.status import CampaignStatus, MessageStatus, RecipientState
from rules.text import BadTemplate, fill

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

TRIES = 3
"""A digestion that meets a lock of somebody else is tried again so often before it counts as failed."""


@dramatiq.actor(queue_name="replies", max_retries=0)
async def handle_interaction(inbox_id: str) -> None:
    """Digest one stored webhook of a person: twice is once.

    If it dies: before the commit nothing happened and the scheduler wakes it again; after it, the row of
    Message 2 is pending and the scheduler has it sent.
    """
    process, inbox = this(), UUID(inbox_id)
    async with pool.connection() as conn:
        row = await conn.fetchrow(
            "SELECT id, body, received_at FROM inbox WHERE id = $1 AND digested_at IS NULL", inbox
        )
    if row is None:
        return
    try:
        event = process.gateway.parse(row["body"])
    except Unreadable as error:
        await _close(inbox, "unreadable", error.detail)
        return
    if not isinstance(event, Inbound):
        await _close(inbox, "ignored", getattr(event, "reason", type(event).__name__))
        return
    if not await _may_be_judged(process, event):
        return  # undigested: the scheduler wakes it again
    due = await _digest_patiently(process, inbox, event, row["received_at"])
    if due is not None:
        await message_2.send(process, due)


async def _may_be_judged(process: Process, event: Inbound) -> bool:
    """Whether our rows tell what this answers: not before the database is known to have forgotten no message.

    STOP is heard whatever we remember.
    """
    if _is_stop(event):
        return True
    async with pool.connection() as conn:
        sender = await conn.fetchval("SELECT id FROM sender WHERE device_id = $1", event.device_id)
    return sender is None or await agreed(process, sender, event.device_id)


async def _remembers(conn: pool.Conn, process: Process, event: Inbound, sender: UUID) -> bool:
    """Whether this transaction runs on the very server that was found to agree with the gateway."""
    return _is_stop(event) or bool(await sql.process_lives(conn, process=process.agreed.get(sender)))


def _is_stop(event: Inbound) -> bool:
    return is_opt_out(event.body, settings.get().opt_out_words)


async def _digest_patiently(process: Process, inbox: UUID, event: Inbound, received_at: datetime) -> UUID | None:
    person = identity(event.phone) if event.phone else event.lid or "nobody"
    async with reply_mutex(process.redis, person):
        for attempt in range(1, TRIES + 1):
            try:
                return await _digest(process, inbox, event, person, received_at)
            except pool.TRANSIENT as error:
                if attempt == TRIES:
                    await _failed(inbox, error)
            except pool.UNAVAILABLE:
                raise
            except Exception as error:
                await _failed(inbox, error)
                raise
    return None


@dataclass(frozen=True)
class Match:
    """Whom an inbound event is from and which Message 1 it answers, locked for the rest of the transaction."""

    sender: Record
    contacts: list[Record]
    answered: Record | None

    @property
    def contact(self) -> Record:
        """The contact it is recorded for: the recipient's, else the oldest of this identity."""
        return self.contacts[0]


async def _digest(process: Process, inbox: UUID, event: Inbound, person: str, received_at: datetime) -> UUID | None:
    """Match, judge and record one inbound event in one transaction; returns the Message 2 to send now, if any."""
    async with pool.transaction() as conn:
        if await sql.lock_inbox(conn, id=inbox) is None:
            return None  # somebody was faster
        match = await _match(conn, inbox, event, person)
        if isinstance(match, str):
            await sql.digested(conn, ids=[inbox], outcomes=["unmatched"], whys=[match])
            return None
        if not await _remembers(conn, process, event, match.sender["id"]):
            return None
        verdict = _judge(event, received_at, match.answered)
        if verdict.outcome is Outcome.PARKED:
            assert match.answered is not None
            if match.answered["status"] == MessageStatus.SENDING:
                await sql.park(conn, id=inbox, message=match.answered["message"], why=verdict.why)
                wake("settle_doubts", match.sender["id"])
                return None
            match = await _proven(conn, inbox, event, person, match.answered)
            verdict = _judge(event, received_at, match.answered)
        mark = automatics.NOBODY
        if verdict.outcome is not Outcome.NOISE:
            mark = await automatics.look(conn, event, received_at, match.contact["id"], match.answered)
            verdict = automatics.weighed(verdict, mark, match.answered)
        due = await _record(conn, process, inbox, event, received_at, match, verdict)
        if mark.fingerprint or mark.automatic:
            kind = mark.automatic.kind if mark.automatic else None
            await sql.mark_interaction(conn, inbox=inbox, fingerprint=mark.fingerprint, automatic=kind)
        await sql.digested(conn, ids=[inbox], outcomes=[verdict.outcome], whys=[verdict.why])
    _say(event, match, verdict, due)
    return due


async def _match(conn: pool.Conn, inbox: UUID, event: Inbound, person: str) -> Match | str:
    """Find and lock the person; or say why this event belongs to nobody we know."""
    sender = await conn.fetchrow("SELECT id, phone FROM sender WHERE device_id = $1", event.device_id)
    if sender is None:
        return "no sender of ours has this device"
    contacts = await sql.lock_contacts(conn, identity=person if event.phone else None, lid=event.lid)
    if not contacts:
        if await stops.among(conn, [person if event.phone else stops.hidden(person)]):
            await sql.empty_webhooks(conn, ids=[inbox])
            return "this person was erased: nothing of it is kept"
        return "nobody in the contacts has this number"
    answered = await sql.answered_message(
        conn, contacts=[c["id"] for c in contacts], sender=sender["id"], quoted=event.quoted_id
    )
    if answered is not None:
        contacts.sort(key=lambda c: c["id"] != answered["contact"])
    if event.lid and not contacts[0]["lid"]:
        await sql.add_contact_identity(conn, contact=contacts[0]["id"], lid=event.lid, wa_id=None)
    return Match(sender, contacts, answered)


def _judge(event: Inbound, received_at: datetime, answered: Record | None) -> Verdict:
    """Ask the rules."""
    heard = Heard(type=event.type, body=event.body, at=event.at, received_at=received_at, noise=event.noise)
    if answered is None:
        return judge(
            heard,
            state=None,
            first=None,
            window=timedelta(),
            has_message_2=False,
            opt_out_words=settings.get().opt_out_words,
        )
    return judge(
        heard,
        state=RecipientState(answered["state"]),
        first=FirstMessage(
            status=MessageStatus(answered["status"]), promised_at=answered["promised_at"], sent_at=answered["sent_at"]
        ),
        window=timedelta(seconds=answered["window_seconds"]),
        has_message_2=answered["message_2"] is not None and answered["campaign_status"] != CampaignStatus.CANCELLED,
        opt_out_words=settings.get().opt_out_words,
    )


async def _proven(conn: pool.Conn, inbox: UUID, event: Inbound, person: str, answered: Record) -> Match:
    """The gateway could not tell whether Message 1 left; the reply can."""
    fact = Fact(
        message=answered["message"], status="sent", at=answered["promised_at"], why="the contact's reply proves it"
    )
    await transitions.accept(conn, [fact], by="reply")
    match = await _match(conn, inbox, event, person)
    assert isinstance(match, Match)
    return match


async def _record(
    conn: pool.Conn,
    process: Process,
    inbox: UUID,
    event: Inbound,
    received_at: datetime,
    match: Match,
    verdict: Verdict,
) -> UUID | None:
    """Write the interaction and what follows from it."""
    answered = match.answered
    await sql.add_interaction(
        conn,
        inbox=inbox,
        contact=match.contact["id"],
        sender=match.sender["id"],
        campaign=answered["campaign"] if answered else None,
        recipient=answered["recipient"] if answered else None,
        type=event.type,
        body=event.body,
        message_id=event.message_id,
        quoted_id=event.quoted_id,
        at=event.at,
        received_at=received_at,
        in_window=verdict.in_window,
        outcome=verdict.outcome,
        why=verdict.why,
    )
    own_time = min(event.at, received_at)
    if verdict.outcome is Outcome.OPT_OUT:
        for row in await transitions.opt_out(
            conn,
            [c["id"] for c in match.contacts],
            recipient=answered["recipient"] if answered else None,
            at=own_time,
            why="asked us to stop",
            by="reply",
        ):
            process.moved(row["campaign"])
        return None
    if answered is None or verdict.outcome not in (Outcome.FOLLOW_UP, Outcome.FINAL_REPLY, Outcome.LATE):
        return None
    late = verdict.outcome is Outcome.LATE
    text, problem = _message_2_text(answered, match.contact) if verdict.outcome is Outcome.FOLLOW_UP else (None, None)
    _, due = await transitions.record_reply(
        conn,
        recipient=answered["recipient"],
        sender=match.sender["id"],
        state=RecipientState.LATE_REPLY if late else RecipientState.REPLIED,
        at=own_time,
        why=verdict.why,
        phone=answered["phone"],
        message_2=text,
        media=answered["media_2"],
    )
    process.moved(answered["campaign"])
    if due is not None and problem is not None:
        failure = Failure(message=due, error_class="text", error_text=problem)
        await transitions.fail(conn, [failure], by="reply")
        return None
    return due


def _message_2_text(answered: Record, contact: Record) -> tuple[str, str | None]:
    """Fill the template of Message 2; returns it and why it cannot be sent, if so.

    The launch refused holes; one that opened since (an attribute was removed) is left empty: the answer is due.
    """
    template: str = answered["message_2"]
    attributes = {key: str(value) for key, value in (from_json(contact["attributes"]) or {}).items()}
    try:
        return fill(template, contact["name"], attributes, leave_holes=True), None
    except BadTemplate as error:
        return template, f"Message 2 cannot be written for this contact: {error}"


def _say(event: Inbound, match: Match, verdict: Verdict, due: UUID | None) -> None:
    answered = match.answered
    log.info(
        "reply handled",
        phone=mask(event.phone) if event.phone else None,
        contact=str(match.contact["id"]),
        campaign=str(answered["campaign"]) if answered else None,
        type=event.type,
        outcome=verdict.outcome.value,
        why=verdict.why,
        message_2=str(due) if due else None,
    )
    if verdict.outcome is Outcome.FOLLOW_UP and due is None:
        log.warning("a second Message 2 was prevented", campaign=str(answered["campaign"]) if answered else None)


async def _close(inbox: UUID, outcome: str, why: str) -> None:
    async with pool.connection() as conn:
        await sql.digested(conn, ids=[inbox], outcomes=[outcome], whys=[why])


async def _failed(inbox: UUID, error: Exception) -> None:
    """Count a failed digestion; the fifth is final, kept with its reason."""
    async with pool.connection() as conn:
        times = await sql.digestion_failed(conn, id=inbox, why=f"{type(error).__name__}: {error}"[:500])
    log.error("a webhook could not be digested", inbox=str(inbox), times=times, error=str(error))
