from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest
import redis

from local import place
from tests.web.accounts import PASSWORD, Person, log_in, logged_in, new_key, new_person, stranger, with_key
from tests.web.conftest import problem
from tests.web.serving import Web, serving

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def test_a_person_logs_in_works_and_logs_out(web: Web) -> None:
    person = await new_person(web, "operator")
    async with stranger(web) as browser:
        answer = await log_in(browser, person)
        shown = answer.json()
        assert (shown["kind"], shown["name"], shown["role"]) == ("user", person.email, "operator")
        assert (await browser.get("/api/auth/me")).json() == shown
        cookie = answer.headers["set-cookie"]
        for flag in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=604800"):
            assert flag.lower() in cookie.lower(), cookie
        assert "secure" not in cookie.lower()  # PUBLIC_URL is not https here
        assert (await browser.post("/api/categories", json={"name": person.email})).status_code == 201
        kept = browser.cookies["relance"]
        assert (await browser.post("/api/auth/logout")).status_code == 204
        assert "relance" not in browser.cookies
        problem(await browser.get("/api/auth/me", headers={"Cookie": f"relance={kept}"}), 401, "unauthorized")


async def test_the_cookie_is_for_https_only_where_the_service_is(environment: dict[str, str], own_log: Path) -> None:
    with serving(environment | {"PUBLIC_URL": "https://relance.example.org"}, own_log) as web:
        person = await new_person(web, "viewer")
        async with stranger(web) as browser:
            answer = await log_in(browser, person)
    assert answer.headers["set-cookie"].startswith("__Host-relance=")
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_an_unknown_email_and_a_wrong_password_cannot_be_told_apart(web: Web) -> None:
    person = await new_person(web, "viewer")
    disabled = await new_person(web, "viewer")
    async with web.client() as admin:
        await admin.patch(f"/api/users/{disabled.id}", json={"disabled": True})
    texts = set()
    async with stranger(web) as browser:
        for who in (Person("", "nobody@example.org", ""), person, disabled, Person("", "no e-mail", "")):
            password = PASSWORD if who is disabled else "wrong horse battery"
            document = problem(await log_in(browser, who, password), 401, "wrong_credentials")
            texts.add(document["detail"])
    assert len(texts) == 1


async def test_a_log_in_never_goes_on_under_a_token_that_was_there_before(web: Web) -> None:
    person = await new_person(web, "viewer")
    async with stranger(web) as browser:
        browser.cookies.set("relance", "planted")
        await log_in(browser, person)
        first = [c.value for c in browser.cookies.jar if c.value != "planted"]
        browser.cookies.clear()
        browser.cookies.set("relance", str(first[0]))
        await log_in(browser, person)
        second = [c.value for c in browser.cookies.jar if c.value not in ("planted", first[0])]
        assert second
        browser.cookies.clear()
        problem(await browser.get("/api/auth/me", headers={"Cookie": f"relance={first[0]}"}), 401, "unauthorized")
        assert (await browser.get("/api/auth/me", headers={"Cookie": f"relance={second[0]}"})).status_code == 200


async def test_another_password_ends_every_log_in_but_the_one_it_was_set_in(web: Web) -> None:
    person = await new_person(web, "operator")
    async with logged_in(web, person) as here, logged_in(web, person) as elsewhere:
        change = {"current_password": "wrong", "new_password": "another horse battery"}
        problem(await here.post("/api/auth/password", json=change), 422, "wrong_password")
        change["current_password"] = person.password
        before = here.cookies["relance"]
        answer = await here.post("/api/auth/password", json=change)
        assert answer.status_code == 200
        assert here.cookies["relance"] != before
        assert (await here.get("/api/auth/me")).json()["csrf_token"] == answer.json()["csrf_token"]
        problem(await elsewhere.get("/api/auth/me"), 401, "unauthorized")
        problem(await log_in(elsewhere, person), 401, "wrong_credentials")
        assert (await log_in(elsewhere, person, "another horse battery")).status_code == 200


@pytest.mark.parametrize("weak", ["aaaaaaaaaaaaaaaa", "121212121212"])
async def test_a_password_easily_guessed_is_refused(web: Web, weak: str) -> None:
    person = await new_person(web, "viewer")
    async with logged_in(web, person) as browser:
        change = {"current_password": person.password, "new_password": weak}
        problem(await browser.post("/api/auth/password", json=change), 422, "bad_password")


async def test_a_log_in_ends_when_it_is_not_used_and_at_the_latest_after_its_time(
    web: Web, conn: Connection[Record]
) -> None:
    person = await new_person(web, "viewer")
    for column, hours in (("seen_at", 12), ("created_at", 168)):
        async with logged_in(web, person) as browser:
            change = f"UPDATE web_session SET {column} = now() - make_interval(hours => $1, mins => $2)"
            await conn.execute(change, hours, -1)
            assert (await browser.get("/api/auth/me")).status_code == 200
            await conn.execute(change, hours, 1)
            problem(await browser.get("/api/auth/me"), 401, "unauthorized")


async def test_a_log_in_outlives_redis(web: Web) -> None:
    async with logged_in(web, await new_person(web, "viewer")) as browser:
        with redis.Redis.from_url(web.env["REDIS_URL"]) as client:
            client.flushdb()
        assert (await browser.get("/api/auth/me")).status_code == 200


async def test_neither_token_nor_key_nor_password_is_kept_as_it_is(web: Web, conn: Connection[Record]) -> None:
    async with logged_in(web, await new_person(web, "admin")) as browser:
        key = (await new_key(browser, "viewer"))["key"]
        kept = ""
        for table in ("app_user", "web_session", "api_key", "audit", "login_throttle"):
            kept += str([dict(row) for row in await conn.fetch(f"SELECT * FROM {table}")])
        for secret in (PASSWORD, browser.cookies["relance"], key):
            assert secret not in kept
            assert secret not in web.log.read_text()
    assert "$argon2id$" in kept


async def test_guessing_is_slowed_down_across_processes_and_without_redis(
    environment: dict[str, str], tmp_path: Path
) -> None:
    env = environment | {"LOGIN_ATTEMPTS": "3", "TRUSTED_PROXIES": "1", "REDIS_URL": "redis://127.0.0.1:1/0"}
    with serving(env, tmp_path / "one") as one, serving(env, tmp_path / "two") as two:
        person = await new_person(one, "viewer")
        async with stranger(one) as here, stranger(two) as there:
            wrong = {"email": person.email, "password": "wrong horse battery"}
            tries = [client.post("/api/auth/login", json=wrong) for client in (here, there) * 4]
            codes = [answer.status_code for answer in await asyncio.gather(*tries)]
            assert (codes.count(401), codes.count(429)) == (3, 5)
            refused = await log_in(here, person)
            assert 1 <= problem(refused, 429, "rate_limited")["retry_after"] <= 60
            assert refused.headers["retry-after"] == str(refused.json()["retry_after"])
            # What the client writes itself is not believed; what our proxy saw is. Nobody is locked out by a stranger.
            there.headers["X-Forwarded-For"] = "192.0.2.1, 127.0.0.1"
            problem(await log_in(there, person), 429, "rate_limited")
            there.headers["X-Forwarded-For"] = "127.0.0.1, 192.0.2.1"
            for _ in range(8):
                assert (await log_in(there, person)).status_code == 200


async def test_one_address_cannot_try_one_password_on_everybody(environment: dict[str, str], own_log: Path) -> None:
    with serving(environment | {"LOGIN_ATTEMPTS": "3"}, own_log) as web:
        async with stranger(web) as browser:
            tries = [log_in(browser, Person("", f"somebody{n}@example.org", "")) for n in range(40)]
            codes = [answer.status_code for answer in await asyncio.gather(*tries)]
    assert codes.count(401) >= 15
    assert codes.count(429) >= 1
    assert codes.count(401) + codes.count(429) == 40


async def test_a_page_of_another_site_can_neither_log_in_nor_change(web: Web) -> None:
    person = await new_person(web, "operator")
    async with logged_in(web, person) as browser:
        browser.headers["Sec-Fetch-Site"] = "cross-site"
        problem(await log_in(browser, person), 403, "other_site")
        problem(await browser.post("/api/categories", json={"name": "x"}), 403, "other_site")


async def test_the_first_admin_is_made_at_release_and_never_changed_by_one(
    environment: dict[str, str], database: str
) -> None:
    def release(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "models.migrate"]
        return subprocess.run(
            command, cwd=place.ROOT, env=environment | more, capture_output=True, text=True, check=False
        )

    weak = release(ADMIN_EMAIL="ana@example.org", ADMIN_PASSWORD="aaaaaaaaaaaaaaaa")
    assert (weak.returncode, "ADMIN_PASSWORD cannot be used" in weak.stderr) == (1, True)
    assert release(ADMIN_EMAIL="Ana@example.org", ADMIN_PASSWORD=PASSWORD).returncode == 0
    assert release(ADMIN_EMAIL="ana@example.org", ADMIN_PASSWORD="another horse battery").returncode == 0
    assert release(ADMIN_EMAIL="eve@example.org", ADMIN_PASSWORD="another horse battery").returncode == 0
    conn = await asyncpg.connect(database)
    users = await conn.fetch("SELECT email, role FROM app_user")
    await conn.close()
    assert [tuple(user) for user in users] == [("ana@example.org", "admin")]


async def test_one_caller_may_not_ask_for_more_than_its_share_with_and_without_redis(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for name, redis_url in (("with", environment["REDIS_URL"]), ("without", "redis://127.0.0.1:1/0")):
        env = environment | {"API_REQUESTS_PER_SECOND": "1", "REDIS_URL": redis_url}
        with serving(env, tmp_path / name) as web:
            async with web.client() as admin:
                key = (await new_key(admin, "viewer"))["key"]
            async with with_key(web, key) as program:
                answers = [await program.get("/api/auth/me") for _ in range(9)]
                answers += await asyncio.gather(*(program.get("/api/auth/me") for _ in range(20)))
                refused = [answer for answer in answers if answer.status_code == 429]
                assert len(answers) - len(refused) >= 10
                problem(refused[-1], 429, "rate_limited")
                assert int(refused[-1].headers["retry-after"]) >= 1
            async with web.client() as other:  # somebody else is not held up
                assert (await other.get("/api/auth/me")).status_code == 200


async def test_a_key_in_the_address_is_not_taken(web: Web) -> None:
    async with stranger(web) as client:
        for name in ("key", "token", "api_key", "access_token"):
            answer: httpx.Response = await client.get("/api/auth/me", params={name: web.key})
            problem(answer, 401, "unauthorized")
