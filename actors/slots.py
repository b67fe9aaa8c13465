"""The slots of a lane: which moments are still free, as its own process knows them.

The gate (Redis, with SQL as its floor) reserves; what this process knows besides (a push just now, a slot that
was missed, a silence the gateway asked for) is kept here and counts at once. All moments are of the monotonic clock.
"""

from __future__ import annotations

import time
from uuid import UUID

from actors.gate import Gate
from models import live, pool
from models.queries import sql

VOID_SECONDS = 0.25
"""A slot missed by more than this is void: the next gap counts from the real write."""
CLOCK_SECONDS = 0.01
"""Two readings of one moment may differ by so much."""


class Slots:
    """What one lane knows of its slots."""

    def __init__(self, gate: Gate, sender: UUID) -> None:
        self._gate = gate
        self._sender = sender
        self._floor = 0.0
        self._shut_until = 0.0
        self._promised_until = 0.0
        self.silent_until = 0.0
        """The gateway asked for silence: until then not even what is promised is sent."""
        self.next = 0.0
        """The first slot that is free after what was really written."""

    def note_floor(self, gate_in: float) -> None:
        """SQL lets nothing leave before so many seconds from now."""
        self._floor = time.monotonic() + gate_in

    async def reserve(self, gaps: list[float], longest: float) -> float:
        """Reserve slots for these gaps; returns when the first is."""
        floor = max(self._floor, self._shut_until) - time.monotonic()
        reach = sum(gaps) + longest + 1
        ahead = await self._gate.reserve(live.gate(self._sender), floor=floor, span=sum(gaps), reach=reach)
        return time.monotonic() + ahead

    def is_void(self, slot: float) -> bool:
        """Whether a slot was missed, or the gate was pushed beyond it while we waited for it."""
        return time.monotonic() - slot > VOID_SECONDS or slot < self._shut_until - CLOCK_SECONDS

    def promised(self, until: float) -> None:
        """Note the end of the last slot that was promised."""
        self._promised_until = max(self._promised_until, until)

    def missed(self, late: float) -> float:
        """Move everything promised by what a slot was missed by; returns the moment to push the gate to."""
        self._promised_until += late
        self.shut(self._promised_until)
        return self._promised_until

    def shut(self, until: float) -> None:
        """Promise nothing for a slot before ``until``; at once, also for the slot being waited for."""
        self._shut_until = max(self._shut_until, until)

    async def push(self, until: float) -> None:
        """Push the gate, in Redis and in SQL."""
        await self._gate.push(self._sender, until - time.monotonic())
        async with pool.connection() as conn:
            await sql.push_gate(conn, sender=self._sender, seconds=until - time.monotonic())

    async def silence(self, seconds: float) -> None:
        """Let nothing leave this number for a while, whoever asks, Redis or not."""
        self.silent_until = max(self.silent_until, time.monotonic() + seconds)
        self.shut(self.silent_until)
        await self.push(self.silent_until)

    async def pause(self, seconds: float) -> None:
        """Add a pause after the last slot that was given away."""
        until = max(self._floor, self._shut_until, time.monotonic()) + seconds
        self.shut(until)
        await self.push(until)
