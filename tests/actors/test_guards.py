"""What keeps a number alive while it sends: the device asked first, the reach-out lock, the silent drop."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from actors import guards
from models import pool, transitions
from models.queries import sql
from tests.actors.conftest import Opens
from tests.actors.people import inbound, phones
from tests.actors.world import World
from tests.simulator_process import until

FAST = {"TIME_SCALE": "60", "WASSENGER_RATE_LIMIT_SECONDS": "3", "WASSENGER_BATCH_SIZE": "25"}


async def fail(world: World, campaign: UUID, many: int, error: str) -> None:
    """Let the gateway report that the newest messages of a campaign failed."""
    rows = await world.rows(
        "SELECT id FROM message WHERE campaign = $1 AND status = 'sent' ORDER BY id DESC LIMIT $2", campaign, many
    )
    failures = [transitions.Failure(message=r["id"], error_class="reported", error_text=error) for r in rows]
    async with pool.connection() as conn:
        assert len(await transitions.fail(conn, failures, by="gateway")) == many


async def test_a_device_that_is_offline_stops_the_sender_before_anything_is_sent(opens: Opens) -> None:
    world = await opens(**FAST)
    world.simulator.behave(device_offline=True, offline_accepts=True)
    campaign = await world.launch(3)
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 10)
    assert world.sent() == [] and await world.statuses(campaign) == {"pending": 3}
    row = await world.row("SELECT state, why FROM sender WHERE id = $1", world.sender)
    assert row["state"] == "offline" and "session is offline" in row["why"]
    assert await world.alerts() == {"sender_offline"}
    assert await world.status(campaign) == "sending", "it goes on by itself when the device is back"


async def test_a_reach_out_lock_pauses_new_conversations_and_nothing_else(opens: Opens) -> None:
    world = await opens(**FAST)
    known = phones(1)
    earlier = await world.launch(known)
    await world.send_all(earlier)
    campaign = await world.launch(phones(6, 100))
    await world.send_all(campaign)
    await world.execute("UPDATE message SET opens = true WHERE campaign = $1", campaign)
    await fail(world, campaign, 4, "server returned error 463")
    await guards.look(world.process, world.sender)
    row = await world.row("SELECT *, now() AS now FROM sender WHERE id = $1", world.sender)
    assert 23.9 * 3600 < (row["new_chats_after"] - row["now"]).total_seconds() <= 24 * 3600
    assert row["new_chats_why"].startswith("reach-out lock: 4 of the last 7 new chats failed (4 ×")
    assert await world.alerts() == {"reach_out"}
    assert await world.value("SELECT kind FROM sender_warning") == "reach_out"

    later = await world.launch([*phones(4, 200), *known])
    async with world.sending():

        async def held() -> bool:
            return bool(await world.value("SELECT count(*) = 4 FROM message WHERE held = 'reach-out lock'"))

        await until(held, what="the new chats, held")
        await until(lambda: len(world.sent()) == 8, what="the known chat")
    assert await world.statuses(later) == {"sent": 1, "pending": 4}
    assert world.sent()[-1]["phone"] == known[0]
    assert await world.status(later) == "sending", "the breaker leaves the campaign alone"
    await world.hear(inbound("in_new_text", known[0]))
    assert await world.statuses(later, step=2) == {"sent": 1}, "Message 2 goes on"

    async with pool.connection() as conn:  # a person undoes it
        await sql.allow_new_chats(conn, sender=world.sender)
    await world.send_all(later)
    assert await world.statuses(later) == {"sent": 5}


async def test_the_same_words_about_known_chats_are_no_lock(world: World) -> None:
    campaign = await world.reached(6)
    await world.execute("UPDATE message SET opens = false")
    await fail(world, campaign, 4, "server returned error 463")
    await guards.look(world.process, world.sender)
    assert await world.value("SELECT new_chats_after FROM sender WHERE id = $1", world.sender) is None


async def heard_of(world: World, many: int) -> None:
    """Let a number have a past in which the gateway was heard of after a second."""
    campaign = await world.reached(phones(many, 300))
    await world.execute(
        "UPDATE message SET promised_at = now() - interval '2 h', sent_at = now() - interval '2 h',"
        " acked_at = now() - interval '2 h' + interval '1 s' WHERE campaign = $1",
        campaign,
    )


async def accepted(world: World, many: int, silent: int) -> UUID:
    """Let a number send so many messages five minutes ago, of some of which nothing was heard."""
    campaign = await world.launch(phones(many + 3))
    await world.execute(
        "WITH old AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM message WHERE campaign = $1 LIMIT $2)"
        " UPDATE message m SET status = 'sent', why = 't', moved_by = 't', promised_at = now() - interval '301 s',"
        " sent_at = now() - interval '300 s',"
        " acked_at = CASE WHEN n > $3 THEN now() - interval '299 s' END FROM old WHERE old.id = m.id",
        campaign, many, silent,
    )  # fmt: skip
    return campaign


async def test_messages_nothing_is_heard_of_pause_the_number_and_a_resume_starts_anew(world: World) -> None:
    await heard_of(world, 25)
    campaign = await accepted(world, 20, silent=17)
    await guards.look(world.process, world.sender)
    row = await world.row("SELECT status, holds, why, moved_by FROM campaign WHERE id = $1", campaign)
    assert (row["status"], row["holds"], row["moved_by"]) == ("paused", "message_1", "breaker")
    assert row["why"] == (
        "circuit breaker: silent drop: nothing was heard of 17 of the last 20 accepted messages for more than 120 s"
    )
    assert await world.alerts() == {"silence"}
    async with pool.connection() as conn:
        assert await transitions.resume(conn, campaign, why="a person", by="test")
    await guards.look(world.process, world.sender)
    assert await world.status(campaign) == "sending"


@pytest.mark.parametrize(("silent", "said"), [(11, {"silence"}), (10, set())])
async def test_more_than_half_silent_is_a_warning_only(world: World, silent: int, said: set[str]) -> None:
    await heard_of(world, 25)
    campaign = await accepted(world, 20, silent=silent)
    await guards.look(world.process, world.sender)
    assert await world.status(campaign) == "sending" and await world.alerts() == said
    assert await world.value("SELECT count(*) FROM sender_warning WHERE kind = 'silence'") == len(said)


async def test_a_number_whose_acknowledgements_are_not_known_is_not_judged(world: World) -> None:
    campaign = await accepted(world, 30, silent=30)
    await guards.look(world.process, world.sender)
    assert await world.status(campaign) == "sending" and await world.alerts() == set()
