"""One whole system and one browser for all stories; each story has tabs of its own and leaves no error behind."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from local import browser as chromium
from local import embedded, place, stack
from local.dev import listen

SHORT = {
    "TIME_SCALE": "12",
    "WASSENGER_RATE_LIMIT_SECONDS": "3",
    "REPLY_WINDOW_HOURS": "0.002",
    "SWEEP_INTERVAL_SECONDS": "1",
    "GATEWAY_TIMEOUT_SECONDS": "1",
    "DEFAULT_REGION": "FR",
    "API_REQUESTS_PER_SECOND": "1000",
}
BEHAVIOUR = {"reply_rate": 0.7, "reply_delay": [0.3, 1.5], "reply_types": {"text": 20, "opt_out": 0}, "latency_ms": 20}
PATIENCE = 60_000.0
"""Milliseconds that a fact may take to be seen: the machine may be busy."""
PEOPLE = 24

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Service:
    """The running system, as its operator knows it."""

    system: stack.Stack
    api: httpx.Client

    @property
    def url(self) -> str:
        return self.system.url

    @property
    def account(self) -> dict[str, str]:
        """The e-mail and the password of the first admin."""
        return {"email": self.system.env["ADMIN_EMAIL"], "password": self.system.env["ADMIN_PASSWORD"]}

    def category(self, name: str, people: int) -> str:
        """Import so many people into a new category; returns its id."""
        made = self.api.post("/api/categories", json={"name": name}).raise_for_status().json()
        offset = sum(ord(letter) for letter in name) % 50 * 100
        rows = [f"+3319900{offset + number:04d},Ana {number},Lyon" for number in range(people)]
        file = io.BytesIO("\n".join(["phone,name,city", *rows]).encode())
        answer = self.api.post(
            "/api/contacts/import", files={"file": ("people.csv", file)}, data={"category_id": made["id"]}
        )
        done = self._imported(answer.raise_for_status().json()["id"])
        assert done["created"] + done["updated"] == people, done
        return str(made["id"])

    def _imported(self, id: str) -> dict[str, Any]:
        with self.api.stream("GET", f"/api/imports/{id}/events", timeout=PATIENCE / 1000) as answer:
            for line in answer.iter_lines():
                if '"completed"' in line or '"failed"' in line:
                    break
        return dict(self.api.get(f"/api/imports/{id}").json())


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The whole system, with the simulator for a gateway."""
    home = place.home(f"test-browser-{os.getpid()}")
    base = {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}
    try:
        with stack.running(home, env=SHORT, base=base, durable=False, ready_within=180) as system:
            headers = {"Authorization": f"Bearer {system.env['BOOTSTRAP_API_KEY']}"}
            with httpx.Client(base_url=system.url, headers=headers, timeout=60, trust_env=False) as api:
                _set_up(system)
                yield Service(system, api)
    finally:
        embedded.remove(home)


def _set_up(system: stack.Stack) -> None:
    with httpx.Client(base_url=system.simulator_url, timeout=10, trust_env=False) as gateway:
        gateway.put("/_sim/behaviour", json=BEHAVIOUR).raise_for_status()
    listen(system)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all stories."""
    with chromium.running() as started:
        yield started


@dataclass(frozen=True)
class Visitor:
    """Somebody's browser: its tabs share what it knows."""

    service: Service
    context: BrowserContext
    errors: list[str]

    def tab(self, path: str = "/") -> Page:
        """Open a tab; what goes wrong in it is noted."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self._said(message))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", lambda response: self._answered(response))
        page.goto(self.service.url + path)
        return page

    def log_in(self, account: dict[str, str] | None = None) -> None:
        """Begin a session without the form."""
        answer = self.context.request.post(f"{self.service.url}/api/auth/login", data=account or self.service.account)
        assert answer.ok, answer.text()

    def _said(self, message: ConsoleMessage) -> None:
        # What was refused or not reached is told by the page itself, and judged by _answered.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.errors.append(f"{response.status} {response.url}")


@pytest.fixture
def visitor(service: Service, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A fresh browser of somebody; English unless the test asks for another language by ``@locale``."""
    marked = request.node.get_closest_marker("locale")
    locale = marked.args[0] if marked else "en-GB"
    context = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    visitor = Visitor(service, context, [])
    yield visitor
    context.close()
    assert not visitor.errors


def axe() -> str:
    """Return the source of axe-core."""
    return (place.ROOT / "web" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js").read_text()
