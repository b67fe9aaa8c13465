"""Agreement: does this database remember everything the gateway was given?

A fail-over or a restore may have lost the newest commits; then messages that left look unsent. So before a
process promises anything for a sender, at first and after every reconnect to the database, it reads back what the
gateway was given since the newest promise known here. What was lost is recorded again; until the two
agree the sender sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from actors import alerts
from actors.delivery import accepted_as
from gateway import LookupFailed, Outbound, SenderStopped
from models import pool, transitions
from models.queries import sql
from models.transitions import Fact
from rules.phone import from_jid, identity
from rules.text import may_be

if TYPE_CHECKING:
    from actors.process import Process
    from models.pool import Conn

log = structlog.get_logger()

ALERT = "gateway_story"
UNKNOWN = "unknown_messages"
AGAIN_SECONDS = 1.0
"""A gateway that could not be asked is asked again after this."""
UNSENT = ("pending", "cancelled", "failed")
"""What the row of a message that left says, where that was forgotten."""
DOUBTFUL = ("sending", "unconfirmed")
"""Its doubt is settled by what is read anyway; and a Message 2 after it is explained by it."""
LOST = "read back from the gateway: this database had lost it"
FOUND = "found at the gateway"

Told = dict[UUID, tuple[int, Outbound]]
"""By message: the newest round of it that the gateway holds."""


class ElsewhereError(Exception):
    """This connection reaches another server than the one that knows this process: nothing it says counts."""


async def agreed(process: Process, sender: UUID, device: str) -> bool:
    """Whether this process may promise for a sender. False: the gateway's story could not be read, try again later.

    A process's id changes with every reconnect of its identity, so an agreement never outlives the connection; and
    a promise is committed only by the server that holds the lock of that id, so it never outlives the server.
    """
    current = process.identity.id
    if current is None:
        return False
    if process.agreed.get(sender) == current:
        return True
    async with process.agreeing[sender]:  # a hundred replies ask once
        if process.agreed.get(sender) == current:
            return True
        if time.monotonic() - process.disagreed.get(sender, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        return await _agree(process, sender, device, current)


async def _agree(process: Process, sender: UUID, device: str, current: UUID) -> bool:
    """Read the story back and note the agreement; or say why that is not possible."""
    try:
        lost = await _read_back(process, sender, device, current)
        async with _known_here(current) as conn:
            await alerts.over(conn, ALERT, str(sender))
    except ElsewhereError:
        process.disagreed[sender] = time.monotonic()
        return False
    except (LookupFailed, SenderStopped) as error:
        process.disagreed[sender] = time.monotonic()
        log.warning("the sender is held: the gateway's story cannot be read", sender=str(sender), why=error.detail)
        async with pool.connection() as conn:
            await alerts.say(
                conn, ALERT, str(sender), f"held until the gateway can be asked what it sent: {error.detail}"
            )
        return False
    if lost:
        log.warning("the gateway knew messages that this database had lost", sender=str(sender), messages=lost)
    process.agreed[sender] = current
    return True


@asynccontextmanager
async def _known_here(current: UUID) -> AsyncIterator[Conn]:
    """Lend a connection to the server that knows this process."""
    async with pool.connection() as conn:
        if not await sql.process_lives(conn, process=current):
            raise ElsewhereError
        yield conn


async def _read_back(process: Process, sender: UUID, device: str, current: UUID) -> int:
    """Read what the device was given since our newest promise; returns how many were lost here."""
    async with _known_here(current) as conn:
        since: datetime = await sql.remembered_since(conn, sender=sender)
    told: Told = {}
    async for outbound in process.gateway.outbound_since(device, since):
        ours = _ours(outbound)
        if ours is None or outbound.progress == "failed":
            continue
        message, round_ = ours
        if message not in told or told[message][0] < round_:
            told[message] = round_, outbound
    async with _known_here(current) as conn:
        facts = await _known_to_us(conn, told)
        await _record(process, conn, facts)
        # Then those nobody here knows, oldest first: a Message 2 is explained by the Message 1 before it.
        again = await _unknown_to_us(conn, sender, told)
        await _record(process, conn, again)
    return sum(fact.why == LOST for fact in facts + again)


async def _record(process: Process, conn: Conn, facts: list[Fact]) -> None:
    moved = await transitions.accept(conn, facts, by="agreement")
    if forgotten := [row["id"] for row in moved if row["was"] == "pending"]:
        await sql.charge_forgotten(conn, ids=forgotten)
    for row in moved:
        process.moved(row["campaign"])


async def _known_to_us(conn: Conn, told: Told) -> list[Fact]:
    """Return what the gateway holds and its rows do not say; takes the rows known here out of ``told``."""
    facts = []
    rows = await sql.remembered(conn, ids=list(told))
    newer = {row["id"]: told[row["id"]][0] for row in rows if told[row["id"]][0] > row["round"]}
    await sql.adopt_rounds(conn, ids=list(newer), rounds=list(newer.values()))
    for row in rows:
        round_, outbound = told.pop(row["id"])
        if row["id"] in newer or (row["round"] == round_ and row["status"] in UNSENT):
            facts.append(_fact(row["id"], round_, outbound, LOST))
        elif row["round"] == round_ and row["status"] in DOUBTFUL:
            facts.append(_fact(row["id"], round_, outbound, FOUND))
    return facts


async def _unknown_to_us(conn: Conn, sender: UUID, told: Told) -> list[Fact]:
    """Make the lost rows of Message 2 again; whatever nothing explains holds the sender."""
    facts: list[Fact] = []
    unexplained: list[datetime] = []
    for message, (round_, outbound) in sorted(told.items(), key=lambda item: _at(item[1][1])):
        if await _make_again(conn, sender, message, outbound):
            facts.append(_fact(message, round_, outbound, LOST))
        elif not await sql.remembered(conn, ids=[message]):  # another process may have made it again meanwhile
            log.error("an unknown message at the gateway", sender=str(sender), message=str(message))
            unexplained.append(_at(outbound))
    if unexplained:
        await _hold(conn, sender, max(unexplained), len(unexplained))
    return facts


def _ours(outbound: Outbound) -> tuple[UUID, int] | None:
    """Return the message and round a reference of ours names; None for anybody else's."""
    name, _, round_ = (outbound.reference or "").partition(".")
    try:
        return UUID(name), int(round_ or 0)
    except ValueError:
        return None


async def _make_again(conn: Conn, sender: UUID, message: UUID, outbound: Outbound) -> bool:
    """Make the lost row of a Message 2 again, if the one it was given to explains it.

    By its text too, where the gateway tells it: a forgotten Message 1 of a campaign that nobody here knows may have
    gone to somebody who answered an older one, and that one's Message 2 is still due.
    """
    phone, _ = from_jid(outbound.wid or "")
    if phone is None:
        return False
    for row in await sql.without_message_2(conn, identity=identity(phone), sender=sender):
        if outbound.text is None or may_be(outbound.text, row["message_2"]):
            made = await sql.forgotten_message_2(
                conn, id=message, recipient=row["recipient"], sender=sender, phone=phone, at=_at(outbound),
                text=outbound.text,
            )  # fmt: skip
            return made is not None
    return False


async def _hold(conn: Conn, sender: UUID, newest: datetime, many: int) -> None:
    """Pause a sender whose messages nothing here explains, once: a person who resumes it has seen them.

    A campaign launched since the moment the database was restored to would be launched again, to the same people.
    """
    seen: datetime | None = await sql.alerted_at(conn, kind=UNKNOWN, subject=str(sender))
    if seen is not None and newest <= seen:
        return
    text = (
        f"the gateway sent {many} messages of ours that this database does not know: it was restored to an earlier"
        " moment. Look for campaigns that were launched since, before you resume this sender"
    )
    await alerts.say(conn, UNKNOWN, str(sender), text)
    await transitions.move_sender(conn, sender, old=["ready", "degraded"], new="paused", why=text, by="agreement")


def _at(outbound: Outbound) -> datetime:
    return outbound.created_at or datetime.now(UTC)


def _fact(message: UUID, round_: int, outbound: Outbound, why: str) -> Fact:
    return Fact(
        message=message,
        status=accepted_as(outbound),
        round=round_,
        at=_at(outbound),
        why=why,
        gateway_id=outbound.gateway_id,
        message_id=outbound.message_id,
    )
