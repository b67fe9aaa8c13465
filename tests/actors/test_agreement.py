from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from actors.agreement import UNKNOWN, agreed
from actors.message_2 import send_message_2
from models import pool, transitions
from models.queries import sql
from models.transitions import Fact
from tests.actors.people import inbound, phones
from tests.actors.world import World, run
from tests.simulator_process import DEVICE, until

[AWA, BO] = phones(2)


async def agrees(world: World) -> bool:
    return await agreed(world.process, world.sender, DEVICE)


async def message(world: World, campaign: UUID, phone: str = AWA, step: int = 1) -> Any:
    return await world.row(
        "SELECT * FROM message WHERE campaign = $1 AND phone = $2 AND step = $3", campaign, phone, step
    )


def taken(world: World, phone: str, reference: str, text: str = "Bonjour Awa") -> str:
    """Let the gateway have taken a message that this database then forgets; returns the gateway's id."""
    answer = world.simulator.send(phone, text, reference=reference)
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def test_what_the_gateway_was_given_and_we_forgot_is_recorded_and_counts(world: World) -> None:
    campaign = await world.launch([AWA, BO])
    row = await message(world, campaign)
    gateway_id = taken(world, AWA, str(row["id"]))
    assert await agrees(world)
    row = await message(world, campaign)
    assert (row["status"] in ("sent", "delivered"), row["gateway_id"], row["attempt"]) == (True, gateway_id, 0)
    await world.send_all(campaign)
    assert sorted(line["phone"] for line in world.sent()) == [AWA, BO]
    heard = await world.hear(inbound("in_new_text", AWA))
    assert heard["outcome"] == "follow_up"


async def test_nothing_is_promised_before_the_story_could_be_read(world: World) -> None:
    world.simulator.behave(lookups_unavailable=True)
    campaign = await world.launch(1)
    async with world.sending():
        await until(lambda: world.process.disagreed.get(world.sender), what="the story to be asked for")
        assert await world.statuses(campaign) == {"pending": 1}

        async def alerted() -> bool:
            return "gateway_story" in await world.alerts()

        await until(alerted)
        world.simulator.behave(lookups_unavailable=False)
        await until(world.sent, seconds=20)
    assert "gateway_story" not in await world.alerts()


async def test_no_reply_is_judged_before_but_a_stop_is(world: World) -> None:
    await world.reached([AWA, BO])
    world.process.agreed.clear()
    world.simulator.behave(lookups_unavailable=True)
    assert (await world.hear(inbound("in_new_text", AWA)))["digested_at"] is None
    assert (await world.hear(inbound("in_new_text", BO, body="STOP")))["outcome"] == "opt_out"


async def test_a_promise_is_refused_by_a_server_that_does_not_know_the_process(world: World) -> None:
    """The process believes in its lock; the server that its queries reach does not hold it."""
    campaign = await world.reached([AWA])
    second = await world.launch([BO])
    await world.hear(inbound("in_new_text", AWA))
    await world.settled()
    world.process.agreed[world.sender] = uuid7()  # a name that nobody holds here
    async with pool.connection() as conn:
        assert not await sql.process_lives(conn, process=world.process.agreed[world.sender])
    lane = await world.lane()
    async with pool.connection() as conn:
        sender = await sql.read_lane(conn, sender=world.sender)
        await sql.start_batch(
            conn, campaign=second, sender=world.sender, size=5, base_delay=5.0, delay=5.0, pause=1.0, gaps=[5.0] * 5,
            error_rate=0.0, adjustment="-", planned_end=None, profile="standard", sources="{}",
        )  # fmt: skip
        batch = await sql.open_batch(conn, sender=world.sender)
    assert await lane._promise(sender, batch, 0.0, [5.0]) == []
    assert await world.statuses(second) == {"pending": 1}
    assert await world.states(campaign) == {"followed_up": 1}


async def test_an_acknowledgement_of_something_forgotten_hides_nothing_older(world: World) -> None:
    """Its time is now; what was forgotten before it must still be read back."""
    campaign = await world.launch([AWA, BO])
    first, newest = await message(world, campaign), await message(world, campaign, BO)
    taken(world, AWA, str(first["id"]))
    await world.execute("UPDATE sender SET created_at = now() - interval '2 days'")
    async with pool.connection() as conn:
        later = Fact(message=newest["id"], status="sent", at=datetime.now(UTC) + timedelta(hours=1), why="ack")
        await transitions.accept(conn, [later], by="gateway")
        since = await sql.remembered_since(conn, sender=world.sender)
    assert since < datetime.now(UTC) - timedelta(days=1)
    assert await agrees(world)
    assert "pending" not in await world.statuses(campaign)


async def test_a_lost_message_2_is_made_again_after_its_lost_message_1(world: World) -> None:
    campaign = await world.launch([AWA])
    row = await message(world, campaign)
    taken(world, AWA, str(row["id"]))
    taken(world, AWA, str(uuid7()), "Merci Awa")
    assert await agrees(world)
    assert await world.states(campaign) == {"followed_up": 1}
    assert set(await world.statuses(campaign, step=2)) <= {"sent", "delivered"}
    assert UNKNOWN not in await world.alerts()
    await world.hear(inbound("in_new_text", AWA))  # the forgotten reply, read back
    assert len(world.sent()) == 2


async def test_what_was_in_doubt_at_that_moment_is_settled_and_explains_its_message_2(world: World) -> None:
    """Promised before the moment the database was restored to, taken and answered after it."""
    campaign = await world.launch([AWA])
    await world.promise(campaign)
    taken(world, AWA, str((await message(world, campaign))["id"]))
    taken(world, AWA, str(uuid7()), "Merci Awa")
    assert await agrees(world)
    assert await world.states(campaign) == {"followed_up": 1}
    assert UNKNOWN not in await world.alerts()


async def test_a_later_round_is_adopted_and_not_sent_again(world: World) -> None:
    campaign = await world.launch([AWA])
    row = await message(world, campaign)
    taken(world, AWA, f"{row['id']}.2")
    assert await agrees(world)
    row = await message(world, campaign)
    assert (row["round"], row["status"] in ("sent", "delivered")) == (2, True)


async def test_what_failed_at_the_gateway_is_not_taken_for_sent(world: World) -> None:
    campaign = await world.launch([AWA])
    row = await message(world, campaign)
    world.simulator.behave(device_offline=True, offline_accepts=True)
    soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    world.simulator.send(AWA, reference=str(row["id"]), expiration={"date": soon})
    await until(lambda: world.sent() and world.sent()[0]["failure"], seconds=30, what="the message to expire")
    assert await agrees(world)
    assert await world.statuses(campaign) == {"pending": 1}


async def test_messages_that_nothing_explains_pause_the_sender_until_a_person_resumes_it(world: World) -> None:
    campaign = await world.launch([AWA])
    taken(world, BO, str(uuid7()))
    assert await agrees(world)
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "paused"
    assert UNKNOWN in await world.alerts()
    async with pool.connection() as conn:
        assert await transitions.move_sender(conn, world.sender, old=["paused"], new="ready", why="a person", by="test")
    world.process.agreed.clear()  # another process, or this one after a reconnect, reads the same story
    assert await agrees(world)
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "ready"
    await world.send_all(campaign)


async def test_messages_of_others_on_the_same_device_are_none_of_ours(world: World) -> None:
    taken(world, AWA, "somebody-elses")
    assert await agrees(world)
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "ready"


async def test_a_reconnect_makes_the_story_be_read_anew(world: World) -> None:
    assert await agrees(world)
    old = world.process.identity.id
    await world.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    await until(lambda: (name := world.process.identity.id) != old and name, seconds=20, what="another name")
    campaign = await world.launch([AWA])
    row = await message(world, campaign)
    taken(world, AWA, str(row["id"]))
    await world.send_all(campaign)
    assert len(world.sent()) == 1


async def test_a_hundred_askers_read_the_story_once(world: World) -> None:
    before = world.simulator.requests()
    assert all(await asyncio.gather(*(agrees(world) for _ in range(100))))
    after = world.simulator.requests()
    assert _lists(after) - _lists(before) <= 2


async def test_message_2_waits_for_the_story_too(world: World) -> None:
    campaign = await world.reached([AWA])
    await world.execute("UPDATE sender SET state = 'paused'")
    await world.hear(inbound("in_new_text", AWA))
    await world.execute("UPDATE sender SET state = 'ready'")
    row = await message(world, campaign, step=2)
    world.process.agreed.clear()
    world.simulator.behave(lookups_unavailable=True)
    await run(send_message_2, row["id"])
    assert world.sent() == [] and (await message(world, campaign, step=2))["status"] == "pending"


def _lists(told: dict[str, Any]) -> int:
    text = told.get("endpoints", told)
    return sum(
        count if isinstance(count, int) else sum(count.values())
        for name, count in text.items()
        if isinstance(name, str) and name.startswith("GET /v1/messages")
    )


@pytest.mark.parametrize("reference", ["", "x.1", "not a uuid"])
async def test_a_reference_that_cannot_be_ours_is_passed_over(world: World, reference: str) -> None:
    taken(world, AWA, reference or "-")
    assert await agrees(world)


async def test_no_reply_is_judged_by_a_server_that_does_not_know_the_process(world: World) -> None:
    """The process believes that it agreed; the server that its queries reach does not hold its lock."""
    await world.reached([AWA])
    assert await agrees(world)
    world.process.identity._held = world.process.agreed[world.sender] = uuid7()
    assert await agrees(world)
    heard = await world.hear(inbound("in_new_text", AWA))
    assert (heard["digested_at"], world.sent()) == (None, [])


async def test_a_forgotten_message_1_is_not_taken_for_the_message_2_of_an_older_campaign(world: World) -> None:
    """Of a campaign launched since the backup: the older one's Message 2 is still due, a person sees to the rest."""
    older = await world.reached([AWA])
    await world.execute(
        "UPDATE message SET promised_at = promised_at - interval '1 min', sent_at = sent_at - interval '1 min'"
    )
    taken(world, AWA, str(uuid7()), "Bonjour Awa, du nouveau")
    assert await agrees(world)
    assert UNKNOWN in await world.alerts()
    assert await world.states(older) == {"awaiting_reply": 1} and await world.statuses(older, step=2) == {}


async def test_a_lost_message_2_goes_to_the_campaign_whose_text_it_has(world: World) -> None:
    old = await world.reached([AWA], message_2="Merci de l'ancienne, {{name}}")
    await world.execute(
        "UPDATE message SET promised_at = promised_at - interval '1 min', sent_at = sent_at - interval '1 min'"
    )
    new = await world.reached([AWA], message_2="Merci de la nouvelle")
    taken(world, AWA, str(uuid7()), "Merci de l'ancienne, Awa Diop")
    assert await agrees(world)
    assert (await world.states(old), await world.states(new)) == ({"followed_up": 1}, {"awaiting_reply": 1})


async def test_what_was_forgotten_is_charged_to_the_day_it_left(world: World) -> None:
    """A backup knows neither the promises made since nor what they used of the day."""
    campaign = await world.launch([AWA, BO])
    first = await message(world, campaign)
    taken(world, AWA, str(first["id"]))
    taken(world, AWA, str(uuid7()), "Merci Awa")
    for _ in range(2):  # reading it again charges nothing again
        assert await agrees(world)
        world.process.agreed.clear()
    [day] = await world.rows(
        "SELECT q.used, q.day = (now() AT TIME ZONE s.time_zone)::date AS today FROM quota_day q JOIN sender s"
        " ON s.id = q.sender WHERE q.used > 0"
    )
    assert (day["used"], day["today"]) == (2, True)
    await world.send_all(campaign)
    assert await world.value("SELECT sum(used) FROM quota_day") == 3
