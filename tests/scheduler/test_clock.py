from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import redis.asyncio

from actors import wake
from local import embedded
from models import live, pool, transitions
from models.queries import sql
from scheduler import clock as clocks
from scheduler.clock import Clock
from tests.actors.people import phones
from tests.actors.world import Memory
from tests.simulator_process import until

NOBODY = UUID("00000000-0000-7000-8000-000000000000")


@pytest.fixture
async def client(memory: Memory) -> AsyncIterator[redis.asyncio.Redis]:
    client = live.async_client()
    yield client
    await client.aclose()
    wake.close()


@pytest.fixture
def clock(client: redis.asyncio.Redis) -> Clock:
    return Clock(uuid4(), client)


async def tick(clock: Clock) -> None:
    async with pool.connection() as conn:
        await clock._tick(conn)


async def wakes(client: redis.asyncio.Redis) -> list[tuple[str, ...]]:
    """Return (actor, arguments…) of every wake-up that waits in Redis."""
    found = []
    for queue in ("sending", "work", "replies"):
        for body in (await client.hgetall(f"{live.QUEUES}:{queue}.msgs")).values():
            message = json.loads(body)
            found.append((message["actor_name"], *message["args"]))
    return found


async def woken(client: redis.asyncio.Redis, clock: Clock, wanted: tuple[str, ...]) -> None:
    """One tick wakes; and after Redis has lost everything, another one does."""
    for _ in range(2):
        await tick(clock)

        async def there() -> bool:
            return wanted in await wakes(client)

        await until(there, what=f"the wake-up {wanted}")
        await client.flushall()
        for watch in clock._watches:
            watch.last = 0.0


async def message(memory: Memory, campaign: UUID, step: int, status: str, **more: object) -> UUID:
    names = ["status", "why", "moved_by", *more]
    await memory.execute(
        "WITH k AS (INSERT INTO contact (phone, identity) VALUES (gen_random_uuid()::text, gen_random_uuid()::text)"
        " RETURNING id, identity), r AS (INSERT INTO recipient (campaign, contact, identity)"
        " SELECT $1, id, identity FROM k RETURNING id, contact)"
        " INSERT INTO message (recipient, campaign, contact, sender, step, phone, text)"
        " SELECT r.id, $1, r.contact, (SELECT sender FROM campaign WHERE id = $1), $2, '+33199000000', 'x' FROM r",
        campaign, step,
    )  # fmt: skip
    found: UUID = await memory.value("SELECT id FROM message ORDER BY id DESC LIMIT 1")
    if status != "pending":
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 2))
        await memory.execute(f"UPDATE message SET {sets} WHERE id = $1", found, status, "t", "t", *more.values())
    return found


@pytest.fixture
async def sender(memory: Memory) -> UUID:
    return await memory.first_sender()


async def campaign(memory: Memory, sender: UUID, status: str) -> UUID:
    found = await memory.draft(sender, phones(1))
    await memory.start_launch(found)
    for step in {"sending": ["sending"], "waiting": ["sending", "waiting"], "paused": ["sending", "paused"]}.get(
        status, []
    ):
        await memory.execute(
            "UPDATE campaign SET status = $2, why = 't', moved_by = 't', paused_at = now(), holds = 'all'"
            " WHERE id = $1",
            found,
            step,
        )
    return found


# --- every lost wake-up is issued again ---------------------------------------------------------------------


async def test_a_lane_without_an_owner_is_woken(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    await campaign(memory, sender, "sending")
    await woken(client, clock, ("send_batch", str(sender)))


@pytest.mark.parametrize(
    "change",
    [
        "lease_until = now() + interval '5 s'",
        "not_before = now() + interval '5 s'",
        "state = 'blocked'",
        "state = 'offline'",
    ],
)
async def test_a_lane_that_runs_or_rests_or_may_not_send_is_left_alone(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock, change: str
) -> None:
    await campaign(memory, sender, "sending")
    await memory.execute(f"UPDATE sender SET {change}")
    await tick(clock)
    wake.close()
    assert not [w for w in await wakes(client) if w[0] == "send_batch"]


async def test_an_offline_sender_is_asked_for(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    await memory.execute("UPDATE sender SET state = 'offline'")
    await woken(client, clock, ("ask_device", str(sender)))


@pytest.mark.parametrize("actor", ["ask_device", "guard_sender"])
async def test_a_sender_at_work_is_watched(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock, actor: str
) -> None:
    await campaign(memory, sender, "sending")
    await woken(client, clock, (actor, str(sender)))


@pytest.mark.parametrize("status", ["waiting", "paused"])
async def test_a_lane_with_nothing_to_send_is_left_alone(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock, status: str
) -> None:
    await campaign(memory, sender, status)
    await tick(clock)
    wake.close()
    assert not [w for w in await wakes(client) if w[0] == "send_batch"]


async def test_an_undigested_reply_is_woken_and_a_parked_one_when_its_message_is_settled(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    running = await campaign(memory, sender, "sending")
    settled = await message(memory, running, 1, "sent", sent_at=datetime.now(UTC))
    doubtful = await message(memory, running, 1, "sending", promised_at=datetime.now(UTC), process=uuid4())
    add = (
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body, received_at, parked_for)"
        " VALUES (gen_random_uuid()::text, 'message:in:new', true, false, '', now() - interval '2 s', $1) RETURNING id"
    )
    fresh, parked, open_ = [await memory.value(add, message) for message in (None, settled, doubtful)]
    await woken(client, clock, ("handle_interaction", str(fresh)))
    await woken(client, clock, ("handle_interaction", str(parked)))
    await tick(clock)
    wake.close()
    assert ("handle_interaction", str(open_)) not in await wakes(client)


async def test_a_reply_that_is_being_handled_is_given_a_moment(
    memory: Memory, client: redis.asyncio.Redis, clock: Clock
) -> None:
    await memory.execute(
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body)"
        " VALUES ('k', 'message:in:new', true, false, '')"
    )
    await tick(clock)
    wake.close()
    assert not [w for w in await wakes(client) if w[0] == "handle_interaction"]


async def test_a_message_2_that_is_due_is_woken_unless_it_is_held(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    running = await campaign(memory, sender, "waiting")
    due = await message(memory, running, 2, "pending")
    await memory.execute("UPDATE message SET next_at = now() - interval '2 s'")
    await woken(client, clock, ("send_message_2", str(due)))
    async with pool.connection() as conn:
        await transitions.pause(conn, running, holds="all", why="a person", by="t")
    await tick(clock)
    wake.close()
    assert not [w for w in await wakes(client) if w[0] == "send_message_2"]


async def test_acknowledgements_that_wait_are_woken(memory: Memory, client: redis.asyncio.Redis, clock: Clock) -> None:
    await memory.execute(
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body)"
        " VALUES ('k', 'message:out:ack', false, false, '')"
    )
    await woken(client, clock, ("digest_acknowledgements",))


@pytest.mark.parametrize("whose", ["a dead process", "a call that ended", "long ago"])
async def test_a_sender_with_a_promise_nobody_keeps_is_woken(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock, whose: str
) -> None:
    running, process, now = await campaign(memory, sender, "sending"), uuid4(), datetime.now(UTC)
    if whose != "a dead process":
        async with pool.connection() as conn:
            await sql.beat(conn, process=process, kind="worker", host="h", pid=1)
    more: dict[str, object] = {"ended_at": now} if whose == "a call that ended" else {}
    at = now - timedelta(seconds=60) if whose == "long ago" else now
    await message(memory, running, 1, "sending", promised_at=at, process=process, **more)
    await woken(client, clock, ("settle_doubts", str(sender)))


async def test_a_promise_that_is_being_kept_is_left_alone(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    running, process = await campaign(memory, sender, "sending"), uuid4()
    async with pool.connection() as conn:
        await sql.beat(conn, process=process, kind="worker", host="h", pid=1)
    await message(memory, running, 1, "sending", promised_at=datetime.now(UTC), process=process)
    await tick(clock)
    wake.close()
    assert not [w for w in await wakes(client) if w[0] == "settle_doubts"]


async def test_unconfirmed_ones_are_looked_at_now_and_then(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    running, now = await campaign(memory, sender, "sending"), datetime.now(UTC)
    doubt = await message(memory, running, 1, "sending", promised_at=now, process=uuid4())
    await memory.execute("UPDATE message SET status = 'unconfirmed', why = 't', moved_by = 't' WHERE id = $1", doubt)
    await woken(client, clock, ("settle_doubts", str(sender)))


async def test_launches_that_are_not_finished_or_whose_time_has_come_are_woken(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    launching = await campaign(memory, sender, "launching")
    due, later = await memory.draft(sender, phones(1)), await memory.draft(sender, phones(1))
    async with pool.connection() as conn:
        for which, seconds in ((due, -1), (later, 60)):
            at = datetime.now(UTC) + timedelta(seconds=seconds)
            await transitions.schedule(conn, which, at, why="t", by="t")
    await woken(client, clock, ("launch_campaign", str(launching)))
    await woken(client, clock, ("launch_campaign", str(due)))
    await tick(clock)
    wake.close()
    assert ("launch_campaign", str(later)) not in await wakes(client)


async def test_imports_sweeps_and_figures_are_woken(
    memory: Memory, sender: UUID, client: redis.asyncio.Redis, clock: Clock
) -> None:
    waiting = await campaign(memory, sender, "waiting")
    waits = await memory.value("INSERT INTO import (filename) VALUES ('x.csv') RETURNING id")
    await woken(client, clock, ("import_contacts", str(waits)))
    await woken(client, clock, ("sweep_campaigns",))
    await woken(client, clock, ("refresh_stats", str(waiting)))


async def test_each_thing_is_looked_at_as_often_as_it_says(
    memory: Memory, client: redis.asyncio.Redis, clock: Clock
) -> None:
    for _ in range(3):
        await tick(clock)
    wake.close()
    assert [w for w in await wakes(client) if w[0] == "sweep_campaigns"] == [("sweep_campaigns",)]


async def test_a_deep_queue_gets_no_further_wakes_and_the_others_do(
    memory: Memory, client: redis.asyncio.Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "DEEP", 20)
    await memory.execute(
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body, received_at)"
        " SELECT n::text, 'message:in:new', true, false, '', now() - interval '2 s' FROM generate_series(1, 30) n"
    )
    depth = f"{live.QUEUES}:replies"
    await tick(clock)

    async def deep() -> bool:
        return int(await client.llen(depth)) == 30

    await until(deep)
    for watch in clock._watches:
        watch.last = 0.0
    await client.delete(f"{live.QUEUES}:work")
    await tick(clock)
    wake.close()
    assert await client.llen(depth) == 30
    assert await client.llen(f"{live.QUEUES}:work") > 0


async def test_a_backlog_is_woken_in_bounded_steps(
    memory: Memory, client: redis.asyncio.Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "MOST", 10)
    await memory.execute(
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body, received_at)"
        " SELECT n::text, 'message:in:new', true, false, '', now() - interval '2 s' FROM generate_series(1, 50) n"
    )
    await tick(clock)
    wake.close()
    assert await client.llen(f"{live.QUEUES}:replies") == 10


# --- one leader ---------------------------------------------------------------------------------------------


async def lead(clock: Clock) -> bool:
    async with pool.connection() as conn:
        await clock._lead(conn)
    return clock.leads


async def test_one_leads_and_the_other_stands_by_until_the_lease_ends(
    memory: Memory, client: redis.asyncio.Redis
) -> None:
    one, two = Clock(uuid4(), client), Clock(uuid4(), client)
    assert (await lead(one), await lead(two), await lead(one)) == (True, False, True)
    await memory.execute("UPDATE leader SET until = now() - interval '1 ms'")  # frozen for longer than its lease
    assert (await lead(two), await lead(one)) == (True, False)


async def test_a_clock_that_is_stopped_steps_down_at_once(memory: Memory, client: redis.asyncio.Redis) -> None:
    one, two, stop = Clock(uuid4(), client), Clock(uuid4(), client), asyncio.Event()
    running = asyncio.create_task(one.run(stop))
    await until(lambda: one.leads)
    stop.set()
    await asyncio.wait_for(running, 30)
    assert await lead(two)


async def test_a_standby_wakes_nobody(memory: Memory, client: redis.asyncio.Redis) -> None:
    leader, standby, stop = Clock(uuid4(), client), Clock(uuid4(), client), asyncio.Event()
    assert await lead(leader)
    running = asyncio.create_task(standby.run(stop))
    await asyncio.sleep(0.3)
    stop.set()
    await running
    wake.close()
    assert await wakes(client) == []


async def test_an_outage_of_the_database_is_sat_out(
    memory: Memory, client: redis.asyncio.Redis, servers: embedded.Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert servers.postgres is not None
    monkeypatch.setattr(clocks, "TICK_SECONDS", 0.1)
    clock, stop = Clock(uuid4(), client), asyncio.Event()
    running = asyncio.create_task(clock.run(stop))
    await until(lambda: all(watch.last for watch in clock._watches))
    servers.postgres.kill()
    try:
        await asyncio.sleep(0.5)
        assert not running.done()
    finally:
        servers.postgres.start()
    await client.flushall()

    async def wakes_again() -> bool:
        for watch in clock._watches:
            watch.last = 0.0
        return ("sweep_campaigns",) in await wakes(client)

    await until(wakes_again)
    stop.set()
    await running


async def test_a_scheduler_can_be_stopped_while_the_database_is_away(
    memory: Memory, client: redis.asyncio.Redis, servers: embedded.Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert servers.postgres is not None
    monkeypatch.setattr(clocks, "TICK_SECONDS", 60.0)
    clock, stop = Clock(uuid4(), client), asyncio.Event()
    running = asyncio.create_task(clock.run(stop))
    await until(lambda: all(watch.last for watch in clock._watches))
    await asyncio.sleep(0.1)  # the first tick is over
    servers.postgres.kill()

    async def away() -> bool:
        try:
            await memory.value("SELECT 1")
        except OSError:
            return True
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            pass  # a connection that notices only now
        return False

    try:
        await until(away)
        stop.set()
        await asyncio.wait_for(running, 45)  # the tick is a minute
    finally:
        servers.postgres.start()


async def test_a_frozen_redis_does_not_hold_the_clock_up(
    memory: Memory, client: redis.asyncio.Redis, servers: embedded.Servers, clock: Clock
) -> None:
    assert servers.valkey is not None
    servers.valkey.freeze()
    try:
        await asyncio.wait_for(tick(clock), 15)
    finally:
        servers.valkey.thaw()
