"""Who watches the watchman: every web process beats, and says when no scheduler leads.

While none does, this process also delivers the alerts. Several web processes say and deliver everything once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import structlog
from litestar import Litestar

import settings
from actors import alerts
from actors.ending import end
from actors.identity import Identity
from actors.telling import Teller, telling
from models import pool
from models.queries import sql

log = structlog.get_logger()

LOOK_SECONDS = 5.0
GRACE_SECONDS = 30.0
"""After the database came back the scheduler gets so long to lead again."""


class Vigil:
    """Looks for a scheduler that leads; ``missed`` while there is none."""

    def __init__(self) -> None:
        self.missed = False
        self._since: float | None = None

    async def keep(self) -> None:
        """Look for as long as the process lives."""
        while True:
            try:
                await self.look()
            except (*pool.UNAVAILABLE, asyncpg.PostgresError) as error:
                self._since, self.missed = None, False
                log.debug("the scheduler cannot be watched", error=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once, and say what is so."""
        patience = settings.get().worker_down_alert_seconds
        async with pool.connection() as conn:
            row = await sql.leadership(conn)
            self._since = time.monotonic() if self._since is None else self._since
            # Without any trace of a scheduler, as long as this process has looked for one.
            last = row["led_until"] or row["beat_at"] or row["now"] - timedelta(seconds=time.monotonic() - self._since)
            silent = (row["now"] - last).total_seconds()
            if silent > patience and time.monotonic() - self._since >= min(patience, GRACE_SECONDS):
                self.missed = True
                text = f"no scheduler has led since {last:%Y-%m-%d %H:%M:%S} UTC: lost wake-ups are not issued again"
                await alerts.settle(conn, "scheduler_down", {"scheduler": text})
            elif silent <= patience:
                self.missed = False
                await alerts.settle(conn, "scheduler_down", {})


@contextlib.asynccontextmanager
async def watching(_: Litestar) -> AsyncIterator[None]:
    """Beat and watch as long as the application runs."""
    vigil = Vigil()
    works = [
        asyncio.create_task(Identity("web").alive(), name="identity"),
        asyncio.create_task(vigil.keep(), name="vigil"),
        asyncio.create_task(telling(Teller(), lambda: vigil.missed), name="telling"),
    ]
    try:
        yield
    finally:
        await end(works)
