"""The scheduler's process: its heartbeat and its clock, until a signal."""

from __future__ import annotations

import asyncio
import signal

from uuid_utils.compat import uuid7

from actors import wake
from actors.ending import end
from actors.identity import Identity
from models import live, pool
from scheduler.clock import Clock


async def run() -> None:
    """Beat and tick until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await pool.open_pool(4)
    client = live.async_client()
    beating = asyncio.create_task(Identity("scheduler").alive(), name="identity")
    try:
        await Clock(uuid7(), client).run(stopping)
    finally:
        await end([beating])
        wake.close()
        await client.aclose()
        await pool.close_pool()
