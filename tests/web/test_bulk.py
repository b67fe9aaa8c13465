from __future__ import annotations

import csv
import io
from typing import Any
from uuid import uuid4

import httpx
import pytest
from asyncpg import Connection, Record

from rules.rows import Row, read
from tests import worlds
from tests.web.conftest import Makes, problem


async def bulk(api: httpx.AsyncClient, action: str, ids: list[str], **more: Any) -> httpx.Response:
    return await api.post("/api/contacts/bulk", json={"action": action, "ids": ids} | more)


async def done(api: httpx.AsyncClient, action: str, ids: list[str], **more: Any) -> int:
    answer = await bulk(api, action, ids, **more)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["changed"])


async def test_each_action_changes_whom_it_changes_and_says_how_many(
    api: httpx.AsyncClient, new_contact: Makes, new_category: Makes
) -> None:
    people = [(await new_contact(attributes={"city": "Lyon"}))["id"] for _ in range(3)]
    category = (await new_category())["id"]
    for action, more in (
        ("add_category", {"category_id": category}), ("opt_out", {}), ("opt_in", {}),
        ("set_attributes", {"attributes": {"plan": "gold"}}), ("remove_category", {"category_id": category}),
    ):  # fmt: skip
        assert (action, await done(api, action, people, **more)) == (action, 3)
        assert (action, await done(api, action, people, **more)) == (action, 0)
    shown = (await api.get(f"/api/contacts/{people[0]}")).json()
    assert shown["attributes"] == {"city": "Lyon", "plan": "gold"}
    assert (shown["opted_out_at"], shown["category_ids"]) == (None, [])
    assert await done(api, "delete", people) == 3
    assert (await api.get(f"/api/contacts/{people[0]}")).status_code == 404
    answer = (await bulk(api, "delete", people)).json()
    assert (answer["changed"], sorted(answer["unknown"])) == (0, sorted(people))


async def test_opting_many_out_stops_what_is_pending(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running = await worlds.launched(conn, 3)
    people = [str(person.contact) for person in running.people[:2]]
    assert await done(api, "opt_out", people) == 2
    assert [await worlds.status(conn, person.message) for person in running.people] == [
        "cancelled", "cancelled", "pending",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"action": "opt_out", "category_id": str(uuid4())}, 422, "bad_action"),
        ({"action": "add_category"}, 422, "bad_action"),
        ({"action": "set_attributes"}, 422, "bad_action"),
        ({"action": "add_category", "category_id": str(uuid4())}, 422, "unknown_category"),
        ({"action": "explode"}, 400, "invalid_request"),
        ({"action": "opt_in", "ids": []}, 400, "invalid_request"),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    api: httpx.AsyncClient, order: dict[str, Any], status: int, code: str
) -> None:
    problem(await api.post("/api/contacts/bulk", json={"ids": [str(uuid4())]} | order), status, code)


async def test_what_is_exported_can_be_imported_again(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes
) -> None:
    category = await new_category()
    made = [
        await new_contact(
            category_ids=[category["id"]], name=name, consent_source="fair", attributes={"Ville; rue": 'Lyon, "2"\n3'}
        )
        for name in ("=1+1", "Zoé")
    ]
    await done(api, "opt_out", [made[1]["id"]])
    answer = await api.get("/api/contacts/export", params={"category_id": category["id"]})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [line["name"] for line in lines] == ["'=1+1", "Zoé"]
    rows = list(read(answer.content))
    assert [row for row in rows if isinstance(row, Row)] == [
        Row(
            line=rows[number].line,
            phone=one["phone"],
            name=one["name"],
            categories=(category["name"],),
            opted_out=number == 1,
            consent_source="fair",
            attributes={"Ville; rue": 'Lyon, "2"\n3'},
        )
        for number, one in enumerate(made)
    ]
    wanted = {"category_id": category["id"], "opted_out": True}
    stopped = await api.get("/api/contacts/export", params=wanted)
    assert made[1]["phone"] in stopped.text
    assert made[0]["phone"] not in stopped.text
    problem(await api.get("/api/contacts/export", params={"category_id": str(uuid4())}), 422, "unknown_category")
