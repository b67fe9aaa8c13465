"""A real web process for tests: ``python -m web`` on a free port, its log kept, ended by its id."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local import place, stack


@dataclass(frozen=True)
class Web:
    """One running web process."""

    url: str
    env: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def key(self) -> str:
        """The API key it takes."""
        return self.env["BOOTSTRAP_API_KEY"]

    @property
    def hook(self) -> str:
        """The address of its webhook, with the secret."""
        return f"{self.url}/webhooks/wassenger?token={self.env['WASSENGER_WEBHOOK_SECRET']}"

    def client(self, **more: Any) -> httpx.AsyncClient:
        """Return a client that carries the key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, trust_env=False, **more)

    def logged(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the lines of its log that carry these values."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]


def environment_of(database_url: str, redis_url: str) -> dict[str, str]:
    """Return a whole environment for a web process of one's own."""
    return stack.isolated_environment() | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_hex(32),
        "BOOTSTRAP_API_KEY": secrets.token_urlsafe(32),
        "WASSENGER_API_KEY": secrets.token_hex(32),
        "WASSENGER_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "WASSENGER_BASE_URL": f"http://127.0.0.1:{stack.free_port()}",
        "DEFAULT_REGION": "FR",
        "API_REQUESTS_PER_SECOND": "100000",  # a whole folder of tests is one caller
        "PYTHONPATH": str(place.ROOT),
    }


@contextmanager
def serving(env: Mapping[str, str], log: Path, seconds: float = 180.0) -> Iterator[Web]:
    """Start a web process, wait until it answers at all, yield it, end it in good order."""
    port = stack.free_port()
    full = {**env, "PORT": str(port), "LOG_FORMAT": "json", "PYTHONWARNINGS": "error::DeprecationWarning"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "web"], cwd=place.ROOT, env=full, stdout=output, stderr=subprocess.STDOUT
        )
    web = Web(f"http://127.0.0.1:{port}", full, process, log)
    try:
        _wait_until_alive(web, seconds)
        yield web
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_until_alive(web: Web, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx.get(f"{web.url}/health/live", timeout=2, trust_env=False).raise_for_status()
            return
        except httpx.TransportError:
            assert web.process.poll() is None, f"the web process ended:\n{web.log.read_text()}"
            assert time.monotonic() < deadline, f"the web process does not answer:\n{web.log.read_text()}"
            time.sleep(0.05)


@dataclass(frozen=True)
class ServerEvent:
    """One event of a stream."""

    id: int
    kind: str
    data: dict[str, Any]


@asynccontextmanager
async def watching(
    api: httpx.AsyncClient, path: str, last_id: int | None = None
) -> AsyncIterator[AsyncIterator[ServerEvent]]:
    """Open a stream; yields its events."""
    headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
    async with api.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = _events(answer)
        yield events
        await events.aclose()


async def _events(answer: httpx.Response) -> AsyncGenerator[ServerEvent, None]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield ServerEvent(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}
