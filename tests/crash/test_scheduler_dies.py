"""The scheduler is killed: the one that stands by leads, and without any of them nothing is lost."""

from __future__ import annotations

from tests.crash.judge import assert_right
from tests.crash.process import Process
from tests.crash.stage import Ground, scene
from tests.crash.system import System
from tests.simulator_process import until


@scene(seconds=13)
async def test_scheduler_killed_its_standby_leads_and_nothing_is_lost(ground: Ground) -> None:
    async with ground.system(start=("worker", "scheduler", "scheduler")) as system:
        first = await system.books.launched(8)
        await until(lambda: system.simulator.ledger(), seconds=60, what="the first message")
        leader = await _leader(system)
        leader.kill()
        # Only a scheduler can have this one launched: nobody wakes anything here.
        second = await system.books.launched(8, name="the one after")
        await system.books.all_left(first, second)
        assert (await _leader(system)) is not leader
        await assert_right(system, first, second)


@scene(seconds=10)
async def test_scheduler_killed_and_restarted_finds_all_that_was_due(ground: Ground) -> None:
    async with ground.system(start=("worker", "scheduler")) as system:
        system.only("scheduler").kill()
        campaign = await system.books.launched(5)
        system.only("worker")
        assert await system.books.status(campaign) == "launching"
        await system.bring_back()
        await system.books.all_left(campaign)
        await assert_right(system, campaign)


async def _leader(system: System) -> Process:
    """Return the scheduler that leads, by its own log; one that was killed said so too."""

    def leading() -> list[Process]:
        return [p for p in system.living("scheduler") if '"leading"' in p.log.read_text()]

    await until(lambda: len(leading()) == 1, seconds=30, what="one leader")
    return leading()[0]
