"""The shell of the dashboard and its files, as a browser gets them."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx

from local import place
from tests.web.accounts import stranger
from tests.web.conftest import problem
from tests.web.serving import Web
from web.shell import FOREVER, PAGES, STATIC

SOURCE = place.ROOT / "web" / "dashboard" / "src" / "pages"


async def test_the_shell_stands_at_every_address_that_the_dashboard_has(web: Web) -> None:
    said = {path for file in SOURCE.glob("*/route.ts") for path in re.findall(r'\bpath: "([^"]+)"', file.read_text())}
    assert "/" in said
    async with stranger(web) as browser:
        first = await browser.get("/")
        for path in sorted(said | set(PAGES)):
            answer = await browser.get(path.replace(":id", "019a0000-0000-7000-8000-000000000000"))
            assert (answer.status_code, answer.text) == (200, first.text), path


async def test_the_shell_is_asked_for_again_and_not_sent_again(web: Web) -> None:
    async with stranger(web) as browser:
        for coding in ("br", "gzip", "identity"):
            first = await browser.get("/", headers={"Accept-Encoding": coding})
            assert first.headers["cache-control"] == "private, no-cache"
            assert first.headers.get("content-encoding", "identity") == coding
            known = {"Accept-Encoding": coding, "If-None-Match": first.headers["etag"]}
            again = await browser.get("/", headers=known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


async def test_its_style_and_script_are_allowed_by_their_hash_and_nothing_else_is(web: Web) -> None:
    async with stranger(web) as browser:
        page = await browser.get("/")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        written = re.findall(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL)
        assert len(written) == 1
        hashed = base64.b64encode(hashlib.sha256(written[0].encode()).digest()).decode()
        assert f"'sha256-{hashed}'" in policy
    assert 'style="' not in page.text


async def test_a_stranger_gets_the_door_and_who_has_a_session_the_frame(web: Web) -> None:
    async with stranger(web) as browser:
        door = await browser.get("/")
        frame = await browser.get("/", headers={"Cookie": "relance=anything"})
    assert "<html data-door" in door.text
    assert "<html data-door" not in frame.text
    assert door.headers["etag"] != frame.headers["etag"]
    assert "Cookie" in door.headers["vary"]


async def test_files_are_packed_and_kept_for_ever(web: Web) -> None:
    async with stranger(web) as browser:
        page = await browser.get("/")
        named = re.findall(r'"/assets/([^"]+)"', page.text)
        assert named
        for name in named:
            plain = await browser.get(f"/assets/{name}", headers={"Accept-Encoding": "identity"})
            assert plain.content == (STATIC / "assets" / name).read_bytes()
            for coding in ("br", "gzip"):
                packed = await browser.get(f"/assets/{name}", headers={"Accept-Encoding": coding})
                assert packed.headers["content-encoding"] == coding
                assert packed.headers["cache-control"] == FOREVER
                assert packed.content == plain.content


async def test_no_other_file_is_given_out(web: Web) -> None:
    async with stranger(web) as browser:
        for name in ("nothing.js", "index.html", "%2e%2e%2fstamp", "..%2f..%2fshell.py", "stamp"):
            answer: httpx.Response = await browser.get(f"/assets/{name}")
            problem(answer, 404, "not_found")
