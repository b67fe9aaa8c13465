from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from tests.web.conftest import Makes, fresh_phone, problem

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def test_a_draft_is_tested_on_a_phone_that_is_no_contact(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made = await new_campaign(message_1="Hello {{name}}", message_2="Thanks {{name}}")
    phone = fresh_phone()
    answer = await api.post(f"/api/campaigns/{made['id']}/test", json={"phone": phone, "message_2": True})
    assert answer.status_code == 202, answer.text
    first, second = answer.json()
    assert (first["content"], second["content"]) == ("Hello Ana", "Thanks Ana"), "as its first contact would read it"
    assert (first["message_type"], first["status"], first["phone"]) == ("message_1", "pending", phone)
    shown = (await api.get(f"/api/tests/{first['id']}")).json()
    assert shown == first
    listed = (await api.get(f"/api/campaigns/{made['id']}/tests")).json()
    assert [one["id"] for one in listed["items"]] == [second["id"], first["id"]]
    campaign = (await api.get(f"/api/campaigns/{made['id']}")).json()
    assert campaign["status"] == "draft"


async def test_a_test_says_what_is_asked_for_before_what_it_knows(
    api: httpx.AsyncClient, new_campaign: Makes, new_contact: Makes
) -> None:
    made = await new_campaign(message_1="Hello {{name}} of {{city}}", contact={"attributes": {"city": "Nice"}})
    tester = await new_contact(name="Zoe")
    asked = {"phone": tester["phone"], "attributes": {"city": "Lyon"}}
    [one] = (await api.post(f"/api/campaigns/{made['id']}/test", json=asked)).json()
    assert one["content"] == "Hello Zoe of Lyon"


async def test_what_nobody_can_fill_is_named(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made = await new_campaign(message_1="Hello {{city}}")
    answer = await api.post(f"/api/campaigns/{made['id']}/test", json={"phone": fresh_phone()})
    assert "city" in problem(answer, 422, "incomplete_contacts")["detail"]


async def test_a_double_click_tests_once(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made, asked = await new_campaign(), {"phone": fresh_phone()}
    answers = await asyncio.gather(*(api.post(f"/api/campaigns/{made['id']}/test", json=asked) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [202, 409, 409, 409]
    problem(next(one for one in answers if one.status_code == 409), 409, "test_under_way")


async def test_what_cannot_be_tested_is_refused_with_its_reason(
    api: httpx.AsyncClient, new_campaign: Makes, new_contact: Makes, sender: str, conn: Connection[Record]
) -> None:
    made = await new_campaign()
    path = f"/api/campaigns/{made['id']}/test"
    problem(await api.post(path, json={"phone": "12"}), 422, "bad_phone")
    problem(await api.post(path, json={"phone": fresh_phone(), "message_2": True}), 422, "no_message_2")
    gone = await new_contact()
    await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1::text::uuid", gone["id"])
    problem(await api.post(path, json={"phone": gone["phone"]}), 409, "opted_out")
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 1})
    assert (await api.post(path, json={"phone": fresh_phone()})).status_code == 202
    document = problem(await api.post(path, json={"phone": fresh_phone()}), 429, "quota")
    assert document["remaining"] == 0
    await api.post(f"/api/senders/{sender}/pause")
    problem(await api.post(path, json={"phone": fresh_phone()}), 409, "sender_not_ready")
    await api.post(f"/api/campaigns/{made['id']}/cancel")
    problem(await api.post(path, json={"phone": fresh_phone()}), 409, "not_a_draft")
    problem(await api.get(f"/api/tests/{made['id']}"), 404, "not_found")
