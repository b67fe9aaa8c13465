"""A real webhook receiver: an HTTP server on the test's own loop that keeps what it gets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Receiver:
    """Keeps every delivery; answers 200 unless ``statuses`` holds others (used up one by one)."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.times: list[float] = []
        self.statuses: list[int] = []
        self.holds = 0.0
        """Seconds each answer takes."""
        self.open = 0
        self.most_open = 0
        self.gets = 0

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return the bodies of one event, in order of arrival."""
        return [body for body in self.bodies if body.get("event") == event]

    async def _take(self, request: web.Request) -> web.Response:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        raw = await request.read()
        self.raw.append(raw)
        self.headers.append(dict(request.headers))
        self.times.append(time.time())
        try:
            self.bodies.append(json.loads(raw))
        except ValueError:
            self.bodies.append({})
        if self.holds:
            await asyncio.sleep(self.holds)
        self.open -= 1
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def _asked(self, request: web.Request) -> web.Response:
        self.gets += 1
        return web.Response()


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    """Listen on a free port of loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver._take)
    app.router.add_get("/hook", receiver._asked)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
