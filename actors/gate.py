"""The rate gate: when may the next Message 1 leave this number?

One atomic call in Redis (its own clock, no burst) reserves slots for a sender, whoever asks. The floor comes
from ``sender.gate_at`` in SQL, so a Redis that is down or freshly emptied never means "go", and a jump of its
clock neither opens the gate nor stalls it. All times are given and taken relative to now, in seconds: no two
clocks have to agree.
"""

from __future__ import annotations

from uuid import UUID

import redis.asyncio
import structlog

from models import live

log = structlog.get_logger()

RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local floor = now + tonumber(ARGV[1])
local free = tonumber(redis.call('GET', KEYS[1]) or '0')
if free > floor + tonumber(ARGV[3]) then free = floor end
local slot = math.max(now, floor, free)
redis.call('SET', KEYS[1], string.format('%.0f', slot + tonumber(ARGV[2])), 'PX', 3600000)
return string.format('%.0f', slot - now)
"""
"""KEYS: the gate. ARGV, in µs: floor from now, span to reserve, how far beyond the floor a slot may lie."""

PUSH = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', 3600000)
"""
MICRO = 1_000_000


class Gate:
    """The gates of all senders, as one process asks for them."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._reserve = client.register_script(RESERVE)
        self._push = client.register_script(PUSH)
        self._silent = False

    async def reserve(self, gate: str, *, floor: float, span: float, reach: float) -> float:
        """Reserve slots of ``gate`` (a key of ``models.live``) that take ``span`` seconds; returns when the first is.

        All in seconds from now. ``floor``: until SQL lets the next one go. ``reach``: a slot further than this beyond
        the floor is a clock that jumped, and is brought back to the floor. Without Redis the floor alone decides,
        which the claim has set to the end of the slots before: never faster.
        """
        try:
            answer = await self._reserve(keys=[gate], args=[int(floor * MICRO), int(span * MICRO), int(reach * MICRO)])
            self._silent = False
            return int(answer) / MICRO
        except live.UNAVAILABLE as error:
            if not self._silent:
                log.warning("no Redis: the gate goes by the database alone", error=str(error))
            self._silent = True
            return max(0.0, floor)

    async def push(self, sender: UUID, seconds: float) -> None:
        """Keep the gate shut for ``seconds`` from now; never opens it earlier."""
        try:
            await self._push(keys=[live.gate(sender)], args=[int(seconds * MICRO)])
        except live.UNAVAILABLE:
            return  # the floor in SQL, which every push moves too, holds it shut

    async def usable(self) -> bool:
        """Whether Redis answers just now."""
        try:
            await self._client.execute_command("PING")
        except live.UNAVAILABLE:
            return False
        return True
