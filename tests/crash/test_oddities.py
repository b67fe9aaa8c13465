"""What comes at an odd moment: acknowledgements of the unsent, expired messages, early replies, frozen writers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.crash.claims import claims_of
from tests.crash.judge import assert_right, lines_of
from tests.crash.stage import Ground, scene
from tests.crash.story import Campaign
from tests.crash.system import EVENTS, System
from tests.simulator_process import until

EVERYBODY = ("web", "worker", "replies", "scheduler")
SECOND = "And now the second one of campaign 0"


@scene(seconds=17)
async def test_an_acknowledgement_of_a_row_that_looks_unsent_keeps_it_from_being_sent(ground: Ground) -> None:
    """The gateway has the messages of two people already, in our name: their rows say pending."""
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.draft(4)
        await system.books.shut_gates()
        assert await system.books.launch(campaign)
        await until(lambda: _many(system, campaign, 4), seconds=60, what="the rows")
        rows = await system.books.messages(campaign)
        for phone in campaign.phones[:2]:
            soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
            text, reference = rows[phone]["text"], str(rows[phone]["id"])
            assert system.simulator.send(phone, text, reference=reference, expiration={"date": soon}).is_success
        await until(lambda: _acknowledged(system, campaign), seconds=60, what="the acknowledgements")
        await until(system.books.gates_found_shut, seconds=60, what="the lane to leave its shut gate")
        await system.books.open_gate(campaign)
        await system.books.all_left(campaign)
        after = await system.books.messages(campaign)
        assert [after[phone]["attempt"] for phone in campaign.phones] == [0, 0, 1, 1]
        assert [len(lines_of(system, phone)) for phone in campaign.phones] == [1, 1, 1, 1]
        states = await system.books.states(campaign)
        assert set(states.values()) == {"awaiting_reply"}


@scene(seconds=22)
async def test_what_expired_in_the_gateways_queue_is_sent_again_in_a_new_round(ground: Ground) -> None:
    """The device is offline, nobody says so, and the gateway takes messages: they wait in its queue and expire."""
    events = [event for event in EVENTS if event != "number:session"]
    settings = {"MAX_RETRY_ATTEMPTS": "10"}
    queues = {"offline_accepts": True}
    async with ground.system(start=EVERYBODY, behaviour=queues, events=events, settings=settings) as system:
        campaign = await system.books.launched(8)
        await until(lambda: len(system.simulator.ledger()) >= 2, seconds=60, what="two messages")
        system.simulator.behave(device_offline=True)
        await until(lambda: _expired(system) > 0, seconds=60, what="a message to expire")
        system.simulator.behave(device_offline=False)
        await system.books.all_left(campaign)
        await assert_right(system, campaign)
        rows = (await system.books.messages(campaign)).values()
        assert any(row["round"] > 0 for row in rows)
        assert all(row["attempt"] == row["round"] + 1 for row in rows)
        assert all(len(lines_of(system, phone)) == 1 for phone in campaign.phones)


@scene(seconds=18)
async def test_a_contact_who_writes_before_message_1_has_not_replied(ground: Ground) -> None:
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.draft(3, message_2=SECOND)
        await system.books.shut_gates()
        early, reply, _ = campaign.phones
        system.simulator.say(early, body="Bonjour, vous êtes ouverts ?")
        assert await system.books.launch(campaign)
        await until(lambda: _many(system, campaign, 3), seconds=60, what="the rows")
        system.simulator.say(early, body="Allô ?")
        await asyncio.sleep(3)  # further from the promise than two clocks may differ
        await until(system.books.gates_found_shut, seconds=60, what="the lane to leave its shut gate")
        await system.books.open_gate(campaign)
        await system.books.all_left(campaign)
        system.simulator.say(reply)
        await until(lambda: len(lines_of(system, reply)) == 2, seconds=30, what="Message 2")
        await system.quiet()
        assert len(lines_of(system, early)) == 1
        heard = await system.books.rows("SELECT outcome FROM interaction ORDER BY received_at")
        assert [row["outcome"] for row in heard] == ["plain", "plain", "follow_up"]
        await assert_right(system, campaign)


@scene(seconds=15)
async def test_a_writer_frozen_inside_a_transaction_holds_nobody_up(ground: Ground) -> None:
    """A reply is being digested, its locks held, when its process is frozen: another one digests it."""
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.launched(3, message_2=SECOND)
        await system.books.all_left(campaign)
        frozen = system.only("replies")
        phone = campaign.phones[0]
        async with system.books.apart() as blocker:
            async with blocker.transaction():
                await blocker.execute("SELECT FROM recipient WHERE campaign = $1 FOR UPDATE", campaign.id)
                system.simulator.say(phone)
                # It holds the inbox row and the contact, and waits for the recipient.
                await until(lambda: _waits(system), seconds=30, what="the handler to wait for our lock")
                frozen.freeze()
            (other,) = system.start("replies")
            await system.known(other)
        await until(lambda: len(lines_of(system, phone)) == 2, seconds=60, what="Message 2 by the other process")
        frozen.thaw()
        system.simulator.say(campaign.phones[1])
        await system.quiet()
        assert len(lines_of(system, phone)) == 2
        await assert_right(system, campaign)


@scene(seconds=28)
async def test_a_frozen_process_of_replies_sends_no_second_message_2(ground: Ground) -> None:
    """It is frozen between the promise of Message 2 and the write, for longer than that promise may be kept."""
    settings = {"REPLY_GAP_SECONDS": "2"}
    async with ground.system(start=EVERYBODY, settings=settings) as system:
        campaign = await system.books.launched(4, message_2=SECOND)
        await system.books.all_left(campaign)
        frozen = system.only("replies")
        async with claims_of(system.books) as claims:
            for phone in campaign.phones[:2]:
                system.simulator.say(phone)
            # The second one waits for its gap, promised.
            for _ in range(2):
                await asyncio.wait_for(claims.get(), 30)
        frozen.freeze()
        (other,) = system.start("replies")
        await system.known(other)
        await asyncio.sleep(12)  # past everything a promise allows
        frozen.thaw()
        for phone in campaign.phones[2:]:
            system.simulator.say(phone)
        await system.quiet(seconds=90)
        await assert_right(system, campaign)
        assert [len(lines_of(system, phone)) for phone in campaign.phones] == [2] * 4


@scene(seconds=14)
async def test_one_reply_delivered_ten_times_to_ten_consumers_brings_one_message_2(ground: Ground) -> None:
    async with ground.system(start=("web", "worker", *["replies"] * 3, "scheduler")) as system:
        campaign = await system.books.launched(5, message_2=SECOND)
        await system.books.all_left(campaign)
        for phone in campaign.phones:
            system.simulator.say(phone, copies=10)
        for phone in campaign.phones:
            for _ in range(5):
                system.simulator.say(phone)
        await system.quiet()
        assert [len(lines_of(system, phone)) for phone in campaign.phones] == [2] * 5
        await assert_right(system, campaign)


async def _many(system: System, campaign: Campaign, many: int) -> bool:
    return len(await system.books.messages(campaign)) == many


async def _acknowledged(system: System, campaign: Campaign) -> bool:
    rows = await system.books.messages(campaign)
    return all(rows[phone]["status"] in ("sent", "delivered") for phone in campaign.phones[:2])


def _expired(system: System) -> int:
    return len([line for line in system.simulator.ledger() if line["failure"] is not None])


async def _waits(system: System) -> bool:
    return bool(
        await system.books.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'relance' AND wait_event_type = 'Lock'"
        )
    )
