from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from actors import trials
from actors.acknowledgements import digest_acknowledgements
from actors.trials import reference, send_trial
from models import pool
from models.queries import sql
from rules.phone import identity
from tests.actors.conftest import Opens
from tests.actors.people import told
from tests.actors.world import World, run

PHONE = "+33199009001"


async def add(world: World, phone: str = PHONE, step: int = 1) -> UUID:
    campaign = await world.draft(world.sender, 1)
    async with pool.connection() as conn:
        made: UUID = await sql.add_trial(
            conn, campaign=campaign, sender=world.sender, step=step, phone=phone, identity=identity(phone),
            text="A test", media=None,
        )  # fmt: skip
    return made


async def trial(world: World, key: UUID) -> Any:
    return await world.row("SELECT * FROM trial WHERE id = $1", key)


async def used(world: World) -> int:
    return int(await world.value("SELECT coalesce(sum(used), 0) FROM quota_day"))


async def test_a_test_is_sent_once_whoever_is_woken_for_it_and_counts_in_the_quota(world: World) -> None:
    key = await add(world)
    await asyncio.gather(*(run(send_trial, key) for _ in range(5)))
    await run(send_trial, key)
    [line] = world.sent()
    assert (line["phone"], line["text"], line["reference"]) == (PHONE, "A test", reference(key))
    row = await trial(world, key)
    assert (row["status"], row["why"]) == ("sent", "accepted by the gateway")
    assert row["sent_at"] is not None
    assert row["gateway_id"] is not None
    assert await used(world) == 1
    assert await world.value("SELECT count(*) FROM message") == 0


async def test_a_test_is_none_of_the_messages_that_are_read_back_from_the_gateway(world: World) -> None:
    """Its reference is no bare id: a fresh process that reads the gateway's story takes it for nobody's Message 2."""
    key = await add(world)
    await run(send_trial, key)
    world.process.agreed.clear()
    await run(send_trial, await add(world, "+33199009002"))
    assert len(world.sent()) == 2
    assert await world.value("SELECT count(*) FROM alert") == 0


async def test_somebody_who_opted_out_gets_no_test(world: World) -> None:
    await world.contacts([PHONE])
    key = await add(world)
    await world.execute("UPDATE contact SET opted_out_at = now() WHERE phone = $1", PHONE)
    await run(send_trial, key)
    row = await trial(world, key)
    assert (row["status"], row["why"]) == ("failed", "not sent: this number opted out")
    assert world.sent() == []
    assert await used(world) == 0


async def test_a_full_day_and_a_paused_sender_say_why_nothing_was_sent(world: World) -> None:
    await world.execute("UPDATE sender SET daily_limit = 1")
    first, second = await add(world), await add(world, "+33199009002")
    await run(send_trial, first)
    await run(send_trial, second)
    assert "daily limit of 1" in (await trial(world, second))["why"]
    await world.execute("UPDATE sender SET daily_limit = 10, state = 'paused'")
    third = await add(world, "+33199009003")
    await run(send_trial, third)
    assert "the sender is paused" in (await trial(world, third))["why"]
    assert len(world.sent()) == 1


async def test_a_test_the_gateway_refuses_fails_with_its_words(world: World) -> None:
    world.simulator.behave(rate_429=1)
    key = await add(world)
    await run(send_trial, key)
    row = await trial(world, key)
    assert row["status"] == "failed"
    assert row["why"].startswith("not sent:")
    assert await used(world) == 0


async def test_a_test_in_doubt_is_looked_up_and_never_sent_again(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await opens(GATEWAY_TIMEOUT_SECONDS="0.5")
    world.simulator.behave(timeout_after_accept=1, timeout_seconds=2)  # the gateway takes it and does not answer
    key = await add(world)
    await run(send_trial, key)
    assert (await trial(world, key))["status"] == "sending"
    world.simulator.behave(timeout_after_accept=0)
    await run(send_trial, key)
    assert (await trial(world, key))["status"] == "sending", "too early to ask"
    await world.execute("UPDATE trial SET promised_at = now() - interval '20 seconds'")
    await run(send_trial, key)
    row = await trial(world, key)
    assert (row["status"], row["why"]) == ("sent", "found at the gateway")
    assert len(world.sent()) == 1


async def test_a_test_nobody_can_tell_of_is_unconfirmed_until_the_gateway_tells(world: World) -> None:
    key = await add(world)
    await world.execute(
        "UPDATE trial SET status = 'sending', promised_at = now() - interval '2 minutes', process = $1",
        world.process.identity.id,
    )
    await run(send_trial, key)
    row = await trial(world, key)
    assert row["status"] == "unconfirmed"
    assert world.sent() == []
    await world.store(told("message:out:ack", id="a" * 24, reference=reference(key), ack="read", deliveryStatus="read"))
    await run(digest_acknowledgements)
    assert (await trial(world, key))["status"] == "read"
    assert await world.value("SELECT outcome FROM inbox") == "recorded"


async def test_acknowledgements_of_a_test_move_it_forward_only(world: World) -> None:
    key = await add(world)
    await run(send_trial, key)
    row = await trial(world, key)
    for status in ("delivered", "read", "delivered"):
        await world.store(
            told(
                "message:out:ack",
                id=row["gateway_id"],
                waId=row["whatsapp_message_id"],
                ack=status,
                deliveryStatus=status,
            )
        )
        await run(digest_acknowledgements)
    assert (await trial(world, key))["status"] == "read"


async def test_a_test_no_worker_took_for_ten_minutes_is_not_sent_out_of_the_blue(world: World) -> None:
    key = await add(world)
    await world.execute("UPDATE trial SET created_at = created_at - interval '11 minutes'")
    await run(send_trial, key)
    assert (await trial(world, key))["status"] == "failed"
    assert world.sent() == []


async def test_the_scheduler_finds_tests_that_nobody_took(world: World) -> None:
    key = await add(world)
    async with pool.connection() as conn:
        assert [row["id"] for row in await sql.due_trials(conn, older_than=-1, overdue=9, many=10)] == [key]
        assert await sql.due_trials(conn, older_than=60, overdue=9, many=10) == []


def test_a_reference_of_a_test_names_it_and_nothing_else_does() -> None:
    key = UUID(int=7)
    assert trials.trial_of(reference(key)) == key
    assert [trials.trial_of(name) for name in (None, str(key), "test-nothing", "other")] == [None] * 4
