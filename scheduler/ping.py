"""``HEARTBEAT_URL``: asked for each minute while all is well, so that somebody outside notices a total outage.

All is well while this scheduler leads with a database that answers, and at least one worker and one replies process
beat. Anything less than that is told by alerts; nothing else holds the ping back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import structlog

from models import pool
from models.queries import sql
from scheduler.watchdog import ALIVE_SECONDS

log = structlog.get_logger()

EVERY_SECONDS = 60.0
LOOK_SECONDS = 2.0
"""How soon it is noticed that all is well again."""
PATIENCE_SECONDS = 10.0
VITAL = ("worker", "replies")
"""Without one of each nothing is sent, or nobody is answered."""


async def pinging(url: str, leads: Callable[[], bool]) -> None:
    """Ping for as long as the process lives. Cancel it to stop."""
    last = float("-inf")
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        while True:
            if time.monotonic() - last >= EVERY_SECONDS and leads() and await well():
                last = time.monotonic()
                await _ping(client, url)
            await asyncio.sleep(LOOK_SECONDS)


async def well() -> bool:
    """Whether the service does what it is for."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), pool.connection() as conn:
            rows = await sql.roll(conn, kinds=list(VITAL), silent=ALIVE_SECONDS, alive=ALIVE_SECONDS)
    except (*pool.UNAVAILABLE, *pool.TRANSIENT):
        return False
    return {row["kind"] for row in rows if row["alive"]} == set(VITAL)


async def _ping(client: httpx.AsyncClient, url: str) -> None:
    """Ask once; the address is a secret, so the log names only what went wrong."""
    try:
        answer = await client.get(url)
    except httpx.HTTPError as error:
        log.warning("HEARTBEAT_URL was not reached", error=type(error).__name__)
        return
    if answer.is_error:
        log.warning("HEARTBEAT_URL refused", status=answer.status_code)
