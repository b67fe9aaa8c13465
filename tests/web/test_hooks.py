from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis.asyncio
from asyncpg import Connection, Record

from local import stack
from tests.gateway import shape_files
from tests.simulator_process import until
from tests.web.conftest import problem
from tests.web.serving import Web, serving


def event(name: str = "in_new_text") -> bytes:
    """Return a webhook that has never been sent before."""
    body = json.loads(json.dumps(shape_files.example(name)))
    body["data"]["id"] = f"3EB0{time.time_ns():X}"
    return json.dumps(body).encode()


async def stored(conn: Connection[Record], raw: bytes) -> list[Record]:
    return list(await conn.fetch("SELECT * FROM inbox WHERE body = $1", raw))


async def test_a_webhook_is_stored_before_it_is_answered_and_its_reader_is_woken(
    web: Web, conn: Connection[Record], redis_url: str
) -> None:
    raw = event()
    async with httpx.AsyncClient() as stranger:
        answer = await stranger.post(web.hook, content=raw)
    assert (answer.status_code, answer.json()) == (200, {"stored": True})
    (row,) = await stored(conn, raw)
    assert (row["kind"], row["from_person"], row["digested_at"]) == ("message:in:new", True, None)
    async with redis.asyncio.Redis.from_url(redis_url) as client:

        async def woken() -> bool:
            waiting = await client.hvals("relance:queues:replies.msgs")
            return any(str(row["id"]).encode() in one for one in waiting)

        await until(woken, what="the wake-up of the interaction handler")


async def test_an_acknowledgement_wakes_those_who_digest_them(
    web: Web, conn: Connection[Record], redis_url: str
) -> None:
    raw = event("out_ack_device") if (shape_files.FOLDER / "out_ack_device.json").exists() else event("alias_out_read")
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.post(web.hook, content=raw)).status_code == 200
    assert [row["from_person"] for row in await stored(conn, raw)] == [False]
    async with redis.asyncio.Redis.from_url(redis_url) as client:

        async def woken() -> bool:
            return any(b"digest_acknowledgements" in one for one in await client.hvals("relance:queues:work.msgs"))

        await until(woken, what="the wake-up of the acknowledgements")


async def test_ten_copies_of_a_webhook_are_stored_once(web: Web, conn: Connection[Record]) -> None:
    raw = event()
    async with httpx.AsyncClient() as stranger:
        answers = await asyncio.gather(*(stranger.post(web.hook, content=raw) for _ in range(10)))
    assert sorted(answer.json()["stored"] for answer in answers) == [False] * 9 + [True]
    assert len(await stored(conn, raw)) == 1


async def test_a_webhook_without_the_secret_is_refused_and_leaves_no_trace(web: Web, conn: Connection[Record]) -> None:
    raw = event()
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        problem(await stranger.post("/webhooks/wassenger", content=raw), 401, "unauthorized")
        problem(await stranger.post("/webhooks/wassenger?token=guess", content=raw), 401, "unauthorized")
        header = {"X-Relance-Token": web.env["WASSENGER_WEBHOOK_SECRET"]}
        assert await stored(conn, raw) == []
        assert (await stranger.post("/webhooks/wassenger", content=raw, headers=header)).status_code == 200


@pytest.mark.parametrize(
    "raw", [b"{broken", b"[]", b'{"event": 5}', b'{"event": "message:in:new", "data": 7}', b"\xff\xfe\x00"]
)
async def test_an_unreadable_webhook_is_kept_and_answered_400(web: Web, conn: Connection[Record], raw: bytes) -> None:
    async with httpx.AsyncClient() as stranger:
        problem(await stranger.post(web.hook, content=raw), 400, "unreadable")
        problem(await stranger.post(web.hook, content=raw), 400, "unreadable")
    (row,) = await stored(conn, raw)
    assert (row["outcome"], bool(row["why"]), row["digested_at"] is None) == ("unreadable", True, False)


async def test_a_webhook_above_a_megabyte_is_refused_unread(web: Web, conn: Connection[Record]) -> None:
    async with httpx.AsyncClient() as stranger:
        problem(await stranger.post(web.hook, content=b" " * 1_048_577), 413, "too_large")

        async def chunks() -> Any:
            for _ in range(20):
                yield b" " * 100_000

        problem(await stranger.post(web.hook, content=chunks()), 413, "too_large")
    assert await conn.fetchval("SELECT count(*) FROM inbox WHERE length(body) > 1048576") == 0


async def test_without_a_database_a_webhook_is_not_taken_and_the_process_recovers(
    environment: dict[str, str], own_log: Path
) -> None:
    gone = f"postgresql://relance@127.0.0.1:{stack.free_port()}/relance"
    with serving(environment | {"DATABASE_URL": gone}, own_log) as web:
        async with httpx.AsyncClient() as stranger:
            answer = await stranger.post(web.hook, content=event())
            problem(answer, 503, "no_database")
            assert answer.headers["retry-after"]
            ready = await stranger.get(f"{web.url}/health/ready")
        assert ready.status_code == 503
        assert "DATABASE_URL" in ready.json()["reasons"][0]


async def test_without_redis_a_webhook_is_stored_all_the_same(environment: dict[str, str], own_log: Path) -> None:
    nobody = f"redis://127.0.0.1:{stack.free_port()}/0"
    with serving(environment | {"REDIS_URL": nobody}, own_log) as web:
        async with httpx.AsyncClient() as stranger:
            await stranger.post(web.hook, content=event())  # opens the first connection to the database
            for _ in range(10):
                assert (await stranger.post(web.hook, content=event())).json() == {"stored": True}
            ready = await stranger.get(f"{web.url}/health/ready")
        assert (ready.status_code, ready.json()["redis"]) == (200, "unavailable")


async def test_many_webhooks_at_once_are_each_stored_once_and_answered_for_themselves(
    web: Web, conn: Connection[Record]
) -> None:
    events = [event("alias_out_read") for _ in range(60)]
    many = [*events, *events, b'{"event": "message:in:new", "data": ', *events[:5]]
    async with httpx.AsyncClient(timeout=60) as stranger:
        answers = await asyncio.gather(*(stranger.post(web.hook, content=raw) for raw in many))
    bad = [one for one in answers if one.status_code != 200]
    assert [one.status_code for one in bad] == [400]
    told: dict[bytes, list[bool]] = {raw: [] for raw in events}
    for raw, answer in zip(many, answers, strict=True):
        if answer.status_code == 200:
            told[raw].append(answer.json()["stored"])
    assert all(sum(stored) == 1 for stored in told.values())  # of each event exactly one delivery was new
    rows = await conn.fetchval("SELECT count(*) FROM inbox WHERE body = ANY($1)", events)
    assert rows == len(events)
