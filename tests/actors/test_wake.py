from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

import actors.main
import settings
from actors import wake
from actors.wake import ROUTES, Waker
from local import embedded
from models import live
from tests.simulator_process import until


@pytest.fixture
def waker(configured: settings.Settings) -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


@pytest.fixture
def client(configured: settings.Settings) -> Iterator[redis.Redis]:
    with live.sync_client() as client:
        yield client


def test_the_routes_are_what_the_actors_declare() -> None:
    declared = {name: actor.queue_name for name, actor in actors.main.broker.actors.items()}
    assert declared == ROUTES


def test_no_actor_is_retried_by_dramatiq_and_each_says_what_happens_if_it_dies() -> None:
    for actor in actors.main.broker.actors.values():
        assert actor.options["max_retries"] == 0
        assert "If it dies:" in (inspect.getdoc(actor.fn) or ""), actor.actor_name


def test_a_wake_up_is_never_delayed() -> None:
    message = actors.main.broker.actors["sweep_campaigns"].message()
    with pytest.raises(ValueError, match="never delayed"):
        actors.main.broker.enqueue(message, delay=5)


def test_a_wake_up_of_nobody_is_a_mistake(waker: Waker) -> None:
    with pytest.raises(KeyError):
        waker.wake("nobody")


async def test_wake_ups_arrive_in_order_in_their_queue(waker: Waker, client: redis.Redis) -> None:
    for _ in range(3):
        waker.wake("handle_interaction", uuid4())
    waker.wake("sweep_campaigns")
    await until(lambda: client.llen(f"{live.QUEUES}:replies") == 3 and client.llen(f"{live.QUEUES}:work") == 1)
    assert client.llen(f"{live.QUEUES}:sending") == 0


@pytest.mark.parametrize("how", ["freeze", "kill"])
async def test_nobody_ever_waits_for_a_redis_that_does_not_answer(
    waker: Waker, servers: embedded.Servers, client: redis.Redis, how: str
) -> None:
    assert servers.valkey is not None
    waker.wake("sweep_campaigns")
    await until(lambda: client.llen(f"{live.QUEUES}:work") == 1)
    getattr(servers.valkey, how)()
    try:
        began = time.monotonic()
        for _ in range(200):
            waker.wake("handle_interaction", uuid4())
        assert time.monotonic() - began < 200 * live.CALL_SECONDS / 4  # waiting for each would take all of it
    finally:
        servers.valkey.thaw() if how == "freeze" else servers.valkey.start()
    waker.wake("sweep_campaigns")  # it goes on when Redis is back
    await until(lambda: client.llen(f"{live.QUEUES}:work") >= 1, seconds=60)


def test_more_wake_ups_than_may_wait_are_dropped_and_not_waited_for(
    configured: settings.Settings, monkeypatch: pytest.MonkeyPatch, servers: embedded.Servers
) -> None:
    assert servers.valkey is not None
    monkeypatch.setattr(wake, "WAITING_AT_MOST", 10)
    servers.valkey.freeze()
    try:
        waker = Waker()
        for _ in range(1000):
            waker.wake("sweep_campaigns")
        began = time.monotonic()
        waker.close()
        assert time.monotonic() - began < 10
    finally:
        servers.valkey.thaw()


async def test_the_processs_own_waker_is_made_when_it_is_first_needed(client: redis.Redis) -> None:
    wake.close()
    wake.wake("digest_acknowledgements")
    await until(lambda: client.llen(f"{live.QUEUES}:work") == 1)
    wake.close()
    wake.close()


async def test_wake_ups_that_only_say_look_again_are_gathered_and_the_last_one_always_comes(
    waker: Waker, client: redis.Redis
) -> None:
    queued = f"{live.QUEUES}:work"
    for _ in range(500):
        waker.wake("digest_acknowledgements")
    waker.wake("handle_interaction", uuid4())
    await until(lambda: client.llen(f"{live.QUEUES}:replies") == 1)
    assert 1 <= client.llen(queued) < 500
    await until(lambda: not waker._gathered)
    before = client.llen(queued)
    waker.wake("digest_acknowledgements")
    await until(lambda: client.llen(queued) == before + 1)
