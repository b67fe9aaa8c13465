from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from uuid import UUID

from actors.agreement import agreed
from actors.recorder import Ended, Entry, Recorder
from local import embedded
from models import pool
from models.transitions import Fact, Failure, GiveBack, Promise
from tests.actors.people import inbound
from tests.actors.world import World
from tests.simulator_process import DEVICE, until


async def promises(world: World, many: int) -> list[Promise]:
    campaign = await world.launch(many)
    await world.promise(campaign)
    rows = await world.rows("SELECT * FROM message WHERE campaign = $1 ORDER BY id", campaign)
    names = (
        "recipient",
        "campaign",
        "contact",
        "sender",
        "step",
        "phone",
        "text",
        "media",
        "attempt",
        "retries",
        "round",
    )
    return [Promise(message=row["id"], **{name: row[name] for name in names}) for row in rows]


def sent(promise: Promise) -> Fact:
    return Fact(message=promise.message, status="sent", at=datetime.now(UTC), why="test")


async def statements(world: World) -> int:
    """How many transactions events were written in."""
    return int(await world.value("SELECT count(DISTINCT xmin::text) FROM event WHERE new = 'sent'"))


async def test_results_of_a_busy_moment_are_written_together(world: World) -> None:
    given = await promises(world, 300)
    for promise in given:
        world.process.recorder.put(promise, sent(promise))
    await world.settled()
    assert await world.statuses(given[0].campaign) == {"sent": 300}
    assert await statements(world) <= 3


async def test_a_single_result_is_written_at_once(world: World) -> None:
    [promise] = await promises(world, 1)
    world.process.recorder.put(promise, sent(promise))
    await world.settled()
    assert await world.states(promise.campaign) == {"awaiting_reply": 1}


async def test_each_kind_of_result_moves_its_row(world: World) -> None:
    fact, again, failure, ended = await promises(world, 4)
    put = world.process.recorder.put
    put(fact, sent(fact))
    put(
        again,
        GiveBack(
            message=again.message, attempt=1, wait=5, used_retry=True, error_class="never_left", error_text="x", why="x"
        ),
    )
    put(failure, Failure(message=failure.message, attempt=1, error_class="refused", error_text="no such number"))
    put(ended, Ended(ended.message, 1, "timed out"))
    await world.settled()
    rows = {row["id"]: row for row in await world.rows("SELECT * FROM message")}
    assert rows[fact.message]["status"] == "sent"
    assert (rows[again.message]["status"], rows[again.message]["retries"]) == ("pending", 1)
    assert (rows[failure.message]["status"], rows[failure.message]["error_text"]) == ("failed", "no such number")
    assert (rows[ended.message]["status"], rows[ended.message]["error_text"]) == ("sending", "timed out")
    assert rows[ended.message]["ended_at"] is not None


async def test_results_wait_for_the_database_and_none_is_lost(world: World, servers: embedded.Servers) -> None:
    assert servers.postgres is not None
    given = await promises(world, 20)

    async def away() -> bool:
        try:
            await world.value("SELECT 1")
        except pool.UNAVAILABLE:
            return True
        return False

    servers.postgres.kill()
    try:
        await until(away, what="the last of its backends to end")  # they notice after it
        for promise in given:
            world.process.recorder.put(promise, sent(promise))
        assert not await world.process.recorder.drained(0.5)
    finally:
        servers.postgres.start()

    async def recorded() -> bool:
        try:
            return await world.statuses(given[0].campaign) == {"sent": 20}
        except pool.UNAVAILABLE:
            return False

    await until(recorded)


async def test_one_result_that_the_database_refuses_does_not_hold_up_the_others(world: World) -> None:
    given = await promises(world, 5)
    bad = given[2]
    world.process.recorder.put(
        bad, Failure(message=bad.message, attempt=1, error_class="refused", error_text="a NUL \x00")
    )
    for promise in given:
        if promise is not bad:
            world.process.recorder.put(promise, sent(promise))
    await world.settled()
    assert await world.statuses(bad.campaign) == {"sent": 4, "sending": 1}


async def test_an_old_promise_has_no_say_in_what_became_of_a_new_one(world: World) -> None:
    [promise] = await promises(world, 1)
    await world.execute("UPDATE message SET attempt = 2")
    put = world.process.recorder.put
    put(promise, Failure(message=promise.message, attempt=1, error_class="refused", error_text="late"))
    put(promise, Ended(promise.message, 1, "late"))
    await world.settled()
    row = await world.row("SELECT status, ended_at FROM message")
    assert (row["status"], row["ended_at"]) == ("sending", None)
    put(promise, sent(promise))  # a fact, though, is a fact
    await world.settled()
    assert await world.statuses(promise.campaign) == {"sent": 1}


async def test_a_reply_somebody_holds_does_not_end_the_process(world: World) -> None:
    """After recording, the replies that waited are let go; one that is locked is left to the scheduler."""
    [promise] = await promises(world, 1)
    inbox = await world.value(
        "INSERT INTO inbox (event_key, kind, from_person, body, parked_for)"
        " VALUES ('k', 'message:in:new', true, '', $1) RETURNING id",
        promise.message,
    )
    ended: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    try:
        async with pool.connection() as other, other.transaction():
            await other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            await other.execute("SELECT FROM inbox WHERE id = $1 FOR UPDATE", inbox)
            world.process.recorder.put(promise, sent(promise))
            await asyncio.sleep(2.6)  # lock_timeout is 2 s
        assert ended == []
        assert await world.statuses(promise.campaign) == {"sent": 1}
        assert world.process.recorder.idle
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_drained_says_no_while_something_waits() -> None:
    async def nobody(entries: list[Entry]) -> None: ...

    recorder = Recorder(nobody)
    assert await recorder.drained(0.05)
    zero = UUID(int=0)
    promise = Promise(
        message=zero, recipient=zero, campaign=zero, contact=zero, sender=zero, step=1, phone="", text="", media=None,
        attempt=1, retries=0, round=0,
    )  # fmt: skip
    recorder.put(promise, Ended(zero, 1, ""))
    assert not recorder.idle and not await recorder.drained(0.05)


async def test_a_recorded_message_1_lets_the_reply_go_that_waited_for_it(world: World) -> None:
    assert await agreed(world.process, world.sender, DEVICE)
    [promise] = await promises(world, 1)
    heard = await world.hear(inbound("in_new_text", promise.phone))
    assert heard["parked_for"] == promise.message
    world.process.recorder.put(promise, sent(promise))
    await world.settled()

    async def free() -> bool:
        return (await world.inbox(heard["id"]))["parked_for"] is None

    await until(free, what="the reply to be let go")
