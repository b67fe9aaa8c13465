from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

import settings
from actors.delivery import Delivery, deliver
from actors.recorder import Ended
from gateway.wassenger import Wassenger
from local.stack import free_port
from models.transitions import Fact, Failure, GiveBack, Promise
from tests.actors.conftest import Opens
from tests.actors.people import phones
from tests.actors.world import World
from tests.simulator_process import DEVICE


def promise(phone: str = "", *, retries: int = 0, round: int = 0) -> Promise:
    return Promise(
        message=uuid7(), recipient=uuid7(), campaign=uuid7(), contact=uuid7(), sender=uuid7(), step=1,
        phone=phone or phones(1)[0], text="Bonjour", media=None, attempt=4, retries=retries, round=round,
    )  # fmt: skip


async def one(world: World, given: Promise | None = None, may_write: bool = True) -> Delivery:
    return await deliver(world.process.gateway, given or promise(), DEVICE, lambda: may_write)


async def unreachable(given: Promise) -> Delivery:
    closed = Wassenger(base_url=f"http://127.0.0.1:{free_port()}", api_key="k", webhook_secret="w" * 16)
    try:
        return await deliver(closed, given, DEVICE, lambda: True)
    finally:
        await closed.close()


async def test_an_accepted_message_is_a_fact_with_its_ids_and_latency(world: World) -> None:
    given = promise(round=2)
    done = await one(world, given)
    assert isinstance(done.result, Fact)
    assert (done.result.message, done.result.status) == (given.message, "sent")
    assert done.result.gateway_id and done.result.message_id and done.result.accept_ms
    [line] = world.sent()
    assert line["reference"] == f"{given.message}.2"


@pytest.mark.parametrize("scale", [1, 10])
async def test_what_never_left_is_retried_after_60_120_240_seconds_then_fails_with_its_reason(
    opens: Opens, scale: int
) -> None:
    await opens(TIME_SCALE=str(scale))
    waits = []
    for retries in range(3):
        result = (await unreachable(promise(retries=retries))).result
        assert isinstance(result, GiveBack)
        assert (result.used_retry, result.refund, result.attempt, result.error_class) == (True, True, 4, "never_left")
        waits.append(result.wait * scale)
    assert waits == [60, 120, 240]
    last = (await unreachable(promise(retries=3))).result
    assert isinstance(last, Failure)
    assert last.error_class == "never_left" and last.attempt == 4
    assert last.error_text.startswith("never left after 4 attempts: ")


async def test_base_and_number_of_the_retries_are_settings(opens: Opens) -> None:
    await opens(RETRY_BASE_DELAY_SECONDS="7", MAX_RETRY_ATTEMPTS="1")
    first, second = [(await unreachable(promise(retries=n))).result for n in (0, 1)]
    assert isinstance(first, GiveBack) and first.wait == 7
    assert isinstance(second, Failure)


async def test_a_refused_message_fails_at_once_with_the_gateways_words(world: World) -> None:
    world.simulator.behave(send="bad_request")
    done = await one(world)
    assert isinstance(done.result, Failure)
    assert done.result.error_class == "refused" and "400" in done.result.error_text
    assert done.stopped is None and done.hold == 0


@pytest.mark.parametrize(("retry_after", "hold"), [(None, 60), (5, 60), (90, 90)])
async def test_a_rate_limited_sender_waits_a_minute_or_longer_if_asked_and_uses_up_no_retry(
    opens: Opens, retry_after: int | None, hold: float
) -> None:
    world = await opens(TIME_SCALE="10")
    world.simulator.behave(send="rate_limit", retry_after=retry_after)
    done = await one(world)
    assert done.hold == hold / 10
    assert isinstance(done.result, GiveBack)
    assert (done.result.wait, done.result.used_retry, done.result.refund) == (hold / 10, False, True)


@pytest.mark.parametrize("answer", ["unauthorized", "payment", "forbidden"])
async def test_a_stopped_sender_gives_the_message_back_untouched(world: World, answer: str) -> None:
    world.simulator.behave(send=answer)
    done = await one(world)
    assert isinstance(done.result, GiveBack)
    assert (done.result.wait, done.result.used_retry, done.result.error_class) == (0, False, "sender_stopped")
    assert done.stopped


async def test_a_fenced_message_uses_up_no_retry_and_never_reaches_the_gateway(world: World) -> None:
    result = (await one(world, promise(retries=3), may_write=False)).result
    assert isinstance(result, GiveBack)
    assert (result.wait, result.used_retry, result.error_class) == (0, False, "fenced")
    assert world.sent() == []


@pytest.mark.parametrize(
    "answer", ["error", "unavailable", "html_502", "close", "close_after_accept", "garbled_after_accept"]
)
async def test_whatever_may_have_left_is_left_to_a_look_up(world: World, answer: str) -> None:
    world.simulator.behave(send=answer)
    given = promise()
    result = (await one(world, given)).result
    if answer == "garbled_after_accept":  # a 201 is an acceptance, whatever its body
        assert isinstance(result, Fact)
        return
    assert isinstance(result, Ended)
    assert (result.message, result.attempt) == (given.message, 4)


async def test_a_call_that_gets_no_answer_ends_at_its_deadline(opens: Opens) -> None:
    world = await opens(GATEWAY_TIMEOUT_SECONDS="0.5")
    world.simulator.behave(send="timeout_after_accept")
    assert isinstance((await one(world)).result, Ended)
    assert len(world.sent()) == 1


async def test_an_error_nobody_foresaw_may_have_come_after_the_message_left(world: World) -> None:
    await world.process.gateway.close()
    given = promise()
    result = (await one(world, given)).result
    assert isinstance(result, Ended)
    assert (result.message, result.attempt) == (given.message, 4) and result.error_text


async def test_half_a_character_fails_and_holds_nothing_up(world: World) -> None:
    result = (await one(world, replace(promise(), text="Bonjour \ud800"))).result
    assert isinstance(result, Failure) and "surrogate" in result.error_text


async def test_the_gateway_may_not_deliver_it_long_after_its_promise(world: World) -> None:
    """A second fence: an absolute moment a little past the lease, by the gateway's clock."""
    before = datetime.now(UTC)
    await one(world)
    [line] = world.sent()
    expires = datetime.fromisoformat(line["options"]["expiration"]["date"])
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    assert before + lease < expires < datetime.now(UTC) + lease + timedelta(seconds=settings.LEASE_SECONDS)
