"""Alerts reach people: delivered to a real receiver over HTTP, by Apprise, out of the alert's own row."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from actors import alerts
from actors.telling import Teller
from models import logs, pool
from tests.actors.world import Memory
from tests.simulator.receiver import Receiver, running_receiver

KIND, SUBJECT = "breaker", "a campaign"
SECRET = "tok3n-of-the-operator"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as running:
        yield running


def address(receiver: Receiver) -> str:
    """The receiver as Apprise names it."""
    return receiver.url.replace("http://", "json://") + f"?+X-Secret={SECRET}"


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(body["type"], body["title"]) for body in receiver.bodies]


async def say(text: str = "it broke", kind: str = KIND) -> None:
    async with pool.connection() as conn:
        await alerts.say(conn, kind, SUBJECT, text)


async def over() -> None:
    async with pool.connection() as conn:
        await alerts.over(conn, KIND, SUBJECT)


async def due(memory: Memory) -> None:
    """Let the time pass until the next attempt is due."""
    await memory.execute("UPDATE alert SET news_due_at = now() WHERE news_due_at IS NOT NULL")


async def test_an_alert_is_told_once_when_it_is_raised_and_once_when_it_is_over(
    memory: Memory, receiver: Receiver
) -> None:
    teller = Teller([address(receiver)])
    for _ in range(3):
        await say()
        await teller.tell_due()
    assert told(receiver) == [("failure", "Relance: breaker")]
    assert "it broke" in receiver.bodies[0]["message"]
    row = await memory.row("SELECT * FROM alert")
    assert (row["times"], row["news"], row["news_due_at"]) == (3, None, None) and row["told_at"] is not None
    await over()
    await teller.tell_due()
    await teller.tell_due()
    assert told(receiver)[1:] == [("success", "Relance: breaker (over)")]


async def test_a_new_text_is_told_ten_minutes_later_at_the_earliest(memory: Memory, receiver: Receiver) -> None:
    teller = Teller([address(receiver)])
    await say("warning")
    await teller.tell_due()
    await say("it is worse")
    assert await teller.tell_due() == 0
    wait = await memory.value("SELECT extract(epoch FROM news_due_at - told_at)::float8 FROM alert")
    assert wait == pytest.approx(600)
    await say("worse still")
    await due(memory)
    await teller.tell_due()
    assert told(receiver)[1:] == [("warning", "Relance: breaker (still)")]
    assert "worse still" in receiver.bodies[1]["message"]


async def test_what_was_not_taken_is_tried_again_ever_more_rarely_and_never_lost(
    memory: Memory, receiver: Receiver
) -> None:
    receiver.statuses = [500, 503]
    teller = Teller([address(receiver)])
    await say()
    waits = []
    for _ in range(2):
        await teller.tell_due()
        row = await memory.row("SELECT *, extract(epoch FROM news_due_at - now())::float8 AS wait FROM alert")
        waits.append(row["wait"])
        assert row["news"] == "raised" and row["told_at"] is None
        assert row["news_error"] == "not taken by address 1 (json)"
        assert await teller.tell_due() == 0  # not before it is due
        await due(memory)
    assert 5 < waits[0] <= 10 < waits[1] <= 20
    await teller.tell_due()
    assert len(receiver.bodies) == 3
    assert await memory.value("SELECT news IS NULL AND news_error IS NULL AND told_at IS NOT NULL FROM alert")


async def test_a_dead_address_keeps_nobody_else_waiting_and_nobody_hears_twice(
    memory: Memory, receiver: Receiver
) -> None:
    teller = Teller(["json://127.0.0.1:9/nobody", address(receiver)])
    await say()
    for _ in range(3):
        await teller.tell_due()
        await due(memory)
    assert len(receiver.bodies) == 1
    row = await memory.row("SELECT news, news_tries, news_error FROM alert")
    assert tuple(row) == ("raised", 3, "not taken by address 1 (json)")


async def test_an_alert_that_is_over_before_it_was_told_is_told_as_over(memory: Memory, receiver: Receiver) -> None:
    await say()
    await over()
    await Teller([address(receiver)]).tell_due()
    assert told(receiver) == [("success", "Relance: breaker (over)")]


async def test_several_tellers_tell_once(memory: Memory, receiver: Receiver) -> None:
    for number in range(5):
        await say(kind=f"kind {number}")
    await asyncio.gather(*(Teller([address(receiver)]).tell_due() for _ in range(4)))
    assert len(receiver.bodies) == 5


async def test_a_teller_that_dies_with_an_alert_in_hand_leaves_it_to_another(
    memory: Memory, receiver: Receiver
) -> None:
    receiver.holds = 30
    await say()
    dying = asyncio.create_task(Teller([address(receiver)]).tell_due())
    while not receiver.open:
        await asyncio.sleep(0.02)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    receiver.holds = 0
    assert await Teller([address(receiver)]).tell_due() == 0  # for two minutes it is in hand
    await due(memory)
    assert await Teller([address(receiver)]).tell_due() == 1
    assert len(receiver.bodies) == 2  # at least once, then


async def test_news_that_come_while_an_older_one_is_told_are_told_too(memory: Memory, receiver: Receiver) -> None:
    receiver.holds = 0.5
    teller = Teller([address(receiver)])
    await say()
    telling = asyncio.create_task(teller.tell_due())
    while not receiver.open:
        await asyncio.sleep(0.02)
    await over()
    await telling
    await teller.tell_due()
    assert [kind for kind, _ in told(receiver)] == ["failure", "success"]


async def test_without_an_address_nothing_is_kept_for_one(memory: Memory, receiver: Receiver) -> None:
    await say()
    await Teller([]).tell_due()
    await Teller([address(receiver)]).tell_due()
    assert receiver.bodies == []


async def test_addresses_are_in_no_row_and_no_log(
    memory: Memory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import settings

    monkeypatch.setenv("ALERT_URLS", f"json://127.0.0.1:9/{SECRET}, nonsense://{SECRET}/x {address(receiver)}")
    settings.get.cache_clear()
    logs.configure("test")
    teller = Teller()
    receiver.statuses = [500]
    await say("nobody hears +33199000012")
    assert await teller.tell_due() == 1
    rows = str([dict(row) for row in await memory.rows("SELECT * FROM alert")])
    said = capsys.readouterr()
    assert "an alert could not be told to everybody" in said.out
    assert "address 1 (json), address 2 (nonsense), address 3 (json)" in rows
    assert SECRET not in rows + said.out + said.err
    assert not re.search(r"99000012", said.out + str(receiver.bodies))


async def test_a_kind_is_settled_to_exactly_what_is_so(memory: Memory) -> None:
    async def settle(**texts: str) -> set[str]:
        async with pool.connection() as conn:
            await alerts.settle(conn, KIND, texts)
        return {row["subject"] for row in await memory.rows("SELECT subject FROM alert WHERE resolved_at IS NULL")}

    assert await settle(a="x", b="y") == {"a", "b"}
    assert await settle(a="x", c="z") == {"a", "c"}
    assert await memory.value("SELECT times FROM alert WHERE subject = 'a'") == 1  # nothing new was said
    await memory.execute("UPDATE alert SET resolved_at = now(), put_away_at = now() WHERE subject = 'a'")
    assert await settle(a="x", c="z") == {"c"}  # a person has seen it
    await memory.execute("UPDATE alert SET put_away_at = now() - interval '61 minutes' WHERE subject = 'a'")
    assert await settle(a="x", c="z") == {"a", "c"}
    assert await settle() == set()


async def test_two_schedulers_that_see_the_same_raise_one_alert(memory: Memory) -> None:
    async def settle() -> None:
        async with pool.connection() as conn:
            await alerts.settle(conn, KIND, {str(n): "x" for n in range(20)})

    await asyncio.gather(*(settle() for _ in range(5)))
    assert await memory.value("SELECT count(*) FROM alert") == 20
    assert await memory.value("SELECT max(times) FROM alert") == 1
