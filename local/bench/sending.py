"""The lane of one worker, at a steady rate and as the ledger saw it, beside a bare loop that only posts."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from local import stack
from local.bench import cpu, fill, requests
from local.bench.figures import Figure, percentile
from local.server import ServerError

RATE = 100.0
"""Messages a second of the official profile here."""
SETTINGS = {
    "PACING_PROFILE": "official", "MESSAGES_PER_SECOND": f"{RATE:g}", "DAILY_MESSAGE_LIMIT": "1000000",
    "CIRCUIT_BREAKER_THRESHOLD": "1", "LOG_LEVEL": "info",
}  # fmt: skip
SILENT_SECONDS = 60.0
"""A campaign that has not sent its next message for so long will not."""


@dataclass(frozen=True)
class Api:
    """The service and its gateway, as an admin and as the gateway's owner ask them."""

    service: httpx.AsyncClient
    gateway: httpx.AsyncClient

    async def launch(self, name: str, category: str, sender: str) -> str:
        """Launch a campaign without a Message 2; returns its id."""
        body = {"name": name, "category_ids": [category], "message_1": "Hello {{name}}", "sender_id": sender}
        made = (await self.service.post("/api/campaigns", json=body)).raise_for_status().json()
        (await self.service.post(f"/api/campaigns/{made['id']}/send")).raise_for_status()
        return str(made["id"])

    async def ledger(self) -> list[dict[str, Any]]:
        """Return what the gateway has accepted, oldest first."""
        answer = (await self.gateway.get("/_sim/ledger")).raise_for_status()
        return sorted(map(json.loads, answer.text.splitlines()), key=lambda line: line["time"])

    async def accepted(self, many: int) -> list[dict[str, Any]]:
        """Wait until so many messages are accepted. Raises ServerError when they stop coming."""
        before, heard = -1, time.monotonic()
        while len(lines := await self.ledger()) < many:
            if len(lines) != before:
                before, heard = len(lines), time.monotonic()
            if time.monotonic() - heard > SILENT_SECONDS:
                raise ServerError(f"{before} of {many} messages after {SILENT_SECONDS:g} s without one")
            await asyncio.sleep(1)
        return lines


async def pacing(system: stack.Stack, seconds: float) -> list[Figure]:
    """How late after its slot, one every 10 ms, a message is written, and what a bare loop makes of it."""
    many = int(RATE * seconds)
    await fill.fill(system.env["DATABASE_URL"], fill.Size(messages=20, contacts=many, campaigns=1, categories=1))
    known = await requests.known(system.env["DATABASE_URL"])
    key, token = system.env["BOOTSTRAP_API_KEY"], system.env["WASSENGER_API_KEY"]
    async with (
        httpx.AsyncClient(
            base_url=system.url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False
        ) as service,
        httpx.AsyncClient(
            base_url=system.simulator_url,
            headers={"Token": token},
            timeout=30,
            trust_env=False,
            transport=AiohttpTransport(),  # as the worker's
        ) as gateway,
    ):
        api = Api(service, gateway)
        began = time.process_time()
        base = await _post_at_rate(gateway, system.env["WASSENGER_DEVICE_ID"], many)
        bare = time.process_time() - began
        (await gateway.post("/_sim/reset", json={"keep": ["behaviour", "webhooks"], "seed": None})).raise_for_status()
        before = _spent(system)
        await api.launch("At a steady rate", known.categories[0], known.sender)
        times = [line["time"] for line in await api.accepted(many)]
        ours = _spent(system) - before
    late = _told(system.logs / "worker.log")
    section = f"sending, {RATE:g}/s"
    return [
        Figure(section, "written after its slot, median", percentile(late, 0.5), "ms", "bare loop, median",
               percentile(base, 0.5), None, len(late)),
        Figure(section, "written after its slot, p99", percentile(late, 0.99), "ms", "bare loop, p99",
               percentile(base, 0.99), ("<", 10.0), len(late)),
        Figure(section, "messages", (len(times) - 1) / (times[-1] - times[0]), "/s", "asked for", RATE,
               (">", 0.99 * RATE), len(times)),
        Figure(section, "processor of the worker per message", ours * 1000 / many, "ms", "bare loop",
               bare * 1000 / many, None, many),
    ]  # fmt: skip


def _spent(system: stack.Stack) -> float:
    """Return the seconds of processor that the worker has used, its children's included."""
    return sum(cpu.seconds(pid) for pid in system.tree("worker"))


def _told(log: Path) -> list[float]:
    """Return the lateness of every message, in milliseconds, from the worker's log."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"late_ms"' in line)
    return [float(line["late_ms"]) for line in lines]


async def _post_at_rate(gateway: httpx.AsyncClient, device: str, many: int) -> list[float]:
    """The baseline: the same client posts a message every gap, and does nothing else; returns how late each began."""
    began = time.perf_counter() + 0.1
    late: list[float] = []

    async def post(number: int) -> None:
        late.append((time.perf_counter() - began - number / RATE) * 1000)
        body = {"phone": f"+3326191{number:07d}", "message": "Hello", "device": device, "enqueue": "never"}
        (await gateway.post("/v1/messages", json=body)).raise_for_status()

    async with asyncio.TaskGroup() as calls:
        for number in range(many):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            calls.create_task(post(number))
    return late
