from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from asyncpg import Record

import settings
from actors import message_2
from actors.interactions import handle_interaction
from local import embedded
from models import live, pool, transitions
from models.transitions import Fact
from tests.actors.conftest import Opens
from tests.actors.people import OWN_PHONE, inbound, phones
from tests.actors.world import World, run
from tests.simulator_process import DEVICE, until

ROOT = Path(__file__).resolve().parents[2]
[AWA] = phones(1)
HOUR = 3600.0

KINDS = {
    "in_new_text": "text", "in_new_emoji": "emoji", "in_new_voice": "voice", "in_new_voice_ptt": "voice",
    "in_new_audio": "audio", "in_new_image": "image", "in_new_image_bodiless": "image", "in_new_video": "video",
    "in_new_document": "document", "in_new_sticker": "sticker", "in_new_location": "location", "in_new_poll": "poll",
    "in_new_contacts": "other", "in_new_unknown_type": "other", "reaction": "reaction",
}  # fmt: skip


async def interactions(world: World) -> list[Record]:
    return await world.rows("SELECT * FROM interaction ORDER BY id")


async def age(world: World, campaign: UUID, seconds: float) -> None:
    """Make everything of a campaign so much older."""
    await world.execute(
        "UPDATE message SET promised_at = promised_at - make_interval(secs => $2),"
        " sent_at = sent_at - make_interval(secs => $2) WHERE campaign = $1",
        campaign,
        seconds,
    )
    await world.execute(
        "UPDATE recipient SET window_ends_at = window_ends_at - make_interval(secs => $2) WHERE campaign = $1",
        campaign,
        seconds,
    )


def message_2s(world: World) -> list[str]:
    return [line["phone"] for line in world.sent() if line["text"].startswith("Merci")]


# --- what a reply is --------------------------------------------------------------------------------------


async def test_every_kind_of_reply_brings_exactly_one_message_2(world: World) -> None:
    numbers = phones(len(KINDS))
    campaign = await world.reached(numbers)
    for shape, phone in zip(KINDS, numbers, strict=True):
        first = await world.hear(inbound(shape, phone))
        again = await world.hear(inbound(shape, phone))
        assert (shape, first["outcome"], again["outcome"]) == (shape, "follow_up", "again")
    heard = [(row["type"], row["in_window"]) for row in await interactions(world)]
    assert heard == [(kind, True) for kind in KINDS.values() for _ in range(2)]
    assert message_2s(world) == numbers
    assert await world.states(campaign) == {"followed_up": len(KINDS)}
    assert await world.statuses(campaign, step=2) == {"sent": len(KINDS)}
    assert await world.value("SELECT count(replied_at) FROM recipient") == len(KINDS)


async def test_after_the_window_every_kind_is_recorded_and_brings_none(world: World) -> None:
    numbers = phones(len(KINDS))
    campaign = await world.reached(numbers, window=HOUR)
    await age(world, campaign, HOUR + 1)
    for shape, phone in zip(KINDS, numbers, strict=True):
        assert (shape, (await world.hear(inbound(shape, phone)))["outcome"]) == (shape, "late")
    heard = [(row["type"], row["in_window"], row["campaign"]) for row in await interactions(world)]
    assert heard == [(kind, False, campaign) for kind in KINDS.values()]
    assert world.sent() == [] and await world.states(campaign) == {"late_reply": len(KINDS)}


async def test_the_last_moment_of_the_window_counts_by_the_replys_own_time(world: World) -> None:
    campaign = await world.reached(phones(2), window=HOUR)
    await age(world, campaign, HOUR + 60)
    ends = await world.value("SELECT window_ends_at FROM recipient LIMIT 1")
    inside = await world.hear(inbound("in_new_text", phones(2)[0], at=ends.timestamp() - 0.5))
    outside = await world.hear(inbound("in_new_text", phones(2)[1], at=ends.timestamp() + 0.5))
    assert (inside["outcome"], outside["outcome"]) == ("follow_up", "late")


async def test_a_campaign_without_message_2_ends_with_the_reply(world: World) -> None:
    campaign = await world.reached([AWA], message_2=None)
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "final_reply"
    assert await world.states(campaign) == {"replied": 1} and world.sent() == []


async def test_what_somebody_writes_before_message_1_was_promised_is_no_reply(world: World) -> None:
    campaign = await world.launch([AWA])
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "plain"
    assert await world.states(campaign) == {"queued": 1}
    [heard] = await interactions(world)
    assert heard["campaign"] is None and heard["outcome"] == "plain"


async def test_what_was_written_before_the_promise_and_digested_after_it_is_no_reply(world: World) -> None:
    campaign = await world.reached([AWA])
    promised = await world.value("SELECT promised_at FROM message")
    assert (await world.hear(inbound("in_new_text", AWA, at=promised.timestamp() - 10)))["outcome"] == "plain"
    assert await world.states(campaign) == {"awaiting_reply": 1} and message_2s(world) == []


async def test_a_late_reply_that_was_digested_first_does_not_cost_the_one_in_the_window(world: World) -> None:
    campaign = await world.reached([AWA], window=HOUR)
    await age(world, campaign, HOUR + 60)
    ends = await world.value("SELECT window_ends_at FROM recipient")
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "late"
    assert (await world.hear(inbound("in_new_text", AWA, at=ends.timestamp() - 30)))["outcome"] == "follow_up"
    assert message_2s(world) == [AWA]
    row = await world.row("SELECT state, replied_at FROM recipient")
    assert row["state"] == "followed_up" and row["replied_at"] < ends


@pytest.mark.parametrize("silent", ["no_interaction"])
async def test_a_reply_in_the_window_that_reaches_us_late_still_counts(world: World, silent: str) -> None:
    campaign = await world.reached([AWA], window=HOUR)
    await age(world, campaign, HOUR + 60)
    await world.execute("UPDATE recipient SET state = $1, why = 'silent', moved_by = 'sweeper'", silent)
    ends = await world.value("SELECT window_ends_at FROM recipient")
    assert (await world.hear(inbound("in_new_text", AWA, at=ends.timestamp() - 30)))["outcome"] == "follow_up"
    assert message_2s(world) == [AWA] and await world.states(campaign) == {"followed_up": 1}


# --- in doubt -----------------------------------------------------------------------------------------------


async def test_a_reply_that_comes_before_the_send_is_recorded_counts(world: World) -> None:
    campaign = await world.launch([AWA])
    await world.promise(campaign)
    row = await world.hear(inbound("in_new_text", AWA))
    message = await world.row("SELECT * FROM message")
    assert row["outcome"] is None and row["parked_for"] == message["id"] and message_2s(world) == []
    async with pool.connection() as conn:
        fact = Fact(message=message["id"], status="sent", at=message["promised_at"], why="test")
        await transitions.accept(conn, [fact], by="test")
    await world.process.unpark([message["id"]])
    await run(handle_interaction, row["id"])
    await world.settled()
    assert (await world.inbox(row["id"]))["outcome"] == "follow_up"
    assert message_2s(world) == [AWA] and await world.states(campaign) == {"followed_up": 1}
    assert len(await interactions(world)) == 1


async def test_a_reply_proves_a_message_1_of_which_nobody_could_tell(world: World) -> None:
    campaign = await world.launch([AWA])
    await world.promise(campaign)
    row = await world.row("SELECT id, attempt FROM message")
    async with pool.connection() as conn:
        await transitions.doubt(conn, [(row["id"], row["attempt"], "test")], by="test")
    assert await world.states(campaign) == {"unconfirmed": 1}
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "follow_up"
    assert message_2s(world) == [AWA] and await world.states(campaign) == {"followed_up": 1}
    assert "reply" in await world.value("SELECT why FROM message WHERE step = 1")


async def test_a_reply_to_what_proved_absent_is_a_plain_message(world: World) -> None:
    campaign = await world.launch([AWA])
    await world.promise(campaign)
    row = await world.hear(inbound("in_new_text", AWA))
    message = await world.row("SELECT id, attempt FROM message")
    async with pool.connection() as conn:
        absent = transitions.GiveBack(
            message=message["id"], attempt=message["attempt"], wait=0, used_retry=False, error_class="absent",
            error_text="absent", why="absent",
        )  # fmt: skip
        await transitions.give_back(conn, [absent], by="test")
    await world.process.unpark([message["id"]])
    await run(handle_interaction, row["id"])
    assert (await world.inbox(row["id"]))["outcome"] == "plain"
    assert await world.states(campaign) == {"queued": 1}


async def test_a_parked_reply_has_its_message_looked_up_at_once(world: World, redis_url: str) -> None:
    await world.promise(await world.launch([AWA]))
    with redis.Redis.from_url(redis_url) as client:
        assert (await world.hear(inbound("in_new_text", AWA)))["parked_for"]
        queued = f"{live.QUEUES}:work.msgs"
        await until(
            lambda: any(b"settle_doubts" in one for one in client.hvals(queued)),
            what="the wake-up of the retrier",
        )


# --- stop ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["STOP", "Arrêt !", "désabonner", "unsubscribe", "  stop. "])
async def test_stop_opts_out_everywhere(world: World, word: str) -> None:
    answered = await world.reached([AWA])
    waiting = await world.launch([AWA, *phones(1, 5)])
    row = await world.hear(inbound("in_new_text", AWA, body=word))
    assert row["outcome"] == "opt_out" and message_2s(world) == []
    assert await world.value("SELECT opted_out_at IS NOT NULL FROM contact WHERE phone = $1", AWA)
    assert await world.states(answered) == {"opted_out": 1}
    assert await world.states(waiting) == {"opted_out": 1, "queued": 1}
    assert await world.statuses(waiting) == {"cancelled": 1, "pending": 1}


async def test_stop_after_the_reply_stops_a_message_2_that_waits(world: World) -> None:
    campaign = await world.reached([AWA])
    async with pool.connection() as conn:
        await transitions.pause(conn, campaign, holds="all", why="a person", by="test")
    await world.hear(inbound("in_new_text", AWA))
    await world.hear(inbound("in_new_text", AWA, body="stop"))
    async with pool.connection() as conn:
        await transitions.resume(conn, campaign, why="a person", by="test")
    await message_2.send(world.process, await world.value("SELECT id FROM message WHERE step = 2"))
    await world.settled()
    assert message_2s(world) == [] and await world.states(campaign) == {"opted_out": 1}


async def test_stop_and_message_2_at_once_end_in_one_of_both_and_never_in_between(world: World) -> None:
    numbers = phones(12)
    campaign = await world.reached(numbers)
    reply = [await world.store(inbound("in_new_text", phone)) for phone in numbers]
    stop = [await world.store(inbound("in_new_text", phone, body="STOP")) for phone in numbers]
    await asyncio.gather(*(run(handle_interaction, one) for pair in zip(reply, stop, strict=True) for one in pair))
    await world.settled()
    assert set(await world.states(campaign)) <= {"opted_out", "followed_up"}
    for row in await world.rows(
        "SELECT r.state, m.status FROM recipient r LEFT JOIN message m ON m.recipient = r.id AND m.step = 2"
    ):
        assert (row["state"], row["status"]) in {
            ("followed_up", "sent"),
            ("opted_out", None),
            ("opted_out", "cancelled"),
            ("opted_out", "sent"),
        }
    assert await world.value("SELECT count(*) FROM contact WHERE opted_out_at IS NULL") == 0
    assert len(message_2s(world)) == len(set(message_2s(world)))


async def test_stop_of_one_spelling_stops_the_other(world: World) -> None:
    """One person, two contacts: what either says is said by both."""
    answered, waiting = await world.reached(["+525512345678"]), await world.launch(["+5215512345678"])
    assert (await world.hear(inbound("in_new_text", "+525512345678", body="STOP")))["outcome"] == "opt_out"
    assert await world.value("SELECT count(*) FROM contact WHERE opted_out_at IS NULL") == 0
    assert await world.states(answered) == {"opted_out": 1} and await world.states(waiting) == {"opted_out": 1}
    assert await world.statuses(waiting) == {"cancelled": 1}


# --- noise --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        "in_new_group",
        "in_new_outbound_echo",
        "in_new_notification",
        "in_new_broadcast",
        "in_new_status",
        "reaction_removed",
    ],
)
async def test_noise_is_recorded_and_moves_nothing(world: World, shape: str) -> None:
    campaign = await world.reached([AWA])
    row = await world.hear(inbound(shape, AWA))
    assert row["outcome"] in ("noise", "unmatched") and row["why"]
    assert {r["outcome"] for r in await interactions(world)} <= {"noise"}
    assert await world.states(campaign) == {"awaiting_reply": 1} and world.sent() == []


async def test_a_group_message_of_a_contact_is_an_interaction_that_is_noise(world: World) -> None:
    await world.reached([AWA])
    await world.hear(inbound("in_new_group", AWA))
    [heard] = await interactions(world)
    assert (heard["outcome"], heard["why"]) == ("noise", "group")


async def test_our_own_number_is_nobody_even_when_it_is_in_the_contacts(world: World) -> None:
    campaign = await world.reached([OWN_PHONE])
    row = await world.hear(inbound("in_new_text", OWN_PHONE))
    assert row["outcome"] == "noise" and await world.states(campaign) == {"awaiting_reply": 1}


async def test_an_unknown_person_stays_in_the_inbox_with_a_reason(world: World) -> None:
    await world.reached([AWA])
    row = await world.hear(inbound("in_new_text", phones(1, 77)[0]))
    assert (row["outcome"], row["why"]) == ("unmatched", "nobody in the contacts has this number")
    assert await interactions(world) == []


async def test_a_device_of_somebody_else_is_none_of_ours(world: World) -> None:
    await world.reached([AWA])
    raw = inbound("in_new_text", AWA).replace(DEVICE.encode(), b"f" * 24)
    assert (await world.hear(raw))["why"] == "no sender of ours has this device"


@pytest.mark.parametrize("raw", [b"{broken", b"[]", b'{"event": "message:in:new"}', b"\xff\xfe"])
async def test_an_unreadable_webhook_is_kept_with_its_reason(world: World, raw: bytes) -> None:
    row = await world.hear(raw)
    assert (row["outcome"], bytes(row["body"])) == ("unreadable", raw) and row["why"]


async def test_a_poll_vote_or_an_edit_is_ignored(world: World) -> None:
    campaign = await world.reached([AWA])
    for shape in ("update_poll_vote", "update_edit"):
        inbox = await world.store(inbound(shape, AWA))
        await run(handle_interaction, inbox)
        assert inbox and (await world.inbox(inbox))["outcome"] == "ignored"
    assert await world.states(campaign) == {"awaiting_reply": 1}


async def test_a_digestion_that_fails_five_times_is_kept_with_its_reason(world: World) -> None:
    await world.reached([AWA], message_2="Merci {{name}}")
    await world.execute("ALTER TABLE interaction ADD CONSTRAINT never CHECK (false) NOT VALID")
    inbox = await world.store(inbound("in_new_text", AWA))
    assert inbox is not None
    for _ in range(5):
        with pytest.raises(Exception, match="never"):
            await run(handle_interaction, inbox)
    row = await world.inbox(inbox)
    assert row["outcome"] == "failed" and "never" in row["why"]
    await run(handle_interaction, inbox)  # nothing any more


# --- whom it answers ----------------------------------------------------------------------------------------


async def test_two_campaigns_and_two_replies_bring_one_message_2_of_the_latest(world: World) -> None:
    old = await world.reached([AWA], message_2="Merci de l'ancienne")
    await age(world, old, 60)
    new = await world.reached([AWA], message_2="Merci de la nouvelle")
    first, second = [await world.hear(inbound("in_new_text", AWA)) for _ in range(2)]
    assert (first["outcome"], second["outcome"]) == ("follow_up", "again")
    assert [line["text"] for line in world.sent()] == ["Merci de la nouvelle"]
    assert await world.states(old) == {"awaiting_reply": 1} and await world.states(new) == {"followed_up": 1}


async def test_a_message_1_that_waits_to_be_sent_takes_no_reply_from_the_one_before(world: World) -> None:
    old = await world.reached([AWA], message_2="Merci de l'ancienne")
    new = await world.launch([AWA], message_2="Merci de la nouvelle")
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "follow_up"
    assert [line["text"] for line in world.sent()] == ["Merci de l'ancienne"]
    assert await world.states(old) == {"followed_up": 1} and await world.states(new) == {"queued": 1}


async def test_a_quote_reaches_an_older_campaign(world: World) -> None:
    old = await world.reached([AWA], message_2="Merci de l'ancienne")
    await age(world, old, 60)
    new = await world.reached([AWA])
    quoted = await world.value("SELECT whatsapp_message_id FROM message WHERE campaign = $1", old)
    row = await world.hear(inbound("in_new_text", AWA, quoted={"id": quoted, "type": "text", "body": ""}))
    assert row["outcome"] == "follow_up"
    assert [line["text"] for line in world.sent()] == ["Merci de l'ancienne"]
    assert await world.states(new) == {"awaiting_reply": 1}


async def test_a_quote_of_something_unknown_does_not_lead_to_an_older_campaign(world: World) -> None:
    old = await world.reached([AWA], message_2="Merci de l'ancienne")
    await age(world, old, 60)
    await world.reached([AWA], message_2="Merci de la nouvelle")
    await world.execute("UPDATE message SET whatsapp_message_id = NULL WHERE campaign = $1", old)  # a 201 without it
    await world.hear(inbound("in_new_text", AWA, quoted={"id": "3EB0FFFFFFFFFFFF", "type": "text", "body": ""}))
    assert [line["text"] for line in world.sent()] == ["Merci de la nouvelle"]


async def test_an_answer_to_another_number_of_ours_is_no_reply_to_this_one(world: World) -> None:
    other = await world.add_sender("f" * 24)
    campaign = await world.reached([AWA], sender=other)
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "plain"
    assert await world.states(campaign) == {"awaiting_reply": 1}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("+525512345678", "+5215512345678"), ("+5491123456789", "+541123456789"), ("+5531996883193", "+553196883193")],
)
async def test_numbers_that_whatsapp_spells_its_own_way_are_recognised(world: World, ours: str, theirs: str) -> None:
    campaign = await world.reached([ours])
    assert (await world.hear(inbound("in_new_text", theirs)))["outcome"] == "follow_up"
    assert message_2s(world) == [ours] and await world.states(campaign) == {"followed_up": 1}


async def test_somebody_known_only_by_a_hidden_id_is_recognised(world: World) -> None:
    campaign = await world.reached([AWA])
    await world.execute("UPDATE contact SET lid = '184467440737095'")
    raw = json.loads(inbound("in_new_lid", AWA))
    raw["data"]["from"] = raw["data"]["chat"]["id"] = "184467440737095@lid"
    raw["data"]["fromNumber"] = None
    row = await world.hear(json.dumps(raw).encode())
    assert row["outcome"] == "follow_up" and await world.states(campaign) == {"followed_up": 1}


# --- at once ------------------------------------------------------------------------------------------------


async def test_a_reply_waits_for_whoever_decides_about_its_person(world: World) -> None:
    """Replies, STOP and promises of one person take turns under the lock of the contact, in whatever campaign."""
    campaign = await world.reached([AWA])
    inbox = await world.store(inbound("in_new_text", AWA))
    assert inbox is not None
    async with pool.connection() as other, other.transaction():
        await other.execute("SELECT FROM contact WHERE phone = $1 FOR NO KEY UPDATE", AWA)
        digesting = asyncio.create_task(run(handle_interaction, inbox))

        async def waits() -> bool:
            assert not digesting.done(), "it did not wait"
            return bool(
                await world.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock'"
                )
            )

        await until(waits, what="the digestion to wait for the person's lock")
        assert await world.states(campaign) == {"awaiting_reply": 1}, "nothing is decided meanwhile"
    await digesting
    await world.settled()
    assert (await world.inbox(inbox))["outcome"] == "follow_up" and message_2s(world) == [AWA]


async def test_a_message_2_whose_promise_grew_old_is_not_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its promise waited for a lock for longer than a promise may be kept: by now others may think it dead."""
    campaign = await world.reached([AWA])
    await world.execute("UPDATE sender SET state = 'paused'")
    await world.hear(inbound("in_new_text", AWA))
    await world.execute("UPDATE sender SET state = 'ready'")
    second = await world.value("SELECT id FROM message WHERE step = 2")
    monkeypatch.setattr(settings, "LEASE_SECONDS", settings.get().fence_seconds + 0.5)
    async with pool.connection() as other, other.transaction():
        await other.execute("SELECT FROM contact WHERE phone = $1 FOR NO KEY UPDATE", AWA)
        sending = asyncio.create_task(message_2.send(world.process, second))
        await asyncio.sleep(1.0)
    await sending
    await world.settled()
    row = await world.row("SELECT status, attempt, error_class FROM message WHERE id = $1", second)
    assert (row["status"], row["attempt"], row["error_class"]) == ("pending", 1, "fenced")
    assert world.sent() == [] and await world.states(campaign) == {"replied": 1}


async def test_ten_copies_of_one_webhook_are_stored_once(world: World) -> None:
    await world.reached([AWA])
    raw = inbound("in_new_text", AWA)
    stored = await asyncio.gather(*(world.store(raw) for _ in range(10)))
    assert sum(one is not None for one in stored) == 1


async def test_twenty_replies_at_once_bring_one_message_2(world: World) -> None:
    await world.reached([AWA])
    inboxes = [await world.store(inbound("in_new_text", AWA)) for _ in range(10)]
    await asyncio.gather(*(run(handle_interaction, inbox) for inbox in inboxes * 2))
    await world.settled()
    assert message_2s(world) == [AWA]
    outcomes = [row["outcome"] for row in await world.rows("SELECT outcome FROM inbox")]
    assert sorted(outcomes) == ["again"] * 9 + ["follow_up"]
    assert len(await interactions(world)) == 10


TEN = """
import asyncio, multiprocessing, sys
import actors.main
from actors import process
from actors.interactions import handle_interaction

context = multiprocessing.get_context("fork")
together = context.Barrier(10)

async def main():
    await process.open_process("replies")
    while process.this().identity.id is None:
        await asyncio.sleep(0.01)
    await asyncio.get_running_loop().run_in_executor(None, together.wait, 20)
    await asyncio.gather(*(handle_interaction.fn.__wrapped__(inbox) for inbox in sys.argv[1:]))
    await process.close_process()

workers = [context.Process(target=lambda: asyncio.run(main())) for _ in range(10)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
sys.exit(any(worker.exitcode for worker in workers))
"""


async def test_ten_processes_that_handle_one_webhook_at_once_send_one_message_2(
    world: World, environment: dict[str, str]
) -> None:
    numbers = phones(5)
    campaign = await world.reached(numbers)
    inboxes = [str(await world.store(inbound("in_new_text", phone))) for phone in numbers]
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", TEN, *inboxes],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(message_2s(world)) == numbers
    assert await world.states(campaign) == {"followed_up": 5}


@pytest.mark.parametrize("how", ["freeze", "kill"])
async def test_without_redis_a_reply_is_answered_all_the_same(
    world: World, servers: embedded.Servers, how: str
) -> None:
    assert servers.valkey is not None
    campaign = await world.reached([AWA])
    inboxes = [await world.store(inbound("in_new_text", AWA)) for _ in range(4)]
    getattr(servers.valkey, how)()
    try:
        await asyncio.wait_for(asyncio.gather(*(run(handle_interaction, inbox) for inbox in inboxes)), 20)
    finally:
        servers.valkey.thaw() if how == "freeze" else servers.valkey.start()
    await world.settled()
    assert message_2s(world) == [AWA] and await world.states(campaign) == {"followed_up": 1}


# --- Message 2: held, limited, refused ----------------------------------------------------------------------


async def second(world: World) -> Record:
    return await world.row("SELECT * FROM message WHERE step = 2")


async def test_a_pause_holds_message_2_and_the_resume_releases_it(world: World) -> None:
    campaign = await world.reached([AWA])
    async with pool.connection() as conn:
        await transitions.pause(conn, campaign, holds="all", why="a person", by="test")
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "follow_up"
    held = await second(world)
    assert held["status"] == "pending" and world.sent() == []
    async with pool.connection() as conn:
        await transitions.resume(conn, campaign, why="a person", by="test")
    await run(message_2.send_message_2, held["id"])
    await world.settled()
    assert message_2s(world) == [AWA]


async def test_a_pause_of_message_1_alone_lets_message_2_go(world: World) -> None:
    campaign = await world.reached([AWA])
    async with pool.connection() as conn:
        await transitions.pause(conn, campaign, holds="message_1", why="the breaker", by="test")
    await world.hear(inbound("in_new_text", AWA))
    assert message_2s(world) == [AWA]


async def test_a_cancelled_campaign_answers_nobody_any_more(world: World) -> None:
    campaign = await world.reached([AWA])
    async with pool.connection() as conn:
        await transitions.cancel(conn, campaign, why="a person", by="test")
    assert (await world.hear(inbound("in_new_text", AWA)))["outcome"] == "final_reply"
    assert world.sent() == []


async def test_message_2_may_pass_the_limit_by_its_allowance_and_goes_next_day_beyond_it(opens: Opens) -> None:
    world = await opens(DAILY_MESSAGE_LIMIT="2", MESSAGE_2_ALLOWANCE="0.5")
    await world.execute("UPDATE sender SET time_zone = 'Europe/Paris'")
    await world.reached(phones(3))
    await world.execute(
        "INSERT INTO quota_day (sender, day, used) VALUES ($1, (now() AT TIME ZONE 'Europe/Paris')::date, 2)"
        " ON CONFLICT (sender, day) DO UPDATE SET used = 2",
        world.sender,
    )
    for phone in phones(3)[:2]:
        await world.hear(inbound("in_new_text", phone))
    assert message_2s(world) == phones(3)[:1]
    assert await world.value("SELECT used FROM quota_day") == 3
    deferred = await world.row("SELECT * FROM message WHERE step = 2 AND status = 'pending'")
    midnight = await world.value(
        "SELECT ((now() AT TIME ZONE 'Europe/Paris')::date + 1)::timestamp AT TIME ZONE 'Europe/Paris'"
    )
    assert deferred["next_at"] == midnight and "daily limit" in deferred["why"]
    await world.execute("UPDATE quota_day SET day = day - 1")
    await world.execute("UPDATE message SET next_at = now() WHERE step = 2")
    await run(message_2.send_message_2, deferred["id"])
    await world.settled()
    assert message_2s(world) == phones(3)[:2]


async def test_message_2_is_never_held_back_by_the_pace_of_message_1(world: World) -> None:
    await world.reached([AWA])
    await world.process.gate.push(world.sender, 60)
    await world.execute("UPDATE sender SET gate_at = now() + interval '60 s'")
    await asyncio.wait_for(world.hear(inbound("in_new_text", AWA)), 30)
    assert message_2s(world) == [AWA]
    assert await world.value("SELECT gate_at < now() + interval '60 s' FROM sender WHERE id = $1", world.sender)


async def test_replies_of_one_number_keep_the_gap_that_was_asked_for(opens: Opens) -> None:
    world = await opens(REPLY_GAP_SECONDS="0.3")
    await world.reached(phones(4))
    inboxes = [await world.store(inbound("in_new_text", phone)) for phone in phones(4)]
    await asyncio.gather(*(run(handle_interaction, inbox) for inbox in inboxes))
    await world.settled()
    at = sorted(line["time"] for line in world.sent())
    assert len(at) == 4 and min(b - a for a, b in itertools.pairwise(at)) > 0.25


async def test_a_refused_message_2_is_a_failure_of_its_recipient(world: World) -> None:
    campaign = await world.reached([AWA])
    world.simulator.behave(send="bad_request")
    await world.hear(inbound("in_new_text", AWA))
    row = await world.row("SELECT state, failed_step, why FROM recipient")
    assert (row["state"], row["failed_step"]) == ("failed", 2) and "refused" in row["why"]
    assert await world.value("SELECT sum(message_2_failed) FROM campaign_stats WHERE campaign = $1", campaign) == 1


async def test_a_rate_limited_message_2_waits_and_uses_up_no_retry(opens: Opens) -> None:
    world = await opens(TIME_SCALE="10")
    await world.reached([AWA])
    world.simulator.behave(send="rate_limit")
    await world.hear(inbound("in_new_text", AWA))
    row = await second(world)
    assert (row["status"], row["retries"]) == ("pending", 0)
    # Sixty seconds, on a clock ten times as fast.
    assert row["next_at"] - row["promised_at"] == pytest.approx(timedelta(seconds=6), abs=timedelta(seconds=3))
    world.simulator.behave(send="ok")
    await run(message_2.send_message_2, row["id"])  # too early: its time is in the row
    assert world.sent() == []


async def test_a_sender_that_is_stopped_while_answering_is_blocked(world: World) -> None:
    await world.reached([AWA])
    world.simulator.behave(send="forbidden")
    await world.hear(inbound("in_new_text", AWA))
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "blocked"
    assert "sender_blocked" in await world.alerts()
    assert (await second(world))["status"] == "pending"


@pytest.mark.parametrize(
    ("words", "attributes", "text"),
    [
        ("Merci {{name}} de {{city}}", {"city": "Lomé"}, "Merci Awa de Lomé"),
        ("Merci {{name}} de {{city}}", {}, "Merci Awa de "),
    ],
)
async def test_message_2_never_shows_a_placeholder(
    world: World, words: str, attributes: dict[str, Any], text: str
) -> None:
    await world.reached([AWA])  # the launch refuses holes: this one opened since
    await world.execute("UPDATE campaign SET message_2 = $1", words)
    await world.execute("UPDATE contact SET attributes = $1", json.dumps(attributes))
    await world.hear(inbound("in_new_text", AWA))
    assert [line["text"] for line in world.sent()] == [text]


async def test_the_reply_itself_is_kept_when_its_text_holds_what_no_database_can(world: World) -> None:
    await world.reached([AWA])
    row = await world.hear(inbound("in_new_text", AWA, body="Oui \x00 \ud800 merci"))
    assert row["outcome"] == "follow_up" and message_2s(world) == [AWA]


async def test_message_2_is_promised_once_whoever_sends_it(world: World) -> None:
    await world.reached([AWA])
    world.simulator.behave(latency_ms=200)
    inbox = await world.store(inbound("in_new_text", AWA))
    handling = asyncio.create_task(run(handle_interaction, inbox))

    async def made() -> UUID | None:
        found: UUID | None = await world.value("SELECT id FROM message WHERE step = 2")
        return found

    message = await until(made)
    await asyncio.gather(handling, *(run(message_2.send_message_2, message) for _ in range(5)))
    await world.settled()
    assert message_2s(world) == [AWA]
