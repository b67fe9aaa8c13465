"""What of typing reaches the gateway: a moment before a message, never enough to make an answer late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.actors.conftest import Opens
from tests.actors.people import inbound, phones
from tests.actors.test_interactions import age
from tests.actors.test_lane import FAST
from tests.actors.world import World
from tests.simulator_process import until


def typed(world: World) -> list[Any]:
    return [line["options"].get("typing") for line in world.sent()]


async def test_message_1_and_message_2_are_typed_for_two_seconds(world: World) -> None:
    [phone] = phones(1)
    campaign = await world.launch([phone], message_1="Bonjour Awa, le salon ouvre lundi")
    async with world.sending():
        await until(lambda: len(world.sent()) == 1)
        await world.settled()
    await age(world, campaign, 60)
    soon = datetime.now(UTC) + timedelta(seconds=30)  # our own time of it counts: however slow this machine is
    await world.hear(inbound("in_new_text", phone, at=soon.timestamp()))
    assert typed(world)[0] == 2
    assert typed(world)[1] in (2, None)
    assert await world.states(campaign) == {"followed_up": 1}


async def test_an_answer_that_is_late_already_is_not_typed(world: World) -> None:
    [phone] = phones(1)
    campaign = await world.reached([phone])
    await age(world, campaign, 60)
    two_seconds_ago = (datetime.now(UTC) - timedelta(seconds=2)).timestamp()
    await world.hear(inbound("in_new_text", phone, at=two_seconds_ago))
    assert typed(world) == [None]


async def test_nobody_types_in_compressed_time_or_where_it_is_switched_off(opens: Opens) -> None:
    world = await opens(**FAST)
    await world.send_all(await world.launch(2))
    assert typed(world) == [None, None]


async def test_typing_can_be_switched_off(opens: Opens) -> None:
    world = await opens(SIMULATE_TYPING="false")
    [phone] = phones(1)
    await world.reached([phone])
    await world.hear(inbound("in_new_text", phone))
    assert typed(world) == [None]
