from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis.asyncio
from asyncpg import Connection, Record

from local import embedded, place, stack
from local.valkey import Valkey
from tests import worlds
from tests.simulator_process import until
from tests.web.conftest import Makes, problem
from tests.web.serving import Web, serving, watching


async def publish(redis_url: str, campaign: str, **figures: Any) -> int:
    """Publish a snapshot as the stats actor does; returns how many heard it."""
    frame = {"type": "progress", "subject": campaign, "data": {"campaign_id": campaign} | figures}
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        return int(await client.publish("relance:frames", json.dumps(frame)))


async def test_a_stream_begins_with_a_snapshot_and_goes_on_with_what_is_published(
    api: httpx.AsyncClient, new_campaign: Makes, redis_url: str
) -> None:
    campaign = (await new_campaign())["id"]
    async with watching(api, f"/api/campaigns/{campaign}/events") as events:
        first = await anext(events)
        progress = (await api.get(f"/api/campaigns/{campaign}/progress")).json()
        assert (first.kind, first.data | {"at": ""}) == ("progress", progress | {"at": ""})

        async def heard() -> int:
            return await publish(redis_url, campaign, sent=7)

        await until(heard, what="the hub's subscription")
        change = await asyncio.wait_for(_where(events, sent=7), 30)
        assert change.id > first.id


async def test_a_stream_of_one_campaign_hears_nothing_of_another(
    api: httpx.AsyncClient, new_campaign: Makes, redis_url: str
) -> None:
    one, other = (await new_campaign())["id"], (await new_campaign())["id"]
    async with watching(api, f"/api/campaigns/{one}/events") as events:
        await anext(events)
        await publish(redis_url, other, sent=1)
        await publish(redis_url, one, sent=2)
        assert (await asyncio.wait_for(_where(events, sent=2), 30)).data["campaign_id"] == one


async def test_the_stream_of_everything_begins_with_every_active_campaign(
    api: httpx.AsyncClient, conn: Connection[Record], redis_url: str
) -> None:
    running = await worlds.launched(conn, 1)
    async with watching(api, "/api/events") as events:
        first = await asyncio.wait_for(_where(events, campaign_id=str(running.campaign)), 30)
        assert (first.data["status"], first.data["total"]) == ("sending", 1)
        await publish(redis_url, str(running.campaign), sent=99)
        assert (await asyncio.wait_for(_where(events, sent=99), 30)).id > first.id


async def test_the_stream_of_everything_shows_the_service_itself_again_and_again(api: httpx.AsyncClient) -> None:
    async with watching(api, "/api/events") as events:
        first = await asyncio.wait_for(_kind(events, "monitoring"), 30)
        assert first.data.keys() == (await api.get("/api/monitoring")).json().keys()
        later = await asyncio.wait_for(_kind(events, "monitoring"), 30)
        assert (later.id > first.id, later.data["at"] > first.data["at"]) == (True, True)


async def test_a_campaign_that_moves_is_shown_as_its_own_page_shows_it(
    api: httpx.AsyncClient, conn: Connection[Record], redis_url: str
) -> None:
    running = await worlds.launched(conn, 1)
    path = f"/api/campaigns/{running.campaign}"
    async with watching(api, "/api/events") as everything, watching(api, f"{path}/events") as one:
        for status in ("sending", "paused"):
            if status == "paused":
                await api.post(f"{path}/pause")
            await publish(redis_url, str(running.campaign), status=status)  # as the stats actor would
            for events in (everything, one):
                shown = await asyncio.wait_for(_kind(events, "campaign", id=str(running.campaign)), 30)
                assert (shown.data, shown.data["status"]) == ((await api.get(path)).json(), status)


async def test_who_comes_back_gets_a_fresh_snapshot_with_a_later_id(
    api: httpx.AsyncClient, new_campaign: Makes
) -> None:
    path = f"/api/campaigns/{(await new_campaign())['id']}/events"
    ahead = time.time_ns() // 1000 + 60_000_000
    async with watching(api, path, last_id=ahead) as events:
        assert (await anext(events)).id > ahead


async def test_a_frame_that_cannot_be_read_ends_no_stream(
    web: Web, api: httpx.AsyncClient, new_campaign: Makes, redis_url: str
) -> None:
    campaign = (await new_campaign())["id"]
    async with watching(api, f"/api/campaigns/{campaign}/events") as events:
        await anext(events)
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            await client.publish("relance:frames", "{broken")
        await publish(redis_url, campaign, sent=3)
        await asyncio.wait_for(_where(events, sent=3), 30)
    assert web.logged(event="a live frame cannot be read")


async def test_a_stream_needs_the_key(web: Web) -> None:
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        problem(await stranger.get("/api/events"), 401, "unauthorized")


async def test_many_streams_hold_no_connection_to_the_database(environment: dict[str, str], own_log: Path) -> None:
    with serving(environment | {"DATABASE_POOL_SIZE": "2"}, own_log) as web:
        async with web.client(limits=httpx.Limits(max_connections=None)) as api:
            streams = [watching(api, "/api/events") for _ in range(12)]
            for stream in streams:
                await stream.__aenter__()
            assert (await api.get("/api/contacts")).status_code == 200
            for stream in streams:
                await stream.__aexit__(None, None, None)


async def test_without_redis_a_stream_goes_on_with_snapshots_from_sql(
    environment: dict[str, str], own_log: Path
) -> None:
    nobody = f"redis://127.0.0.1:{stack.free_port()}/0"
    with serving(environment | {"REDIS_URL": nobody}, own_log) as web:
        async with web.client() as api:
            path = f"/api/campaigns/{await _draft(api)}"
            async with watching(api, f"{path}/events") as events:
                await anext(events)
                await api.post(f"{path}/cancel")
                await asyncio.wait_for(_where(events, status="cancelled"), 30)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A Redis of this test's own, to be stopped and frozen."""
    home = place.home(f"test-stream-{os.getpid()}")
    running = Valkey(home, durable=False)
    running.start()
    yield running
    running.stop()
    embedded.remove(home)


async def test_a_stream_survives_the_death_of_redis_and_hears_it_again(
    environment: dict[str, str], own_log: Path, valkey: Valkey
) -> None:
    with serving(environment | {"REDIS_URL": valkey.url}, own_log) as web:
        async with web.client() as api:
            campaign = await _draft(api)
            async with watching(api, f"/api/campaigns/{campaign}/events") as events:
                await anext(events)
                valkey.kill()
                valkey.start()
                await until(lambda: len(web.logged(event="live frames are heard")) == 2, what="the new subscription")
                await publish(valkey.url, campaign, sent=5)
                await asyncio.wait_for(_where(events, sent=5), 30)


async def test_a_frozen_redis_does_not_freeze_a_stream(
    environment: dict[str, str], own_log: Path, valkey: Valkey
) -> None:
    with serving(environment | {"REDIS_URL": valkey.url}, own_log) as web:
        async with web.client() as api:
            campaign = await _draft(api)
            async with watching(api, f"/api/campaigns/{campaign}/events") as events:
                await anext(events)
                await until(lambda: web.logged(event="live frames are heard"), what="the subscription")
                valkey.freeze()
                try:
                    await api.post(f"/api/campaigns/{campaign}/cancel")
                    await asyncio.wait_for(_where(events, status="cancelled"), 20)
                finally:
                    valkey.thaw()


async def test_a_shutdown_ends_the_streams_and_the_process_at_once(environment: dict[str, str], own_log: Path) -> None:
    with serving(environment, own_log) as web:
        async with web.client() as api, watching(api, "/api/events") as events:
            assert (await anext(events)).kind == "monitoring"
            asked = time.monotonic()
            web.process.send_signal(signal.SIGTERM)
            assert {event.kind async for event in events} <= {"monitoring"}
            await until(lambda: web.process.poll() is not None, what="the end of the process")
            assert time.monotonic() - asked < 15
    assert web.process.returncode == -signal.SIGTERM  # as it was asked to
    assert not web.logged(level="error")


async def _kind(events: Any, kind: str, **wanted: Any) -> Any:
    async for event in events:
        if event.kind == kind and all(event.data.get(name) == value for name, value in wanted.items()):
            return event
    raise AssertionError(f"the stream ended without {kind} {wanted}")


async def _where(events: Any, **wanted: Any) -> Any:
    async for event in events:
        if all(event.data.get(name) == value for name, value in wanted.items()):
            return event
    raise AssertionError(f"the stream ended without {wanted}")


async def _draft(api: httpx.AsyncClient) -> str:
    """Write a campaign of the first sender."""
    made = await api.post("/api/campaigns", json={"name": "x", "category_ids": [], "message_1": "Hello"})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])
