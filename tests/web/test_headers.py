from __future__ import annotations

import re

import httpx

from tests.web.accounts import stranger
from tests.web.serving import Web


async def test_every_answer_says_what_a_browser_may_do_with_it(web: Web, api: httpx.AsyncClient) -> None:
    for path in ("/", "/schema", "/api/contacts", "/api/nowhere", "/health/live", "/schema/openapi.json"):
        answer = await api.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'unsafe" not in policy
        assert "strict-transport-security" not in answer.headers  # not reached by https
    assert "script" not in (await api.get("/api/contacts")).headers["content-security-policy"]


async def test_what_the_pages_run_is_what_their_policy_allows(web: Web) -> None:
    import base64
    import hashlib

    async with stranger(web) as browser:
        for path in ("/", "/schema"):
            page = await browser.get(path)
            script = re.search(r"script-src ([^;]+)", page.headers["content-security-policy"])
            assert script is not None
            for text in re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL):
                hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                assert f"'sha256-{hashed}'" in script[1]
            assert not re.search(r"""<[^>]+\son\w+=|javascript:|src="https?:""", page.text)
        start = await browser.get("/schema/assets/start.js")
        assert start.headers["content-type"].startswith("text/javascript")
        assert "SwaggerUIBundle" in start.text


async def test_an_answer_that_has_not_changed_is_not_sent_again(api: httpx.AsyncClient) -> None:
    for encoding in ("identity", "br", "gzip"):
        headers = {"Accept-Encoding": encoding}
        first = await api.get("/api/config", headers=headers)
        assert first.headers["cache-control"] == "private, no-cache"
        tag = first.headers["etag"]
        for known in (tag, f'"other", W/{tag}'):
            again = await api.get("/api/config", headers=headers | {"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert "x-request-id" in again.headers
        other = await api.get("/api/config", headers=headers | {"If-None-Match": '"other"'})
        assert (other.status_code, other.json()) == (200, first.json())


async def test_changes_problems_and_secrets_are_kept_by_no_cache(api: httpx.AsyncClient) -> None:
    for answer in (await api.post("/api/categories", json={}), await api.get("/api/contacts/nobody")):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
