from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local import embedded, place
from tests.web.conftest import Makes, problem
from tests.web.serving import Web, environment_of, serving


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \u00e9".encode("latin-1")]
)
async def test_every_door_below_api_needs_the_key(web: Web, header: str | bytes | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        document = (await stranger.get("/schema/openapi.json")).json()
        for path, methods in document["paths"].items():
            if not path.startswith("/api") or path == "/api/auth/login":
                continue
            for method in methods:
                somewhere = path.replace("{", "").replace("}", "")
                somewhere = "/".join(
                    "019a0000-0000-7000-8000-000000000000" if part.endswith("_id") else part
                    for part in somewhere.split("/")
                )
                answer = await stranger.request(method, somewhere, headers=headers)  # type: ignore[arg-type]
                problem(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_reference_page_needs_nothing_from_elsewhere(web: Web) -> None:
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        page = await stranger.get("/schema")
        assert page.headers["content-type"].startswith("text/html")
        wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert wanted
        for address in wanted:
            assert address.startswith("/schema/assets/")
            assert (await stranger.get(address)).status_code == 200
        assert (await stranger.get("/schema/assets/index.js")).status_code == 404


async def test_health_the_page_and_the_reference_need_no_key(web: Web) -> None:
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        assert (await stranger.get("/health/live")).json() == {"status": "alive"}
        assert (await stranger.get("/health/ready")).json() == {"status": "ready", "reasons": [], "redis": "ok"}
        page = await stranger.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert "https://" not in page.text
        assert (await stranger.get("/schema/openapi.json")).json()["info"]["title"] == "Relance"


async def test_the_reference_names_every_address_of_the_contract(web: Web) -> None:
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        paths = (await stranger.get("/schema/openapi.json")).json()["paths"]
    for path in (
        "/api/contacts", "/api/contacts/import", "/api/imports/{import_id}", "/api/categories", "/api/senders",
        "/api/campaigns", "/api/campaigns/{campaign_id}/preview", "/api/campaigns/{campaign_id}/send",
        "/api/campaigns/{campaign_id}/progress", "/api/campaigns/{campaign_id}/events",
        "/api/campaigns/{campaign_id}/report",
        "/api/recipients/{recipient_id}/resolve", "/api/messages/stats", "/api/interactions", "/api/config",
        "/api/events",
        "/webhooks/wassenger", "/health/ready",
    ):  # fmt: skip
        assert path in paths


async def test_what_is_nowhere_and_a_wrong_method_are_problems_too(web: Web, api: httpx.AsyncClient) -> None:
    problem(await api.get("/nowhere"), 404, "not_found")
    problem(await api.put("/api/contacts"), 405, "method_not_allowed")
    problem(await api.post("/api/contacts", content=b" " * 2_100_000), 413, "too_large")


async def test_a_request_keeps_the_id_it_came_with_if_it_is_usable(api: httpx.AsyncClient) -> None:
    kept = await api.get("/health/live", headers={"X-Request-Id": "order-4711"})
    assert kept.headers["x-request-id"] == "order-4711"
    replaced = await api.get("/health/live", headers={"X-Request-Id": "a b\tc" * 40})
    assert len(replaced.headers["x-request-id"]) == 32


async def test_a_request_is_logged_by_path_without_its_query_string(web: Web) -> None:
    async with web.client() as api:
        await api.get("/api/contacts", params={"q": "+33199001234"}, headers={"X-Request-Id": "logged-request"})
        await api.post("/webhooks/wassenger", params={"token": "a-secret-guess"}, content=b"{}")
    (line,) = web.logged(event="request", request_id="logged-request")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/contacts", 200)
    assert line["ms"] >= 0
    assert "a-secret-guess" not in web.log.read_text()


async def test_no_secret_and_no_full_phone_number_reaches_the_log(web: Web, new_contact: Makes) -> None:
    made = await new_contact()
    async with web.client() as api:
        await api.post("/api/contacts", json={"phone": made["phone"]})
        await api.get("/api/contacts", params={"q": made["phone"]})
        await api.get(f"/api/contacts/{made['phone']}")
        await api.post(web.hook, content=b"{}")
    text = web.log.read_text()
    assert made["phone"].removeprefix("+") not in text
    assert web.logged(path=f"/api/contacts/{made['phone'][:3]}•••••••{made['phone'][-2:]}", status=404)
    for secret in ("BOOTSTRAP_API_KEY", "WASSENGER_WEBHOOK_SECRET", "SECRET_KEY", "WASSENGER_API_KEY"):
        assert web.env[secret] not in text


async def test_a_database_that_was_never_migrated_is_told_apart(
    servers: embedded.Servers, redis_url: str, own_log: Path
) -> None:
    url = servers.create_database("relance_web_empty")
    try:
        with serving(environment_of(url, redis_url), own_log) as web:
            async with web.client() as api:
                ready = await api.get("/health/ready")
                assert ready.status_code == 503
                assert "models.migrate" in ready.json()["reasons"][0]
                problem(await api.get("/api/contacts"), 503, "not_migrated")
    finally:
        servers.drop_database("relance_web_empty")


async def test_a_database_of_an_older_release_is_not_ready(
    environment: dict[str, str], database: str, own_log: Path
) -> None:
    import asyncpg

    conn = await asyncpg.connect(database)
    await conn.execute(
        "DELETE FROM migration WHERE name = (SELECT max(name) FROM migration WHERE app_name = 'relance')"
    )
    await conn.close()
    with serving(environment, own_log) as web:
        async with web.client() as api:
            ready = await api.get("/health/ready")
    assert (ready.status_code, "older" in ready.json()["reasons"][0]) == (503, True)


async def test_an_error_nobody_expected_is_answered_without_its_internals(
    environment: dict[str, str], database: str, own_log: Path
) -> None:
    import asyncpg

    conn = await asyncpg.connect(database)
    await conn.execute("ALTER TABLE contact ADD CONSTRAINT nobody_expected_this CHECK (false) NOT VALID")
    await conn.close()
    with serving(environment, own_log) as web:
        async with web.client() as api:
            answer = await api.post("/api/contacts", json={"phone": "+33199001234", "name": "Ana"})
            document = problem(answer, 500, "internal_error")
        assert "nobody_expected_this" not in answer.text
        (line,) = web.logged(event="a request failed", request_id=document["request_id"])
        assert "nobody_expected_this" in line["exception"]


async def test_large_answers_are_compressed_and_small_ones_are_not(api: httpx.AsyncClient) -> None:
    large = await api.get("/schema/openapi.json", headers={"Accept-Encoding": "br"})
    assert large.headers["content-encoding"] == "br"
    assert (await api.get("/schema/openapi.json", headers={"Accept-Encoding": "gzip"})).headers[
        "content-encoding"
    ] == "gzip"
    assert "content-encoding" not in (await api.get("/health/live", headers={"Accept-Encoding": "br"})).headers


def test_settings_that_cannot_be_used_stop_the_process_by_name(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "web"],
        cwd=place.ROOT,
        env=environment | {"PORT": "ninety"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "PORT='ninety'" in done.stderr) == (1, True)
