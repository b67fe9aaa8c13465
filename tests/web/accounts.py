"""People and keys of a test's own, over the API as an operator would make them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.web.serving import Web

_people = itertools.count(1)
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody who may log in."""

    id: str
    email: str
    role: str
    password: str = PASSWORD


async def new_person(web: Web, role: str, password: str = PASSWORD) -> Person:
    """Let somebody new log in."""
    email = f"person{next(_people)}@example.org"
    async with web.client() as admin:
        made = await admin.post("/api/users", json={"email": email, "password": password, "role": role})
    assert made.status_code == 201, made.text
    return Person(made.json()["id"], email, role, password)


async def log_in(client: httpx.AsyncClient, person: Person, password: str | None = None) -> httpx.Response:
    """Try to log in; from then on the client carries the cookie, and the token of its page."""
    answer = await client.post("/api/auth/login", json={"email": person.email, "password": password or person.password})
    if answer.is_success:
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return answer


@asynccontextmanager
async def logged_in(web: Web, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of theirs."""
    async with stranger(web) as client:
        answer = await log_in(client, person)
        assert answer.status_code == 200, answer.text
        yield client


def stranger(web: Web, **more: Any) -> httpx.AsyncClient:
    """A client that carries nothing."""
    return httpx.AsyncClient(base_url=web.url, timeout=90, trust_env=False, **more)


def with_key(web: Web, key: str) -> httpx.AsyncClient:
    """A program with an API key."""
    return stranger(web, headers={"Authorization": f"Bearer {key}"})


async def new_key(client: httpx.AsyncClient, role: str, **fields: Any) -> dict[str, Any]:
    """Make an API key as whoever ``client`` is."""
    made = await client.post("/api/keys", json={"name": f"Key {next(_people)}", "role": role} | fields)
    assert made.status_code == 201, made.text
    return dict(made.json())
