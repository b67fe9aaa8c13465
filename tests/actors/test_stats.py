from __future__ import annotations

import asyncio
from uuid import uuid4

import msgspec
import pytest

from actors.stats import refresh_stats
from local import embedded
from models import live
from models.progress import NoSuchCampaign
from tests.actors.people import phones
from tests.actors.world import World, run


async def test_a_snapshot_is_published_kept_and_stored_for_its_minute(world: World) -> None:
    world.simulator.behave(phones={phones(1)[0]: {"send": "bad_request"}})
    campaign = await world.launch(phones(1) + phones(2, 10), pacing={"profile": "official", "rate": 100})
    await world.send_all(campaign)
    async with world.process.redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(live.FRAMES)
        await run(refresh_stats, campaign)
        async with asyncio.timeout(2):
            while (heard := await channel.get_message(timeout=0.5)) is None:
                pass
    frame = msgspec.json.decode(heard["data"])
    assert (frame["type"], frame["subject"]) == ("progress", str(campaign))
    assert (frame["data"]["total"], frame["data"]["sent"], frame["data"]["send_failed"]) == (3, 2, 1)
    assert msgspec.json.decode(await world.process.redis.get(live.frame(campaign)) or "null") == frame
    redis = world.process.redis
    assert [await redis.get(f"campaign:{campaign}:{what}") for what in ("sent", "failed")] == [b"2", b"1"]
    assert await redis.get(f"campaign:{campaign}:last_message") is not None
    assert 0 < await redis.ttl(f"campaign:{campaign}:sent") <= 86_400
    minute = await world.row("SELECT * FROM campaign_minute WHERE campaign = $1", campaign)
    assert (minute["sent"], minute["send_failed"], minute["minute"].second) == (2, 1, 0)
    await run(refresh_stats, campaign)
    assert await world.value("SELECT count(*) FROM campaign_minute") <= 2


async def test_lost_keys_are_rebuilt_from_the_database(world: World) -> None:
    campaign = await world.reached(4)
    await world.process.redis.flushall()
    await run(refresh_stats, campaign)
    assert await world.process.redis.get(f"campaign:{campaign}:sent") == b"4"


async def test_without_redis_the_minute_is_stored_all_the_same(world: World, servers: embedded.Servers) -> None:
    assert servers.valkey is not None
    campaign = await world.reached(2)
    servers.valkey.freeze()
    try:
        await asyncio.wait_for(run(refresh_stats, campaign), 15)  # frozen, it would never answer
    finally:
        servers.valkey.thaw()
    assert await world.value("SELECT sent FROM campaign_minute") == 2


async def test_the_figures_hold_their_identity(world: World) -> None:
    world.simulator.behave(phones={p: {"send": "bad_request"} for p in phones(12)[::6]})
    campaign = await world.launch(12, pacing={"profile": "official", "rate": 100})
    await world.send_all(campaign)
    await run(refresh_stats, campaign)
    data = msgspec.json.decode(await world.process.redis.get(live.frame(campaign)) or "null")["data"]
    assert data["total"] == sum(data[k] for k in ("pending", "unconfirmed", "sent", "send_failed", "cancelled"))
    assert data["sent"] >= data["delivered"] >= data["read"]


async def test_a_campaign_that_is_gone_has_no_snapshot(world: World) -> None:
    with pytest.raises(NoSuchCampaign):
        await run(refresh_stats, uuid4())
