"""The lease of a lane: one owner per sender, for ten seconds at a time.

The owner knows the end of its lease by its own monotonic clock, counted from *before* the request that got it,
so it never believes in more than the database gave. A process frozen past that moment sends nothing when it
wakes: the fence in the connection hook asks ``left()`` last of all.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

import settings
from models import pool
from models.queries import sql

log = structlog.get_logger()


@dataclass
class Lease:
    """The right to promise Message 1 for one sender."""

    sender: UUID
    owner: UUID
    epoch: int
    ends: float
    """On the monotonic clock."""
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    def left(self) -> float:
        """Seconds of the lease that are left."""
        return self.ends - time.monotonic()

    async def renewing(self) -> None:
        """Renew until the lease is lost or the task is cancelled."""
        while not self.lost.is_set():
            await asyncio.sleep(settings.LEASE_RENEW_SECONDS)
            before = time.monotonic()
            try:
                async with pool.connection() as conn:
                    kept = await sql.renew_lane(
                        conn, sender=self.sender, owner=self.owner, epoch=self.epoch, seconds=settings.LEASE_SECONDS
                    )
            except (*pool.UNAVAILABLE, *pool.TRANSIENT) as error:
                log.warning("the lease could not be renewed", sender=str(self.sender), error=str(error))
                if self.left() <= 0:
                    self.lost.set()
                continue
            if kept is None:
                log.warning("the lane has another owner", sender=str(self.sender))
                self.lost.set()
            else:
                self.ends = before + settings.LEASE_SECONDS

    async def leave(self, idle_seconds: float) -> None:
        """Give the lane back; nobody needs to look at it for ``idle_seconds``."""
        async with pool.connection() as conn:
            await sql.leave_lane(
                conn, sender=self.sender, owner=self.owner, epoch=self.epoch, idle_seconds=idle_seconds
            )


async def take(sender: UUID) -> Lease | None:
    """Take the lane of a sender; None: it has an owner, or its sender may not send."""
    before, owner = time.monotonic(), uuid7()
    async with pool.connection() as conn:
        row = await sql.take_lane(conn, sender=sender, owner=owner, seconds=settings.LEASE_SECONDS)
    if row is None:
        return None
    return Lease(sender=sender, owner=owner, epoch=row["lease_epoch"], ends=before + settings.LEASE_SECONDS)
