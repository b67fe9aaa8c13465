from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
import redis.asyncio
from asyncpg import Connection, Record

from models import live
from models.queries import sql
from tests.rules import workbooks
from tests.web.conftest import problem
from tests.web.serving import Web, watching


async def send(api: httpx.AsyncClient, body: bytes, name: str = "people.csv", **form: Any) -> httpx.Response:
    return await api.post("/api/contacts/import", files={"file": (name, body)}, data=form)


async def test_a_csv_file_and_a_workbook_are_taken(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    for body, name in ((b"phone\n+33199001234\n", "a.csv"), (workbooks.table([["phone"]]), "b.xlsx")):
        answer = await send(api, body, name)
        assert answer.status_code == 202
        state = (await api.get(f"/api/imports/{answer.json()['id']}")).json()
        assert (state["state"], state["filename"], state["rows"], state["errors"]) == ("pending", name, 0, [])
        listed = (await api.get("/api/imports", params={"limit": 1})).json()["items"]
        assert [one["id"] for one in listed] == [answer.json()["id"]]
        assert "errors" not in listed[0]
        assert await conn.fetchval("SELECT body FROM import WHERE id = $1", answer.json()["id"]) == body


@pytest.mark.parametrize(
    ("body", "name", "status", "code"),
    [
        (b"", "a.csv", 422, "empty_file"),
        (b" \n\n ", "a.csv", 422, "empty_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "locked.xlsx", 415, "unsupported_file"),
        (b"anything", "old.xls", 415, "unsupported_file"),
        (b"PK\x03\x04", "open.ods", 415, "unsupported_file"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_with_the_remedy(
    api: httpx.AsyncClient, body: bytes, name: str, status: int, code: str
) -> None:
    problem(await send(api, body, name), status, code)


async def test_every_rejected_row_is_in_the_csv(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    made = (await send(api, b"phone\nx\n")).json()["id"]
    many = 2_500
    await sql.add_rejected_rows(
        conn, upload=made, lines=list(range(2, many + 2)), titles=["phone"] * many, values=["=1+1"] * many,
        reasons=["letters"] * many,
    )  # fmt: skip
    answer = await api.get(f"/api/imports/{made}/errors")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [line["line"] for line in lines] == [str(number) for number in range(2, many + 2)]
    assert lines[0] == {"line": "2", "column": "phone", "value": "'=1+1", "reason": "letters"}
    shown = (await api.get(f"/api/imports/{made}")).json()["errors"]
    assert (len(shown), shown[0]) == (1_000, {"line": 2, "column": "phone", "value": "=1+1", "reason": "letters"})


async def test_whoever_watches_an_import_sees_where_it_stands_and_then_each_step(
    api: httpx.AsyncClient, web: Web
) -> None:
    made = (await send(api, b"phone\nx\n")).json()["id"]
    async with (
        redis.asyncio.Redis.from_url(web.env["REDIS_URL"]) as client,
        watching(api, f"/api/imports/{made}/events") as events,
    ):
        first = await anext(events)
        assert (first.kind, first.data) == ("import", (await api.get(f"/api/imports/{made}")).json())
        frame = live.frame_of("import", made, first.data | {"rows": 1_000})
        told: list[int] = []
        while not told:  # the stream may hear Redis a moment later
            await client.publish(live.FRAMES, frame)
            event = await anext(events)
            told += [event.data["rows"]] if event.data["rows"] else []
        assert (event.kind, told, event.id > first.id) == ("import", [1_000], True)


async def test_an_import_that_does_not_exist_is_not_found(api: httpx.AsyncClient) -> None:
    for rest in ("", "/errors", "/events"):
        problem(await api.get(f"/api/imports/01a1f909-34e8-7470-8729-18f127c5dd98{rest}"), 404, "not_found")
