"""Whoever may only read changes nothing, and nobody reads a secret: every route is walked, with things that exist."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from asyncpg import Connection, Record

import settings
from local import embedded
from rules.roles import Role
from tests import worlds
from tests.web.accounts import logged_in, new_key, new_person, stranger, with_key
from tests.web.serving import Web, environment_of, serving
from tests.web.test_attachments import PNG
from tests.web.test_roles import Door, _doors, guarded

FOLLOWS = ("audit", "web_session", "api_key", "app_user", "login_throttle", "heartbeat")
"""What a look leaves by design: the audit, when a key was last used, who logged in; and the process beats by itself."""
HERS = "a password that no example has"
FIXED = {"path": "openapi.json", "name": "start.js", "rest": "people"}
SECRETS = (
    "SECRET_KEY", "BOOTSTRAP_API_KEY", "WASSENGER_API_KEY", "WASSENGER_WEBHOOK_SECRET", "WASSENGER_SIGNING_SECRET",
    "ADMIN_PASSWORD", "DATABASE_URL", "REDIS_URL",
)  # fmt: skip


@pytest.fixture(scope="module")
def web(servers: embedded.Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process of this file's own: its whole database is compared."""
    name = f"relance_reading_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    env |= {"WASSENGER_SIGNING_SECRET": "the-vendors-signing-key", "ADMIN_PASSWORD": "the first admins password"}
    env |= {"ADMIN_EMAIL": "first@example.org", "WASSENGER_DEVICE_ID": "0123456789abcdef01234567"}
    with serving(env, tmp_path_factory.mktemp("reading") / "log") as running:
        yield running
    servers.drop_database(name)


@pytest.fixture
def doors(configured: settings.Settings) -> list[Door]:
    """Every method of every address."""
    from web.app import routing

    return sorted(set(_doors(routing())), key=lambda door: (door.method, door.template))


@pytest.fixture
async def things(web: Web, conn: Connection[Record]) -> dict[str, str]:
    """One of everything an address can name, by the name of the parameter."""
    running, _ = await worlds.sent(conn, 2)
    file = {"file": ("a.csv", b"phone\n+33199001234\n")}
    async with web.client() as admin:

        async def made(path: str, **given: Any) -> str:
            answer = await admin.post(path, **given)
            assert answer.is_success, (path, answer.text)
            told = answer.json()
            return str((told[0] if isinstance(told, list) else told)["id"])

        category = await made("/api/categories", json={"name": f"Watched {running.campaign}"})
        draft = await made(
            "/api/campaigns",
            json={"name": "Draft", "category_ids": [category], "message_1": "Hello", "sender_id": str(running.sender)},
        )
        return {
            "campaign_id": str(running.campaign), "sender_id": str(running.sender), "category_id": category,
            "recipient_id": str(running.first.recipient), "contact_id": str(running.first.contact),
            "import_id": await made("/api/contacts/import", files=file),
            "media_id": await made("/api/media", files={"file": ("a.png", PNG)}),
            "trial_id": await made(f"/api/campaigns/{draft}/test", json={"phone": "+33199001234"}),
            "alert_id": await made("/api/alerts/test"), "user_id": (await new_person(web, "operator")).id,
            "key_id": (await new_key(admin, "operator"))["id"],
        }  # fmt: skip


def address(door: Door, things: Mapping[str, str]) -> str:
    """Return the address of a door, with things that exist."""
    return re.sub(r"\{(\w+)\}", lambda named: (FIXED | dict(things))[named[1]], door.template)


async def first_bytes(client: httpx.AsyncClient, door: Door, path: str) -> tuple[int, str]:
    """Ask at a door; of an endless stream only its first words are read."""
    body: dict[str, str] | None = None if door.method == "GET" else {}
    async with client.stream(door.method, path, json=body) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, await anext(answer.aiter_text())
        return answer.status_code, (await answer.aread()).decode(errors="replace")


async def everything(conn: Connection[Record]) -> dict[str, str]:
    """Return a digest of the rows of every table that a look must leave as it is."""
    tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return {
        name: await conn.fetchval(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t")
        for name in (f'"{row["tablename"]}"' for row in tables if row["tablename"] not in FOLLOWS)
    }


async def test_a_viewer_changes_nothing_at_any_door(
    web: Web, doors: list[Door], conn: Connection[Record], things: dict[str, str]
) -> None:
    async with web.client() as admin:
        key = (await new_key(admin, "viewer"))["key"]
        # Whoever looks first on a day has the number's warm-up judged and noted for that day.
        for sender in (await admin.get("/api/senders")).json()["items"]:
            await admin.get(f"/api/senders/{sender['id']}")
        await admin.post(f"/api/campaigns/{things['campaign_id']}/preview")
    person = await new_person(web, "viewer")
    people = "SELECT md5(string_agg(concat(email, role, password_hash, disabled_at), '|' ORDER BY id)) FROM app_user"
    keys = "SELECT md5(string_agg(concat(key_hash, role, areas, revoked_at), '|' ORDER BY id)) FROM api_key"
    async with with_key(web, key) as program, logged_in(web, person) as browser:
        before, accounts = await everything(conn), (await conn.fetchval(people), await conn.fetchval(keys))
        assert len(before) > 20
        for client in (program, browser):
            for door in guarded(doors):
                status, told = await first_bytes(client, door, address(door, things))
                if door.method == "GET" and door.demand.role == Role.VIEWER:
                    assert status == 200, (door, told)
                else:
                    assert status in (200, 204, 400, 403), (door, told)
            after = await everything(conn)
            assert [table for table in after if after[table] != before[table]] == []
            assert (await conn.fetchval(people), await conn.fetchval(keys)) == accounts


@pytest.mark.parametrize("role", list(Role))
async def test_nobody_reads_a_secret_at_any_door(
    web: Web, doors: list[Door], conn: Connection[Record], things: dict[str, str], role: Role
) -> None:
    other, person = await new_person(web, "admin", HERS), await new_person(web, role)
    async with logged_in(web, other) as theirs, web.client() as admin, logged_in(web, person) as browser:
        foreign, own = await new_key(theirs, "admin"), await new_key(admin, role)
        hidden = {name: web.env[name] for name in SECRETS}
        hidden |= {"password": HERS, "key": foreign["key"], "cookie": theirs.cookies["relance"]}
        hidden |= {"their csrf": theirs.headers["X-CSRF-Token"], "a hash of a password": "$argon2"}
        for row in await conn.fetch("SELECT encode(key_hash, 'hex') AS hash FROM api_key"):
            hidden[f"hash {row['hash']}"] = row["hash"]
        async with with_key(web, own["key"]) as program, stranger(web) as nobody:
            for client in (program, browser, nobody):
                for door in doors:
                    if door.method != "GET":
                        continue
                    _, told = await first_bytes(client, door, address(door, things))
                    assert not [name for name, secret in hidden.items() if secret in told], door
