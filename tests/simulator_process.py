"""A real simulator process for tests: started on a free port, asked and told over HTTP, ended by its id."""

from __future__ import annotations

import asyncio
import json
import select
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypeVar, overload

import httpx

ROOT = Path(__file__).resolve().parent.parent
DEVICE = "5a1e00000000000000000001"
TOKEN = "simulator-key"
Fact = TypeVar("Fact")


class Simulator:
    """One running simulator. ``url`` is what ``WASSENGER_BASE_URL`` takes."""

    def __init__(self, process: subprocess.Popen[str], url: str, token: str, device: str) -> None:
        self.process = process
        self.url = url
        self.token = token
        self.device = device
        self._http = httpx.Client(base_url=url, headers={"Token": token}, timeout=10, trust_env=False)

    def behave(self, document: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
        """Lay a document (or single keys) over the behaviour in force; returns all of it."""
        return self._json("PUT", "/_sim/behaviour", (document or {}) | keys)

    def behaviour(self) -> dict[str, Any]:
        """Return the behaviour in force."""
        return self._json("GET", "/_sim/behaviour")

    def ledger(self, since: float = 0) -> list[dict[str, Any]]:
        """Return every accepted message, oldest first."""
        return self._lines("/_sim/ledger", since)

    def inbound(self, since: float = 0, *, genuine: bool | None = None) -> list[dict[str, Any]]:
        """Return what reached the devices; with ``genuine`` only (or all but) what our people wrote."""
        lines = self._lines("/_sim/inbound", since)
        return lines if genuine is None else [line for line in lines if line["genuine"] is genuine]

    def webhooks(self, event: str | None = None, since: float = 0) -> list[dict[str, Any]]:
        """Return every webhook sent, with its deliveries."""
        lines = self._lines("/_sim/webhooks", since)
        return lines if event is None else [line for line in lines if line["event"] == event]

    def requests(self) -> dict[str, Any]:
        """Return the counts of calls by endpoint and status."""
        return self._json("GET", "/_sim/requests")

    def say(self, phone: str, type: str = "text", **more: Any) -> dict[str, Any]:
        """Make a person write now: ``body``, ``device``, ``quoted``, ``at``, ``copies``."""
        return self._json("POST", "/_sim/say", {"phone": phone, "type": type} | more)

    def event(self, raw: bytes, copies: int = 1) -> dict[str, Any]:
        """Deliver a webhook body as it is."""
        answer = self._http.post("/_sim/event", content=raw, params={"copies": copies})
        answer.raise_for_status()
        return dict(answer.json())

    def reset(self, *keep: str, seed: int | None = None) -> None:
        """Start a new run; ``keep`` may name ``behaviour`` and ``webhooks``."""
        self._json("POST", "/_sim/reset", {"keep": list(keep), "seed": seed})

    def register(self, url: str, events: list[str] | None = None) -> dict[str, Any]:
        """Register a webhook through the API, for every event an operator needs unless told otherwise."""
        wanted = events or ["message:in:new", "message:out:sent", "message:out:ack", "message:out:failed",
                            "message:reaction", "message:update", "number:session"]  # fmt: skip
        body = {"name": "tests", "url": url, "events": wanted, "device": self.device}
        return self._json("POST", "/v1/webhooks", body)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make one call as a client with the key would, whatever comes back."""
        return self._http.request(method, path, **more)

    def send(self, phone: str | None, text: str | None = "Bonjour", **more: Any) -> httpx.Response:
        """Send one message; ``None`` leaves a field out."""
        body = {"phone": phone, "message": text, "device": self.device, "enqueue": "never"} | more
        body = {key: value for key, value in body.items() if value is not None}
        return self.call("POST", "/v1/messages", json=body)

    def close(self) -> None:
        """Close the connections to it; the process goes on."""
        self._http.close()

    def _json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def _lines(self, path: str, since: float) -> list[dict[str, Any]]:
        answer = self._http.get(path, params={"since": repr(since)})
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]


@contextmanager
def running_simulator(
    behaviour: dict[str, Any] | None = None,
    *,
    seed: int = 1,
    token: str = TOKEN,
    device: str = DEVICE,
    port: int = 0,
    arguments: tuple[str, ...] = (),
) -> Iterator[Simulator]:
    """Start a simulator, wait until it listens, yield it, end it.

    It also ends with the thread that starts it: start it from one that lives as long as the test.
    """
    command = [sys.executable, "-m", "local.simulator", "--port", str(port), "--with-parent", "--seed", str(seed)]
    command += ["--token", token, "--device", device, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        simulator: Simulator | None = None
        try:
            simulator = Simulator(process, _ready_url(process), token, device)
            if behaviour:
                simulator.behave(behaviour)
            yield simulator
        finally:
            if simulator is not None:
                simulator.close()
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@overload
async def until(fact: Callable[[], Awaitable[Fact]], *, seconds: float = ..., what: str = ...) -> Fact: ...
@overload
async def until(fact: Callable[[], Fact], *, seconds: float = ..., what: str = ...) -> Fact: ...
async def until(fact: Callable[[], Any], *, seconds: float = 30.0, what: str = "the fact waited for") -> Any:
    """Ask again and again until the answer is truthy, and return it; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        answer = fact()
        found = await answer if isawaitable(answer) else answer
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:g} s: {found!r}"
        await asyncio.sleep(0.02)


def _ready_url(process: subprocess.Popen[str], seconds: float = 20.0) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline() if readable else ""
    _, ready, url = line.partition("simulator ready on ")
    assert ready, f"the simulator did not start: {line!r}, exit {process.poll()}"
    return url.strip()
