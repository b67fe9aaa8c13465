"""What the watchdog says, for everything that may be wrong, and that it takes it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import pytest

import settings
from actors import alerts, restraints
from actors.telling import Teller
from local import embedded
from models import live, pool
from scheduler import ping, watchdog
from scheduler.watchdog import Watchdog
from tests.actors.conftest import Opens
from tests.actors.world import Memory
from tests.simulator.receiver import Receiver, running_receiver
from tests.simulator_process import until


@pytest.fixture
def configured(configured: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[settings.Settings]:
    """Short patience: what was long ago in the rows is what counts."""
    for name in ("WORKER_DOWN_ALERT_SECONDS", "LANE_STALLED_ALERT_SECONDS", "WEBHOOK_SILENCE_ALERT_SECONDS"):
        monkeypatch.setenv(name, "300")
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.0)
    settings.get.cache_clear()
    yield settings.get()


@pytest.fixture
async def dog(memory: Memory) -> AsyncIterator[Watchdog]:
    client = live.async_client()
    yield Watchdog(lambda: True, client, Teller([]))
    await client.aclose()


async def look(dog: Watchdog) -> None:
    """Look at everything, whenever it was last looked at."""
    for one in dog.looks:
        one.last = float("-inf")
    await dog.look()


async def open_alerts(memory: Memory) -> dict[str, str]:
    """Return the subject of each open alert by its kind."""
    return {r["kind"]: r["subject"] for r in await memory.rows("SELECT * FROM alert WHERE resolved_at IS NULL")}


async def process(memory: Memory, kind: str, began: int, beat: int, *, ended: bool = False) -> UUID:
    """A process that began and last beat so many seconds ago."""
    name = uuid4()
    await memory.execute(
        "INSERT INTO heartbeat (process, kind, host, pid, started_at, beat_at, ended_at) VALUES ($1, $2, 'here', 7,"
        " now() - make_interval(secs => $3), now() - make_interval(secs => $4), CASE WHEN $5 THEN now() END)",
        name,
        kind,
        float(began),
        float(beat),
        ended,
    )
    return name


async def everybody(memory: Memory) -> None:
    for kind in watchdog.NEEDED:
        await process(memory, kind, 10_000, 0)


async def test_a_worker_that_is_silent_for_five_minutes_is_missed_until_it_is_replaced(
    memory: Memory, dog: Watchdog
) -> None:
    await everybody(memory)
    await process(memory, "worker", 9_000, 299)
    await look(dog)
    assert await open_alerts(memory) == {}
    await process(memory, "worker", 9_000, 301)
    await look(dog)
    assert await open_alerts(memory) == {"worker_down": "worker"}
    assert "1 beat" in await memory.value("SELECT text FROM alert")
    await look(dog)
    assert await memory.value("SELECT count(*) FROM alert") == 1
    await process(memory, "worker", 100, 0)
    await look(dog)
    assert await open_alerts(memory) == {}


async def test_a_process_that_stopped_in_good_order_is_not_missed(memory: Memory, dog: Watchdog) -> None:
    await everybody(memory)
    await process(memory, "worker", 9_000, 5_000, ended=True)
    await look(dog)
    assert await open_alerts(memory) == {}


async def test_a_kind_of_which_none_is_left_is_missed_however_it_went(
    memory: Memory, dog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await process(memory, "worker", 9_000, 0)
    await process(memory, "web", 9_000, 0)
    await process(memory, "replies", 9_000, 400, ended=True)
    await look(dog)
    assert await open_alerts(memory) == {}  # this leader has just begun
    monkeypatch.setattr(dog, "_led_for", lambda: 301.0)
    await look(dog)
    assert await open_alerts(memory) == {"worker_down": "replies"}


async def test_nobody_is_missed_right_after_the_database_came_back(
    memory: Memory, dog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 30.0)
    await process(memory, "worker", 9_000, 5_000)
    await look(dog)
    assert await open_alerts(memory) == {}


async def test_only_the_leader_looks(memory: Memory, dog: Watchdog) -> None:
    await process(memory, "worker", 9_000, 5_000)
    dog._leads = lambda: False
    await look(dog)
    assert await open_alerts(memory) == {}


async def test_processes_of_long_ago_are_forgotten_unless_a_doubt_names_them(memory: Memory, opens: Opens) -> None:
    world = await opens()
    dog = Watchdog(lambda: True, world.process.redis, Teller([]))
    old, named = [await process(memory, "worker", 1_000_000, 9 * 86_400) for _ in range(2)]
    young = await process(memory, "worker", 1_000_000, 7 * 86_400)
    campaign = await world.launch(1)
    await world.promise(campaign)
    await world.execute("UPDATE message SET process = $1", named)
    await look(dog)
    left = {row["process"] for row in await memory.rows("SELECT process FROM heartbeat")}
    assert left >= {named, young} and old not in left


async def test_a_number_of_which_no_webhook_came_is_missed_until_one_does(opens: Opens, memory: Memory) -> None:
    world = await opens()
    dog = Watchdog(lambda: True, world.process.redis, Teller([]))
    await world.reached(1)
    await look(dog)
    assert "webhook_silence" not in await open_alerts(memory)
    await world.execute("UPDATE message SET sent_at = now() - interval '301 seconds'")
    await look(dog)
    assert (await open_alerts(memory))["webhook_silence"] == str(world.sender)
    await world.execute(
        "INSERT INTO inbox (event_key, kind, device_id, from_person, fetched, body)"
        " SELECT 'k', 'message:out:ack', device_id, false, false, '' FROM sender"
    )
    await look(dog)
    assert "webhook_silence" not in await open_alerts(memory)


async def test_a_lane_that_could_send_and_does_not_is_missed_until_it_does(opens: Opens, memory: Memory) -> None:
    world = await opens()
    dog = Watchdog(lambda: True, world.process.redis, Teller([]))
    campaign = await world.launch(2)
    await look(dog)
    assert "lane_stalled" not in await open_alerts(memory)
    await world.execute("UPDATE message SET next_at = now() - interval '1 hour'")
    await world.execute("UPDATE sender SET gate_at = now() - interval '1 hour', not_before = now() - interval '1 hour'")
    await look(dog)
    assert (await open_alerts(memory))["lane_stalled"] == str(world.sender)
    await world.send_all(campaign)
    await look(dog)
    assert "lane_stalled" not in await open_alerts(memory)


async def test_a_day_that_is_nearly_used_up_is_said_and_over_the_next(opens: Opens, memory: Memory) -> None:
    world = await opens()
    dog = Watchdog(lambda: True, world.process.redis, Teller([]))
    await world.execute("UPDATE sender SET daily_limit = 100")
    await world.launch(1)
    for used, wanted in ((90, False), (91, True), (101, True), (10, False)):
        await world.execute("UPDATE quota_day SET used = $1", used)
        await look(dog)
        assert ("quota_danger" in await open_alerts(memory)) is wanted, used


async def test_a_campaign_that_fails_often_is_said_before_the_breaker_has_to(opens: Opens, memory: Memory) -> None:
    world = await opens()
    dog = Watchdog(lambda: True, world.process.redis, Teller([]))
    campaign = await world.launch(40)
    await world.promise(campaign)
    await world.execute(
        "UPDATE message SET status = CASE WHEN n <= 3 THEN 'failed' ELSE 'sent' END, failed_at = now(),"
        " sent_at = now(), error_class = 'refused', error_text = 'x', why = 't', moved_by = 't'"
        " FROM (SELECT id AS it, row_number() OVER (ORDER BY id) AS n FROM message) x WHERE id = it"
    )
    await look(dog)
    assert (await open_alerts(memory)).get("error_rate") == str(campaign)


async def test_what_others_raised_is_over_when_its_cause_is(opens: Opens, memory: Memory) -> None:
    world = await opens()
    dog = Watchdog(lambda: True, world.process.redis, Teller([]))
    campaign = await world.launch(1)
    for kind, subject in (
        *(("sender_blocked", world.sender), ("sender_offline", world.sender)),
        *(("breaker", campaign), ("unconfirmed", campaign)),
    ):
        await memory.execute("INSERT INTO alert (kind, subject, text) VALUES ($1, $2, 'x')", kind, str(subject))
    await world.promise(campaign)
    await world.execute("UPDATE message SET status = 'unconfirmed', why = 't', moved_by = 't'")
    await world.execute("UPDATE campaign SET status = 'paused', paused_at = now(), holds = 'all', moved_by = 'breaker'")
    await world.execute("UPDATE sender SET state = 'blocked'")
    await look(dog)
    assert set(await open_alerts(memory)) == {"sender_blocked", "breaker", "unconfirmed"}
    await world.execute("UPDATE message SET status = 'failed', failed_at = now(), error_text = 'x'")
    await world.execute("UPDATE campaign SET status = 'sending', paused_at = NULL, holds = NULL, moved_by = 'ana'")
    await world.execute("UPDATE sender SET state = 'ready'")
    await look(dog)
    assert not {"sender_blocked", "breaker", "unconfirmed"} & set(await open_alerts(memory))


async def test_a_full_disk_and_a_full_server_are_said(
    memory: Memory, dog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISK_FREE_ALERT", "0.9")
    settings.get.cache_clear()
    monkeypatch.setattr(watchdog, "_free_share", lambda: 0.5)
    await look(dog)
    assert "disk" in await open_alerts(memory)
    monkeypatch.setattr(watchdog, "_free_share", lambda: 0.95)
    await look(dog)
    assert "disk" not in await open_alerts(memory)
    most = int(await memory.value("SELECT current_setting('max_connections')"))
    held = await asyncio.gather(*(pool.connect() for _ in range(int(most * 0.9))))
    try:
        await look(dog)
        assert "connections" in await open_alerts(memory)
    finally:
        await asyncio.gather(*(conn.close() for conn in held))
    await look(dog)
    assert "connections" not in await open_alerts(memory)


async def test_redis_that_is_away_for_a_while_is_said(
    memory: Memory, dog: Watchdog, servers: embedded.Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert servers.valkey is not None
    await look(dog)
    servers.valkey.freeze()
    try:
        await look(dog)
        assert "redis" not in await open_alerts(memory)
        monkeypatch.setattr(watchdog, "LOST_SECONDS", 0.0)
        await look(dog)
        assert "redis" in await open_alerts(memory)
    finally:
        servers.valkey.thaw()
    await look(dog)
    assert "redis" not in await open_alerts(memory)


async def test_a_database_that_is_away_is_told_without_it_and_remembered_after(
    memory: Memory, dog: Watchdog, servers: embedded.Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert servers.postgres is not None
    monkeypatch.setattr(watchdog, "LOST_SECONDS", 0.5)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.1)
    async with running_receiver() as receiver:
        dog._teller = Teller([receiver.url.replace("http://", "json://")])
        running = asyncio.create_task(dog.run())
        servers.postgres.kill()
        try:
            await until(lambda: receiver.bodies, seconds=60, what="the news")
            assert receiver.bodies[0]["title"] == "Relance: database"
        finally:
            servers.postgres.start()

        async def remembered() -> bool:
            try:
                return bool(await memory.value("SELECT count(*) FROM alert WHERE kind = 'database'"))
            except (*pool.UNAVAILABLE, *pool.TRANSIENT):
                return False

        await until(remembered, seconds=60, what="the alert of the outage")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(receiver.bodies) == 1


async def test_the_ping_stops_when_no_worker_beats(memory: Memory) -> None:
    await process(memory, "worker", 100, 0)
    assert not await ping.well()
    await process(memory, "replies", 100, 0)
    assert await ping.well()
    await memory.execute("UPDATE heartbeat SET beat_at = now() - interval '16 seconds' WHERE kind = 'worker'")
    assert not await ping.well()


async def test_the_ping_reaches_its_address(memory: Memory, receiver: Receiver) -> None:
    for kind in ping.VITAL:
        await process(memory, kind, 100, 0)
    leads = False
    pinging = asyncio.create_task(ping.pinging(receiver.url, lambda: leads))
    await asyncio.sleep(0.2)
    assert receiver.gets == 0  # who does not lead says nothing
    pinging.cancel()
    leads = True
    pinging = asyncio.create_task(ping.pinging(receiver.url, lambda: leads))
    await until(lambda: receiver.gets == 1, what="the ping")
    pinging.cancel()
    await asyncio.gather(pinging, return_exceptions=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as running:
        yield running


async def test_a_lane_that_ends_as_the_breaker_trips_pauses_and_tells_or_neither(
    opens: Opens, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await opens()
    campaign = await world.launch(12)
    await world.promise(campaign)
    await world.execute(
        "UPDATE message SET status = 'failed', failed_at = now(), error_class = 'refused', error_text = 'x',"
        " why = 't', moved_by = 't'"
    )
    reached = asyncio.Event()

    async def cut(*_: object, **__: object) -> None:
        reached.set()
        await asyncio.sleep(60)

    with monkeypatch.context() as patch:
        patch.setattr(alerts, "say", cut)
        tripping = asyncio.create_task(restraints.breaker(world.process, campaign))
        await asyncio.wait_for(reached.wait(), 20)
        tripping.cancel()
        await asyncio.gather(tripping, return_exceptions=True)
    assert await world.status(campaign) == "sending"
    assert await restraints.breaker(world.process, campaign)
    assert await world.status(campaign) == "paused"
    assert "breaker" in await world.alerts()
