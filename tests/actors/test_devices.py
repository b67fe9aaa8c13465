from __future__ import annotations

import pytest

from actors import devices
from actors.devices import ask_device
from models import pool
from tests.actors.conftest import Opens
from tests.actors.world import World, run


async def state(world: World) -> str:
    return str(await world.value("SELECT state FROM sender WHERE id = $1", world.sender))


async def go_offline(world: World) -> None:
    """Tell what the webhook tells."""
    async with pool.connection() as conn:
        await devices.told(conn, world.sender, "offline", "the session is offline")
    assert await state(world) == "offline"


async def test_an_offline_sender_is_back_when_the_gateway_says_so_and_the_alert_is_over(world: World) -> None:
    campaign = await world.launch(1)
    await go_offline(world)
    assert await world.alerts() == {"sender_offline"}
    await run(ask_device, world.sender)
    assert await state(world) == "ready"
    assert await world.alerts() == set()
    moved = await world.row(
        "SELECT old, new, why, moved_by FROM event WHERE subject = 'sender' ORDER BY id DESC LIMIT 1"
    )
    assert tuple(moved) == ("offline", "ready", "the session is back", "gateway")
    await world.send_all(campaign)


async def test_a_sender_whose_device_is_still_offline_stays_so(world: World) -> None:
    world.simulator.behave(device_offline=True)
    await go_offline(world)
    await run(ask_device, world.sender)
    assert await state(world) == "offline" and await world.alerts() == {"sender_offline"}


async def test_a_gateway_that_does_not_answer_moves_nothing(opens: Opens) -> None:
    world = await opens(WASSENGER_BASE_URL="http://127.0.0.1:9")
    await go_offline(world)
    await run(ask_device, world.sender)
    assert await state(world) == "offline"
    assert await world.alerts() == {"sender_offline"}


async def test_a_gateway_that_knows_no_such_device_blocks_the_sender(world: World) -> None:
    await go_offline(world)
    await world.execute("UPDATE sender SET device_id = repeat('e', 24)")
    await run(ask_device, world.sender)
    assert await state(world) == "blocked" and "sender_blocked" in await world.alerts()


async def test_a_sender_that_a_person_paused_is_not_asked_for(world: World) -> None:
    await world.execute("UPDATE sender SET state = 'paused'")
    await run(ask_device, world.sender)
    assert await state(world) == "paused"


@pytest.mark.parametrize(("skew", "way"), [(-90, "behind"), (40, "ahead of")])
async def test_a_clock_that_differs_from_the_gateways_is_told_until_it_is_set(
    world: World, skew: int, way: str
) -> None:
    world.simulator.behave(clock_skew_seconds=skew)
    await run(ask_device, world.sender)
    text = await world.value("SELECT text FROM alert WHERE kind = 'gateway_clock' AND resolved_at IS NULL")
    assert f"s {way} ours" in text and "NTP" in text
    assert await state(world) == "ready"
    world.simulator.behave(clock_skew_seconds=0)
    await run(ask_device, world.sender)
    assert await world.alerts() == set()
