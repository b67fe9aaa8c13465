"""Replies that are no person's: recorded, marked, answered only where the campaign says so."""

from __future__ import annotations

import pytest
from asyncpg import Record

from tests.actors.people import inbound, phones
from tests.actors.test_interactions import age, message_2s
from tests.actors.world import World

AWAY = "Merci pour votre message. Nous vous répondrons dès que possible."
CANNED = "Our shop opens from nine to five, we look forward to seeing you there"


async def only(world: World) -> Record:
    return await world.row("SELECT * FROM interaction ORDER BY id DESC LIMIT 1")


async def test_an_away_message_is_marked_and_the_person_is_answered_when_they_write(world: World) -> None:
    [phone] = phones(1)
    campaign = await world.reached([phone])
    await age(world, campaign, 60)
    heard = await world.hear(inbound("in_new_text", phone, body=AWAY))
    assert heard["outcome"] == "automatic"
    marked = await only(world)
    assert (marked["automatic"], marked["outcome"], marked["in_window"]) == ("away", "automatic", True)
    assert "no person wrote it" in marked["why"]
    assert message_2s(world) == [] and await world.states(campaign) == {"awaiting_reply": 1}
    assert (await world.hear(inbound("in_new_text", phone, body="Yes, please!")))["outcome"] == "follow_up"
    assert message_2s(world) == [phone]
    assert (await only(world))["automatic"] is None


async def test_a_campaign_may_answer_machines_and_then_once_only(world: World) -> None:
    [phone] = phones(1)
    campaign = await world.reached([phone], answer_automatic=True)
    await age(world, campaign, 60)
    outcomes = [(await world.hear(inbound("in_new_text", phone, body=AWAY)))["outcome"] for _ in range(3)]
    assert outcomes == ["follow_up", "again", "again"]
    assert (await world.value("SELECT count(*) FROM interaction WHERE automatic = 'away'")) == 3
    assert message_2s(world) == [phone]


async def test_our_own_text_that_comes_back_is_an_echo(world: World) -> None:
    [phone] = phones(1)
    campaign = await world.reached([phone], message_1="Our spring sale begins on Monday, come and see")
    await age(world, campaign, 60)
    await world.hear(inbound("in_new_text", phone, body="our spring sale begins on Monday, come and see!"))
    assert (await only(world))["automatic"] == "echo"
    assert message_2s(world) == []


async def test_more_than_anybody_types_within_three_seconds_is_a_machine(world: World) -> None:
    numbers = phones(2)
    campaign = await world.reached(numbers)
    await world.hear(inbound("in_new_text", numbers[0], body=CANNED))
    assert (await only(world))["automatic"] == "instant"
    await age(world, campaign, 60)
    await world.hear(inbound("in_new_text", numbers[1], body=CANNED))
    assert (await only(world))["automatic"] is None
    assert message_2s(world) == [numbers[1]]


async def test_what_five_others_wrote_word_for_word_is_a_machine(world: World) -> None:
    numbers = phones(7)
    campaign = await world.reached(numbers)
    await age(world, campaign, 60)
    for phone in numbers:
        await world.hear(inbound("in_new_text", phone, body=CANNED))
    kinds = [row["automatic"] for row in await world.rows("SELECT automatic FROM interaction ORDER BY id")]
    assert kinds == [None] * 5 + ["same_text"] * 2
    assert message_2s(world) == numbers[:5]


@pytest.mark.parametrize("text", ["Oui", "Yes, I am interested", "👍"])
async def test_short_answers_are_people_however_fast_and_however_many(world: World, text: str) -> None:
    numbers = phones(7)
    await world.reached(numbers)
    for phone in numbers:
        await world.hear(inbound("in_new_text", phone, body=text))
    assert message_2s(world) == numbers
    assert await world.value("SELECT count(*) FROM interaction WHERE automatic IS NOT NULL OR fingerprint <> ''") == 0


async def test_stop_is_obeyed_whoever_writes_it(world: World) -> None:
    [phone] = phones(1)
    campaign = await world.reached([phone])
    assert (await world.hear(inbound("in_new_text", phone, body="STOP")))["outcome"] == "opt_out"
    assert await world.states(campaign) == {"opted_out": 1}
