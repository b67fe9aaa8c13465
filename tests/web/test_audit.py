from __future__ import annotations

from typing import Any

import httpx

from tests.web.accounts import PASSWORD, Person, log_in, logged_in, new_key, new_person, stranger
from tests.web.conftest import problem
from tests.web.serving import Web


async def audited(admin: httpx.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    """Return the newest rows that fit, oldest first."""
    answer = await admin.get("/api/audit", params={"limit": 200, **wanted})
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["items"]))


async def test_the_audit_says_who_asked_for_what_from_where_and_how_it_ended(web: Web) -> None:
    person = await new_person(web, "operator")
    async with logged_in(web, person) as browser, web.client() as admin:
        name = f"Category of {person.email}"
        await browser.post("/api/categories", json={"name": name}, headers={"X-Request-Id": "audited-request"})
        await browser.post("/api/categories", json={"name": name})
        await browser.post("/api/senders", json={})
        await browser.get("/api/categories")
        rows = await audited(admin, actor=person.email)
    assert [(row["action"], row["status"]) for row in rows] == [
        ("POST /api/auth/login", 200), ("POST /api/categories", 201), ("POST /api/categories", 409),
        ("POST /api/senders", 403),
    ]  # fmt: skip
    assert rows[1]["request_id"] == "audited-request"
    assert {(row["actor_kind"], row["role"], row["address"], row["actor_id"]) for row in rows} == {
        ("user", "operator", "127.0.0.1", person.id)
    }


async def test_the_audit_names_the_address_that_was_changed(web: Web) -> None:
    person = await new_person(web, "viewer")
    async with web.client() as admin:
        await admin.patch(f"/api/users/{person.id}", json={"role": "operator", "password": "another horse battery"})
        (row,) = [
            row for row in await audited(admin, action="PATCH /api/users") if row["path"] == f"/api/users/{person.id}"
        ]
    assert row["detail"] == {"role": "operator", "password": "changed"}
    assert (row["actor"], row["actor_kind"]) == ("bootstrap key", "bootstrap")


async def test_log_ins_that_fail_are_audited_without_what_was_typed(web: Web) -> None:
    person = await new_person(web, "viewer")
    async with stranger(web) as browser, web.client() as admin:
        await log_in(browser, person, "wrong horse battery")
        await log_in(browser, Person("", f"{PASSWORD}@typed-in-the-wrong-field", ""))
        rows = await audited(admin, action="POST /api/auth/login")
    assert [(row["actor"], row["actor_kind"], row["status"]) for row in rows[-2:]] == [
        (person.email, "nobody", 401), ("unknown e-mail", "nobody", 401),
    ]  # fmt: skip


async def test_the_audit_never_holds_a_secret(web: Web) -> None:
    person = await new_person(web, "admin")
    async with logged_in(web, person) as browser:
        key = (await new_key(browser, "viewer"))["key"]
        text = (await browser.get("/api/audit", params={"limit": 200})).text
        for secret in (PASSWORD, key, browser.cookies["relance"], browser.headers["X-CSRF-Token"], web.key):
            assert secret not in text


async def test_a_change_that_cannot_be_written_down_is_not_made(web: Web) -> None:
    """The row is there before the change: its id is older than what the change made."""
    async with web.client() as admin:
        made = (await admin.post("/api/categories", json={"name": "Written down first"})).json()
        row = (await audited(admin, action="POST /api/categories"))[-1]
    assert row["id"] < made["id"]


async def test_only_an_admin_reads_the_audit(web: Web) -> None:
    async with logged_in(web, await new_person(web, "operator")) as browser:
        problem(await browser.get("/api/audit"), 403, "forbidden")
