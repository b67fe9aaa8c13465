"""Bodies that are packed, bent or signed for another one: refused or kept, in flat memory, and never in the log."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import os
import zlib
from collections.abc import AsyncIterator, Iterator

import brotli
import httpx
import pytest
from asyncpg import Connection, Record

from local import embedded
from tests.web.accounts import stranger
from tests.web.conftest import problem
from tests.web.hostile import MIB, check_log, flat
from tests.web.serving import Web, environment_of, serving
from tests.web.test_hooks import event, stored

SIGNING = "a-key-that-only-the-gateway-has"
PHONE, SPACED, WORD = "33199007797", "01 99 00 77 96", "Marzipan"
"""What the bodies are full of, and the log must not hold."""
BOMB = b'{"name": "' + WORD.encode() + b"x" * (64 * MIB) + b'"}'
PACKED = {
    "gzip": gzip.compress(BOMB, 9),
    "deflate": zlib.compress(BOMB, 9),
    "br": brotli.compress(BOMB, quality=5),
    "gzip, br": brotli.compress(gzip.compress(BOMB), quality=5),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(100),
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def web(servers: embedded.Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web process of this file's own: its memory and its log are looked at."""
    name = f"relance_bodies_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    with serving(env | {"WASSENGER_SIGNING_SECRET": SIGNING}, tmp_path_factory.mktemp("bodies") / "log") as running:
        yield running
        check_log(running.log.read_text(), PHONE, PHONE[2:], SPACED, SPACED.replace(" ", ""), WORD, SIGNING)
    servers.drop_database(name)


@pytest.fixture
async def gateway(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever has the secret of the webhook, and nothing else."""
    async with stranger(web, headers={"X-Relance-Token": web.env["WASSENGER_WEBHOOK_SECRET"]}) as client:
        yield client


@pytest.mark.parametrize("packing", PACKED)
async def test_a_packed_body_is_refused_unread_on_every_kind_of_route(web: Web, packing: str) -> None:
    headers = JSON | {"Content-Encoding": packing}
    async with flat(web, within=32 * MIB), web.client() as api:
        for method, path in (
            ("POST", "/api/categories"), ("POST", "/api/auth/login"), ("PATCH", "/api/config"),
            ("POST", "/api/contacts/import"), ("POST", "/api/media"), ("POST", "/api/pause-all"),
        ):  # fmt: skip
            answer = await api.request(method, path, content=PACKED[packing], headers=headers)
            refused = problem(answer, 415, "packed_body")
            assert "without Content-Encoding" in refused["detail"]


async def test_a_body_that_says_it_is_not_packed_is_taken(web: Web) -> None:
    async with web.client() as api:
        made = await api.post("/api/categories", json={"name": "As it is"}, headers={"Content-Encoding": "identity"})
        assert made.status_code == 201


@pytest.mark.parametrize("packing", PACKED)
async def test_a_packed_webhook_is_kept_as_it_came_and_answered_400(
    web: Web, gateway: httpx.AsyncClient, packing: str
) -> None:
    body = PACKED[packing]
    async with flat(web, within=32 * MIB):
        answer = await gateway.post("/webhooks/wassenger", content=body, headers=JSON | {"Content-Encoding": packing})
        problem(answer, 400, "unreadable")
    assert len(body) < 1 * MIB


def bent(**data: object) -> bytes:
    """Return a real event with other data."""
    whole = json.loads(event())
    whole["data"] |= {"fromNumber": f"+{PHONE}"} | data
    return json.dumps(whole).encode()


def tower(open_: bytes, close: bytes, high: int) -> bytes:
    return b'{"event": "message:in:new", "data": ' + open_ * high + b"1" + close * high + b"}"


READABLE: dict[str, bytes] = {
    "a NUL in the text": bent(body=f"\0 {WORD}"),
    "a NUL in the name": bent(meta={"notifyName": f"\0{WORD}"}),
    "half a character": bent(body=f"\ud83d {WORD} {SPACED}"),
    "half a character as bytes": bent(body=WORD).replace(WORD.encode(), WORD.encode() + b"\xed\xa0\xbd"),
    "a huge number for a time": bent(timestamp=10**4_000),
    "no number at all": bent(timestamp="T").replace(b'"T"', b"1e999"),
    "NaN": bent(timestamp=float("nan")),
    "everything of the wrong type": bent(body={"a": [1]}, chat=7, meta=[], device=None),
    "a text of a million characters": bent(body=f"{WORD} +{PHONE} " * 40_000),
}
UNREADABLE: dict[str, bytes] = {
    "100,000 lists in each other": tower(b"[", b"]", 100_000),
    "100,000 objects in each other": tower(b'{"a":', b"}", 100_000),
    "never closed": tower(b"[", b"", 100_000),
    "a number of 900,000 digits for all": b"9" * 900_000,
    "a name of 900,000 characters": b'{"event": "' + WORD.encode() * 100_000 + b'", "data": {}}',
    "UTF-16": event().decode().encode("utf-16"),
    "bytes": bytes(range(256)) * 1_000,
    "only a NUL": b"\0",
    "nothing": b"",
}


@pytest.mark.parametrize("what", READABLE)
async def test_a_bent_webhook_is_stored_as_it_came(
    web: Web, gateway: httpx.AsyncClient, conn: Connection[Record], what: str
) -> None:
    async with flat(web, within=96 * MIB):
        answer = await gateway.post("/webhooks/wassenger", content=READABLE[what], headers=JSON)
        assert (answer.status_code, answer.json()) == (200, {"stored": True})
    (row,) = await stored(conn, READABLE[what])
    assert row["digested_at"] is None


@pytest.mark.parametrize("what", UNREADABLE)
async def test_a_webhook_that_cannot_be_read_is_kept_with_the_cause(
    web: Web, gateway: httpx.AsyncClient, conn: Connection[Record], what: str
) -> None:
    async with flat(web, within=96 * MIB):
        told = problem(
            await gateway.post("/webhooks/wassenger", content=UNREADABLE[what], headers=JSON), 400, "unreadable"
        )
    assert len(told["detail"]) < 300
    (row,) = await stored(conn, UNREADABLE[what])
    assert (row["outcome"], bool(row["why"])) == ("unreadable", True)


async def test_a_webhook_without_its_length_is_counted_as_it_comes(
    web: Web, gateway: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    raw = event()

    async def whole() -> AsyncIterator[bytes]:
        for at in range(0, len(raw), 50):
            yield raw[at : at + 50]

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield WORD.encode() * 100_000

    assert (await gateway.post("/webhooks/wassenger", content=whole())).status_code == 200
    assert len(await stored(conn, raw)) == 1
    before = await conn.fetchval("SELECT count(*) FROM inbox")
    async with flat(web, within=32 * MIB):
        problem(await gateway.post("/webhooks/wassenger", content=endless()), 413, "too_large")
        problem(await gateway.post("/webhooks/wassenger", content=b"x" * (10 * MIB)), 413, "too_large")
    assert await conn.fetchval("SELECT count(*) FROM inbox") == before


async def test_a_signature_counts_for_its_own_body_only(
    web: Web, gateway: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    ours, other = bent(body=WORD), bent(body=f"{WORD}!")

    def signed(body: bytes, key: str = SIGNING) -> dict[str, str]:
        return {"X-Wassenger-Signature": f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"}

    for headers in (signed(other), signed(ours, "another key"), {"X-Wassenger-Signature": "sha256="}):
        problem(await gateway.post("/webhooks/wassenger", content=ours, headers=headers), 401, "unauthorized")
    assert await stored(conn, ours) == []
    assert (await gateway.post("/webhooks/wassenger", content=ours, headers=signed(ours))).status_code == 200
    assert len(await stored(conn, ours)) == 1


@pytest.mark.parametrize("path", ["/api/contacts", "/api/campaigns", "/api/contacts/bulk", "/api/auth/login"])
async def test_a_bent_body_is_refused_in_flat_memory(web: Web, path: str) -> None:
    deep = b'{"name": "x", "attributes": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
    bodies = [
        deep, b"[" * 1_500_000, b'{"name": ' + b"9" * 1_500_000 + b"}", b'{"phone": "\\ud800"}', b'{"phone": "\x00"}',
        b'{"phone": "' + PHONE.encode() * 100_000 + b'"}', b'{"' + WORD.encode() * 100_000 + b'": 1}', BOMB[: 10 * MIB],
        b'{"attributes": {"a": 1e400}}', b"\xff\xfe{\x00}\x00", b"",
    ]  # fmt: skip
    async with flat(web, within=96 * MIB), web.client() as api:
        for body in bodies:
            answer = await api.post(path, content=body, headers=JSON)
            assert 400 <= answer.status_code < 500, (body[:40], answer.text[:200])
            problem(answer, answer.status_code, answer.json()["code"])
            assert len(answer.text) < 3_000
