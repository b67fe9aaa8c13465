"""The cache: answers that cost the database much, kept in Redis for CACHE_TTL_SECONDS.

Cache-aside. Whoever writes forgets what became untrue; a version per area keeps an answer that was being made
meanwhile from being stored. Without Redis everything is answered from the database, and what should have been
forgotten is remembered until it can be.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import msgspec
import redis.asyncio
import structlog

import settings
from models import live

log = structlog.get_logger()

Area = Literal["stats", "categories"]
T = TypeVar("T")

AWAY_SECONDS = 1.0
"""After a failed call Redis is left alone for so long: a frozen one must not cost every request its time-out."""
LANDED_SECONDS = 5.0
"""What was loaded is held so long for those who were already asking."""
WINDOW_SECONDS = 300.0
LEAST_LOOKUPS = 100
MOST_MISSES = 0.5
WARN_EVERY_SECONDS = 600.0
SAMPLE = 1_000
"""Newest operations that the latency is taken from."""

_STORE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[2]) end
return 1
"""


class CacheStats(msgspec.Struct, kw_only=True):
    """Look-ups of all processes since Redis began to count; ``hit_rate`` 0–1, null before the first look-up.

    ``latency_ms`` is the median of this process's newest operations, ``keys`` how many answers are kept.
    """

    hits: int
    misses: int
    hit_rate: float | None
    latency_ms: float | None
    keys: int
    available: bool


class Cache:
    """One per process, on the process's one pool of Redis connections."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.redis = client
        self.misses = Misses()
        self._store = client.register_script(_STORE)
        self._flights: dict[tuple[Any, ...], asyncio.Task[dict[str, Any]]] = {}
        self._landed: dict[tuple[Any, ...], tuple[float, dict[str, Any]]] = {}
        self._generation = 0
        self._owed: set[Area] = set()
        self._away_until = 0.0
        self._away = False
        self._took: deque[float] = deque(maxlen=SAMPLE)
        self._uncounted = {"hits": 0, "misses": 0}

    async def read(self, area: Area, name: str, load: Callable[[], Awaitable[T]], kind: type[T]) -> T:
        """Return the answer ``name``: the kept one, else what ``load`` returns, loaded once for all who wait for it."""

        async def missing(_: Sequence[str]) -> dict[str, T]:
            return {name: await load()}

        return (await self.read_many(area, [name], missing, kind))[name]

    async def read_many(
        self, area: Area, names: Sequence[str], load: Callable[[Sequence[str]], Awaitable[dict[str, T]]], kind: type[T]
    ) -> dict[str, T]:
        """Return several answers with one round trip; ``load`` is asked for those that are not kept, all at once.

        A name that ``load`` does not return is left out.
        """
        began = time.monotonic()
        version, kept = await self._kept(area, names)
        found = {name: msgspec.json.decode(raw, type=kind) for name, raw in kept.items()}
        absent = tuple(name for name in names if name not in found)
        if absent:
            found |= await self._flight(area, version, absent, load, began)
        return found

    async def _flight(
        self,
        area: Area,
        version: str | None,
        names: tuple[str, ...],
        load: Callable[..., Awaitable[dict[str, T]]],
        began: float,
    ) -> dict[str, T]:
        """Load once for all who ask for the same of the same version: whoever asks after a change asks anew.

        A load that ended while this one was still looking into Redis (since ``began``) is as good as one under way.
        """
        key = (area, version, self._generation, names)
        ended = self._landed.get(key)
        if ended is not None and ended[0] >= began:
            return dict(ended[1])
        task = self._flights.get(key)
        if task is None:
            task = asyncio.create_task(self._load(area, version, names, load))
            self._flights[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    def _land(self, key: tuple[Any, ...], done: asyncio.Task[dict[str, Any]]) -> None:
        self._flights.pop(key, None)
        if not done.cancelled() and done.exception() is None:
            self._landed[key] = (time.monotonic(), done.result())
            asyncio.get_running_loop().call_later(LANDED_SECONDS, self._landed.pop, key, None)

    async def _load(
        self, area: Area, version: str | None, names: tuple[str, ...], load: Callable[..., Awaitable[dict[str, T]]]
    ) -> dict[str, T]:
        loaded = await load(names)
        if version is not None and loaded:
            keys = [live.cache_version(area), *(live.cached(area, name) for name in loaded)]
            values = [msgspec.json.encode(value) for value in loaded.values()]
            async with self._call("store", area, len(loaded)):
                await self._store(keys=keys, args=[version, int(settings.get().cache_ttl_seconds), *values])
        return loaded

    async def _kept(self, area: Area, names: Sequence[str]) -> tuple[str | None, dict[str, bytes]]:
        """Return the area's version (None: no Redis) and what is kept of these, in one round trip."""
        if not await self._reachable():
            return None, {}
        counts, self._uncounted = self._uncounted, {"hits": 0, "misses": 0}
        answer: list[bytes | None] = []
        async with self._call("read", area, len(names)), self.redis.pipeline(transaction=False) as pipe:
            pipe.mget(live.cache_version(area), *(live.cached(area, name) for name in names))
            for what, many in counts.items():
                if many:
                    pipe.hincrby(live.CACHE_COUNTS, what, many)
            answer = (await pipe.execute())[0]
        if not answer:
            return None, {}
        kept = {name: raw for name, raw in zip(names, answer[1:], strict=True) if raw is not None}
        self._count(len(kept), len(names) - len(kept))
        return (answer[0] or b"").decode(), kept

    async def forget(self, area: Area, *names: str) -> None:
        """Drop these answers; a name that ends in ``*`` stands for all that begin so. Never fails."""
        self._generation += 1
        if not await self._reachable():
            self._owed.add(area)
            return
        done = False
        async with self._call("forget", area, len(names)):
            keys = [live.cached(area, name) for name in names if not name.endswith("*")]
            for name in names:
                if name.endswith("*"):
                    keys += [key async for key in self.redis.scan_iter(live.cached(area, name), count=1_000)]
            async with self.redis.pipeline(transaction=False) as pipe:
                # The version first: an answer that is being made from what was true before must not be stored after.
                pipe.incr(live.cache_version(area))
                if keys:
                    pipe.unlink(*keys)
                await pipe.execute()
            done = True
        if not done:
            self._owed.add(area)

    async def stats(self) -> CacheStats:
        """Return how well it does."""
        counts: dict[Any, Any] = {}
        keys = 0
        available = False
        if await self._reachable():
            async with self._call("stats", "stats", 0):
                counts = await self.redis.hgetall(live.CACHE_COUNTS)
                keys = len([key async for key in self.redis.scan_iter("cache:*", count=1_000)])
                available = True
        hits = int(counts.get(b"hits", 0)) + self._uncounted["hits"]
        misses = int(counts.get(b"misses", 0)) + self._uncounted["misses"]
        return CacheStats(
            hits=hits,
            misses=misses,
            hit_rate=round(hits / (hits + misses), 4) if hits + misses else None,
            latency_ms=round(statistics.median(self._took), 3) if self._took else None,
            keys=keys,
            available=available,
        )

    def _count(self, hits: int, misses: int) -> None:
        self._uncounted["hits"] += hits
        self._uncounted["misses"] += misses
        self.misses.seen(hits, misses, time.monotonic())

    async def _reachable(self) -> bool:
        """Whether Redis may be asked just now; whatever should have been forgotten meanwhile is forgotten first."""
        if time.monotonic() < self._away_until:
            return False
        while self._owed:
            area = self._owed.pop()
            await self.forget(area, "*")
            if area in self._owed:
                return False
        return True

    @asynccontextmanager
    async def _call(self, what: str, area: str, many: int) -> AsyncIterator[None]:
        """Time one operation; an outage ends it without an error and is logged once, as is its end."""
        began = time.perf_counter()
        try:
            yield
        except live.UNAVAILABLE as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            if not self._away:
                log.warning("no Redis: answers come from the database, uncached", error=str(error))
            self._away = True
            return
        ms = (time.perf_counter() - began) * 1000
        self._took.append(ms)
        log.debug("cache", what=what, area=area, many=many, ms=round(ms, 3))
        if self._away:
            self._away = False
            log.info("the cache is back")


class Misses:
    """Watches the share of misses: above half of at least 100 look-ups in 5 minutes is a warning, one in 10 minutes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()
        self._warned_at = float("-inf")

    def seen(self, hits: int, misses: int, now: float) -> bool:
        """Count look-ups at ``now`` (seconds of any clock); returns whether it warned."""
        if self._seen and now - self._seen[-1][0] < 1.0:
            at, earlier_hits, earlier_misses = self._seen.pop()
            self._seen.append((at, earlier_hits + hits, earlier_misses + misses))
        else:
            self._seen.append((now, hits, misses))
        while now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()
        missed = sum(one[2] for one in self._seen)
        lookups = missed + sum(one[1] for one in self._seen)
        if lookups < LEAST_LOOKUPS or missed <= MOST_MISSES * lookups or now - self._warned_at < WARN_EVERY_SECONDS:
            return False
        self._warned_at = now
        log.warning("the cache misses more than it hits", lookups=lookups, misses=missed, minutes=WINDOW_SECONDS / 60)
        return True


_this: Cache | None = None


def this() -> Cache:
    """Return the process's cache; RuntimeError before it is open."""
    if _this is None:
        raise RuntimeError("the cache is not open: call open_cache() first")
    return _this


def open_cache(client: redis.asyncio.Redis) -> Cache:
    """Make the process's cache on its pool of connections, which whoever made it closes."""
    global _this
    _this = Cache(client)
    return _this
