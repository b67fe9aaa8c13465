"""The filled system that the API is measured on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx

from local import stack
from local.bench import cpu, requests
from local.bench.wire import Server
from local.server import ServerError

WORKERS = ("worker", "replies", "scheduler")
START_SECONDS = 180.0
"""The workers must be up, and sending, within this, however busy the machine is."""


@dataclass(frozen=True)
class Filled:
    """A filled, running system and how long each measurement takes (seconds)."""

    system: stack.Stack
    known: requests.Known
    seconds: float

    @property
    def web(self) -> Server:
        """The web process, as an admin asks it."""
        return Server(self.system.url, self.system.env["BOOTSTRAP_API_KEY"])

    @property
    def spent(self) -> float:
        """Seconds of processor that the web process has used."""
        return sum(cpu.seconds(pid) for pid in self.system.pids()["web"])


async def send_a_campaign(bench: Filled) -> str:
    """Launch a campaign and wait until it is sending; returns its id. Raises ServerError."""
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
    return str(made["id"])
