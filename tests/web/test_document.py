"""The OpenAPI document: what it promises is true, for whatever is sent and whoever asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import httpx
import msgspec
import pytest

from local import embedded
from rules.roles import demand
from tests.web.accounts import new_key, stranger
from tests.web.serving import Web, environment_of, serving
from web import examples, wire

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method,negative_data_rejection"
)
WRONG = {
    "missing": [],
    "wrong": ["-H", "Authorization: Bearer relance_0000000000000000000000000000000000000000000"],
}


@pytest.fixture(scope="module")
def web(servers: embedded.Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process of this file's own: everything is called, whatever it does."""
    name = f"relance_document_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    with serving(env, tmp_path_factory.mktemp("document") / "log") as running:
        yield running
    servers.drop_database(name)


@pytest.fixture
async def document(web: Web) -> dict[str, Any]:
    async with stranger(web) as client:
        return dict((await client.get("/schema/openapi.json")).json())


def fuzz(web: Web, tmp_path: Path, *arguments: str) -> None:
    """Call every route but the endless streams with what fits its description, and with what does not."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{web.url}/schema/openapi.json", "--checks", CHECKS,
        "--exclude-path-regex", "/events$|^/api/auth/logout$", "--seed", "4", "--generation-database", "none",
        "--no-color", "--continue-on-failure", *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"NO_PROXY": "*"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-3_000:]
    counted = re.search(r"Selected: (\d+)/\d+\s+Tested: (\d+)", done.stdout)
    assert counted is not None, done.stdout[-2_000:]
    assert int(counted[1]) == int(counted[2]) > 50
    assert not web.logged(event="a request failed")


async def test_what_an_admin_sends_is_answered_as_the_document_says(web: Web, tmp_path: Path) -> None:
    fuzz(web, tmp_path, "-H", f"Authorization: Bearer {web.key}", "--phases", "examples,coverage,fuzzing", "-n", "4")


async def test_what_a_viewer_sends_is_answered_as_the_document_says(web: Web, tmp_path: Path) -> None:
    async with web.client() as admin:
        key = (await new_key(admin, "viewer"))["key"]
    fuzz(web, tmp_path, "-H", f"Authorization: Bearer {key}", "--phases", "fuzzing", "-n", "2")


@pytest.mark.parametrize("credentials", WRONG)
async def test_what_strangers_send_is_answered_as_the_document_says(web: Web, tmp_path: Path, credentials: str) -> None:
    fuzz(web, tmp_path, *WRONG[credentials], "--phases", "fuzzing", "-n", "1")


def test_every_route_says_what_it_does_who_may_ask_and_how_it_refuses(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert len(operation["description"]) > 20, (method, path)
            if not path.startswith("/api/"):
                continue
            asked = demand(method.upper(), path)
            refusals = {"400", "503"} | ({"401", "403", "429"} if asked.role else {"401", "403"})
            refusals |= {"404"} if "{" in path else set()
            refusals |= {"413", "422"} if "requestBody" in operation else set()
            assert refusals <= operation["responses"].keys(), (method, path)
            assert asked.role is None or f"the role **{asked.role}**" in operation["description"]


def test_every_body_has_an_example_that_can_be_sent(document: dict[str, Any]) -> None:
    wanted = {
        found
        for operations in document["paths"].values()
        for operation in operations.values()
        for found in re.findall(r"schemas/(\w+)", str(operation.get("requestBody", "")))
    }
    assert wanted - {"Upload", "NewAttachment"} <= examples.BODIES.keys()
    shapes = {
        name: kind
        for found in iter_modules(wire.__path__)
        for name, kind in vars(import_module(f"web.wire.{found.name}")).items()
    }
    for name, example in examples.BODIES.items():
        msgspec.convert(example, shapes[name])
        assert document["components"]["schemas"][name]["examples"] == [example]
        assert document["components"]["schemas"][name]["additionalProperties"] is False


async def test_hostile_bodies_are_refused_clearly(web: Web) -> None:
    deep = b'{"name": "x", "attributes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    bodies = [
        deep, b'{"name": "a\x00b"}', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b'{"name": 1e999}', b'{"name": ',
        b"\xff\xfe", b'{"name": "' + b"x" * 1_500_000 + b'"}', b"NaN", b'{"name": ' + b"9" * 5000 + b"}",
    ]  # fmt: skip
    async with web.client() as admin:
        for path in ("/api/categories", "/api/contacts", "/api/auth/login", "/api/users", "/api/keys"):
            for body in bodies:
                answer = await admin.post(path, content=body, headers={"Content-Type": "application/json"})
                assert 400 <= answer.status_code < 500, (path, body[:40], answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
        packed = await admin.post(
            "/api/categories", content=b"\x1f\x8b" + b"\x00" * 1000, headers={"Content-Encoding": "gzip"}
        )
        assert packed.status_code == 415
        assert (await admin.post("/api/categories", content=b"x" * 10_000_000)).status_code == 413


async def test_the_document_needs_no_log_in_and_no_other_machine(web: Web) -> None:
    async with stranger(web) as client:
        answer: httpx.Response = await client.get("/schema/openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    assert not re.search(r"https?://(?!\^)", answer.text.replace("^https?://", ""))
