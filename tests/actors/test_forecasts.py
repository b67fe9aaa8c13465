"""What a snapshot foretells, and why it says that this moved."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from actors.stats import refresh_stats
from models import live
from rules.quota import local_day
from tests.actors.world import World, run


async def refreshed(world: World, campaign: UUID) -> dict[str, Any]:
    await run(refresh_stats, campaign)
    shown: dict[str, Any] = msgspec.json.decode(await world.process.redis.get(live.frame(campaign)) or "null")["data"]
    return shown


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_once_all_have_left_sending_ended_when_it_did(world: World) -> None:
    campaign = await world.reached(3)
    left = datetime.now(UTC) - timedelta(hours=2)
    await world.execute("UPDATE campaign SET planned_end = $1", left)
    shown = await refreshed(world, campaign)
    assert shown["status"] == "waiting"
    assert moment(shown["sending_ends_at"]) == left
    assert moment(shown["completes_at"]) > datetime.now(UTC)


async def test_the_estimate_says_why_it_moved_and_goes_on_saying_it(world: World) -> None:
    campaign = await world.launch(200)
    first = await refreshed(world, campaign)
    assert (first["forecast_moved"], first["forecast_moved_at"]) == ("", None)
    await world.execute("UPDATE campaign SET pacing = $1", json.dumps({"delay": 10}))
    second = await refreshed(world, campaign)
    assert second["forecast_moved"].startswith("the delay grew from 5 to 10 s: +1")
    assert moment(second["sending_ends_at"]) - moment(first["sending_ends_at"]) > timedelta(minutes=15)
    third = await refreshed(world, campaign)
    assert third["forecast_moved"] == second["forecast_moved"]
    assert moment(third["forecast_moved_at"]) <= datetime.now(UTC)


async def test_small_steps_are_added_up_until_they_are_worth_a_word(world: World) -> None:
    """The inputs that were told are kept until something is said: many little moves do not slip by."""
    campaign = await world.launch(200)
    await refreshed(world, campaign)
    said = []
    for delay in (5.04, 5.08, 5.12, 5.16, 5.2):
        await world.execute("UPDATE campaign SET pacing = $1", json.dumps({"delay": delay}))
        said.append((await refreshed(world, campaign))["forecast_moved"])
    assert said[0] == ""
    assert said[-1].startswith("the delay grew from 5 to 5.")


async def test_a_spread_campaign_ends_on_its_last_day(world: World) -> None:
    today = local_day(datetime.now(UTC), "UTC")
    plan = {(today + timedelta(days=n)).isoformat(): 4 for n in range(3)}
    campaign = await world.launch(12, quota_plan=json.dumps(plan))
    shown = await refreshed(world, campaign)
    ends = moment(shown["sending_ends_at"])
    assert local_day(ends, "UTC") == today + timedelta(days=2)
    assert ends.hour == 0, "in its first minutes: four messages take no longer"
    assert shown["forecast_parts"]["quota"] > 86_000
