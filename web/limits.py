"""How much one caller may ask of the API, counted across all web processes.

One atomic GCRA call in Redis a request. Without Redis each process counts for itself: the limit still holds, per
process; after a failure Redis is left alone for a moment, so that requests do not wait for it one by one.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

import settings
from models import cache, live
from web.problems import Problem

if TYPE_CHECKING:
    import redis.asyncio
    from litestar import Litestar

log = structlog.get_logger()

BURST_SECONDS = 10
"""What was not asked for in the last seconds may be caught up."""
ALONE_SECONDS = 2.0
"""How long Redis is left alone after it did not answer."""
REMEMBERED = 10_000
"""Callers a process counts by itself; the oldest are forgotten."""
MICRO = 1_000_000

TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if free > now + 2 * ARGV[2] then free = now end
local after = free + ARGV[1]
if after > now + ARGV[2] then return string.format('%.0f', after - now - ARGV[2]) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
return '0'
"""
"""KEYS: the allowance. ARGV, in µs: what one request takes, how much may be taken at once."""


class Limiter:
    """The allowances of all callers, as one process sees them."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._take = client.register_script(TAKE)
        self._alone_until = 0.0
        self._own: dict[str, float] = {}

    async def wait(self, who: str) -> float:
        """Take one request of a caller; returns 0, or the seconds after which the next one may be taken."""
        each = 1 / settings.get().api_requests_per_second
        if time.monotonic() >= self._alone_until:
            try:
                arguments = [int(each * MICRO), int(BURST_SECONDS * MICRO)]
                return int(await self._take(keys=[live.rate(who)], args=arguments)) / MICRO
            except live.UNAVAILABLE as error:
                if not self._alone_until:
                    log.warning("no Redis: this process counts requests by itself", error=str(error))
                self._alone_until = time.monotonic() + ALONE_SECONDS
        return self._wait_alone(who, each)

    def _wait_alone(self, who: str, each: float) -> float:
        now = time.monotonic()
        after = max(self._own.pop(who, 0.0), now) + each
        if after > now + BURST_SECONDS:
            self._own[who] = after - each
            return after - now - BURST_SECONDS
        self._own[who] = after  # at the end: the newest
        if len(self._own) > REMEMBERED:
            del self._own[next(iter(self._own))]
        return 0.0


@asynccontextmanager
async def limiting(app: Litestar) -> AsyncIterator[None]:
    """Hold the limiter as long as the application runs, on the process's one Redis pool."""
    app.state.limiter = Limiter(cache.this().redis)
    yield


def too_many(seconds: float) -> Problem:
    """Return the 429 that says when to come back."""
    whole = max(1, round(seconds + 0.5))
    return Problem(429, "rate_limited", f"too many requests: come back in {whole} s", retry_after=whole)
