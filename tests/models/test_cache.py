from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
import redis.asyncio
from structlog.testing import capture_logs

import settings
from local import embedded, stack
from models import live
from models.cache import Cache, Misses
from tests.simulator_process import until


class Answer(msgspec.Struct):
    """Something that costs the database much."""

    number: int


@pytest.fixture
async def client(configured: settings.Settings) -> AsyncIterator[redis.asyncio.Redis]:
    opened = live.async_client(socket_timeout=30, socket_connect_timeout=30)  # a busy machine is not an outage
    yield opened
    await opened.aclose()


@pytest.fixture
def cache(client: redis.asyncio.Redis) -> Cache:
    return Cache(client)


class Source:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.number = 1
        self.asked = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self) -> Answer:
        self.asked += 1
        answer = Answer(self.number)
        if self.hold is not None:
            await self.hold.wait()
        return answer


def reading(cache: Cache, source: Source, name: str = "one") -> Callable[[], Awaitable[Answer]]:
    return lambda: cache.read("stats", name, source, Answer)


async def test_an_answer_is_made_once_and_then_kept(cache: Cache, client: redis.asyncio.Redis) -> None:
    source = Source()
    assert [await reading(cache, source)() for _ in range(5)] == [Answer(1)] * 5
    assert source.asked == 1
    assert 0 < await client.ttl("cache:stats:one") <= settings.get().cache_ttl_seconds
    stats = await cache.stats()
    assert (stats.hits, stats.misses, stats.hit_rate, stats.keys, stats.available) == (4, 1, 0.8, 1, True)
    assert stats.latency_ms is not None


async def test_fifty_at_once_ask_the_database_once(cache: Cache) -> None:
    source = Source()
    source.hold = asyncio.Event()
    waiting = [asyncio.ensure_future(reading(cache, source)()) for _ in range(50)]
    await until(lambda: source.asked > 0, what="the first to ask")
    source.hold.set()
    assert await asyncio.gather(*waiting) == [Answer(1)] * 50
    assert source.asked == 1


async def test_one_who_gives_up_takes_nothing_from_the_others(cache: Cache) -> None:
    source = Source()
    source.hold = asyncio.Event()
    first, second = (asyncio.ensure_future(reading(cache, source)()) for _ in range(2))
    await until(lambda: source.asked > 0, what="the first to ask")
    first.cancel()
    source.hold.set()
    assert await second == Answer(1)


async def test_what_was_forgotten_is_made_anew_and_the_rest_is_kept(cache: Cache) -> None:
    changed, same = Source(), Source()
    for _ in range(2):
        await reading(cache, changed, "messages:a")()
        await reading(cache, same, "contacts")()
        changed.number = 2
        await cache.forget("stats", "messages:*")
    assert (changed.asked, same.asked) == (2, 1)
    assert await reading(cache, changed, "messages:a")() == Answer(2)


async def test_an_answer_that_was_being_made_during_a_change_is_not_kept(
    cache: Cache, client: redis.asyncio.Redis
) -> None:
    source = Source()
    source.hold = asyncio.Event()
    old = asyncio.ensure_future(reading(cache, source)())
    await until(lambda: source.asked == 1, what="the load")
    source.number = 2
    await Cache(client).forget("stats", "one")  # another process
    new = asyncio.ensure_future(reading(cache, source)())
    await until(lambda: source.asked == 2, what="whoever asks after the change to ask anew")
    source.hold.set()
    assert (await old, await new) == (Answer(1), Answer(2))
    source.hold = None
    assert await reading(cache, source)() == Answer(2)


async def test_several_are_read_with_one_call_and_only_the_missing_are_made(cache: Cache) -> None:
    asked: list[list[str]] = []

    async def load(names: object) -> dict[str, Answer]:
        assert isinstance(names, tuple)
        asked.append(list(names))
        return {name: Answer(int(name)) for name in names if name != "0"}

    await cache.read_many("categories", ["1", "2"], load, Answer)
    found = await cache.read_many("categories", ["0", "1", "2", "3"], load, Answer)
    assert found == {str(n): Answer(n) for n in (1, 2, 3)}
    assert asked == [["1", "2"], ["0", "3"]]


async def test_a_failing_load_is_told_to_all_and_kept_by_nobody(cache: Cache) -> None:
    async def fails() -> Answer:
        raise ValueError("no database")

    told = await asyncio.gather(*(cache.read("stats", "x", fails, Answer) for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in told] == ["no database"] * 3
    assert await reading(cache, Source(), "x")() == Answer(1)


async def test_without_redis_the_database_answers_and_it_is_said_once(
    configured: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = redis.asyncio.Redis.from_url(f"redis://127.0.0.1:{stack.free_port()}", socket_connect_timeout=0.2)
    cache, source = Cache(gone), Source()
    monkeypatch.setattr("models.cache.AWAY_SECONDS", 0.0)
    with capture_logs() as logs:
        for source.number in (1, 2, 3):
            assert await reading(cache, source)() == Answer(source.number)
            await cache.forget("stats", "one")
    assert [line["log_level"] for line in logs if line["event"].startswith("no Redis")] == ["warning"]
    assert not (await cache.stats()).available
    await gone.aclose()


async def test_a_change_that_a_frozen_redis_did_not_hear_is_made_up_for(
    servers: embedded.Servers, configured: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if servers.valkey is None:
        pytest.skip("only our own Redis can be frozen")
    frozen = servers.valkey.pid
    assert frozen is not None
    monkeypatch.setattr("models.cache.AWAY_SECONDS", 0.0)
    client = live.async_client()
    cache, source = Cache(client), Source()
    await until(lambda: _kept(cache, source), what="the answer to be kept")
    os.kill(frozen, signal.SIGSTOP)
    try:
        source.number = 2
        await cache.forget("stats", "one")
        assert await reading(cache, source)() == Answer(2)
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert await reading(cache, source)() == Answer(2)
    await client.aclose()


async def _kept(cache: Cache, source: Source) -> bool:
    await reading(cache, source)()
    return (await cache.stats()).keys == 1


def test_many_misses_are_a_warning_once_in_ten_minutes() -> None:
    misses = Misses()
    assert not any(misses.seen(0, 1, now=float(n)) for n in range(99))
    assert misses.seen(0, 1, now=99.0)
    assert not any(misses.seen(0, 1, now=float(n)) for n in range(100, 699))
    assert misses.seen(0, 1, now=699.5)


async def test_a_cache_that_misses_says_so_once_with_its_figures(cache: Cache) -> None:
    with capture_logs() as logs:
        for number in range(130):
            await reading(cache, Source(), f"never asked before {number}")()
    (told,) = [line for line in logs if line["log_level"] == "warning"]
    assert told["event"] == "the cache misses more than it hits"
    assert (told["lookups"], told["misses"], told["minutes"]) == (100, 100, 5.0)


def test_half_of_the_look_ups_may_miss() -> None:
    misses = Misses()
    assert not any(misses.seen(1, 1, now=n / 10) for n in range(500))


def test_misses_older_than_five_minutes_do_not_count() -> None:
    misses = Misses()
    assert not any(misses.seen(0, 1, now=float(n * 4)) for n in range(200))
