"""The one writer of webhooks in a web process: at once when idle, many in one statement under load.

Whoever hands one over waits until it is committed. One commit for many is what a disk can keep up with: each webhook
still is on it before its 200.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from litestar import Litestar

from actors.ending import end
from models import pool
from models.queries import sql

MOST = 200
"""Webhooks of one statement."""
WRITERS = 2
"""Statements under way: the next one is being collected while one is committed."""


@dataclass(frozen=True)
class Webhook:
    """One authenticated webhook. ``unreadable``: why it cannot be understood; it is kept all the same."""

    event_key: str
    kind: str
    device_id: str | None
    from_person: bool
    body: bytes
    unreadable: str | None
    stored: asyncio.Future[UUID | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Intake:
    """Collects webhooks from every request of this process and stores them in groups."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Webhook] = asyncio.Queue()

    async def store(self, webhook: Webhook) -> UUID | None:
        """Store one; returns its inbox row once it is committed, None where the event is there already.

        Raises what the database raised: then it is not stored, and the gateway sends it again.
        """
        self._waiting.put_nowait(webhook)
        return await webhook.stored

    async def running(self) -> None:
        """Write for as long as the process lives."""
        while True:
            group = [await self._waiting.get()]
            while len(group) < MOST and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            await self._write_for_all(group)

    async def _write_for_all(self, group: list[Webhook]) -> None:
        """Write a group. One that the database refuses must not take the others with it."""
        try:
            found = await _write(group)
        except asyncio.CancelledError:
            _fail(group, ConnectionError("the process ends"))
            raise
        except asyncpg.DataError as error:
            if len(group) > 1:
                for webhook in group:
                    await self._write_for_all([webhook])
                return
            _fail(group, error)
        except Exception as error:  # whatever it was, every request of this group must hear of it
            _fail(group, error)
        else:
            for webhook in group:
                # The same event twice in one group: only the first of them is new.
                if not webhook.stored.done():
                    webhook.stored.set_result(found.pop(webhook.event_key, None))


async def _write(group: list[Webhook]) -> dict[str, UUID]:
    """Insert a group in one statement; returns the new rows by event key."""
    async with pool.connection() as conn:
        rows = await sql.store_webhooks(
            conn,
            event_keys=[w.event_key for w in group],
            kinds=[w.kind for w in group],
            device_ids=[w.device_id for w in group],
            from_persons=[w.from_person for w in group],
            bodies=[w.body for w in group],
            unreadable=[w.unreadable for w in group],
        )
    return {row["event_key"]: row["id"] for row in rows}


def _fail(group: list[Webhook], error: BaseException) -> None:
    for webhook in group:
        if not webhook.stored.done():
            webhook.stored.set_exception(error)


@asynccontextmanager
async def taking(app: Litestar) -> AsyncIterator[None]:
    """Run the writers as long as the application runs."""
    intake = Intake()
    app.state.intake = intake
    tasks = [asyncio.create_task(intake.running(), name="intake") for _ in range(WRITERS)]
    try:
        yield
    finally:
        await end(tasks)
