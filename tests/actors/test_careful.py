"""The careful profile: the recipient's own night, the warm-up, the hourly cap."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models import pool
from models.queries import sql
from tests.actors.conftest import Opens
from tests.actors.people import phones
from tests.actors.world import World
from tests.simulator_process import until

CAREFUL = {"PACING_PROFILE": "careful", "TIME_SCALE": "600", "CAREFUL_QUIET_HOURS": ""}
"""A gap of 50 ms, an hour of 6 s."""
AMERICANS = [f"+1202555010{n}" for n in range(3)]


def night_in(place: str) -> str:
    """Return quiet hours that last from an hour ago to an hour from now in a place."""
    now = datetime.now(ZoneInfo(place))
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"


async def test_it_is_the_recipients_night_that_counts_and_the_others_are_written_to(opens: Opens) -> None:
    world = await opens(**CAREFUL)
    campaign = await world.launch([*phones(4), *AMERICANS], quiet_hours=night_in("Europe/Paris"))
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 20)
    assert {line["phone"] for line in world.sent()} == set(AMERICANS)
    held = await world.rows("SELECT held, next_at - now() AS wait FROM message WHERE status = 'pending'")
    assert len(held) == 4 and {row["held"][:12] for row in held} == {"quiet hours "}
    assert all(timedelta(minutes=55) < row["wait"] <= timedelta(hours=1) for row in held)
    await world.execute("UPDATE campaign SET quiet_hours = $1", night_in("Asia/Tokyo"))
    await world.send_all(campaign)
    assert len(world.sent()) == 7


async def test_a_new_number_opens_twenty_conversations_a_day_and_says_why(opens: Opens) -> None:
    world = await opens(**CAREFUL, PACING_JITTER="0")
    campaign = await world.launch(24)
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 30)
    assert len(world.sent()) == 20 and await world.statuses(campaign) == {"sent": 20, "pending": 4}
    day = await world.row("SELECT used, opened, new_cap, cap_why FROM quota_day")
    assert tuple(day) == (20, 20, 20, "the first stage: it has still to earn the next")
    assert {row["held"] for row in await world.rows("SELECT held FROM message WHERE status = 'pending'")} == {"warm-up"}
    await world.execute("UPDATE sender SET mature = true")
    async with pool.connection() as conn:
        await sql.forget_caps(conn, sender=world.sender)
    await world.send_all(campaign)
    assert tuple(await world.row("SELECT opened, new_cap FROM quota_day")) == (24, 300)


async def test_a_known_chat_is_no_new_conversation(opens: Opens) -> None:
    world = await opens(**CAREFUL)
    await world.send_all(await world.launch(2))
    await world.send_all(await world.launch(phones(3)))
    assert await world.value("SELECT opened FROM quota_day") == 3
    opened = await world.rows("SELECT opens FROM message ORDER BY promised_at")
    assert sorted(row["opens"] for row in opened) == [False, False, True, True, True]


async def test_a_conversation_that_was_given_back_is_not_counted(opens: Opens) -> None:
    world = await opens(TIME_SCALE="60", WASSENGER_RATE_LIMIT_SECONDS="3")
    world.simulator.behave(phones={p: {"send": ["rate_limit", "ok"]} for p in phones(1)})
    await world.send_all(await world.launch(2))
    assert tuple(await world.row("SELECT used, opened FROM quota_day")) == (2, 2)


async def left(world: World, many: int) -> None:
    """Let so many Message 1 have left just now."""
    await world.promise(await world.launch(phones(many, 500)))


@pytest.mark.parametrize("profile", ["careful", "standard"])
async def test_thirty_in_an_hour_are_enough_for_the_careful_profile(opens: Opens, profile: str) -> None:
    world = await opens(**CAREFUL | {"PACING_PROFILE": profile})
    await left(world, 30)
    began = datetime.now(UTC)
    campaign = await world.launch(phones(1))
    async with world.sending():

        async def sent() -> bool:
            return bool((await world.statuses(campaign)).get("sent"))

        await until(sent, seconds=30)
    at = await world.value("SELECT promised_at FROM message WHERE campaign = $1", campaign)
    assert ((at - began).total_seconds() > 5) is (profile == "careful")
