"""How many look-ups the cache answers, asked as dashboards ask: at a steady rate, while people change contacts."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass

import redis

from local.bench.figures import Figure, refused
from local.bench.filled import Filled
from local.bench.wire import Answered, at_rate, connected
from models import live

READS_PER_SECOND = 10.0
"""The least at which the promise holds."""
CHANGES_PER_SECOND = 0.5
PROMISE = 80.0
"""Per cent of the look-ups."""


async def hit_rate(bench: Filled) -> tuple[list[Figure], dict[str, int]]:
    """GET what is cached, ten times a second: with nothing kept yet, then steadily, then while contacts change.

    The baseline is the first round after the cache was emptied, in which every address is asked once.
    """
    many = int(READS_PER_SECOND * bench.seconds)
    _empty(bench)
    first = await _asked(bench, [request for _, request in zip(range(len(_paths(bench))), _reads(bench), strict=False)])
    quiet = await _asked(bench, list(itertools.islice(_reads(bench), many)))
    reads = list(itertools.islice(_reads(bench), many))
    apart = int(READS_PER_SECOND / CHANGES_PER_SECOND)
    busy = await _asked(bench, [one for at, read in enumerate(reads) for one in _with_change(bench, at, read, apart)])
    figures = [
        Figure("cache, 10/s", name, found.share, "%", "emptied", first.share, (">", PROMISE), found.lookups)
        for name, found in (("hit rate, nothing changes", quiet), ("hit rate, a contact changes every 2 s", busy))
    ]
    return figures, refused([*first.answered, *quiet.answered, *busy.answered])


@dataclass(frozen=True)
class _Counted:
    """What the cache counted while these were answered."""

    hits: int
    misses: int
    answered: list[Answered]

    @property
    def lookups(self) -> int:
        return self.hits + self.misses

    @property
    def share(self) -> float:
        """Hits in per cent."""
        return 100.0 * self.hits / self.lookups if self.lookups else 0.0


async def _asked(bench: Filled, requests: list[tuple[str, bytes]]) -> _Counted:
    before = await _counts(bench)
    answered = await at_rate(bench.web, requests, READS_PER_SECOND, connections=4)
    after = await _counts(bench)
    return _Counted(after["hits"] - before["hits"], after["misses"] - before["misses"], answered)


async def _counts(bench: Filled) -> dict[str, int]:
    """Return what ``GET /api/cache/stats`` says; its counts are of all processes and never go back."""
    async with connected(bench.web) as connection:
        _, body = await connection.ask(bench.web.request("GET", "/api/cache/stats"))
    counted: dict[str, int] = json.loads(body)
    return counted


def _empty(bench: Filled) -> None:
    with redis.Redis.from_url(bench.system.env["REDIS_URL"]) as client:
        for key in client.scan_iter(live.cached("*", "*")):
            client.delete(key)


def _paths(bench: Filled) -> list[str]:
    """Return every address that is answered from the cache, of what a few open dashboards show."""
    known = bench.known
    return [
        "/api/messages/stats", "/api/contacts/stats", "/api/categories?limit=50",
        *(f"/api/messages/stats?campaign_id={campaign}" for campaign in known.waiting[:5]),
        *(f"/api/categories/{category}" for category in known.categories[:5]),
    ]  # fmt: skip


def _reads(bench: Filled) -> itertools.cycle[tuple[str, bytes]]:
    return itertools.cycle([("cached", bench.web.request("GET", path)) for path in _paths(bench)])


def _with_change(bench: Filled, at: int, read: tuple[str, bytes], apart: int) -> list[tuple[str, bytes]]:
    """Return a read, and before every ``apart``-th one a change of a contact."""
    if at % apart:
        return [read]
    contact = random.Random(at).choice(bench.known.contacts)
    body = json.dumps({"name": f"Bench {at}"}).encode()
    return [("PATCH contact", bench.web.request("PATCH", f"/api/contacts/{contact}", body)), read]
