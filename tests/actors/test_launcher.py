from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from actors import launcher
from actors.launcher import launch_campaign
from models import pool, transitions
from tests.actors.people import phones
from tests.actors.world import World, run


async def people(world: World) -> list[str]:
    return [row["phone"] for row in await world.rows("SELECT phone FROM message WHERE step = 1 ORDER BY phone")]


async def test_everybody_of_the_audience_gets_a_recipient_and_a_message_1(world: World) -> None:
    campaign = await world.launch(phones(25), message_1="Bonjour {{name}}")
    assert await people(world) == phones(25)
    assert await world.status(campaign) == "sending"
    assert await world.states(campaign) == {"queued": 25} and await world.statuses(campaign) == {"pending": 25}
    assert await world.value("SELECT DISTINCT text FROM message") == "Bonjour Awa"
    assert await world.value("SELECT sum(total) FROM campaign_stats WHERE campaign = $1", campaign) == 25
    assert "25 recipients" in await world.value("SELECT why FROM campaign WHERE id = $1", campaign)


async def test_an_interrupted_launch_is_finished_and_makes_nobody_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "STEP", 10)
    campaign = await world.draft(world.sender, phones(45))
    await world.start_launch(campaign)
    task = asyncio.create_task(run(launch_campaign, campaign))
    while not await world.states(campaign):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 0 < (await world.states(campaign))["queued"] < 45
    await run(launch_campaign, campaign)
    await run(launch_campaign, campaign)
    assert await people(world) == phones(45) and await world.status(campaign) == "sending"
    assert "45 recipients" in await world.value("SELECT why FROM campaign WHERE id = $1", campaign)


async def test_launches_at_once_make_nobody_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "STEP", 10)
    campaign = await world.draft(world.sender, phones(60))
    await world.start_launch(campaign)
    await asyncio.gather(*(run(launch_campaign, campaign) for _ in range(6)))
    assert await people(world) == phones(60) and await world.status(campaign) == "sending"


async def test_a_person_in_two_spellings_is_one_recipient(world: World) -> None:
    campaign = await world.launch(["+525512345678", "+5215512345678", "+5531996883193", "+553196883193", *phones(1)])
    assert len(await people(world)) == 3
    assert await world.states(campaign) == {"queued": 3}


async def test_who_opted_out_or_is_excluded_or_was_written_to_lately_is_left_out(world: World) -> None:
    out, excluded, lately, reached = phones(4)
    await world.contacts([out])
    await world.execute("UPDATE contact SET opted_out_at = now() WHERE phone = $1", out)
    unwanted = await world.contacts([excluded])
    earlier = await world.launch([lately])
    await world.promise(earlier)
    campaign = await world.launch(
        [out, excluded, lately, reached], excluded_categories=[unwanted], contacted_within_days=7
    )
    rows = await world.rows("SELECT phone FROM message WHERE campaign = $1", campaign)
    assert [row["phone"] for row in rows] == [reached]


async def test_whose_text_would_have_a_hole_is_left_out_and_counted(world: World) -> None:
    category = await world.contacts(phones(3))
    await world.execute("UPDATE contact SET name = NULL WHERE phone = $1", phones(3)[1])
    campaign = await world.draft(world.sender, [])
    await world.execute("UPDATE campaign_category SET category = $1", category)
    await world.start_launch(campaign)
    await run(launch_campaign, campaign)
    assert await people(world) == [phones(3)[0], phones(3)[2]]
    assert "1 left out" in await world.value("SELECT why FROM campaign WHERE id = $1", campaign)


async def test_a_cancel_during_the_launch_ends_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "STEP", 5)
    campaign = await world.draft(world.sender, phones(100))
    await world.start_launch(campaign)
    task = asyncio.create_task(run(launch_campaign, campaign))
    while not await world.states(campaign):
        await asyncio.sleep(0)
    async with pool.connection() as conn:
        assert await transitions.cancel(conn, campaign, why="a person", by="test")
    await task
    assert (await world.states(campaign))["queued"] < 100
    assert await world.status(campaign) == "cancelled"


async def test_a_scheduled_campaign_is_launched_with_its_windows_fixed(world: World) -> None:
    campaign = await world.draft(world.sender, 2)
    async with pool.connection() as conn:
        await transitions.schedule(conn, campaign, datetime.now(UTC) - timedelta(seconds=1), why="later", by="test")
    await run(launch_campaign, campaign)
    row = await world.row("SELECT status, window_seconds, safety_seconds FROM campaign WHERE id = $1", campaign)
    assert tuple(row) == ("sending", 24 * 3600, 48 * 3600)


async def test_a_launch_of_nothing_or_of_what_runs_changes_nothing(world: World) -> None:
    campaign = await world.draft(world.sender, 2)
    await run(launch_campaign, campaign)
    assert await world.status(campaign) == "draft" and await people(world) == []
    await run(launch_campaign, "00000000-0000-7000-8000-000000000000")


async def test_an_empty_audience_is_an_empty_campaign(world: World) -> None:
    campaign = await world.launch([])
    assert await world.status(campaign) == "sending" and await people(world) == []


async def test_a_scheduled_launch_that_finds_too_little_stays_scheduled_and_is_tried_again_next_day(
    world: World,
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=1)
    await world.execute("UPDATE sender SET daily_limit = 3")
    campaign = await world.draft(world.sender, 4)
    async with pool.connection() as conn:
        await transitions.schedule(conn, campaign, at, why="a person", by="test")
    await run(launch_campaign, campaign)
    row = await world.row("SELECT * FROM campaign WHERE id = $1", campaign)
    assert (row["status"], row["scheduled_at"]) == ("scheduled", at + timedelta(days=1))
    assert "4 messages are needed" in row["why"] and "3 remain" in row["why"]
    assert await world.value("SELECT count(*) FROM recipient") == 0, "nothing half-launched"
    assert await world.value("SELECT subject FROM alert WHERE kind = 'launch_postponed'") == str(campaign)
    await run(launch_campaign, campaign)
    assert (await world.row("SELECT * FROM campaign WHERE id = $1", campaign))["scheduled_at"] == row["scheduled_at"]
    await world.execute("UPDATE sender SET daily_limit = 4")
    await world.execute("UPDATE campaign SET scheduled_at = now()")
    await run(launch_campaign, campaign)
    assert await world.status(campaign) == "sending"
    assert await world.value("SELECT resolved_at IS NOT NULL FROM alert") is True
