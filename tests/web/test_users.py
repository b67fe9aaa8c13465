from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.web.accounts import PASSWORD, log_in, logged_in, new_key, new_person, stranger, with_key
from tests.web.conftest import problem
from tests.web.serving import Web, serving


async def test_people_are_listed_without_their_secrets(web: Web) -> None:
    person = await new_person(web, "viewer")
    async with web.client() as admin:
        listed = (await admin.get("/api/users", params={"limit": 200})).json()["items"]
    (shown,) = [user for user in listed if user["id"] == person.id]
    assert shown.keys() == {"id", "email", "name", "role", "disabled_at", "created_at", "last_login_at"}


async def test_an_email_belongs_to_one_person_however_it_is_written(web: Web) -> None:
    person = await new_person(web, "viewer")
    async with web.client() as admin:
        again = {"email": f" {person.email.upper()} ", "password": PASSWORD, "role": "viewer"}
        document = problem(await admin.post("/api/users", json=again), 409, "duplicate_user")
        assert document["id"] == person.id
        problem(await admin.post("/api/users", json=again | {"email": "nobody"}), 422, "bad_email")
        problem(await admin.post("/api/users", json=again | {"role": "emperor"}), 400, "invalid_request")
        problem(await admin.post("/api/users", json=again | {"password": "short"}), 400, "invalid_request")


async def test_a_disabled_person_is_out_at_once_with_every_log_in_and_key(web: Web) -> None:
    person = await new_person(web, "operator")
    async with web.client() as admin, logged_in(web, person) as browser:
        key = (await new_key(browser, "operator"))["key"]
        async with with_key(web, key) as program:
            assert (await program.get("/api/contacts")).status_code == 200
            shown = await admin.patch(f"/api/users/{person.id}", json={"disabled": True})
            assert shown.json()["disabled_at"] is not None
            problem(await program.get("/api/contacts"), 401, "unauthorized")
            problem(await browser.get("/api/contacts"), 401, "unauthorized")
            problem(await log_in(browser, person), 401, "wrong_credentials")
            await admin.patch(f"/api/users/{person.id}", json={"disabled": False})
            assert (await log_in(browser, person)).status_code == 200
            problem(await program.get("/api/contacts"), 401, "unauthorized")  # a revoked key stays so


async def test_another_role_counts_from_the_next_request_on_for_keys_too(web: Web) -> None:
    person = await new_person(web, "operator")
    async with web.client() as admin, logged_in(web, person) as browser:
        key = (await new_key(browser, "operator"))["key"]
        await admin.patch(f"/api/users/{person.id}", json={"role": "viewer"})
        async with with_key(web, key) as program:
            for client in (browser, program):
                assert (await client.get("/api/auth/me")).json()["role"] == "viewer"
                problem(await client.post("/api/categories", json={"name": "x"}), 403, "forbidden")


async def test_a_password_set_by_an_admin_ends_every_log_in(web: Web) -> None:
    person = await new_person(web, "viewer")
    async with web.client() as admin, logged_in(web, person) as browser:
        path = f"/api/users/{person.id}"
        problem(await admin.patch(path, json={"password": "aaaaaaaaaaaaaa"}), 422, "bad_password")
        assert (await admin.patch(path, json={"password": "another horse battery"})).status_code == 200
        problem(await browser.get("/api/auth/me"), 401, "unauthorized")
        assert (await log_in(browser, person, "another horse battery")).status_code == 200


async def test_a_deleted_person_leaves_nothing_that_opens_a_door(web: Web) -> None:
    person = await new_person(web, "operator")
    async with web.client() as admin, logged_in(web, person) as browser:
        key = (await new_key(browser, "viewer"))["key"]
        assert (await admin.delete(f"/api/users/{person.id}")).status_code == 204
        problem(await admin.delete(f"/api/users/{person.id}"), 404, "not_found")
        problem(await browser.get("/api/auth/me"), 401, "unauthorized")
        async with with_key(web, key) as program:
            problem(await program.get("/api/auth/me"), 401, "unauthorized")


async def test_somebody_stays_in_charge_also_when_two_remove_each_other(
    environment: dict[str, str], own_log: Path
) -> None:
    with serving(environment, own_log) as web:
        one, other = await new_person(web, "admin"), await new_person(web, "admin")
        async with web.client() as admin:
            removals = [
                admin.patch(f"/api/users/{one.id}", json={"role": "viewer"}),
                admin.delete(f"/api/users/{other.id}"),
            ]
            codes = sorted(answer.status_code for answer in await asyncio.gather(*removals))
            assert codes in ([200, 409], [204, 409])
            users = (await admin.get("/api/users")).json()["items"]
            (last,) = [user["id"] for user in users if user["role"] == "admin"]
            for refused in (
                admin.patch(f"/api/users/{last}", json={"role": "operator"}),
                admin.patch(f"/api/users/{last}", json={"disabled": True}),
                admin.delete(f"/api/users/{last}"),
            ):
                problem(await refused, 409, "last_admin")
            assert (await admin.patch(f"/api/users/{last}", json={"name": "Ana", "role": "admin"})).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_unknown_person_is_not_found(web: Web, method: str) -> None:
    async with web.client() as admin:
        body = {"name": "x"} if method == "PATCH" else None
        problem(await admin.request(method, f"/api/users/{uuid4()}", json=body), 404, "not_found")


async def test_a_stranger_cannot_use_a_person_made_without_a_password(web: Web) -> None:
    async with stranger(web) as browser:
        answer = await browser.post("/api/auth/login", json={"email": "x@example.org", "password": ""})
        problem(answer, 400, "invalid_request")
