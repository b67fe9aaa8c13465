"""``bin/bench``: fill, measure, compare, in about four minutes; loopback only."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis
import uvloop
from rich.console import Console

from local import embedded, place, stack
from local.bench import cpu, fill, requests
from local.bench.figures import Figure, milliseconds, percentile, refused, show, store
from local.bench.wire import Answered, Server, at_rate, flat_out
from local.demo import remove_last_run
from local.server import ServerError

READS_PER_SECOND = 50.0
WRITES_PER_SECOND = 20.0
HOOK_CONNECTIONS = 32
START_SECONDS = 180.0
"""The workers must be up, and sending, within this, however busy the machine is."""
SETTINGS = {
    "PACING_PROFILE": "official", "MESSAGES_PER_SECOND": "20", "DAILY_MESSAGE_LIMIT": "1000000", "LOG_LEVEL": "info",
}  # fmt: skip
WORKERS = ("worker", "replies", "scheduler")


@dataclass(frozen=True)
class Bench:
    """A filled, running system and how long each measurement takes (seconds)."""

    system: stack.Stack
    known: requests.Known
    seconds: float
    console: Console

    @property
    def web(self) -> Server:
        """The web process, as an admin asks it."""
        return Server(self.system.url, self.system.env["BOOTSTRAP_API_KEY"])

    @property
    def spent(self) -> float:
        """Seconds of processor that the web process has used."""
        return sum(cpu.seconds(pid) for pid in self.system.pids()["web"])


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit code 0 if every request was answered as it should be (a promise that is not kept is shown)."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=max(120, Console().width))
    home = place.home("bench")
    try:
        remove_last_run(home)
        with stack.running(home, env=SETTINGS, base=_base(), ready_within=120) as system:
            figures, about, errors = uvloop.run(_measure(system, options, console))
    except (ServerError, place.PlaceError, OSError) as error:
        console.print(f"[red]{error}[/]\nWhat the processes said: {home / 'logs'}")
        return 1
    embedded.remove(home)
    show(figures, console)
    store(figures, about | {"errors": errors}, options.json)
    console.print(f"Written: {options.json}")
    for what, many in errors.items():
        console.print(f"[red]not as expected: {what} ({many} times)[/]")
    return 1 if errors else 0


async def _measure(
    system: stack.Stack, options: argparse.Namespace, console: Console
) -> tuple[list[Figure], dict[str, object], dict[str, int]]:
    """Fill the database, then take every measurement in turn."""
    for name in WORKERS:
        system.stop(name)
    size = fill.Size(messages=options.messages, contacts=options.contacts, campaigns=options.campaigns)
    console.print(f"Filling: {size.messages:,} messages, {size.contacts:,} contacts, {size.campaigns} campaigns …")
    rows = await fill.fill(system.env["DATABASE_URL"], size)
    console.print(f"Filled in {rows['seconds']:.0f} s. One web process, the load beside it, on {os.cpu_count()} cores.")
    bench = Bench(system, await requests.known(system.env["DATABASE_URL"]), options.seconds, console)
    figures: list[Figure] = []
    errors: dict[str, int] = {}
    for measure in (reading, statistics, writing, hearing):
        if options.only and measure.__name__ not in options.only:
            continue
        console.print(f"{measure.__name__} …")
        found, wrong = await measure(bench)
        figures += found
        errors |= wrong
    return figures, {"rows": rows, "seconds": options.seconds}, errors


async def reading(bench: Bench) -> tuple[list[Figure], dict[str, int]]:
    """GET: every endpoint, mixed, at 50 requests a second; the baseline is the endpoint that does nothing."""
    many = int(READS_PER_SECOND * bench.seconds)
    idle = bench.web.request("GET", "/health/live")
    await at_rate(bench.web, requests.read_requests(bench.web, bench.known, 120, 0), READS_PER_SECOND)  # warm
    start = bench.spent
    nothing = milliseconds(await at_rate(bench.web, [("nothing", idle)] * (many // 4), READS_PER_SECOND))["nothing"]
    between = bench.spent
    answered = await at_rate(bench.web, requests.read_requests(bench.web, bench.known, many, 1), READS_PER_SECOND)
    spent = _spent("GET, 50/s", bench.spent - between, len(answered), "GET /health/live", between - start, len(nothing))
    return [*spent, *_spread("GET, 50/s", answered, nothing, 50.0, 10.0)], refused(answered)


async def writing(bench: Bench) -> tuple[list[Figure], dict[str, int]]:
    """POST, PATCH, PUT at 20 a second."""
    many = int(WRITES_PER_SECOND * bench.seconds)
    idle = bench.web.request("GET", "/health/live")
    nothing = milliseconds(await at_rate(bench.web, [("nothing", idle)] * (many // 2), WRITES_PER_SECOND))["nothing"]
    answered = await at_rate(bench.web, requests.write_requests(bench.web, bench.known, many, 2), WRITES_PER_SECOND)
    # A phone is written a second time by design: that 409 is an answer like any other.
    return _spread("writes, 20/s", answered, nothing, 100.0, None), refused(answered, (200, 201, 202, 204, 409))


async def statistics(bench: Bench) -> tuple[list[Figure], dict[str, int]]:
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


async def hearing(bench: Bench) -> tuple[list[Figure], dict[str, int]]:
    """Webhooks, flat out, while a campaign is sending; the baseline is a bare handler that stores nothing."""
    system, seconds = bench.system, bench.seconds / 2
    secret, device = system.env["WASSENGER_WEBHOOK_SECRET"], system.env["WASSENGER_DEVICE_ID"]
    many = int(6000 * seconds)
    with _bare(system) as (bare, pid):
        started = cpu.seconds(pid)
        hooks = requests.webhooks(bare, secret, device, many, "BA")
        first, lasted = await flat_out(bare, hooks, "bare", seconds / 2, HOOK_CONNECTIONS)
        before = bench.spent
        alone, alone_lasted = await flat_out(
            bench.web, requests.webhooks(bench.web, secret, device, many, "A0"), "webhook", seconds, HOOK_CONNECTIONS
        )
        for name in WORKERS:
            system.start(name)
        await _send_a_campaign(bench)
        heard, heard_lasted = await flat_out(
            bench.web, requests.webhooks(bench.web, secret, device, many, "5E"), "webhook", seconds, HOOK_CONNECTIONS
        )
        ours = bench.spent - before
        for name in WORKERS:
            system.stop(name)
        second, lasted_too = await flat_out(bare, hooks, "bare", seconds / 2, HOOK_CONNECTIONS)
        bare_spent = cpu.seconds(pid) - started
    stored = (len(first) + len(second)) / (lasted + lasted_too)
    bare_p99 = percentile([one.seconds * 1000 for one in [*first, *second]], 0.99)
    figures = []
    for name, answered, took in (("no campaign", alone, alone_lasted), ("a campaign sends", heard, heard_lasted)):
        rate = len(answered) / took
        p99 = percentile([one.seconds * 1000 for one in answered], 0.99)
        figures += [
            Figure("webhooks", f"{name}: stored", rate, "/s", "bare handler", stored, (">", 1500.0), len(answered)),
            Figure("webhooks", f"{name}: p99", p99, "ms", "bare handler, p99", bare_p99, ("<", 100.0), len(answered)),
            Figure("webhooks", f"{name}: share of the bare handler", rate / stored, "×", "bare", 1.0, (">", 0.25)),
        ]
    spent = _spent("webhooks", ours, len(alone) + len(heard), "bare handler", bare_spent, len(first) + len(second))
    return [*figures, *spent], refused([*alone, *heard])


async def _send_a_campaign(bench: Bench) -> None:
    """Launch a campaign and wait until it is sending."""
    headers = {"Authorization": f"Bearer {bench.web.key}"}
    async with httpx.AsyncClient(base_url=bench.web.url, headers=headers, timeout=30, trust_env=False) as api:
        body = {
            "name": "While we listen", "category_ids": bench.known.categories[:1], "message_1": "Hello {{name}}",
            "message_2": "Thanks", "sender_id": bench.known.sender,
        }  # fmt: skip
        made = (await api.post("/api/campaigns", json=body)).raise_for_status().json()
        (await api.post(f"/api/campaigns/{made['id']}/send")).raise_for_status()
        deadline = time.monotonic() + START_SECONDS
        while (await api.get(f"/api/campaigns/{made['id']}/progress")).json()["sent"] < 1:
            if time.monotonic() > deadline:
                raise ServerError(f"the campaign did not begin to send within {START_SECONDS:g} s")
            await asyncio.sleep(0.2)


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


def _spent(section: str, seconds: float, many: int, base: str, base_seconds: float, base_many: int) -> list[Figure]:
    """Return what one request cost the web process: a machine that others use makes it slower, not dearer."""
    if not seconds or not base_seconds:  # a machine that does not tell, or a run too short to be counted
        return []
    value, baseline = seconds * 1000 / many, base_seconds * 1000 / base_many
    return [Figure(section, "processor per request", value, "ms", base, baseline, None, many)]


def _apart(name: str) -> bool:
    return any(word in name for word in requests.OWN_FIGURES)


@contextmanager
def _bare(system: stack.Stack) -> Iterator[tuple[Server, int]]:
    """Run the baseline's process until the block ends; yields where it is, and its pid."""
    port = stack.free_port()
    log = system.logs / "bare.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.bench.bare", str(port)],
            cwd=place.ROOT,
            env=dict(system.env),
            stdout=out,
            stderr=out,
        )
    try:
        stack.wait_until_listening(f"http://127.0.0.1:{port}", log, 60)
        yield Server(f"http://127.0.0.1:{port}"), process.pid
    finally:
        process.terminate()
        process.wait(15)


def _base() -> dict[str, str]:
    """Servers of our own, always: nobody wants a million messages in a real database."""
    return {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure Relance on this machine.")
    parser.add_argument("--messages", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--contacts", type=int, default=200_000, metavar="N")
    parser.add_argument("--campaigns", type=int, default=200, metavar="N")
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="of each measurement")
    parser.add_argument("--only", action="append", choices=["reading", "statistics", "writing", "hearing"])
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
