"""What one worker process holds while it lives: its identity, its gateway, its gate, its recorder, its lanes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import redis.asyncio
import structlog

import gateway as door
from actors import wake
from actors.ending import end
from actors.gate import Gate
from actors.identity import Identity
from actors.recorder import Entry, Recorder
from models import cache, forgetting, live, pool
from models.queries import sql
from models.transitions import Fact, Failure, GiveBack
from rules.phone import mask

log = structlog.get_logger()

DRAIN_SECONDS = 3.5
"""What is under way at a shutdown may take this long; what remains is looked up by the retrier."""
FORGET_SECONDS = 1.0
"""Cached statistics of messages are dropped at most so often, however many move."""
PULSE_SECONDS = 0.25
"""At most four snapshots a second of one campaign."""


class Process:
    """The resources of one worker process, all on its event loop."""

    def __init__(self, kind: str) -> None:
        self.identity = Identity(kind)
        self.gateway: door.Gateway = door.open_gateway()
        self.redis: redis.asyncio.Redis = live.async_client()
        cache.open_cache(self.redis)
        self.gate = Gate(self.redis)
        self.recorder = Recorder(self._settled)
        self.stopping = asyncio.Event()
        self.lanes: set[UUID] = set()
        self.agreed: dict[UUID, UUID] = {}
        """By sender: this process's id when database and gateway were last found to agree; promises carry it."""
        self.agreeing: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.disagreed: dict[UUID, float] = {}
        """By sender: when the gateway's story could last not be read (monotonic)."""
        self.in_hand: set[UUID] = set()
        """Messages this process promised and knows of, until their result is written."""
        self._dirty: set[UUID] = set()
        self._stats_stale = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._servants: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        """Open the pool and start what runs as long as the process does. Succeeds without a database."""
        await pool.open_pool()
        for name, work in (
            ("identity", self.identity.alive()),
            ("recorder", self.recorder.running()),
            ("pulse", self._pulse()),
        ):
            servant = asyncio.create_task(work, name=name)
            servant.add_done_callback(self._servant_died)
            self._servants.append(servant)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run ``work`` in the background; a shutdown waits for it."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task ended in an error", task=task.get_name(), exc_info=error)

    def _servant_died(self, task: asyncio.Task[Any]) -> None:
        """Without its recorder or its identity a process is worse than dead: end it, the supervisor starts anew."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a part of this process died", part=task.get_name(), exc_info=error)
            os.kill(os.getpid(), signal.SIGTERM)

    def moved(self, campaign: UUID) -> None:
        """Say that figures of a campaign changed: a snapshot follows within a quarter of a second.

        Cached statistics are dropped with it, within a second.
        """
        self._dirty.add(campaign)
        self.figures_moved()

    def figures_moved(self) -> None:
        """Say that statistics may have changed, for whatever reason: cached ones are dropped within a second."""
        self._stats_stale = True

    async def _pulse(self) -> None:
        forgotten_at = float("-inf")
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            if self._stats_stale and time.monotonic() - forgotten_at >= FORGET_SECONDS:
                self._stats_stale, forgotten_at = False, time.monotonic()
                await forgetting.messages_moved()
            dirty, self._dirty = self._dirty, set()
            for campaign in dirty:
                wake.wake("refresh_stats", campaign)

    async def _settled(self, entries: list[Entry]) -> None:
        """Log what was recorded, and wake those who waited for it."""
        self.in_hand.difference_update(entry.promise.message for entry in entries)
        for entry in entries:
            promise, result = entry.promise, entry.result
            about: dict[str, object] = {
                "campaign": str(promise.campaign),
                "contact": str(promise.contact),
                "message": str(promise.message),
                "step": promise.step,
                "phone": mask(promise.phone),
            }
            if entry.late is not None:
                about["late_ms"] = round(entry.late * 1000, 1)
            if promise.batch is not None:
                about["batch"] = str(promise.batch)
            if isinstance(result, Fact):
                log.info("message sent", **about, ms=round(result.accept_ms or 0, 1), gateway_id=result.gateway_id)
            elif isinstance(result, GiveBack):
                log.warning("message not sent, will be tried again", **about, why=result.why)
            elif isinstance(result, Failure):
                log.warning("message failed", **about, why=result.error_text)
            else:
                log.warning("message in doubt, will be looked up", **about, why=result.error_text)
            self.moved(promise.campaign)
        # A reply that somebody holds just now, or a database that is away: the scheduler lets it go later.
        with contextlib.suppress(*pool.UNAVAILABLE, *pool.TRANSIENT):
            await self.unpark([entry.promise.message for entry in entries if entry.promise.step == 1])

    async def unpark(self, messages: list[UUID]) -> None:
        """Wake the replies that waited until these messages were no longer in doubt."""
        if messages:
            async with pool.connection() as conn:
                for row in await sql.unpark(conn, messages=messages):
                    wake.wake("handle_interaction", row["id"])

    async def close(self) -> None:
        """Drain: no new work, what is under way may end, results are written, then everything is closed."""
        self.stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        if not await self.recorder.drained(1.0):
            log.warning("some results were not written; they will be looked up")
        await end([*self._tasks, *self._servants])
        await self.gateway.close()
        await self.redis.aclose()
        await pool.close_pool()
        wake.close()


_this: Process | None = None


def this() -> Process:
    """Return the process's resources; RuntimeError before they are open."""
    if _this is None:
        raise RuntimeError("this process runs no actors")
    return _this


async def open_process(kind: str) -> None:
    """Open this process's resources, on the running loop."""
    global _this
    _this = Process(kind)
    await _this.open()


async def close_process() -> None:
    """Drain and close them."""
    global _this
    if _this is not None:
        await _this.close()
        _this = None
