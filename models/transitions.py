"""The only writer of a status.

Every function is one compare-and-set statement of ``models/sql`` (bulk where it can be), in the lock order
contact, campaign, recipient by id, message by id, counters. Finding nothing to move is news, not an error:
someone was faster. The law, the event rows and the counters are kept by the triggers of ``bookkeeping.sql``
inside the same statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from models.queries import json_text, sql
from rules.status import RecipientState

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

STEP = 5_000
"""Rows of one bounded step of a bulk move (220 ms; replies go on meanwhile)."""


# --- promises ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Everything the promise of a slice of Message 1 depends on."""

    sender: UUID
    campaign: UUID
    owner: UUID
    epoch: int
    fence: float
    """Seconds of the lease that must be left."""
    process: UUID
    batch: UUID
    many: int
    day: date
    """Local day of the planned slot: its quota is charged."""
    quota: int
    gate_in: float
    """Seconds from now before which nothing else may leave this number."""
    only: list[UUID] | None = None
    """Nobody but these messages; None: whoever is next."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One message promised to leave: the right, and the duty, to send exactly this."""

    message: UUID
    recipient: UUID
    campaign: UUID
    contact: UUID
    sender: UUID
    step: int
    phone: str
    text: str
    media: str | None
    attempt: int
    retries: int
    round: int
    batch: UUID | None = None
    """The batch it is an attempt of; None: it belongs to none."""

    @property
    def reference(self) -> str:
        """Our name for it at the gateway; a person's retry gets a new one."""
        return str(self.message) if self.round == 0 else f"{self.message}.{self.round}"


async def claim_slice(conn: Conn, claim: Claim) -> list[Promise]:
    """Promise the next due Message 1 rows of a campaign: pending -> sending. Empty: not ours, no quota, none due."""
    rows = await sql.claim_slice(conn, **vars(claim))
    return [
        Promise(
            message=row["id"],
            campaign=claim.campaign,
            sender=claim.sender,
            step=1,
            batch=claim.batch,
            **{k: row[k] for k in ("recipient", "contact", "phone", "text", "media", "attempt", "retries", "round")},
        )
        for row in rows
    ]


async def promise_message_2(
    conn: Conn, message: UUID, *, sender: UUID, day: date, quota: int, process: UUID
) -> Promise | None:
    """Promise one Message 2: pending -> sending. None: opted out, held, out of quota, or someone was faster."""
    row = await sql.promise_message_2(conn, message=message, sender=sender, day=day, quota=quota, process=process)
    if row is None:
        return None
    names = ("recipient", "campaign", "contact", "sender", "phone", "text", "media", "attempt", "retries", "round")
    return Promise(message=row["id"], step=2, **{k: row[k] for k in names})


# --- what became of a promise ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fact:
    """The gateway has this message. ``at`` is when it accepted, delivered or showed it.

    ``round``, where it is known, is the one the gateway speaks of: *sent* of an older round is not recorded.
    """

    message: UUID
    status: Literal["sent", "delivered", "read"]
    at: datetime
    why: str
    gateway_id: str | None = None
    message_id: str | None = None
    accept_ms: float | None = None
    round: int | None = None


_RANK = {"sent": 1, "delivered": 2, "read": 3}


async def accept(conn: Conn, facts: Iterable[Fact], by: str) -> list[Record]:
    """Record facts; returns the rows that moved (id, was, status, step, campaign, contact, sender, phone, sent_at).

    Any order, any number of times: of several facts about one message the furthest counts, delivery never
    moves backwards, and nothing fences a fact.
    """
    furthest: dict[tuple[UUID, int | None], Fact] = {}
    for fact in facts:
        known = furthest.get((fact.message, fact.round))
        if known is None or _RANK[fact.status] > _RANK[known.status]:
            furthest[fact.message, fact.round] = fact
    chosen = list(furthest.values())
    if not chosen:
        return []
    rows: list[Record] = await sql.accept(
        conn,
        ids=[f.message for f in chosen],
        statuses=[f.status for f in chosen],
        times=[f.at for f in chosen],
        gateway_ids=[f.gateway_id for f in chosen],
        message_ids=[f.message_id for f in chosen],
        accept_ms=[f.accept_ms for f in chosen],
        whys=[f.why for f in chosen],
        rounds=[f.round for f in chosen],
        by=by,
    )
    return rows


@dataclass(frozen=True, kw_only=True)
class GiveBack:
    """A promise that never left, or is proven absent: to be sent again after ``wait`` seconds."""

    message: UUID
    attempt: int
    wait: float
    used_retry: bool
    error_class: str
    error_text: str
    why: str
    refund: bool = True
    """Whether the quota it was charged goes back: only for what is proven never to have left."""


async def give_back(conn: Conn, given: Sequence[GiveBack], by: str) -> list[Record]:
    """Sending or unconfirmed -> pending, for exactly the promises named; returns the rows that moved."""
    if not given:
        return []
    rows: list[Record] = await sql.give_back(
        conn,
        ids=[g.message for g in given],
        attempts=[g.attempt for g in given],
        waits=[g.wait for g in given],
        used_retry=[int(g.used_retry) for g in given],
        refund=[g.refund for g in given],
        error_classes=[g.error_class for g in given],
        error_texts=[g.error_text for g in given],
        whys=[g.why for g in given],
        by=by,
    )
    return rows


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A message that will not be tried again by us. ``attempt`` fences our own word, ``round`` the gateway's."""

    message: UUID
    error_class: str
    error_text: str
    attempt: int | None = None
    round: int | None = None


async def fail(conn: Conn, failures: Sequence[Failure], by: str) -> list[Record]:
    """Anything not delivered -> failed, recipients with it; returns the rows that moved."""
    if not failures:
        return []
    unique = list({f.message: f for f in failures}.values())
    rows: list[Record] = await sql.fail(
        conn,
        ids=[f.message for f in unique],
        attempts=[f.attempt for f in unique],
        rounds=[f.round for f in unique],
        error_classes=[f.error_class for f in unique],
        error_texts=[f.error_text for f in unique],
        by=by,
    )
    return rows


async def doubt(conn: Conn, doubts: Sequence[tuple[UUID, int, str]], by: str) -> list[Record]:
    """Sending -> unconfirmed for (message, attempt, why); returns the rows that moved."""
    if not doubts:
        return []
    ids, attempts, whys = zip(*doubts, strict=True)
    rows: list[Record] = await sql.doubt(conn, ids=list(ids), attempts=list(attempts), whys=list(whys), by=by)
    return rows


async def expire(conn: Conn, expired: Sequence[tuple[UUID, int]], most_retries: int, by: str) -> list[Record]:
    """(message, round) expired in the gateway's queue: sent again in a new round, or failed after the last retry."""
    if not expired:
        return []
    ids, rounds = zip(*expired, strict=True)
    rows: list[Record] = await sql.expire(conn, ids=list(ids), rounds=list(rounds), most_retries=most_retries, by=by)
    return rows


async def end_attempts(conn: Conn, ended: Sequence[tuple[UUID, int, str]]) -> None:
    """Note that the call of (message, attempt, error text) ended without an answer. Not a move."""
    if ended:
        ids, attempts, texts = zip(*ended, strict=True)
        await sql.end_attempts(conn, ids=list(ids), attempts=list(attempts), error_texts=list(texts))


async def note_absent(conn: Conn, absent: Sequence[tuple[UUID, int]]) -> None:
    """Note the first look-up that proved (message, attempt) absent. Not a move."""
    if absent:
        await sql.note_absent(conn, ids=[m for m, _ in absent], attempts=[a for _, a in absent])


async def retry_unconfirmed(conn: Conn, recipient: UUID, by: str) -> UUID | None:
    """A person sends an unconfirmed message again, under a new reference; None: it is not unconfirmed any more."""
    message: UUID | None = await sql.retry_unconfirmed(conn, recipient=recipient, by=by)
    return message


NEVER_LEFT = ("never_left", "refused", "expired", "quota", "safety_timeout")
"""Failures that prove it: no byte was written, the gateway took nothing, it expired undelivered, or we never tried.
Not among them: ``reported``, a failure after the gateway had accepted the message."""


async def retry_failed(conn: Conn, campaign: UUID, by: str) -> int | None:
    """One bounded step: a person sends Message 1 again to those who failed and provably never got it.

    Returns how many (fewer than STEP: done), None if the campaign is in no status for this. It then sends again.
    """
    moved: int | None = await sql.retry_failed(conn, campaign=campaign, proven=list(NEVER_LEFT), many=STEP, by=by)
    return moved


async def confirm(conn: Conn, recipient: UUID, by: str) -> UUID | None:
    """A person says that an unconfirmed message arrived: it counts as sent when it was promised."""
    row = await sql.unconfirmed_message(conn, recipient=recipient)
    if row is None:
        return None
    fact = Fact(message=row["id"], status="sent", at=row["promised_at"], why="a person confirmed it")
    moved = await accept(conn, [fact], by)
    return row["id"] if moved else None


# --- replies ---------------------------------------------------------------------------------------


async def record_reply(
    conn: Conn,
    *,
    recipient: UUID,
    sender: UUID,
    state: Literal[RecipientState.REPLIED, RecipientState.LATE_REPLY],
    at: datetime,
    why: str,
    phone: str,
    message_2: str | None,
    media: str | None,
) -> tuple[bool, UUID | None]:
    """Move a recipient to ``state`` and, given ``message_2``, make its one row. Returns (moved, id of that row)."""
    from_states = [RecipientState.AWAITING_REPLY, RecipientState.NO_INTERACTION]
    if state is RecipientState.REPLIED:  # webhooks out of order: the earlier reply was digested later
        from_states.append(RecipientState.LATE_REPLY)
    row = await sql.record_reply(
        conn,
        recipient=recipient,
        sender=sender,
        state=state,
        from_states=from_states,
        at=at,
        why=why,
        phone=phone,
        text=message_2,
        media=media,
    )
    return row["recipient"] is not None, row["message_2"]


async def opt_out(
    conn: Conn,
    contacts: Sequence[UUID],
    *,
    recipient: UUID | None,
    at: datetime,
    why: str,
    by: str,
    keep_silent: bool = False,
) -> list[Record]:
    """Stop everything for a person, in every campaign; ``recipient`` is the one that answered, at ``at``.

    ``keep_silent``: whoever was counted as silent stays so, as every other final state does.
    """
    rows: list[Record] = await sql.opt_out(
        conn, contacts=list(contacts), recipient=recipient, at=at, why=why, by=by, keep_silent=keep_silent
    )
    return rows


# --- time --------------------------------------------------------------------------------------------


async def mark_silent(conn: Conn, campaign: UUID, until: datetime) -> list[Record]:
    """One bounded step: whose window ended before ``until`` is ``no_interaction``. Fewer than STEP rows: done."""
    rows: list[Record] = await sql.mark_silent(conn, campaign=campaign, until=until, many=STEP)
    return rows


async def cancel_pending(conn: Conn, campaign: UUID, why: str, by: str) -> int:
    """One bounded step: what this campaign has not promised is not sent any more. Returns how many."""
    return int(await sql.cancel_pending(conn, campaign=campaign, many=STEP, why=why, by=by))


async def cancel_stopped(conn: Conn, campaign: UUID) -> int:
    """One bounded step: pending rows of people who opted out meanwhile. Returns how many."""
    return int(await sql.cancel_stopped(conn, campaign=campaign, many=STEP, by="lane"))


# --- campaigns and senders ----------------------------------------------------------------------------


async def schedule(conn: Conn, campaign: UUID, at: datetime, *, why: str, by: str) -> bool:
    """Draft -> scheduled."""
    return await sql.schedule_campaign(conn, campaign=campaign, at=at, why=why, by=by) is not None


async def start_launch(conn: Conn, campaign: UUID, *, window: float, safety: float, why: str, by: str) -> bool:
    """Draft or scheduled -> launching, with its reply window and safety time-out fixed (seconds)."""
    return await sql.start_launch(conn, campaign=campaign, window=window, safety=safety, why=why, by=by) is not None


async def finish_launch(conn: Conn, campaign: UUID, why: str) -> UUID | None:
    """Launching -> sending; returns its sender, whose lane is to be woken."""
    row = await sql.finish_launch(conn, campaign=campaign, why=why)
    return None if row is None else row["sender"]


async def all_sent(conn: Conn, campaign: UUID) -> bool:
    """Sending -> waiting, if no Message 1 is open any more."""
    return await sql.all_sent(conn, campaign=campaign) is not None


async def pause(conn: Conn, campaign: UUID, *, holds: Literal["all", "message_1"], why: str, by: str) -> bool:
    """Sending or waiting -> paused; closes the batch."""
    return await sql.pause_campaign(conn, campaign=campaign, holds=holds, why=why, by=by) is not None


async def resume(conn: Conn, campaign: UUID, *, why: str, by: str) -> UUID | None:
    """Paused -> sending, with a fresh window for the breaker; returns its sender."""
    row = await sql.resume_campaign(conn, campaign=campaign, why=why, by=by)
    return None if row is None else row["sender"]


async def cancel(conn: Conn, campaign: UUID, *, why: str, by: str) -> bool:
    """Any open status -> cancelled. Its pending rows follow in bounded steps (``cancel_pending``)."""
    return await sql.cancel_campaign(conn, campaign=campaign, why=why, by=by) is not None


async def complete(conn: Conn, campaign: UUID, *, report: object, why: str, past_safety: bool) -> bool:
    """Waiting -> completed with its report, if every recipient is final (past the safety time: or unconfirmed)."""
    row = await sql.complete_campaign(
        conn, campaign=campaign, report=json_text(report), why=why, past_safety=past_safety
    )
    return row is not None


async def stop_sender(
    conn: Conn, sender: UUID, *, state: Literal["blocked", "offline"], why: str, by: str
) -> list[UUID]:
    """Stop a sender and pause its campaigns; returns those."""
    rows = await sql.stop_sender(conn, sender=sender, state=state, why=why, by=by)
    return [row["id"] for row in rows]


async def move_sender(conn: Conn, sender: UUID, *, old: Sequence[str], new: str, why: str, by: str) -> bool:
    """Change the state of a sender by compare-and-set."""
    return await sql.move_sender(conn, sender=sender, old=list(old), new=new, why=why, by=by) is not None
