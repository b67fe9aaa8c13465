"""Two people at once: one campaign launched twice, one campaign paused and resumed while it sends."""

from __future__ import annotations

import asyncio
import random
import time
from uuid import UUID

from models import transitions
from tests.crash.judge import assert_right
from tests.crash.stage import Ground, scene
from tests.crash.story import Campaign
from tests.crash.system import System


@scene(seconds=15)
async def test_two_launches_of_one_campaign_at_once_are_one(ground: Ground) -> None:
    """Launched ten times at once, its launcher woken on two workers at once, again and again."""
    processes = ("worker", "worker", "scheduler", "scheduler")
    async with ground.system(start=processes, settings={"TIME_SCALE": "20"}) as system:
        campaign = await system.books.draft(40)

        async def launch() -> bool:
            async with system.books.apart() as conn:
                return await transitions.start_launch(
                    conn, campaign.id, window=3600, safety=86_400, why="a person launched it", by="test"
                )

        done = await asyncio.gather(*(launch() for _ in range(10)))
        assert sorted(done) == [False] * 9 + [True]
        await system.books.all_left(campaign)
        assert await system.books.value("SELECT count(*) FROM recipient") == len(campaign.phones)
        moves = await system.books.rows("SELECT new FROM event WHERE subject = 'campaign' ORDER BY id")
        assert [row["new"] for row in moves][:3] == ["draft", "launching", "sending"]
        await assert_right(system, campaign)


@scene(seconds=35)
async def test_pause_and_resume_hammered_while_sending_nothing_twice_nothing_lost(ground: Ground) -> None:
    rng = random.Random(11)
    # A gap of 0.1 s: several messages are promised ahead of every pause.
    async with ground.system(start=("worker", "scheduler"), settings={"TIME_SCALE": "20"}) as system:
        campaign = await system.books.launched(60)
        paused = 0
        deadline = time.monotonic() + 120
        while await system.books.status(campaign) != "waiting" and time.monotonic() < deadline:
            if await _pause(system, campaign.id):
                await asyncio.sleep(rng.choice([0.0, 0.02, 0.2, 1.6]))
                paused += 1
                assert await _resume(system, campaign.id)
            await asyncio.sleep(rng.uniform(0.0, 0.6))
        await system.books.all_left(campaign)
        await assert_right(system, campaign)
        assert paused >= 5
        assert await _promised_while_paused(system, campaign) == []


@scene(seconds=26)
async def test_a_paused_campaign_sends_nothing_whatever_happens_to_its_worker(ground: Ground) -> None:
    async with ground.system(start=("worker", "scheduler")) as system:
        campaign = await system.books.launched(12)
        await system.books.some_left(campaign, 3)
        assert await _pause(system, campaign.id)
        system.only("worker").kill()
        await system.known(*await system.bring_back())
        await asyncio.sleep(13)  # past the lease of the killed one: somebody else would have the lane
        assert await _resume(system, campaign.id)
        await system.books.all_left(campaign)
        assert await _promised_while_paused(system, campaign) == []
        await assert_right(system, campaign)


async def _pause(system: System, campaign: UUID) -> bool:
    async with system.books.connection() as conn:
        return await transitions.pause(conn, campaign, holds="all", why="a person paused it", by="test")


async def _resume(system: System, campaign: UUID) -> bool:
    async with system.books.connection() as conn:
        return await transitions.resume(conn, campaign, why="a person resumed it", by="test") is not None


async def _promised_while_paused(system: System, campaign: Campaign) -> list[UUID]:
    """Return what was promised between a pause and its resume, in the order the database committed them.

    What was promised before a pause may still leave after it.
    """
    rows = await system.books.rows(
        "SELECT e.subject_id FROM event e WHERE e.campaign = $1 AND e.subject = 'message' AND e.new = 'sending'"
        " AND 'paused' = (SELECT c.new FROM event c WHERE c.campaign = $1 AND c.subject = 'campaign' AND c.at < e.at"
        " ORDER BY c.at DESC, c.id DESC LIMIT 1)",
        campaign.id,
    )
    return [row["subject_id"] for row in rows]
