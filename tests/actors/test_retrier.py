from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Record

from actors.agreement import agreed
from actors.retrier import settle_doubts
from models import pool, transitions
from models.transitions import Fact
from tests.actors.people import inbound, phones
from tests.actors.world import World, run
from tests.simulator_process import DEVICE, until


async def doubtful(world: World, many: int = 1, *, by: UUID | None = None) -> UUID:
    """Launch a campaign whose messages were promised by a process that is dead (or ``by``)."""
    campaign = await world.launch(many)
    await world.promise(campaign)
    await world.execute("UPDATE message SET process = $1 WHERE campaign = $2", by or await dead_man(world), campaign)
    return campaign


async def dead_man(world: World) -> UUID:
    """Return a process that lived on this run of PostgreSQL, and died."""
    name: UUID = await world.value(
        "INSERT INTO heartbeat (process, kind, host, pid, server, beat_at)"
        " VALUES (gen_random_uuid(), 'worker', 'here', 1, server_run(), now() - interval '1 minute') RETURNING process"
    )
    return name


async def control(world: World) -> None:
    """Let the device take another message now: the control of every look-up."""
    campaign = await world.launch(phones(1, 900))
    [row] = await messages(world, campaign)
    answer = world.simulator.send(row["phone"], reference=str(row["id"]))
    assert answer.status_code == 201
    async with pool.connection() as conn:
        now = await conn.fetchval("SELECT now()")
        await conn.execute("UPDATE message SET promised_at = now() WHERE id = $1", row["id"])
        await transitions.accept(
            conn, [Fact(message=row["id"], status="sent", at=now, why="t", gateway_id=answer.json()["id"])], by="t"
        )


async def messages(world: World, campaign: UUID) -> list[Record]:
    return await world.rows("SELECT * FROM message WHERE campaign = $1 AND step = 1 ORDER BY id", campaign)


async def settle(world: World) -> None:
    await run(settle_doubts, world.sender)


async def later(world: World, seconds: float = 6) -> None:
    """Let the first look be so much longer ago."""
    await world.execute("UPDATE message SET absent_at = absent_at - make_interval(secs => $1)", seconds)


async def test_what_the_gateway_has_is_recorded_as_found_and_not_sent_again(world: World) -> None:
    campaign = await doubtful(world)
    [row] = await messages(world, campaign)
    world.simulator.send(row["phone"], reference=str(row["id"]))
    await settle(world)
    [row] = await messages(world, campaign)
    assert row["status"] in ("sent", "delivered") and row["gateway_id"]
    assert await world.states(campaign) == {"awaiting_reply": 1} and len(world.sent()) == 1


async def test_a_dead_mans_promise_is_sent_again_once_absence_was_seen_twice_with_a_control(world: World) -> None:
    campaign = await doubtful(world)
    await control(world)
    await settle(world)
    [row] = await messages(world, campaign)
    assert row["status"] == "sending" and row["absent_at"] is not None
    await settle(world)  # not five seconds later: nothing is proven
    assert await world.statuses(campaign) == {"sending": 1}
    await later(world)
    await settle(world)
    [row] = await messages(world, campaign)
    assert (row["status"], row["retries"], row["round"]) == ("pending", 0, 0)


async def test_without_a_control_absence_proves_nothing_and_a_person_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await doubtful(world)
    await settle(world)
    [row] = await messages(world, campaign)
    assert (row["status"], row["absent_at"]) == ("sending", None)
    monkeypatch.setattr("actors.retrier.UNCONFIRMED_SECONDS", 0.0)
    await settle(world)
    assert await world.statuses(campaign) == {"unconfirmed": 1} and await world.states(campaign) == {"unconfirmed": 1}
    assert "unconfirmed" in await world.alerts()
    await control(world)  # a later proof settles it all the same
    await settle(world)
    await later(world)
    await settle(world)
    assert await world.statuses(campaign) == {"pending": 1} and await world.states(campaign) == {"queued": 1}


async def test_a_promise_of_a_living_process_is_never_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = await doubtful(world, by=world.process.identity.id)
    await control(world)
    await world.hear(inbound("in_new_text", phones(1)[0]))  # a reply that waits makes it looked up at once
    for _ in range(3):
        await settle(world)
        await later(world)
    [row] = await messages(world, campaign)
    assert (row["status"], row["absent_at"]) == ("sending", None)
    monkeypatch.setattr("actors.retrier.FROZEN_SECONDS", 0.0)
    await settle(world)
    assert await world.statuses(campaign) == {"unconfirmed": 1}


@pytest.mark.parametrize("server", ["another run", None])
async def test_on_another_run_of_the_database_only_an_expired_promise_is_sent_again(
    world: World, server: str | None
) -> None:
    """Restarted, restored, promoted: that no lock is held here says nothing of the process that held it there."""
    name = await dead_man(world)
    campaign = await doubtful(world, by=name)
    await world.execute("UPDATE heartbeat SET server = $2 WHERE process = $1", name, server)
    await control(world)
    for _ in range(2):
        await settle(world)
        await later(world)
    assert await world.statuses(campaign) == {"sending": 1}
    await world.execute("UPDATE message SET promised_at = now() - interval '20 s' WHERE campaign = $1", campaign)
    await settle(world)
    await later(world)
    await settle(world)
    assert await world.statuses(campaign) == {"pending": 1}


@pytest.mark.parametrize("lag", ["lookups_unavailable", "lookup_lag_seconds"])
async def test_a_look_up_that_cannot_tell_proves_nothing(world: World, lag: str) -> None:
    campaign = await doubtful(world)
    await control(world)
    [row] = await messages(world, campaign)
    world.simulator.send(row["phone"], reference=str(row["id"]))
    world.simulator.behave({lag: True if lag == "lookups_unavailable" else 3600})
    for _ in range(3):
        await settle(world)
        await later(world)
    assert await world.statuses(campaign) == {"sending": 1}
    world.simulator.behave({lag: False if lag == "lookups_unavailable" else 0})
    await settle(world)
    assert set(await world.statuses(campaign)) <= {"sent", "delivered"}


async def test_many_doubts_are_read_off_one_list(world: World) -> None:
    campaign = await doubtful(world, 60)
    for row in await messages(world, campaign):
        world.simulator.send(row["phone"], reference=str(row["id"]))
    before = _look_ups(world.simulator.requests())
    await settle(world)
    assert set(await world.statuses(campaign)) <= {"sent", "delivered"}
    assert _look_ups(world.simulator.requests()) - before <= 3


def _look_ups(told: dict[str, Any]) -> int:
    text = told.get("endpoints", told)
    return sum(
        count if isinstance(count, int) else sum(count.values())
        for name, count in text.items()
        if isinstance(name, str) and name.startswith("GET /v1/messages")
    )


async def test_old_unconfirmed_ones_do_not_keep_a_new_doubt_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.retrier.AT_ONCE", 5)
    old = await doubtful(world, 8)
    async with pool.connection() as conn:
        await transitions.doubt(conn, [(r["id"], r["attempt"], "t") for r in await messages(world, old)], by="t")
    new = await world.launch(phones(1, 50))
    await world.promise(new)
    await world.execute("UPDATE message SET process = $1 WHERE campaign = $2", await dead_man(world), new)
    [row] = await messages(world, new)
    world.simulator.send(row["phone"], reference=str(row["id"]))
    await settle(world)
    assert set(await world.statuses(new)) <= {"sent", "delivered"}


async def test_a_reply_that_waits_for_a_look_up_is_let_go_by_it(world: World) -> None:
    assert await agreed(world.process, world.sender, DEVICE)  # else the gateway's story would settle the doubt first
    campaign = await doubtful(world)
    [row] = await messages(world, campaign)
    world.simulator.send(row["phone"], reference=str(row["id"]))
    inbox = await world.hear(inbound("in_new_text", row["phone"]))
    assert inbox["parked_for"] == row["id"]
    await settle(world)
    assert (await world.inbox(inbox["id"]))["parked_for"] is None


async def test_two_retriers_at_once_settle_a_doubt_once(world: World) -> None:
    campaign = await doubtful(world, 10)
    await control(world)
    await asyncio.gather(*(settle(world) for _ in range(3)))
    await later(world)
    await asyncio.gather(*(settle(world) for _ in range(3)))
    assert await world.statuses(campaign) == {"pending": 10}
    assert (
        await world.value(
            "SELECT count(*) FROM event WHERE subject = 'message' AND old = 'sending' AND new = 'pending'"
        )
        == 10
    )


async def test_a_call_without_an_answer_is_looked_up_though_its_process_lives(world: World) -> None:
    world.simulator.behave(phones={phones(1)[0]: {"send": "close_after_accept"}})
    campaign = await world.launch(1)

    async def ended() -> bool:
        return bool(await world.value("SELECT ended_at IS NOT NULL FROM message WHERE campaign = $1", campaign))

    async with world.sending():
        await until(ended)
        await settle(world)
    assert set(await world.statuses(campaign)) <= {"sent", "delivered"} and len(world.sent()) == 1


async def test_a_call_that_ended_is_sent_again_only_when_its_message_has_expired(world: World) -> None:
    """Its process lives and cannot write it any more; the gateway still might deliver what it took."""
    campaign = await doubtful(world, by=world.process.identity.id)
    await world.execute("UPDATE message SET ended_at = now() WHERE campaign = $1", campaign)
    await control(world)
    for _ in range(2):
        await settle(world)
        await later(world)
    assert await world.statuses(campaign) == {"sending": 1}
    await world.execute("UPDATE message SET promised_at = now() - interval '20 s' WHERE campaign = $1", campaign)
    await settle(world)
    await later(world)
    await settle(world)
    assert await world.statuses(campaign) == {"pending": 1}


async def test_a_message_older_than_the_promise_is_no_control(world: World) -> None:
    """It shows that the filter works, not that the index has caught up with the moment of the promise."""
    await control(world)
    campaign = await doubtful(world)
    for _ in range(2):
        await settle(world)
        await later(world)
    [row] = await messages(world, campaign)
    assert (row["status"], row["absent_at"]) == ("sending", None)


async def test_a_message_of_another_number_is_no_control(world: World) -> None:
    campaign = await doubtful(world)
    await control(world)
    other = await world.add_sender("f" * 24)
    await world.execute("UPDATE message SET sender = $1 WHERE campaign <> $2", other, campaign)
    for _ in range(2):
        await settle(world)
        await later(world)
    [row] = await messages(world, campaign)
    assert (row["status"], row["absent_at"]) == ("sending", None)


async def test_what_expired_at_the_gateway_is_found_so_and_sent_again(world: World) -> None:
    campaign = await doubtful(world)
    [row] = await messages(world, campaign)
    world.simulator.behave(device_offline=True, offline_accepts=True)
    soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    world.simulator.send(row["phone"], reference=str(row["id"]), expiration={"date": soon})
    await until(lambda: world.sent() and world.sent()[0]["failure"], seconds=30, what="the message to expire")
    await settle(world)
    [row] = await messages(world, campaign)
    assert (row["status"], row["round"]) == ("pending", 1)


async def test_a_reply_that_waits_makes_a_fresh_promise_be_looked_up(world: World) -> None:
    """Of a process that lives and may still hear the answer: nobody would look so soon but for the reply."""
    assert await agreed(world.process, world.sender, DEVICE)
    campaign = await doubtful(world, by=world.process.identity.id)
    [row] = await messages(world, campaign)
    world.simulator.send(row["phone"], reference=str(row["id"]))
    await settle(world)
    assert await world.statuses(campaign) == {"sending": 1}
    assert (await world.hear(inbound("in_new_text", row["phone"])))["parked_for"] == row["id"]
    await settle(world)
    assert set(await world.statuses(campaign)) <= {"sent", "delivered"}
