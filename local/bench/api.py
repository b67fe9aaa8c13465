"""The API at a steady rate: reads, statistics, writes, each beside the endpoint that does nothing."""

from __future__ import annotations

import redis

from local.bench import requests
from local.bench.figures import Figure, milliseconds, percentile, refused, spent
from local.bench.filled import Filled
from local.bench.wire import Answered, at_rate

READS_PER_SECOND = 50.0
WRITES_PER_SECOND = 20.0


async def reading(bench: Filled) -> tuple[list[Figure], dict[str, int]]:
    """GET: every endpoint, mixed, at 50 requests a second; the baseline is the endpoint that does nothing."""
    many = int(READS_PER_SECOND * bench.seconds)
    idle = bench.web.request("GET", "/health/live")
    await at_rate(bench.web, requests.read_requests(bench.web, bench.known, 120, 0), READS_PER_SECOND)  # warm
    start = bench.spent
    nothing = milliseconds(await at_rate(bench.web, [("nothing", idle)] * (many // 4), READS_PER_SECOND))["nothing"]
    between = bench.spent
    answered = await at_rate(bench.web, requests.read_requests(bench.web, bench.known, many, 1), READS_PER_SECOND)
    cost = spent("GET, 50/s", bench.spent - between, len(answered), "GET /health/live", between - start, len(nothing))
    return [*cost, *_spread("GET, 50/s", answered, nothing, 50.0, 10.0)], refused(answered)


async def writing(bench: Filled) -> tuple[list[Figure], dict[str, int]]:
    """POST, PATCH, PUT at 20 a second."""
    many = int(WRITES_PER_SECOND * bench.seconds)
    idle = bench.web.request("GET", "/health/live")
    nothing = milliseconds(await at_rate(bench.web, [("nothing", idle)] * (many // 2), WRITES_PER_SECOND))["nothing"]
    answered = await at_rate(bench.web, requests.write_requests(bench.web, bench.known, many, 2), WRITES_PER_SECOND)
    # A phone is written a second time by design: that 409 is an answer like any other.
    return _spread("writes, 20/s", answered, nothing, 100.0, None), refused(answered, (200, 201, 202, 204, 409))


async def statistics(bench: Filled) -> tuple[list[Figure], dict[str, int]]:
    """Message statistics: with every cached value dropped before each request, and with none."""
    wanted = ("stats", bench.web.request("GET", "/api/messages/stats"))
    cold: list[Answered] = []
    with redis.Redis.from_url(bench.system.env["REDIS_URL"]) as client:
        for _ in range(50):
            for key in client.scan_iter("cache:*"):
                client.delete(key)
            cold += await at_rate(bench.web, [wanted], 100.0, connections=1)
    warm = await at_rate(bench.web, [wanted] * 200, 100.0, connections=4)
    idle = await at_rate(bench.web, [("nothing", bench.web.request("GET", "/health/live"))] * 200, 100.0, connections=4)
    nothing = percentile([one.seconds * 1000 for one in idle], 0.99)
    figures = [
        Figure(
            "statistics", f"{name}, p99", percentile([one.seconds * 1000 for one in answered], 0.99), "ms",
            "GET /health/live, p99", nothing, ("<", bound), len(answered),
        )
        for name, answered, bound in (("cache emptied", cold, 50.0), ("cached", warm, 20.0))
    ]  # fmt: skip
    return figures, refused([*cold, *warm])


def _spread(
    section: str, answered: list[Answered], nothing: list[float], p99: float, median: float | None
) -> list[Figure]:
    """Return median and 99th percentile of all, then the 99th of each kind, the slowest first."""
    kinds = milliseconds(answered)
    together = [ms for name, found in kinds.items() if not _apart(name) for ms in found]
    base_50, base_99 = percentile(nothing, 0.5), percentile(nothing, 0.99)
    name_50, name_99 = "GET /health/live, median", "GET /health/live, p99"
    figures = [
        Figure(
            section, "all, median", percentile(together, 0.5), "ms", name_50, base_50,
            ("<", median) if median else None, len(together),
        ),
        Figure(section, "all, p99", percentile(together, 0.99), "ms", name_99, base_99, ("<", p99), len(together)),
    ]  # fmt: skip
    each = [
        Figure(
            section, f"{name}, p99", percentile(found, 0.99), "ms", name_99, base_99,
            None if _apart(name) else ("<", p99), len(found),
        )
        for name, found in kinds.items()
    ]  # fmt: skip
    return figures + sorted(each, key=lambda figure: -figure.value)


def _apart(name: str) -> bool:
    return any(word in name for word in requests.OWN_FIGURES)
