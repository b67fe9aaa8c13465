from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any
from uuid import UUID

from asyncpg import Record

from actors.acknowledgements import digest_acknowledgements
from models import pool, transitions
from models.transitions import Fact
from tests.actors.people import session, told
from tests.actors.world import World, run
from tests.simulator_process import DEVICE

WORDS = {"sent": "message:out:sent", "delivered": "message:out:ack", "read": "message:out:ack"}


def ack(word: str, **data: Any) -> bytes:
    return told(WORDS[word], status=word, ack=word, deliveryStatus=word, **data)


def failed(code: str = "message:failed", **data: Any) -> bytes:
    return told(
        "message:out:failed",
        status="failed",
        deliveryStatus="failed",
        failureCode=code,
        failureReason="no luck",
        **data,
    )


async def digest(world: World, *bodies: bytes) -> list[Record]:
    inboxes = [await world.store(raw) for raw in bodies]
    await run(digest_acknowledgements)
    return [await world.inbox(inbox) for inbox in inboxes if inbox is not None]


async def only(world: World, step: int = 1) -> Record:
    return await world.row("SELECT * FROM message WHERE step = $1", step)


async def promised(world: World) -> Record:
    campaign = await world.launch(1)
    await world.promise(campaign)
    return await only(world)


async def test_in_any_order_and_twice_the_furthest_counts(world: World) -> None:
    orders = list(itertools.permutations(WORDS))
    campaign = await world.launch(len(orders))
    await world.promise(campaign)
    messages = [row["id"] for row in await world.rows("SELECT id FROM message ORDER BY id")]
    for turn in range(2 * len(WORDS)):
        acks = [ack(order[turn % 3], reference=str(m)) for order, m in zip(orders, messages, strict=True)]
        await digest(world, *acks)
    assert await world.statuses(campaign) == {"read": 6}
    assert await world.value(
        "SELECT bool_and(sent_at <= now() AND delivered_at <= now() AND read_at <= now()) FROM message"
    )
    counted = await world.row("SELECT sum(sent), sum(delivered) AS d, sum(read) AS r FROM campaign_stats")
    assert tuple(counted) == (6, 6, 6)


async def test_one_step_digests_the_whole_story_of_a_message(world: World) -> None:
    message = await promised(world)
    bodies = [ack(word, reference=str(message["id"])) for word in WORDS] * 2
    random.Random(1).shuffle(bodies)
    rows = await digest(world, *bodies)
    assert {row["outcome"] for row in rows} == {"recorded"}
    assert (await only(world))["status"] == "read"


async def test_an_acknowledgement_before_the_record_of_the_send_is_not_lost(world: World) -> None:
    message = await promised(world)
    await digest(world, ack("delivered", reference=str(message["id"]), id="a" * 24))
    row = await only(world)
    assert (row["status"], row["gateway_id"]) == ("delivered", "a" * 24)
    async with pool.connection() as conn:  # the send's own answer comes after it
        await transitions.accept(
            conn, [Fact(message=row["id"], status="sent", at=row["promised_at"], why="test", accept_ms=5)], by="send"
        )
    row = await only(world)
    assert (row["status"], row["accept_ms"]) == ("delivered", 5)


async def test_the_gateways_id_alone_is_enough(world: World) -> None:
    await world.reached(1)
    row = await only(world)
    await digest(world, ack("read", id=row["gateway_id"]))
    assert (await only(world))["status"] == "read"


async def test_an_unknown_id_is_looked_at_again_later(world: World) -> None:
    message = await promised(world)
    [row] = await digest(world, ack("delivered", id="b" * 24))
    assert row["outcome"] is None and row["attempts"] == 1
    await run(digest_acknowledgements)  # not yet its time
    assert (await world.inbox(row["id"]))["attempts"] == 1
    async with pool.connection() as conn:
        fact = Fact(message=message["id"], status="sent", at=message["promised_at"], why="test", gateway_id="b" * 24)
        await transitions.accept(conn, [fact], by="send")
    await world.execute("UPDATE inbox SET received_at = received_at - interval '3 s'")
    await run(digest_acknowledgements)
    assert (await world.inbox(row["id"]))["outcome"] == "recorded"
    assert (await only(world))["status"] == "delivered"


async def test_an_id_that_stays_unknown_ends_with_a_reason(world: World) -> None:
    [row] = await digest(world, ack("delivered", id="c" * 24))
    for _ in range(12):
        await world.execute("UPDATE inbox SET received_at = received_at - interval '1 hour'")
        await run(digest_acknowledgements)
    row = await world.inbox(row["id"])
    assert row["outcome"] == "unmatched" and "no message of ours" in row["why"]


async def test_a_failure_reported_later_fails_message_and_recipient(world: World) -> None:
    campaign = await world.reached(1)
    message = await only(world)
    await digest(world, failed(reference=str(message["id"])))
    row = await only(world)
    assert (row["status"], row["error_class"]) == ("failed", "reported") and "no luck" in row["error_text"]
    assert await world.states(campaign) == {"failed": 1}
    await digest(world, ack("delivered", reference=str(message["id"])))  # it left after all
    assert (await only(world))["status"] == "delivered" and await world.states(campaign) == {"awaiting_reply": 1}


async def test_what_is_on_the_phone_does_not_fail_any_more(world: World) -> None:
    campaign = await world.reached(1)
    message = await only(world)
    await digest(world, ack("delivered", reference=str(message["id"])), failed(reference=str(message["id"])))
    assert (await only(world))["status"] == "delivered" and await world.states(campaign) == {"awaiting_reply": 1}


async def test_what_expired_in_the_gateways_queue_is_sent_again_under_a_new_reference(world: World) -> None:
    campaign = await world.reached(1)
    message = await only(world)
    await digest(world, failed("message:expired", reference=str(message["id"])))
    row = await only(world)
    assert (row["status"], row["round"], row["retries"]) == ("pending", 1, 1)
    assert await world.states(campaign) == {"queued": 1}
    async with pool.connection() as conn:
        await conn.execute("UPDATE campaign SET status = 'sending', why = 'x', moved_by = 'test'")
    await digest(world, failed("message:expired", reference=str(message["id"])))  # the old round: no news
    assert ((await only(world))["status"], (await only(world))["round"]) == ("pending", 1)
    await world.send_all(campaign)
    assert [line["reference"] for line in world.sent()] == [f"{message['id']}.1"]
    await digest(world, ack("delivered", reference=f"{message['id']}.1"))
    assert (await only(world))["status"] == "delivered"


async def test_what_expires_again_and_again_fails_after_the_last_retry(world: World) -> None:
    campaign = await world.reached(1)
    message = await only(world)
    for round_ in range(4):
        reference = str(message["id"]) if round_ == 0 else f"{message['id']}.{round_}"
        await world.promise(campaign)
        await digest(world, failed("message:expired", reference=reference))
    row = await only(world)
    assert (row["status"], row["error_class"], row["retries"]) == ("failed", "expired", 3)
    assert await world.states(campaign) == {"failed": 1}


async def test_the_first_word_of_the_gateway_is_a_sign_of_life_without_a_move(world: World) -> None:
    campaign = await world.reached(1)
    message = await only(world)
    assert message["acked_at"] is None
    await digest(world, ack("sent", reference=str(message["id"])))
    heard = await only(world)
    assert heard["acked_at"] is not None and heard["status"] == "sent"
    await digest(world, ack("sent", reference=str(message["id"]), again=True))
    assert (await only(world))["acked_at"] == heard["acked_at"]
    assert await world.statuses(campaign) == {"sent": 1}


async def test_an_offline_session_stops_the_sender_and_the_session_back_lets_it_go_on(world: World) -> None:
    state = "SELECT state FROM sender WHERE id = $1"
    await digest(world, session("offline"))
    assert await world.value(state, world.sender) == "offline" and await world.alerts() == {"sender_offline"}
    campaign = await world.launch(1)
    async with pool.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sender WHERE state IN ('ready', 'degraded')") == 0
    await digest(world, session("online"))
    assert await world.value(state, world.sender) == "ready" and await world.alerts() == set()
    await world.send_all(campaign)


async def test_a_degraded_sender_is_ready_again_when_its_session_says_so(world: World) -> None:
    await digest(world, session("offline"))
    await digest(world, session("timeout"))
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "degraded"
    await digest(world, session("online"))
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "ready"


async def test_a_session_back_does_not_undo_what_a_person_or_a_block_decided(world: World) -> None:
    for state in ("paused", "blocked"):
        await world.execute("UPDATE sender SET state = $2 WHERE id = $1", world.sender, state)
        await digest(world, session("offline"), session("online"))
        assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == state


async def test_a_session_that_needs_a_person_blocks_the_sender(world: World) -> None:
    await digest(world, session("authorize"))
    row = await world.row("SELECT state, why FROM sender WHERE id = $1", world.sender)
    assert row["state"] == "blocked" and "scan the code" in row["why"]
    assert await world.alerts() == {"sender_blocked"}


async def test_one_acknowledgement_the_database_refuses_does_not_hold_up_the_others(world: World) -> None:
    campaign = await world.reached(3)
    rows = await world.rows("SELECT id FROM message ORDER BY id")
    bad = rows[1]["id"]
    await world.execute(f"ALTER TABLE message ADD CONSTRAINT never CHECK (id <> '{bad}' OR status <> 'read') NOT VALID")
    inboxes = [await world.store(ack("read", reference=str(row["id"]))) for row in rows]
    for _ in range(8):
        await asyncio.gather(run(digest_acknowledgements), return_exceptions=True)
        await world.execute("UPDATE inbox SET received_at = received_at - interval '1 hour' WHERE digested_at IS NULL")
    assert await world.statuses(campaign) == {"read": 2, "sent": 1}
    assert inboxes[1] is not None
    assert (await world.inbox(inboxes[1]))["outcome"] == "failed"


async def test_others_and_nonsense_end_with_a_reason(world: World) -> None:
    rows = await digest(
        world,
        told("message:out:ack", ack="flying", id="d" * 24),
        told("chat:update", id="x"),
        session("online", device="e" * 24),
    )
    assert [row["outcome"] for row in rows] == ["ignored", "ignored", "unmatched"]
    assert all(row["why"] for row in rows)


async def test_two_thousand_acknowledgements_are_digested_in_a_few_statements(world: World) -> None:
    campaign = await world.reached(1000)
    ids: list[UUID] = [row["id"] for row in await world.rows("SELECT id FROM message WHERE campaign = $1", campaign)]
    for word in ("sent", "delivered"):
        bodies = [ack(word, reference=str(message)) for message in ids]
        await world.execute(
            "INSERT INTO inbox (event_key, kind, device_id, from_person, fetched, body)"
            " SELECT md5(b), 'message:out:ack', $1, false, false, b FROM unnest($2::bytea[]) AS b",
            DEVICE,
            bodies,
        )
    told = await world.value("SELECT max(id) FROM event")
    await asyncio.gather(run(digest_acknowledgements), run(digest_acknowledgements))
    assert await world.statuses(campaign) == {"delivered": 1000}
    assert await world.value("SELECT count(*) FROM inbox WHERE digested_at IS NULL") == 0
    assert (
        await world.value("SELECT count(DISTINCT xmin::text) FROM event WHERE subject = 'message' AND id > $1", told)
        < 20
    )
