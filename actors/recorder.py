"""The one writer of results in a process: immediate when idle, batched under load.

A result that waits here is not lost by a crash: its row stays ``sending`` and the retrier asks the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from models import pool, transitions
from models.transitions import Fact, Failure, GiveBack, Promise

log = structlog.get_logger()

MOST = 500
"""Results of one statement."""
AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """The call for a promise ended without an answer: only a look-up can tell."""

    message: UUID
    attempt: int
    error_text: str


Result = Fact | GiveBack | Failure | Ended


@dataclass(frozen=True)
class Entry:
    """One result and the promise it settles. ``late``: seconds after its slot that a Message 1 was written."""

    promise: Promise
    result: Result
    late: float | None = None


class Recorder:
    """Collects results from any task of the loop and writes them in groups."""

    def __init__(self, settled: Callable[[list[Entry]], Awaitable[None]]) -> None:
        self._settled = settled
        self._waiting: asyncio.Queue[Entry] = asyncio.Queue()
        self._writing: list[Entry] = []

    def put(self, promise: Promise, result: Result, late: float | None = None) -> None:
        """Hand over one result; never waits. ``late``: see ``Entry``."""
        self._waiting.put_nowait(Entry(promise, result, late))

    @property
    def idle(self) -> bool:
        """Whether everything handed over has been written."""
        return self._waiting.empty() and not self._writing

    async def running(self) -> None:
        """Write for as long as the process lives; while the database is away, keep and try again."""
        while True:
            self._writing = [await self._waiting.get()]
            while len(self._writing) < MOST and not self._waiting.empty():
                self._writing.append(self._waiting.get_nowait())
            try:
                await self._write_patiently(self._writing)
            except asyncpg.PostgresError:
                await self._write_singly(self._writing)
            await self._settled(self._writing)
            self._writing = []

    async def _write_patiently(self, entries: list[Entry]) -> None:
        while True:
            try:
                return await self._write(entries)
            except (*pool.UNAVAILABLE, *pool.TRANSIENT) as error:
                log.warning("results wait for the database", results=len(entries), error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)

    async def _write_singly(self, entries: list[Entry]) -> None:
        """One result that the database refuses must not hold up the others; its row stays for the retrier."""
        for entry in entries:
            try:
                await self._write_patiently([entry])
            except asyncpg.PostgresError:
                log.exception("a result was refused by the database", message=str(entry.promise.message))

    async def _write(self, entries: list[Entry]) -> None:
        """Record each kind in one statement; all of them are idempotent, so a retry may repeat some."""
        results = [entry.result for entry in entries]
        async with pool.connection() as conn:
            await transitions.accept(conn, [r for r in results if isinstance(r, Fact)], by="send")
            await transitions.give_back(conn, [r for r in results if isinstance(r, GiveBack)], by="send")
            await transitions.fail(conn, [r for r in results if isinstance(r, Failure)], by="send")
            await transitions.end_attempts(
                conn, [(r.message, r.attempt, r.error_text) for r in results if isinstance(r, Ended)]
            )

    async def drained(self, seconds: float) -> bool:
        """Wait until everything is written, at most so long; False: something still waits."""
        try:
            async with asyncio.timeout(seconds):
                while not self.idle:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return False
        return True
