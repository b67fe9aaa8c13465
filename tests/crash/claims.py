"""Hearing of every promise the moment it is committed: a trigger tells, a test listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from tests.crash.story import Story


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
