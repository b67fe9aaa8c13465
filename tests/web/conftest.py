from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from local import embedded
from tests.web.serving import Web, environment_of, serving
from tests.worlds import new_sender

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_people = itertools.count()
Makes = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def web(servers: embedded.Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One web process for all tests of this folder, on a database that they share."""
    name = f"relance_web_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    with serving(env, tmp_path_factory.mktemp("web") / "log") as running:
        yield running
    servers.drop_database(name)


@pytest.fixture
def own_log(tmp_path: Path) -> Path:
    return tmp_path / "web.log"


@pytest.fixture
async def api(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    """A client that carries the key."""
    async with web.client() as client:
        yield client


@pytest.fixture
async def conn(web: Web) -> AsyncIterator[Connection[Record]]:
    """The database behind the web process."""
    opened = await asyncpg.connect(web.env["DATABASE_URL"])
    yield opened
    await opened.close()


@pytest.fixture
async def sender(conn: Connection[Record]) -> str:
    """A number of this test's own."""
    return str(await new_sender(conn))


def fresh_phone() -> str:
    """Return a number that no other test has."""
    return f"+3326191{next(_people):04d}"


@pytest.fixture
def new_contact(api: httpx.AsyncClient) -> Makes:
    """Adds a contact that nobody else has."""

    async def make(**fields: Any) -> dict[str, Any]:
        answer = await api.post("/api/contacts", json={"phone": fresh_phone(), "name": "Ana"} | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return make


@pytest.fixture
def new_category(api: httpx.AsyncClient, new_contact: Makes) -> Makes:
    """Adds a category of so many people."""

    async def make(people: int = 0, **fields: Any) -> dict[str, Any]:
        answer = await api.post("/api/categories", json={"name": f"Category {next(_people)}"})
        assert answer.status_code == 201, answer.text
        for _ in range(people):
            await new_contact(category_ids=[answer.json()["id"]], **fields)
        return dict(answer.json())

    return make


@pytest.fixture
def new_campaign(api: httpx.AsyncClient, new_category: Makes, sender: str) -> Makes:
    """Adds a draft for a category of so many people, from a number of this test's own."""

    async def make(people: int = 1, contact: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        category = await new_category(people, **(contact or {}))
        usual = {"name": "Spring", "category_ids": [category["id"]], "message_1": "Hello {{name}}", "sender_id": sender}
        answer = await api.post("/api/campaigns", json=usual | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return make


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this problem, whole; returns its document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = dict(answer.json())
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:relance:problem:{code}"
    assert document["detail"]
    assert document["request_id"] == answer.headers["x-request-id"]
    return document
