"""The daily limit as a lane meets it: what waits, what fails, what is planned for later days."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from rules.quota import local_day
from tests.actors.conftest import Opens
from tests.actors.test_lane import FAST
from tests.actors.world import World
from tests.simulator_process import until


def plan(*shares: int) -> str:
    today = local_day(datetime.now(UTC), "UTC")
    return json.dumps({(today + timedelta(days=n)).isoformat(): many for n, many in enumerate(shares)})


async def waiting(world: World) -> bool:
    return bool(await world.value("SELECT count(*) FROM alert WHERE kind = 'quota' AND resolved_at IS NULL"))


async def test_a_reached_limit_is_told_and_over_when_the_next_day_begins(opens: Opens) -> None:
    world = await opens(**FAST, DAILY_MESSAGE_LIMIT="3")
    campaign = await world.launch(5)
    async with world.sending() as lane:
        await until(lane.done, what="the lane to leave until tomorrow")
    assert await waiting(world)
    assert len(world.sent()) == 3
    text = await world.value("SELECT text FROM alert WHERE kind = 'quota'")
    assert "the daily limit of 3 is reached" in text
    await world.execute("UPDATE quota_day SET day = day - 1")
    await world.send_all(campaign)
    assert len({line["phone"] for line in world.sent()}) == len(world.sent()) == 5
    assert not await waiting(world)


async def test_a_spread_campaign_sends_today_only_what_is_planned_for_today(opens: Opens) -> None:
    world = await opens(**FAST)
    campaign = await world.launch(5, quota_plan=plan(2, 3))
    async with world.sending() as lane:
        await until(lane.done, what="the lane to leave: nothing is due until tomorrow")
    assert len(world.sent()) == 2
    assert await world.status(campaign) == "sending"
    await world.execute("UPDATE message SET next_at = now(), quota_day = quota_day - 1 WHERE quota_day IS NOT NULL")
    await world.send_all(campaign)
    assert len({line["phone"] for line in world.sent()}) == len(world.sent()) == 5


async def test_failing_at_the_limit_spares_what_is_planned_for_later_days(opens: Opens) -> None:
    world = await opens(**FAST, DAILY_MESSAGE_LIMIT="2", QUOTA_EXHAUSTED="fail")
    campaign = await world.launch(6, quota_plan=plan(3, 3))
    async with world.sending() as lane:
        await until(lane.done, what="the lane to leave")
    assert await world.statuses(campaign) == {"sent": 2, "failed": 1, "pending": 3}
    assert len(world.sent()) == 2
