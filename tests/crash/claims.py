"""Hearing of every promise the moment it is committed, and holding one up just before: triggers tell, and wait."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from tests.crash.process import send, stands_still
from tests.crash.story import Campaign, Story
from tests.simulator_process import until

if TYPE_CHECKING:
    from asyncpg import Connection, Record


@dataclass(frozen=True)
class Claimed:
    """One promise, as it was committed."""

    message: UUID
    sender: UUID
    step: int
    process: UUID


CLAIMS_ARE_TOLD = """
CREATE OR REPLACE FUNCTION tell_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claims', concat_ws(' ', NEW.id, NEW.sender, NEW.step, NEW.process));
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER claims_are_told AFTER UPDATE ON message FOR EACH ROW
    WHEN (NEW.status = 'sending' AND OLD.status <> 'sending') EXECUTE FUNCTION tell_claim();
"""


@asynccontextmanager
async def claims_of(books: Story) -> AsyncIterator[asyncio.Queue[Claimed]]:
    """Hear of every promise from now on."""
    heard: asyncio.Queue[Claimed] = asyncio.Queue()

    def told(_conn: object, _pid: int, _channel: str, payload: object) -> None:
        message, sender, step, process = str(payload).split()
        heard.put_nowait(Claimed(UUID(message), UUID(sender), int(step), UUID(process)))

    async with books.apart() as conn:
        await conn.execute(CLAIMS_ARE_TOLD)
        await conn.add_listener("claims", told)
        yield heard


HELD = 4711
"""The advisory lock that a held promise waits for."""
CLAIMS_ARE_HELD = """
CREATE OR REPLACE FUNCTION hold_claim() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({lock});
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER claims_are_held AFTER UPDATE ON message FOR EACH ROW
    WHEN (NEW.status = 'sending' AND OLD.status <> 'sending' AND NEW.campaign = '{campaign}')
    EXECUTE FUNCTION hold_claim();
"""
CLAIM_WAITS = f"""
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {HELD} AND NOT granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


class Held:
    """The first promise of a campaign, held up inside its statement; ``asyncpg`` has sent it whole."""

    def __init__(self, books: Story, holder: Connection[Record], campaign: Campaign) -> None:
        self._books = books
        self._holder = holder
        self._campaign = campaign

    async def freeze_between_promise_and_write(self, pid: int) -> UUID:
        """Freeze the promising process while PostgreSQL still works on its promise, then let that be committed.

        However slow the machine: the process is stopped before there is a promise to keep. Returns the message.
        """
        await until(lambda: self._books.value(CLAIM_WAITS), seconds=60, what="a promise to be held up")
        send(pid, signal.SIGSTOP)
        await until(lambda: stands_still(pid), seconds=30, what="the process to stand still")
        await self._holder.execute("SELECT pg_advisory_unlock($1)", HELD)
        promised = "SELECT id FROM message WHERE campaign = $1 AND status = 'sending'"
        await until(
            lambda: self._books.value(promised, self._campaign.id), seconds=30, what="the promise to be committed"
        )
        message: UUID = await self._books.value(promised, self._campaign.id)
        return message


@asynccontextmanager
async def held_claim_of(books: Story, campaign: Campaign) -> AsyncIterator[Held]:
    """Hold up the promises of a campaign from now on."""
    async with books.apart() as holder:
        await holder.execute("SELECT pg_advisory_lock($1)", HELD)
        await holder.execute(CLAIMS_ARE_HELD.format(lock=HELD, campaign=campaign.id))
        yield Held(books, holder, campaign)
