"""Webhooks, flat out, beside a bare handler that stores nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local import place, stack
from local.bench import cpu, requests
from local.bench.figures import Figure, percentile, refused, spent
from local.bench.filled import WORKERS, Filled, send_a_campaign
from local.bench.wire import Server, flat_out

HOOK_CONNECTIONS = 32


async def hearing(bench: Filled) -> tuple[list[Figure], dict[str, int]]:
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
        await send_a_campaign(bench)
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
    cost = spent("webhooks", ours, len(alone) + len(heard), "bare handler", bare_spent, len(first) + len(second))
    return [*figures, *cost], refused([*alone, *heard])


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
