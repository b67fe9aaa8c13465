"""The scheduler's process: its heartbeat and its clock, until a signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from uuid_utils.compat import uuid7

import settings
from actors import wake
from actors.ending import end
from actors.identity import Identity
from actors.telling import Teller, telling
from models import live, pool
from scheduler.clock import Clock
from scheduler.ping import pinging
from scheduler.watchdog import Watchdog

log = structlog.get_logger()

AGAIN_SECONDS = 5.0
"""A part that failed begins anew after so long."""


async def run() -> None:
    """Beat and tick until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await pool.open_pool(4)
    client = live.async_client()
    clock, teller = Clock(uuid7(), client), Teller()

    def leads() -> bool:
        return clock.leads

    works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "identity": Identity("scheduler").alive,
        "watchdog": Watchdog(leads, client, teller).run,
        "telling": lambda: telling(teller, leads),
    }
    if url := settings.get().heartbeat_url:
        works["ping"] = lambda: pinging(url, leads)
    servants = [asyncio.create_task(_kept(name, work), name=name) for name, work in works.items()]
    try:
        await clock.run(stopping)
    finally:
        await end(servants)
        wake.close()
        await client.aclose()
        await pool.close_pool()


async def _kept(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Keep one work going beside the clock: whatever is wrong with it must not stop the sending."""
    while True:
        try:
            await work()
        except Exception:  # the outermost edge
            log.exception("a part of the scheduler failed and begins anew", part=name)
        await asyncio.sleep(AGAIN_SECONDS)
