"""``bin/bench``: fill, measure, compare, in about five minutes; loopback only."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from rich.console import Console

from local import embedded, place, stack
from local.bench import api, caching, drawing, fill, hooks, requests, sending
from local.bench.figures import Figure, show, store
from local.bench.filled import WORKERS, Filled
from local.demo import remove_last_run
from local.server import ServerError

Found = tuple[list[Figure], dict[str, int]]
SETTINGS = {
    "PACING_PROFILE": "official", "MESSAGES_PER_SECOND": "20", "DAILY_MESSAGE_LIMIT": "1000000", "LOG_LEVEL": "info",
}  # fmt: skip
ON_THE_FILLED: dict[str, Callable[[Filled], Awaitable[Found]]] = {
    "reading": api.reading,
    "statistics": api.statistics,
    "writing": api.writing,
    "caching": caching.hit_rate,
    "drawing": drawing.drawing,
    "hearing": hooks.hearing,
}
MEASUREMENTS = ("pacing", *ON_THE_FILLED)


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit code 0 if every request was answered as it should be (a promise that is not kept is shown)."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=max(120, Console().width))
    wanted = options.only or MEASUREMENTS
    figures: list[Figure] = []
    about: dict[str, object] = {"seconds": options.seconds}
    errors: dict[str, int] = {}
    home = place.home("bench")
    try:
        if "pacing" in wanted:
            console.print("pacing …")
            remove_last_run(home)
            with stack.running(home, env=sending.SETTINGS, base=_base(), ready_within=120) as system:
                figures += uvloop.run(sending.pacing(system, options.seconds))
        if chosen := [name for name in ON_THE_FILLED if name in wanted]:
            remove_last_run(home)
            with stack.running(home, env=SETTINGS, base=_base(), ready_within=120) as system:
                found, wrong, rows = uvloop.run(_measure(system, chosen, options, console))
            figures += found
            errors |= wrong
            about["rows"] = rows
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
    system: stack.Stack, names: list[str], options: argparse.Namespace, console: Console
) -> tuple[list[Figure], dict[str, int], dict[str, float]]:
    """Fill the database, then take these measurements in turn."""
    for name in WORKERS:
        system.stop(name)
    size = fill.Size(messages=options.messages, contacts=options.contacts, campaigns=options.campaigns)
    console.print(f"Filling: {size.messages:,} messages, {size.contacts:,} contacts, {size.campaigns} campaigns …")
    rows = await fill.fill(system.env["DATABASE_URL"], size)
    console.print(f"Filled in {rows['seconds']:.0f} s. One web process, the load beside it, on {os.cpu_count()} cores.")
    bench = Filled(system, await requests.known(system.env["DATABASE_URL"]), options.seconds)
    figures: list[Figure] = []
    errors: dict[str, int] = {}
    for name in names:
        console.print(f"{name} …")
        found, wrong = await ON_THE_FILLED[name](bench)
        figures += found
        errors |= wrong
    return figures, errors, rows


def _base() -> dict[str, str]:
    """Servers of our own, always: nobody wants a million messages in a real database."""
    return {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure Relance on this machine.")
    parser.add_argument("--messages", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--contacts", type=int, default=200_000, metavar="N")
    parser.add_argument("--campaigns", type=int, default=200, metavar="N")
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="of each measurement")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS)
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
