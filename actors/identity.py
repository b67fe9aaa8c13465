"""Who this process is: an id that stands on every promise, and a lock that says it lives.

The lock is a session advisory lock on a connection of its own. PostgreSQL frees it within milliseconds of the
process's death, and keeps it while the process is merely frozen: only then is absence at the gateway believed.
A process that loses that connection goes on under a new id; promises of the old one count as a dead man's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import structlog
from uuid_utils.compat import uuid7

from models import pool
from models.queries import sql

if TYPE_CHECKING:
    from asyncpg import Connection, Record

log = structlog.get_logger()

BEAT_SECONDS = 1.0
GOODBYE_SECONDS = 0.5
"""A shutdown is not held up by a database that is away."""


class Identity:
    """The id of this process while its lock is held; ``alive()`` keeps it so."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._held: UUID | None = None
        self._lock: Connection[Record] | None = None

    @property
    def id(self) -> UUID | None:
        """The id to put on a promise; None: the lock is not held, promise nothing."""
        return self._held if self._lock is not None and not self._lock.is_closed() else None

    async def alive(self) -> None:
        """Hold the lock and beat, for as long as the process lives. Cancel it to stop."""
        try:
            while True:
                try:
                    await self._beat()
                except pool.UNAVAILABLE as error:
                    await self._let_go()
                    log.warning("no database: nothing can be promised", error=str(error))
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            await self._say_goodbye()
            await self._let_go()

    async def _say_goodbye(self) -> None:
        """End in good order: nobody waits for this process to come back."""
        if self.id is not None and self._lock is not None:
            with contextlib.suppress(*pool.UNAVAILABLE, asyncpg.PostgresError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await sql.ended(self._lock, process=self._held)

    async def _beat(self) -> None:
        if self.id is None:
            await self._let_go()
            self._lock = await pool.connect()
            name = uuid7()
            await sql.hold_process_lock(self._lock, process=str(name))
            await self._write(self._lock, name)  # first: every promise can be traced to the server of its lock
            self._held = name
            log.info("this process is known", id=str(name), kind=self.kind)
            return
        assert self._lock is not None and self._held is not None
        await self._write(self._lock, self._held)

    async def _write(self, lock: Connection[Record], name: UUID) -> None:
        async with asyncio.timeout(5):
            await sql.beat(lock, process=name, kind=self.kind, host=socket.gethostname(), pid=os.getpid())

    async def _let_go(self) -> None:
        self._held, lock, self._lock = None, self._lock, None
        if lock is not None:
            with contextlib.suppress(*pool.UNAVAILABLE):
                lock.terminate()
