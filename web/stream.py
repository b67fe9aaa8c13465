"""Live streams: one subscription per web process, fanned out to every browser that watches.

A stream begins with a snapshot from SQL; then come changes, latest wins: a slow reader gets the newest figures,
not all of them. While Redis is away a stream goes on with snapshots from SQL, every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog
from litestar import Litestar, Request, Response
from litestar.response import Stream

from actors.ending import end
from models import live, pool
from models.progress import NoSuchCampaign
from web.auth import while_admitted

log = structlog.get_logger()

PING_SECONDS = 15.0
"""A comment so often keeps proxies from closing a quiet stream."""
WITHOUT_REDIS_SECONDS = 3.0
"""While nothing is heard from Redis, a fresh snapshot so often."""
QUIET_SECONDS = 2.0
"""When nothing came for so long, Redis is asked whether it is there."""
SILENT_SECONDS = 5.0
"""When it answered nothing for so long, the connection is given up."""
RECONNECT_SECONDS = (0.2, 5.0)
"""The first wait before a new connection, and the longest."""
MONITORING = "monitoring"
"""Key of the one snapshot that is no campaign's."""

Snapshots = Callable[[], Awaitable[dict[str, Any]]]
"""Returns the newest figures by key; the keys are kept apart when changes overtake each other."""


class Frame(msgspec.Struct):
    """What actors publish about a campaign or an import; ``data`` is passed on as it is."""

    type: str
    subject: UUID
    data: msgspec.Raw


class Status(msgspec.Struct):
    """What is read of a frame's data."""

    status: str


class Watcher:
    """One open stream: the newest event of each kind and subject that it has not been sent yet."""

    def __init__(self, subject: UUID | None) -> None:
        self.subject = subject
        self.waiting: dict[str, tuple[str, bytes]] = {}
        self.stale = False
        self.woken = asyncio.Event()

    def offer(self, frame: Frame) -> None:
        """Take a frame, in the place of an older one of the same subject."""
        if self.subject in (None, frame.subject):
            self.waiting[str(frame.subject)] = (frame.type, bytes(frame.data))
            self.woken.set()

    def take(self, kind: str, data: bytes, subject: UUID | None) -> None:
        """Take another event than a frame; one that has no subject is for those who watch everything."""
        if self.subject in (None, subject):
            self.waiting[f"{kind} {subject}"] = (kind, data)
            self.woken.set()

    def outdated(self) -> None:
        """Frames may have been missed: a snapshot is due."""
        self.stale = True
        self.woken.set()


class Hub:
    """The one subscriber of this process."""

    def __init__(self) -> None:
        self.connected = False
        self.moves = asyncio.Event()
        """Set when a campaign's status moved (``take_moves`` says which)."""
        self._moved: set[UUID] = set()
        self._statuses: dict[UUID, str] = {}
        self._closing = False
        self._watchers: set[Watcher] = set()

    @property
    def watched(self) -> bool:
        """Whether anybody watches everything."""
        return any(watcher.subject is None for watcher in self._watchers)

    def tell(self, kind: str, data: bytes, campaign: UUID | None = None) -> None:
        """Hand an event to everybody it is for."""
        for watcher in self._watchers:
            watcher.take(kind, data, campaign)

    def take_moves(self) -> set[UUID]:
        """Return the campaigns that moved since the last time."""
        self.moves.clear()
        moved, self._moved = self._moved, set()
        return moved if self._watchers else set()

    def close(self) -> None:
        """End every stream, and accept no further one."""
        self._closing = True
        for watcher in self._watchers:
            watcher.woken.set()

    async def listen(self) -> None:
        """Hear frames for as long as the process lives; reconnect by itself, with growing patience."""
        wait, most = RECONNECT_SECONDS
        while True:
            try:
                await self._hear()
            except live.UNAVAILABLE as error:
                if self.connected:
                    log.warning("live frames are not heard; streams go on from SQL", error=str(error))
                    wait = RECONNECT_SECONDS[0]
            self.connected = False
            await asyncio.sleep(wait)
            wait = min(most, wait * 2)

    async def _hear(self) -> None:
        client = live.async_client(socket_timeout=None)
        try:
            async with client.pubsub(ignore_subscribe_messages=False) as channel:
                await channel.subscribe(live.FRAMES)
                heard_at = time.monotonic()
                while True:
                    message = await channel.get_message(timeout=QUIET_SECONDS)
                    if message is None and time.monotonic() - heard_at > SILENT_SECONDS:
                        raise TimeoutError("Redis does not answer")  # frozen, or cut off without a word
                    if message is None:
                        await channel.ping()
                        continue
                    heard_at = time.monotonic()
                    if message["type"] == "subscribe":
                        self._subscribed()
                    elif message["type"] == "message":
                        self._offer(message["data"])
        finally:
            with contextlib.suppress(*live.UNAVAILABLE):
                await client.aclose()

    def _subscribed(self) -> None:
        self.connected = True
        log.info("live frames are heard")
        for watcher in self._watchers:
            watcher.outdated()

    def _offer(self, text: bytes) -> None:
        try:
            frame = msgspec.json.decode(text, type=Frame)
        except msgspec.MsgspecError as error:
            log.warning("a live frame cannot be read", error=str(error))
            return
        if frame.type == "progress":
            self._note_status(frame)
        for watcher in self._watchers:
            watcher.offer(frame)

    def _note_status(self, frame: Frame) -> None:
        with contextlib.suppress(msgspec.MsgspecError):
            status = msgspec.json.decode(frame.data, type=Status).status
            if self._statuses.get(frame.subject) != status:
                self._statuses[frame.subject] = status
                self._moved.add(frame.subject)
                self.moves.set()

    async def stream(
        self, subject: UUID | None, kind: str, first: dict[str, Any], again: Snapshots, last_id: int
    ) -> AsyncGenerator[bytes, None]:
        """Yield the events of one stream: the snapshot ``first``, then changes, until the client or the process ends.

        ``kind`` names the events of a snapshot. ``again`` returns a new snapshot; it must not keep a connection.
        Ids rise, also across reconnects.
        """
        watcher = Watcher(subject)
        self._watchers.add(watcher)
        number = max(last_id, time.time_ns() // 1000)
        written = time.monotonic()
        due: dict[str, tuple[str, bytes]] = _encoded(kind, first)
        try:
            while not self._closing:
                for event, data in due.values():
                    number = max(number + 1, time.time_ns() // 1000)
                    yield b"id: %d\nevent: %s\ndata: %s\n\n" % (number, event.encode(), data)
                    written = time.monotonic()
                due = await self._due(watcher, kind, again)
                if not due and time.monotonic() - written >= PING_SECONDS:
                    yield b": ping\n\n"
                    written = time.monotonic()
        finally:
            self._watchers.discard(watcher)

    async def _due(self, watcher: Watcher, kind: str, again: Snapshots) -> dict[str, tuple[str, bytes]]:
        """Wait for what is to be written next; empty: nothing for now."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watcher.woken.wait(), WITHOUT_REDIS_SECONDS)
        watcher.woken.clear()
        if watcher.stale or not self.connected:
            watcher.stale = False
            # A database that is away, or a draft that was deleted, ends no stream.
            with contextlib.suppress(*pool.UNAVAILABLE, asyncpg.PostgresError, NoSuchCampaign):
                return _encoded(kind, await again())
        due, watcher.waiting = watcher.waiting, {}
        return due


def _encoded(kind: str, snapshots: dict[str, Any]) -> dict[str, tuple[str, bytes]]:
    return {
        key: (MONITORING if key == MONITORING else kind, msgspec.json.encode(figures))
        for key, figures in snapshots.items()
    }


hub = Hub()
"""The one of this process."""


@contextlib.asynccontextmanager
async def listening(_: Litestar) -> AsyncIterator[None]:
    """Run the hub as long as the application runs."""
    task = asyncio.create_task(hub.listen(), name="hub")
    try:
        yield
    finally:
        hub.close()
        await end([task])


async def event_stream(
    request: Request[Any, Any, Any], subject: UUID | None, snapshots: Snapshots, kind: str = "progress"
) -> Response[Any]:
    """Answer with a live stream; the first snapshot is taken before, so that its errors are proper answers."""
    given = request.headers.get("last-event-id", "")
    last_id = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else 0
    first = await snapshots()
    return Stream(
        while_admitted(request, hub.stream(subject, kind, first, snapshots, last_id)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
