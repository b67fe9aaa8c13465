"""The rule of rules/roles.py, against the routing table itself and over HTTP."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from litestar.routes import HTTPRoute

import settings
from local import embedded, place
from rules.roles import RULE, Demand, Role, demand
from tests.web.accounts import logged_in, new_key, new_person, stranger, with_key
from tests.web.conftest import problem
from tests.web.serving import Web, environment_of, serving
from web.shell import PAGES

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from litestar import Litestar

OPEN = {
    ("GET", "/"), ("GET", "/health/live"), ("GET", "/health/ready"), ("POST", "/webhooks/wassenger"),
    ("GET", "/metrics"), ("GET", "/schema"), ("GET", "/schema/openapi.json"), ("GET", "/schema/assets/{name}"),
    ("GET", "/schema/{path}"), ("GET", "/assets/{name}"),
    *(("GET", page) for page in PAGES), *(("GET", f"{page}/{{rest}}") for page in PAGES if page != "/"),
}  # fmt: skip
"""Every address that nobody has to log in for, besides the log-in itself. A new one has to be meant."""
NOWHERE = "019a0000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Door:
    """One method of one address."""

    method: str
    template: str

    @property
    def demand(self) -> Demand:
        """What the rule asks for here."""
        return demand(self.method, self.template)

    @property
    def path(self) -> str:
        """An address that leads here and to nothing that exists."""
        return re.sub(r"\{\w+\}", NOWHERE, self.template)


@pytest.fixture(scope="module")
def web(servers: embedded.Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process of this file's own: every route is called, whatever it does."""
    name = f"relance_roles_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    with serving(env, tmp_path_factory.mktemp("roles") / "log") as running:
        yield running
    servers.drop_database(name)


@pytest.fixture
def doors(configured: settings.Settings) -> list[Door]:
    """Every method of every address, out of the routing table."""
    from web.app import routing

    return sorted(set(_doors(routing())), key=lambda door: (door.template, door.method))


def _doors(app: Litestar) -> Iterator[Door]:
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS"}:
            yield Door(str(method), route.path_format)


async def test_every_route_outside_the_api_is_meant_to_be_open(doors: list[Door]) -> None:
    assert {(d.method, d.template) for d in doors if not d.template.startswith("/api/")} == OPEN
    assert [d for d in doors if d.template.startswith("/api/") and d.demand.role is None] == [
        Door("POST", "/api/auth/login")
    ]


async def test_whatever_changes_something_takes_more_than_a_viewer(doors: list[Door]) -> None:
    may = {(d.method, d.template) for d in doors if d.demand.role == Role.VIEWER and d.method != "GET"}
    assert may == {
        ("POST", "/api/auth/logout"), ("POST", "/api/auth/password"), ("POST", "/api/campaigns/{campaign_id}/preview"),
    }  # fmt: skip


async def test_every_line_of_the_rule_is_about_a_route_that_exists(doors: list[Door]) -> None:
    for methods, address, _ in RULE:
        assert any(re.fullmatch(methods, d.method) and re.fullmatch(address, d.template) for d in doors), address


def test_what_the_rule_does_not_know_is_for_an_admin_in_person() -> None:
    assert demand("GET", "/somewhere/else") == Demand(Role.ADMIN, by_key=False)
    assert demand("TRACE", "/api/contacts") == Demand(Role.ADMIN, by_key=False)
    assert demand("POST", "/api/made/tomorrow").role == Role.OPERATOR


@pytest.mark.parametrize("role", list(Role))
async def test_every_route_admits_whom_the_rule_admits_and_nobody_else(web: Web, doors: list[Door], role: Role) -> None:
    person = await new_person(web, role)
    async with web.client() as admin, logged_in(web, person) as browser:
        key = (await new_key(admin, role))["key"]
        async with with_key(web, key) as program:
            for door in guarded(doors):
                enough, by_key = role.covers(door.demand.role or Role.ADMIN), door.demand.by_key
                await judge(program, door, None if enough and by_key else "needs_log_in" if enough else "forbidden")
                await judge(browser, door, None if enough else "forbidden")


async def test_a_change_without_the_token_of_our_page_is_refused_on_every_route(web: Web, doors: list[Door]) -> None:
    async with logged_in(web, await new_person(web, "admin")) as browser:
        del browser.headers["X-CSRF-Token"]
        for door in guarded(doors):
            if door.method != "GET":
                await judge(browser, door, "csrf")
                browser.headers["X-CSRF-Token"] = "0" * 64
                await judge(browser, door, "csrf")
                del browser.headers["X-CSRF-Token"]


async def test_no_route_admits_credentials_that_are_missing_wrong_over_or_revoked(
    web: Web, doors: list[Door], conn: Connection[Record]
) -> None:
    leaver = await new_person(web, "admin")
    async with web.client() as admin, logged_in(web, leaver) as browser:
        revoked, expired = await new_key(admin, "admin"), await new_key(admin, "admin", expires_in_days=1)
        orphan, good = await new_key(browser, "admin"), await new_key(admin, "admin")
        session = browser.cookies["relance"]
        assert (await admin.delete(f"/api/keys/{revoked['id']}")).status_code == 204
        await conn.execute("UPDATE api_key SET expires_at = now() WHERE id = $1", UUID(expired["id"]))
        assert (await admin.patch(f"/api/users/{leaver.id}", json={"disabled": True})).status_code == 200
    wrong = good["key"][:-1] + ("A" if good["key"][-1] != "A" else "B")
    bearers = ["", wrong, good["prefix"], revoked["key"], expired["key"], orphan["key"], "\u00e9"]
    tries: list[dict[Any, Any]] = [
        {}, {"Cookie": f"relance={session}"}, {"Cookie": "relance=made-up"}, {"Authorization": "Basic YTpi"},
        *({"Authorization": f"Bearer {text}".strip().encode("latin-1")} for text in bearers),
    ]  # fmt: skip
    async with stranger(web) as nobody:
        for door in guarded(doors):
            for headers in tries:
                answer = await nobody.request(door.method, door.path, headers=headers)
                problem(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"] == "Bearer"


def guarded(doors: list[Door]) -> list[Door]:
    """Return what the rule stands before; the end of a session last."""
    inside = [d for d in doors if d.template.startswith("/api/") and d.demand.role is not None]
    return sorted(inside, key=lambda door: door.template == "/api/auth/logout")


async def judge(client: httpx.AsyncClient, door: Door, refusal: str | None) -> None:
    """Ask at a door; check that it is refused for this reason, or not by the guard at all."""
    async with client.stream(door.method, door.path, json=None if door.method == "GET" else {}) as answer:
        if answer.status_code == 403:
            await answer.aread()
            assert answer.json()["code"] == refusal, (door, answer.text)
        else:
            assert refusal is None, (door, answer.status_code)
            assert answer.status_code not in (401, 429) and answer.status_code < 500, door


def test_no_handler_signs_a_change_as_anything_but_who_asks() -> None:
    for file in (place.ROOT / "web").glob("*.py"):
        assert 'by="api"' not in file.read_text(), f"{file.name}: say by=who()"
