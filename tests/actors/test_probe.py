"""After a resume: a probe of five; and the breaker of numbers that nobody has."""

from __future__ import annotations

import re
from uuid import UUID

from models import pool, transitions
from tests.actors.conftest import Opens
from tests.actors.people import phones
from tests.actors.world import World
from tests.simulator_process import until

FAST = {"TIME_SCALE": "60", "WASSENGER_RATE_LIMIT_SECONDS": "3", "WASSENGER_BATCH_SIZE": "25"}


async def paused(world: World, campaign: UUID) -> str:
    """Run the lane until the campaign is paused; returns why."""

    async def is_paused() -> bool:
        return await world.status(campaign) == "paused" and "breaker" in await world.alerts()

    async with world.sending():
        await until(is_paused, seconds=20, what="the breaker")
    await world.settled()
    return str(await world.value("SELECT why FROM campaign WHERE id = $1", campaign))


async def resume(world: World, campaign: UUID) -> None:
    async with pool.connection() as conn:
        assert await transitions.resume(conn, campaign, why="a person", by="test")


async def pause(world: World, campaign: UUID) -> None:
    async with pool.connection() as conn:
        assert await transitions.pause(conn, campaign, holds="all", why="a person", by="test")


async def test_two_failures_among_the_five_of_the_probe_pause_again(opens: Opens) -> None:
    world = await opens(**FAST)
    campaign = await world.launch(40)
    await pause(world, campaign)
    await resume(world, campaign)
    world.simulator.behave(phones={p: {"send": "bad_request"} for p in phones(40)})
    why = await paused(world, campaign)
    assert re.fullmatch(r"circuit breaker: [2-5] of the first [2-5] attempts after the resume failed", why)
    assert 2 <= (await world.statuses(campaign))["failed"] <= 5
    world.simulator.behave(phones={p: {"send": "ok"} for p in phones(40)})
    await resume(world, campaign)
    await world.send_all(campaign)


async def test_a_fast_lane_sends_five_after_a_resume_and_waits_for_their_answers(opens: Opens) -> None:
    world = await opens(PACING_PROFILE="official", MESSAGES_PER_SECOND="500")
    world.simulator.behave(latency_ms=1000)
    campaign = await world.launch(60)
    await pause(world, campaign)
    await resume(world, campaign)

    async def promised() -> int:
        return sum(n for status, n in (await world.statuses(campaign)).items() if status != "pending")

    async with world.sending():
        while not (await world.statuses(campaign)).get("sent"):
            assert await promised() <= 5 or (await world.statuses(campaign)).get("sent")
        await until(lambda: len(world.sent()) == 60, seconds=20)


async def test_numbers_that_nobody_has_have_a_breaker_of_their_own(opens: Opens) -> None:
    world = await opens(**FAST, CIRCUIT_BREAKER_THRESHOLD="1", INVALID_NUMBER_THRESHOLD="0.3")
    world.simulator.behave(phones={p: {"send": "refuse"} for p in phones(30)[::2]})
    campaign = await world.launch(30)
    why = await paused(world, campaign)
    assert why.startswith("circuit breaker: invalid numbers ") and "is above 30.0 %" in why
