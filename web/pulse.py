"""What a page that shows everything sees besides the figures of campaigns: the service itself, and campaigns that move.

One look per process however many pages are open, and none while there is no page.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import structlog
from litestar import Litestar

from actors.ending import end
from models import pool
from web.campaigns import shown
from web.monitoring import observed
from web.problems import Problem
from web.stream import Hub, hub

log = structlog.get_logger()

PULSE_SECONDS = 2.0
"""How often monitoring is shown anew."""


async def beat(hub: Hub) -> None:
    """Tell the open streams, for as long as the process lives; a database that is away is sat out."""
    looked = 0.0
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hub.moves.wait(), PULSE_SECONDS)
        try:
            await _tell_moves(hub)
            if hub.watched and time.monotonic() - looked >= PULSE_SECONDS:
                looked = time.monotonic()
                hub.tell("monitoring", msgspec.json.encode(await observed()))
        except (*pool.UNAVAILABLE, asyncpg.PostgresError) as error:
            log.warning("the pages are not told: no database", error=type(error).__name__)
            await asyncio.sleep(PULSE_SECONDS)


async def _tell_moves(hub: Hub) -> None:
    """Show each campaign whose status moved, as ``GET /api/campaigns/{id}`` does."""
    for campaign in hub.take_moves():
        async with pool.connection() as conn:
            with contextlib.suppress(Problem):  # deleted meanwhile
                hub.tell("campaign", msgspec.json.encode(await shown(conn, campaign)), campaign)


@contextlib.asynccontextmanager
async def beating(_: Litestar) -> AsyncIterator[None]:
    """Beat as long as the application runs."""
    task = asyncio.create_task(beat(hub), name="pulse")
    try:
        yield
    finally:
        await end([task])
