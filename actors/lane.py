"""The lane of one sender: how Message 1 goes out.

A task on the worker's loop, so that a lane that waits holds no thread. It owns the sender's lease, asks the gate
for the next slots, promises what they take, and sends on an absolute schedule, so that the gateway's latency
does not add to the gap. Between messages it looks at everything that may stop it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

import settings
from actors import alerts, devices, guards, holds, lost_promises, restraints, typing_time
from actors.agreement import agreed
from actors.delivery import deliver
from actors.ending import end
from actors.lease import Lease
from actors.process import Process
from actors.restraints import STAY_SECONDS, Rest
from actors.slots import VOID_SECONDS, Slots
from actors.turns import Turns
from models import attempts, pool, transitions
from models.queries import sql
from models.reservations import begin_day
from models.transitions import Claim, Failure, GiveBack, Promise
from rules.pacing import scaled

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from asyncpg import Record

log = structlog.get_logger()

AHEAD_SECONDS = 0.3
"""A slice is promised so long before its slot; a pause acts until then. Must stay below the fences."""
SLICE_SECONDS = 0.4
"""Slots of one slice lie within this: one message at a human pace, hundreds on an official gateway."""
IN_FLIGHT = 500
"""Calls of one lane at once."""


class Lane:
    """One sender's lane while this process owns it."""

    def __init__(self, process: Process, lease: Lease) -> None:
        self._process = process
        self._lease = lease
        self._sender = lease.sender
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._turn = asyncio.Lock()
        self._slots = Slots(process.gate, self._sender)
        self._turns = Turns(process, self._sender, self._slots)

    async def run(self) -> None:
        """Send until there is nothing to send, the lease is lost, or the process stops."""
        renewing = asyncio.create_task(self._lease.renewing(), name=f"lease {self._sender}")
        idle = 0.0
        asked = False
        try:
            while not self._must_end():
                try:
                    if not asked:  # what cannot send is stopped before anything is tried
                        await devices.examine(self._process.gateway, self._sender)
                        asked = True
                    rest = await self._step()
                except (*pool.UNAVAILABLE, *pool.TRANSIENT) as error:
                    log.warning("the lane waits for the database", sender=str(self._sender), error=str(error))
                    rest = Rest(1.0, "no database")
                if rest is not None and rest.leave:
                    idle = rest.seconds
                    break
                if rest is not None:
                    await self._wait(rest.seconds)
        finally:
            while self._calls:  # a slice that ends leaves its last call
                await asyncio.wait(self._calls)
            await end([renewing])
            with contextlib.suppress(*pool.UNAVAILABLE, *pool.TRANSIENT):
                await self._lease.leave(idle)

    def _must_end(self) -> bool:
        return self._lease.lost.is_set() or self._lease.left() <= 0 or self._process.stopping.is_set()

    async def _wait(self, seconds: float) -> None:
        """Wait, but not past the moment the lane must end."""
        ends = [asyncio.create_task(e.wait()) for e in (self._lease.lost, self._process.stopping)]
        try:
            await asyncio.wait(ends, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()

    # --- one slice -------------------------------------------------------------------------------------

    async def _step(self) -> Rest | None:
        """Send one slice; or say why nothing may leave now."""
        async with pool.connection() as conn:
            sender = await self._read(conn)
            batch = await sql.open_batch(conn, sender=self._sender)
        if sender["state"] not in ("ready", "degraded"):
            return Rest(0, f"the sender is {sender['state']}", leave=True)
        if not await agreed(self._process, self._sender, sender["device_id"]):
            return Rest(1.0, "the database and the gateway do not agree yet")
        return await (self._turns.next_batch(sender) if batch is None else self._continue(sender, batch))

    async def _read(self, conn: pool.Conn) -> Record:
        """Read the sender, and note the floor of its gate."""
        sender: Record = await sql.read_lane(conn, sender=self._sender)
        self._slots.note_floor(sender["gate_in"])
        return sender

    async def _continue(self, sender: Record, batch: Record) -> Rest | None:
        """Take the next slots of the open batch: gate first, promise when the slot is near, then send."""
        scale = settings.get().time_scale
        gaps = [scaled(gap, scale) for gap in batch["gaps"][batch["attempted"] :]]
        if not gaps:
            await self._turns.finish(batch)
            return None
        async with pool.connection() as conn:
            if not await sql.has_due(conn, campaign=batch["campaign"]):
                await holds.let_go(conn, sender)
                return await self._turns.nothing_due(conn, batch)
        if (seen := await self._look(batch)) is None or isinstance(seen, Rest):
            return seen
        if self._room.locked():
            return Rest(0.05, "the gateway is slower than the pace: nothing is promised ahead of it")
        async with pool.connection() as conn:
            probe = await attempts.probing(conn, batch["campaign"], batch["breaker_since"])
        if probe.room == 0:
            return Rest(0.2, "the probe after the resume is not judged yet")
        taken = _slice(gaps)[: probe.room]
        slot = await self._slots.reserve(taken, max(gaps))
        if (ahead := slot - time.monotonic()) > STAY_SECONDS + AHEAD_SECONDS:
            return Rest(ahead - AHEAD_SECONDS, "the gate is shut", leave=True)
        await self._wait(ahead - AHEAD_SECONDS)
        seen = await self._look(batch)  # again: a slot may be half a minute away
        if seen is None or isinstance(seen, Rest):
            return seen
        if self._must_end() or self._slots.is_void(slot):
            return None
        promises = await self._promise(seen, batch, slot, taken)
        if not promises:
            return await self._why_nothing(batch["campaign"])
        self._slots.promised(slot + sum(taken))
        # In the background: the next slice is promised while this one is being sent.
        self._keep(self._send(promises, seen["device_id"], slot, taken), f"slice {batch['id']}")
        return None

    async def _look(self, batch: Record) -> Record | Rest | None:
        """Return the sender as it is now if the batch may go on; else why not (None: look at everything anew)."""
        async with pool.connection() as conn:
            sender = await self._read(conn)
            current = await sql.open_batch(conn, sender=self._sender)
            campaign = await sql.campaign(conn, campaign=batch["campaign"])
            if current is None or current["id"] != batch["id"]:
                return None
            if campaign["status"] != "sending":
                await sql.close_batch(conn, batch=batch["id"], why=f"the campaign is {campaign['status']}")
                return None
        if sender["state"] not in ("ready", "degraded"):
            return Rest(0, f"the sender is {sender['state']}", leave=True)
        if await restraints.breaker(self._process, batch["campaign"]):
            return None
        if restraints.quiet(sender, campaign, batch["profile"]) is not None:
            async with pool.connection() as conn:  # another campaign may have other hours
                await sql.close_batch(conn, batch=batch["id"], why="quiet hours")
            return None
        if (rest := await restraints.capped(sender, batch["profile"])) is not None:
            if rest.leave:
                async with pool.connection() as conn:  # another campaign may have another profile
                    await sql.close_batch(conn, batch=batch["id"], why=rest.why)
            return rest
        return await restraints.out_of_quota(self._process, sender, batch["campaign"]) or sender

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._process.start(work, name)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _why_nothing(self, campaign: UUID) -> Rest | None:
        """A slot came and nothing could be promised: people opted out meanwhile, or another hand was faster."""
        async with pool.connection() as conn:
            stopped = await transitions.cancel_stopped(conn, campaign)
        return None if stopped else Rest(0.2, "nothing could be promised")

    async def _promise(self, sender: Record, batch: Record, slot: float, gaps: list[float]) -> list[Promise]:
        """Commit the promise of a slice, charged to the local day of its slot."""
        process = self._process.agreed.get(self._sender)
        if process is None:
            return []
        try:
            async with pool.connection() as conn:
                limit = restraints.limit(sender)
                day = await begin_day(conn, self._sender, sender["time_zone"], limit, sender["now"])
                within = await holds.bounds(conn, sender, batch["quiet_hours"], batch["profile"])
                only = await holds.allowed(conn, sender, batch["campaign"], within, len(gaps))
                promises = await transitions.claim_slice(
                    conn,
                    Claim(
                        sender=self._sender,
                        campaign=batch["campaign"],
                        owner=self._lease.owner,
                        epoch=self._lease.epoch,
                        fence=settings.get().fence_seconds,
                        process=process,
                        batch=batch["id"],
                        many=len(gaps),
                        day=day,
                        quota=limit,
                        gate_in=slot - time.monotonic() + sum(gaps),
                        only=only,
                    ),
                )
                self._process.in_hand.update(promise.message for promise in promises)
                return promises
        except pool.UNAVAILABLE:
            self._process.start(lost_promises.give_back(self._process, self._sender, process), "lost promises")
            raise

    async def _send(self, promises: list[Promise], device: str, slot: float, gaps: list[float]) -> None:
        """Send each promise at its own slot, slice after slice; the calls go on meanwhile.

        After a slot that was missed every later one moves with it: nothing catches up.
        """
        async with self._turn:
            slot = max(slot, self._slots.next)
            for promise, gap in zip(promises, gaps, strict=False):
                await asyncio.sleep(max(0.0, slot - time.monotonic()))
                await self._room.acquire()
                if (late := time.monotonic() - slot) > VOID_SECONDS:
                    slot += late
                    self._keep(self._slots.push(self._slots.missed(late)), f"push {self._sender}")
                if self._slots.silent_until > time.monotonic():
                    self._room.release()
                    self._process.recorder.put(promise, self._unsent(promise))
                    continue
                self._keep(self._call(promise, device, slot, gap), f"send {promise.message}")
                slot += gap
                self._slots.next = slot

    def _unsent(self, promise: Promise) -> GiveBack:
        """The gateway asked for silence between this promise and its slot."""
        return GiveBack(
            message=promise.message,
            attempt=promise.attempt,
            wait=max(0.0, self._slots.silent_until - time.monotonic()),
            used_retry=False,
            error_class="rate_limited",
            error_text="the gateway asked this number to slow down",
            why="not sent: the gateway asked this number to slow down",
        )

    async def _call(self, promise: Promise, device: str, slot: float, gap: float) -> None:
        late: float | None = None

        def may_write() -> bool:  # asked last just before the first byte
            nonlocal late
            late = time.monotonic() - slot
            return self._may_write()

        try:
            typing = typing_time.before_message_1(promise, gap)
            done = await deliver(self._process.gateway, promise, device, may_write, typing=typing)
            self._process.recorder.put(promise, done.result, late)
            if done.hold:
                await self._slots.silence(done.hold)
            if done.stopped is not None:
                await alerts.sender_stopped(self._sender, done.stopped)
            if isinstance(done.result, (GiveBack, Failure)):
                await self._process.recorder.drained(2.0)
                await guards.look(self._process, self._sender)
                await restraints.breaker(self._process, promise.campaign)
        finally:
            self._room.release()

    def _may_write(self) -> bool:
        """Whether a message may still be written: enough of the lease is left for the whole call."""
        return not self._lease.lost.is_set() and self._lease.left() >= settings.get().fence_seconds


def _slice(gaps: list[float]) -> list[float]:
    """Return the gaps of the slots that are promised together: at least one, all within SLICE_SECONDS."""
    taken, total = [gaps[0]], gaps[0]
    for gap in gaps[1:]:
        if total + gap > SLICE_SECONDS:
            break
        taken.append(gap)
        total += gap
    return taken
