"""The tick: what is looked at, how often, and which actor is woken for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import redis.asyncio
import structlog

import settings
from actors.delivery import overdue_seconds
from actors.wake import ROUTES, wake
from models import live, pool
from models.erasure import SETTLED_SECONDS
from models.queries import sql

if TYPE_CHECKING:
    from models.pool import Conn

log = structlog.get_logger()

LEASE_SECONDS = 5.0
TICK_SECONDS = 1.0
MOST = 500
"""Wakes of one kind in one tick: an outage would else wake a hundred thousand rows each second."""
DEEP = 1_000
"""A queue with so many messages gets no further ones."""
SETTLING_SECONDS = 0.7
"""Rows younger than this are being handled by whoever made them."""

DEVICE_SECONDS = 15.0
"""How often the gateway is asked how a number is that is offline, or sending."""
GUARD_SECONDS = 5.0
"""How often a number that is sending is looked at for silence and a reach-out lock."""

RETENTION_SECONDS = 3600.0
"""How often what is old is removed."""


@dataclass
class Watch:
    """One thing to look at: what is due, and the actor to wake with each id (or once, without)."""

    actor: str
    find: Callable[[Conn], Awaitable[list[Any]]]
    every: float = TICK_SECONDS
    column: str = "id"
    last: float = 0.0


def watches() -> list[Watch]:
    """Return everything the scheduler looks at."""
    return [
        Watch("send_batch", lambda c: sql.idle_lanes(c, many=MOST)),
        Watch("handle_interaction", lambda c: sql.undigested_from_people(c, older_than=SETTLING_SECONDS, many=MOST)),
        Watch("handle_interaction", lambda c: sql.unpark_settled(c)),
        Watch("send_message_2", lambda c: sql.due_message_2(c, older_than=SETTLING_SECONDS, many=MOST)),
        Watch("digest_acknowledgements", _acknowledgements, column=""),
        Watch(
            "settle_doubts",
            lambda c: sql.senders_in_doubt(c, older_than=overdue_seconds(), many=MOST),
            column="sender",
        ),
        Watch("settle_doubts", lambda c: sql.senders_unconfirmed(c, many=MOST), every=15, column="sender"),
        Watch("ask_device", lambda c: sql.senders_to_examine(c, many=MOST), every=DEVICE_SECONDS),
        Watch("guard_sender", lambda c: sql.senders_at_work(c, many=MOST), every=GUARD_SECONDS),
        Watch("launch_campaign", lambda c: sql.unfinished_launches(c, many=MOST)),
        Watch("launch_campaign", lambda c: sql.due_campaigns(c, many=MOST)),
        Watch("import_contacts", lambda c: sql.unfinished_imports(c, many=MOST), every=5),
        Watch(
            "send_trial", lambda c: sql.due_trials(c, older_than=SETTLING_SECONDS, overdue=overdue_seconds(), many=MOST)
        ),
        Watch("erase_traces", lambda c: sql.unfinished_erasures(c, settled=SETTLED_SECONDS, many=MOST), every=60),
        Watch(
            "hear_sender", lambda c: sql.senders_to_hear(c, many=MOST), every=settings.get().hearing_interval_seconds
        ),
        Watch("sweep_campaigns", _always, every=settings.get().sweep_interval_seconds, column=""),
        Watch("forget_old", _always, every=RETENTION_SECONDS, column=""),
        Watch("refresh_stats", lambda c: sql.active_campaigns(c, statuses=["launching", "sending"], many=MOST)),
        Watch("refresh_stats", lambda c: sql.active_campaigns(c, statuses=["waiting", "paused"], many=MOST), every=10),
    ]


async def _acknowledgements(conn: Conn) -> list[Any]:
    return [None] if await sql.acknowledgements_wait(conn) else []


async def _always(conn: Conn) -> list[Any]:
    return [None]


class Clock:
    """Ticks while it leads; stands by otherwise."""

    def __init__(self, owner: UUID, client: redis.asyncio.Redis) -> None:
        self._owner = owner
        self._client = client
        self._watches = watches()
        self.leads = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Tick every second until told to stop; outages of the database are sat out."""
        while not stopping.is_set():
            began = time.monotonic()
            try:
                async with pool.connection() as conn:
                    await self._lead(conn)
                    if self.leads:
                        await self._tick(conn)
            except (*pool.UNAVAILABLE, *pool.TRANSIENT) as error:
                log.warning("the scheduler waits for the database", error=str(error))
            rest = max(0.05, TICK_SECONDS - (time.monotonic() - began))
            try:
                await asyncio.wait_for(stopping.wait(), rest)
            except TimeoutError:
                continue
        await self._step_down()

    async def _lead(self, conn: Conn) -> None:
        led = self.leads
        self.leads = bool(await sql.lead(conn, owner=self._owner, seconds=LEASE_SECONDS))
        if self.leads != led:
            log.info("leading" if self.leads else "standing by")

    async def _step_down(self) -> None:
        """Let the standby take over at once; without a database it does when the lease ends."""
        if self.leads:
            with contextlib.suppress(*pool.UNAVAILABLE, *pool.TRANSIENT):
                async with pool.connection() as conn:
                    await sql.stop_leading(conn, owner=self._owner)

    async def _tick(self, conn: Conn) -> None:
        """Look at everything that is due to be looked at, and wake."""
        deep = await self._deep_queues()
        for watch in self._watches:
            now = time.monotonic()
            if now - watch.last < watch.every - 0.1 or ROUTES[watch.actor] in deep:
                continue
            watch.last = now
            for row in await watch.find(conn):
                wake(watch.actor, *([row[watch.column]] if watch.column else []))

    async def _deep_queues(self) -> set[str]:
        """Name the queues that have enough to do; none, where Redis does not say."""
        queues = sorted(set(ROUTES.values()))
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for queue in queues:
                    pipe.llen(f"{live.QUEUES}:{queue}")
                return {queue for queue, length in zip(queues, await pipe.execute(), strict=True) if length > DEEP}
        except live.UNAVAILABLE:
            return set()
