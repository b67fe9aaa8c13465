from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.web.accounts import logged_in, new_key, new_person, with_key
from tests.web.conftest import Makes, problem
from tests.web.serving import Web

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def test_a_key_is_shown_once_works_and_tells_when_it_was_used(web: Web) -> None:
    async with logged_in(web, await new_person(web, "operator")) as browser:
        made = await new_key(browser, "viewer")
        assert made["key"].startswith(made["prefix"])
        (listed,) = (await browser.get("/api/keys")).json()["items"]
        assert "key" not in listed
        assert listed["last_used_at"] is None
        async with with_key(web, made["key"]) as program:
            shown = (await program.get("/api/auth/me")).json()
        assert (shown["kind"], shown["name"], shown["role"]) == ("key", f"key {made['name']}", "viewer")
        (listed,) = (await browser.get("/api/keys")).json()["items"]
        assert listed["last_used_at"] is not None
        assert (await browser.delete(f"/api/keys/{made['id']}")).status_code == 204
        async with with_key(web, made["key"]) as program:
            problem(await program.get("/api/auth/me"), 401, "unauthorized")


async def test_a_key_reaches_its_areas_only(web: Web) -> None:
    async with web.client() as admin:
        made = await new_key(admin, "operator", areas=["contacts", "categories"])
        document = problem(
            await admin.post("/api/keys", json={"name": "x", "role": "viewer", "areas": ["kitchen"]}),
            422,
            "unknown_area",
        )
        assert "contacts" in document["detail"]
    async with with_key(web, made["key"]) as program:
        assert (await program.get("/api/contacts")).status_code == 200
        assert (await program.get("/api/categories")).status_code == 200
        assert (await program.get("/api/auth/me")).json()["areas"] == ["contacts", "categories"]
        for path in ("/api/campaigns", "/api/senders", "/api/messages", "/api/events"):
            problem(await program.get(path), 403, "out_of_scope")


async def test_nobody_makes_a_key_above_their_own_role(web: Web) -> None:
    async with logged_in(web, await new_person(web, "operator")) as browser:
        problem(await browser.post("/api/keys", json={"name": "x", "role": "admin"}), 422, "role_too_high")


async def test_a_key_cannot_make_another_one_nor_let_anybody_in(web: Web) -> None:
    async with web.client() as admin:
        made = await new_key(admin, "admin")
    async with with_key(web, made["key"]) as program:
        problem(await program.post("/api/keys", json={"name": "x", "role": "viewer"}), 403, "needs_log_in")
        problem(await program.get("/api/users"), 403, "needs_log_in")


async def test_one_persons_keys_are_neither_seen_nor_revoked_by_another(web: Web) -> None:
    async with (
        logged_in(web, await new_person(web, "operator")) as one,
        logged_in(web, await new_person(web, "operator")) as other,
        web.client() as admin,
    ):
        made = await new_key(one, "viewer")
        assert (await other.get("/api/keys")).json()["items"] == []
        problem(await other.delete(f"/api/keys/{made['id']}"), 404, "not_found")
        async with with_key(web, made["key"]) as program:
            assert (await program.get("/api/auth/me")).status_code == 200
        everybodys = await admin.get("/api/keys", params={"limit": 200})
        assert made["id"] in {key["id"] for key in everybodys.json()["items"]}
        assert made["key"] not in everybodys.text
        assert (await admin.delete(f"/api/keys/{made['id']}")).status_code == 204


async def test_events_and_settings_name_the_person_or_the_key(
    web: Web, conn: Connection[Record], new_campaign: Makes
) -> None:
    person = await new_person(web, "operator")
    async with logged_in(web, person) as browser:
        made = await new_key(browser, "operator")
        campaign, other = await new_campaign(), await new_campaign()
        assert (await browser.post(f"/api/campaigns/{campaign['id']}/cancel")).status_code == 200
        async with with_key(web, made["key"]) as program:
            assert (await program.post(f"/api/campaigns/{other['id']}/cancel")).status_code == 200
    moves = "SELECT moved_by FROM event WHERE subject_id = $1 AND new = 'cancelled'"
    assert await conn.fetchval(moves, UUID(campaign["id"])) == person.email
    assert await conn.fetchval(moves, UUID(other["id"])) == f"key {made['name']}"
