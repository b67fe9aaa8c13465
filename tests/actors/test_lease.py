from __future__ import annotations

import asyncio
import time
from uuid import UUID

import pytest

import settings
from actors import lease
from actors.lane import Lane
from models import pool
from tests.actors.world import Memory, World
from tests.simulator_process import until


@pytest.fixture
async def sender(memory: Memory) -> UUID:
    return await memory.first_sender()


async def expire(memory: Memory, sender: UUID) -> None:
    await memory.execute("UPDATE sender SET lease_until = now() - interval '1 ms' WHERE id = $1", sender)


async def test_a_lane_has_one_owner_however_many_ask_at_once(sender: UUID) -> None:
    taken = [found for found in await asyncio.gather(*(lease.take(sender) for _ in range(10))) if found]
    assert len(taken) == 1


async def test_the_epoch_rises_with_every_change_of_hands(memory: Memory, sender: UUID) -> None:
    epochs = []
    for _ in range(3):
        taken = await lease.take(sender)
        assert taken is not None
        epochs.append(taken.epoch)
        await taken.leave(0)
    assert epochs == [1, 2, 3]
    taken = await lease.take(sender)
    await expire(memory, sender)
    stolen = await lease.take(sender)
    assert taken and stolen and stolen.epoch == taken.epoch + 1


async def test_a_lease_is_counted_from_before_the_request_that_got_it(sender: UUID) -> None:
    async with pool.connection() as other, other.transaction():
        await other.execute("SELECT FROM sender WHERE id = $1 FOR UPDATE", sender)
        asked = time.monotonic()
        waiting = asyncio.create_task(lease.take(sender))
        await asyncio.sleep(0.5)
    taken = await waiting
    assert taken is not None
    assert taken.ends <= asked + settings.LEASE_SECONDS + 0.05
    assert taken.left() < settings.LEASE_SECONDS - 0.45


async def test_the_owner_renews_and_a_stolen_lease_is_lost(
    memory: Memory, sender: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LEASE_RENEW_SECONDS", 0.05)
    taken = await lease.take(sender)
    assert taken is not None
    ends = taken.ends
    renewing = asyncio.create_task(taken.renewing())
    await until(lambda: taken.ends > ends, what="a renewal")
    assert not taken.lost.is_set()
    await expire(memory, sender)
    thief = await lease.take(sender)
    assert thief is not None
    async with asyncio.timeout(2):
        await taken.lost.wait()
    await renewing
    await taken.leave(60)  # says nothing any more: another one owns it
    assert (
        await memory.value("SELECT lease_owner FROM sender WHERE id = $1 AND lease_until > now()", sender)
        == thief.owner
    )


async def test_a_lease_nobody_can_renew_is_lost_when_its_time_is_over(
    memory: Memory, sender: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LEASE_RENEW_SECONDS", 0.05)
    taken = await lease.take(sender)
    assert taken is not None
    taken.ends = time.monotonic() + 0.2
    await pool.close_pool()
    await pool.open_pool()
    async with pool.connection() as other, other.transaction():
        await other.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await other.execute("SELECT FROM sender WHERE id = $1 FOR UPDATE", sender)
        renewing = asyncio.create_task(taken.renewing())
        async with asyncio.timeout(5):
            await taken.lost.wait()
    await renewing


@pytest.mark.parametrize("state", ["blocked", "offline", "paused"])
async def test_a_sender_that_may_not_send_has_no_lane(memory: Memory, sender: UUID, state: str) -> None:
    await memory.execute("UPDATE sender SET state = $2 WHERE id = $1", sender, state)
    assert await lease.take(sender) is None


async def test_a_lane_whose_lease_was_taken_away_sends_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LEASE_RENEW_SECONDS", 0.05)
    await world.execute('UPDATE sender SET pacing = \'{"profile": "official", "rate": 10}\'')
    campaign = await world.launch(40)
    async with world.sending() as lane:
        await until(world.sent)
        await world.execute("UPDATE sender SET lease_until = now() - interval '1 s', lease_owner = gen_random_uuid()")
        await asyncio.wait_for(lane, 5)
    await world.settled()
    left = len(world.sent())
    assert 0 < left < 20
    assert await world.statuses(campaign) == {"sent": left, "pending": 40 - left}
    assert {line["reference"] for line in world.sent()} == {
        str(row["id"]) for row in await world.rows("SELECT id FROM message WHERE status = 'sent'")
    }


async def test_a_lease_too_short_for_a_whole_call_promises_and_writes_nothing(world: World) -> None:
    campaign = await world.launch(3)
    await world.execute("UPDATE sender SET gate_at = now() - interval '1 s'")
    lane = await world.lane()
    lane._lease.ends = time.monotonic() + settings.get().fence_seconds - 0.5
    await world.execute(
        "UPDATE sender SET lease_until = now() + make_interval(secs => $1)", settings.get().fence_seconds - 0.5
    )
    task = asyncio.create_task(lane._step())
    await asyncio.wait_for(task, 5)
    assert await world.statuses(campaign) == {"pending": 3}
    assert world.sent() == []


async def test_a_promise_is_not_written_when_too_little_of_the_lease_is_left(world: World) -> None:
    campaign, lane = await _promised(world)
    lane._lease.ends = time.monotonic() + settings.get().fence_seconds - 0.5
    await _all_given_back(world, lane, campaign)


async def test_a_promise_is_not_written_when_the_lease_was_lost(world: World) -> None:
    campaign, lane = await _promised(world)
    lane._lease.lost.set()
    await _all_given_back(world, lane, campaign)


async def _promised(world: World) -> tuple[UUID, Lane]:
    """Have a lane promise its first message; its call has not begun, for this task has not waited since."""
    campaign = await world.launch(3)
    lane = await world.lane()
    async with asyncio.timeout(20):
        while not world.process.in_hand:
            await lane._step()
    return campaign, lane


async def _all_given_back(world: World, lane: Lane, campaign: UUID) -> None:
    await until(lambda: not lane._calls, what="the end of the calls")
    await world.settled()
    assert await world.statuses(campaign) == {"pending": 3}
    assert world.sent() == []
    assert await world.value("SELECT why FROM message WHERE attempt = 1") == (
        "not sent: the right to send was lost before the first byte"
    )
