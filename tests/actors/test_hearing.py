from __future__ import annotations

from datetime import UTC, datetime, timedelta

from actors.hearing import hear_sender, read_back
from actors.interactions import handle_interaction
from gateway import Inbound
from tests.actors.people import inbound, phones
from tests.actors.world import World, run
from tests.simulator_process import DEVICE, until

[AWA, BO] = phones(2)


async def heard(world: World) -> None:
    await run(hear_sender, world.sender)


async def test_what_was_said_while_nobody_listened_is_stored_marked_and_stored_once(world: World) -> None:
    await world.reached([AWA, BO])
    world.simulator.say(AWA, body="Oui !")
    await heard(world)
    row = await world.row("SELECT kind, fetched, from_person, digested_at, why FROM inbox")
    assert tuple(row) == (
        "message:in:new", True, True, None, "read back from the gateway: its webhook was missed",
    )  # fmt: skip
    await heard(world)
    assert await world.value("SELECT count(*) FROM inbox") == 1


async def test_what_came_by_its_webhook_is_not_stored_again(world: World) -> None:
    await world.reached([AWA])
    said = world.simulator.say(AWA, body="Oui !")
    listed = [
        raw async for raw in world.process.gateway.inbound_since(DEVICE, datetime.now(UTC) - timedelta(minutes=1))
    ]
    assert len(listed) == 1, said
    event = world.process.gateway.parse(listed[0])
    assert isinstance(event, Inbound)
    await world.hear(inbound("in_new_text", AWA, id=event.message_id))
    await heard(world)
    assert await world.value("SELECT count(*) FROM inbox WHERE fetched") == 0


async def test_silence_is_believed_only_after_what_was_missed_is_digested(world: World) -> None:
    await world.reached([AWA])
    before = await world.value("SELECT now()")
    assert await read_back(world.process, world.sender) >= before  # nothing was missed: everything is heard
    world.simulator.say(AWA)
    assert await read_back(world.process, world.sender) < before  # something was: not yet
    assert await read_back(world.process, world.sender) >= before


async def test_a_gateway_that_cannot_be_asked_leaves_the_mark_and_tells_a_person(world: World) -> None:
    await world.reached([AWA])
    await heard(world)
    until_then = await world.value("SELECT heard_until FROM sender WHERE id = $1", world.sender)
    world.simulator.behave(lookups_unavailable=True)
    assert await read_back(world.process, world.sender) == until_then
    assert await world.value("SELECT heard_until FROM sender WHERE id = $1", world.sender) == until_then
    assert "deaf" in await world.alerts()
    # Deaf for longer than an hour, webhooks alone must do.
    await world.execute("UPDATE sender SET heard_until = now() - interval '1 day'")
    mark = await read_back(world.process, world.sender)
    assert timedelta(minutes=59) < await world.value("SELECT now()") - mark < timedelta(minutes=61)
    world.simulator.behave(lookups_unavailable=False)
    await heard(world)
    assert "deaf" not in await world.alerts()


async def test_a_missed_reply_is_answered(world: World) -> None:
    campaign = await world.reached([AWA])
    world.simulator.say(AWA, body="Oui !")
    await heard(world)
    [row] = await world.rows("SELECT id, body FROM inbox")
    await run(handle_interaction, row["id"])
    await until(lambda: [line for line in world.sent() if line["text"].startswith("Merci")])
    await world.settled()
    assert await world.states(campaign) == {"followed_up": 1}
