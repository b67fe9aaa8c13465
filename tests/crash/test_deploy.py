"""A deploy: SIGTERM to every process, once or twice to the whole group. It drains, and leaves nothing in doubt."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from tests.crash.judge import assert_right
from tests.crash.process import Process
from tests.crash.stage import Ground, scene
from tests.simulator_process import until

EVERYBODY = ("web", "worker", "replies", "scheduler")


@scene(seconds=37)
async def test_deploy_drains_with_a_lane_in_mid_batch_and_nothing_in_doubt(ground: Ground) -> str:
    return await _deploy(ground, twice=False)


@scene(seconds=37)
async def test_deploy_that_tells_the_whole_group_twice_drains_as_well(ground: Ground) -> str:
    return await _deploy(ground, twice=True)


async def _deploy(ground: Ground, *, twice: bool) -> str:
    behaviour = {"latency_ms": 300, "reply_rate": 1.0, "reply_delay": 0.1, "reply_types": {"opt_out": 0}}
    async with ground.system(start=EVERYBODY, behaviour=behaviour) as system:
        campaign = await system.books.launched(30, message_2="And now the second one of campaign 0")
        await until(lambda: len(system.simulator.ledger()) >= 8, seconds=60, what="eight messages")
        assert await system.books.value("SELECT count(*) FROM batch WHERE finished_at IS NULL") == 1
        living = system.living()
        began = time.monotonic()
        for process in living:
            _ask_to_end(process, twice=twice)
        took = await _ended(living, began)
        assert await system.books.in_doubt() == 0
        assert await system.books.value("SELECT count(*) FROM sender WHERE lease_until > now()") == 0
        await system.bring_back()
        await system.known()
        await system.books.all_left(campaign)
        await system.quiet()
        await assert_right(system, campaign)
        # What never left was given back, not looked up: every message took one promise, or was put back unsent.
        assert await system.books.value("SELECT count(*) FROM event WHERE moved_by = 'retrier'") == 0
    how = "twice to the whole group" if twice else "once"
    return f"drained after SIGTERM {how}: " + ", ".join(f"{name} {s:.1f} s" for name, s in took.items())


def _ask_to_end(process: Process, *, twice: bool) -> None:
    if not twice:
        os.kill(process.pid, signal.SIGTERM)
        return
    for _ in range(2):
        os.killpg(process.pid, signal.SIGTERM)
        time.sleep(0.05)


async def _ended(processes: list[Process], began: float) -> dict[str, float]:
    took: dict[str, float] = {}

    def ended() -> bool:
        for process in processes:
            if process.name not in took and not process.lives:
                took[process.name] = time.monotonic() - began
        return len(took) == len(processes)

    await until(ended, seconds=60, what="every process to end")
    await asyncio.sleep(0)
    return took
