"""A process is frozen between its promise and the write, for longer than its lease, and wakes up.

It must send nothing it promised before, and record nothing but facts: others have the lane by then. Absence at the
gateway is not believed of it either while it is frozen, for it might still write.
"""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from uuid import UUID

import settings
from tests.crash.claims import Claimed, claims_of
from tests.crash.judge import assert_right
from tests.crash.process import Process
from tests.crash.stage import Ground, scene
from tests.crash.system import System
from tests.simulator_process import until

SENDERS = 6
FROZEN_SECONDS = settings.LEASE_SECONDS + 2.0


@scene(seconds=55)
async def test_worker_frozen_past_its_lease_sends_nothing_when_it_wakes(ground: Ground) -> str:
    """Two workers take turns: whoever holds the lanes is frozen, the other one takes them all over."""
    turns, rng, frozen = 11 if ground.long else 2, random.Random(4), 0
    # A gap of 0.2 s: two messages are promised together, so that every lane has one that is promised, not written.
    async with ground.system(senders=SENDERS, settings={"TIME_SCALE": "10"}) as system:
        owner = system.only("worker")
        campaigns = [await system.books.launched(60 + 20 * turns, sender=number) for number in range(SENDERS)]
        async with claims_of(system.books) as claims:
            await _every_lane_promises(claims)
            (other,) = system.start("worker")
            await system.known(other)
            for _ in range(turns):
                frozen += await _freeze_after_a_claim(system, owner, claims, rng)
                await asyncio.sleep(FROZEN_SECONDS)  # the lease has to run out by the clock
                await until(partial(_holds_all, system, other), seconds=60, what="the other worker to hold all lanes")
                owner.thaw()
                owner, other = other, owner
        await system.books.all_left(*campaigns, seconds=120)
        verdict = await assert_right(system, *campaigns)
        fenced = await system.books.value("SELECT count(*) FROM event WHERE why LIKE 'not sent: the right to send%'")
    assert frozen >= turns
    assert fenced > 0
    return (
        f"{frozen} lanes frozen between promise and write, {fenced} writes fenced, {verdict.messages} messages,"
        f" doubled {verdict.doubled}"
    )


async def _every_lane_promises(claims: asyncio.Queue[Claimed]) -> None:
    heard: set[UUID] = set()
    while len(heard) < SENDERS:
        heard.add((await asyncio.wait_for(claims.get(), 60)).sender)


async def _freeze_after_a_claim(
    system: System, owner: Process, claims: asyncio.Queue[Claimed], rng: random.Random
) -> int:
    """Freeze a worker 3 to 20 ms after a promise; returns how many lanes of it had one that was not written."""
    while not claims.empty():
        claims.get_nowait()
    await _every_lane_promises(claims)
    time.sleep(rng.uniform(0.003, 0.02))
    owner.freeze()
    ledger = {line["reference"] for line in system.simulator.ledger()}
    caught = await system.books.rows("SELECT id, sender FROM message WHERE status = 'sending'")
    return len({row["sender"] for row in caught if str(row["id"]) not in ledger})


async def _holds_all(system: System, worker: Process) -> bool:
    """Whether the last promises of every lane were made by this worker."""
    rows = await system.books.rows(
        "SELECT DISTINCT ON (m.sender) h.pid FROM message m JOIN heartbeat h ON h.process = m.process"
        " WHERE m.promised_at IS NOT NULL ORDER BY m.sender, m.promised_at DESC"
    )
    return {row["pid"] for row in rows} <= set(worker.tree())
