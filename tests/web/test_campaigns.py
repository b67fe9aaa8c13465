from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from asyncpg import Connection, Record

from tests import worlds
from tests.web.conftest import Makes, problem


async def test_a_campaign_is_written_read_and_listed(api: httpx.AsyncClient, new_campaign: Makes, sender: str) -> None:
    made = await new_campaign(message_2="Thanks", pacing={"delay": 3}, quiet_hours="21:00-08:00")
    assert (made["status"], made["sender_id"], made["pacing"], made["quiet_hours"]) == (
        "draft",
        sender,
        {"delay": 3},
        "21:00-08:00",
    )
    assert (await api.get(f"/api/campaigns/{made['id']}")).json() == made
    newest = (await api.get("/api/campaigns", params={"status": "draft", "limit": 1})).json()["items"][0]
    assert (newest["id"], newest["total"]) == (made["id"], 0)


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"message_1": "Hello {{name}"}, "bad_template", "message_1"),
        ({"message_2": "   "}, "bad_template", "message_2"),
        ({"pacing": {"delay": 11}}, "out_of_range", "2 to 10"),
        ({"pacing": {"profile": "careful", "size": 75}}, "out_of_range", "15 to 25"),
        ({"quiet_hours": "late"}, "bad_quiet_hours", "21:00-08:00"),
        ({"scheduled_at": "2030-01-01T09:00:00"}, "bad_time", "time zone"),
        ({"sender_id": str(uuid4())}, "unknown_sender", "no sender"),
        ({"category_ids": [str(uuid4())]}, "unknown_category", "no category"),
        ({"exclude": {"category_ids": [str(uuid4())]}}, "unknown_category", "no category"),
    ],
)
async def test_what_cannot_be_sent_is_refused_when_it_is_written_or_changed(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str, change: dict[str, object], code: str, says: str
) -> None:
    usual = {"name": "x", "category_ids": [], "message_1": "Hello", "sender_id": sender}
    assert says in problem(await api.post("/api/campaigns", json=usual | change), 422, code)["detail"]
    made = await new_campaign()
    assert says in problem(await api.patch(f"/api/campaigns/{made['id']}", json=change), 422, code)["detail"]


async def test_a_sender_must_be_named_where_there_are_several(
    api: httpx.AsyncClient, conn: Connection[Record], sender: str
) -> None:
    await worlds.new_sender(conn)
    wanted = {"name": "x", "category_ids": [], "message_1": "Hello"}
    problem(await api.post("/api/campaigns", json=wanted), 422, "sender_not_named")


async def test_a_draft_changes_where_it_is_told_to(
    api: httpx.AsyncClient, new_campaign: Makes, new_category: Makes
) -> None:
    made, other = await new_campaign(message_2="Thanks"), await new_category()
    change = {
        "name": "Autumn",
        "message_2": None,
        "category_ids": [other["id"]],
        "exclude": {"category_ids": made["category_ids"], "contacted_within_days": 7},
        "media_1": {"url": "https://example.org/a.png"},
    }
    changed = (await api.patch(f"/api/campaigns/{made['id']}", json=change)).json()
    assert changed == made | change | {"media_1": {"url": "https://example.org/a.png", "filename": None}}


async def test_once_launched_only_pace_and_quiet_hours_change(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running = await worlds.launched(conn, 1)
    path = f"/api/campaigns/{running.campaign}"
    changed = await api.patch(path, json={"pacing": {"delay": 9}, "quiet_hours": "22:00-07:00"})
    assert (changed.json()["pacing"], changed.json()["quiet_hours"]) == ({"delay": 9}, "22:00-07:00")
    document = problem(await api.patch(path, json={"message_1": "Other", "name": "Other"}), 409, "not_editable")
    assert "message_1, name" in document["detail"]


async def test_only_a_draft_is_deleted(api: httpx.AsyncClient, conn: Connection[Record], new_campaign: Makes) -> None:
    made = await new_campaign()
    assert (await api.delete(f"/api/campaigns/{made['id']}")).status_code == 204
    problem(await api.get(f"/api/campaigns/{made['id']}"), 404, "not_found")
    problem(await api.delete(f"/api/campaigns/{made['id']}"), 404, "not_found")
    running = await worlds.launched(conn, 1)
    problem(await api.delete(f"/api/campaigns/{running.campaign}"), 409, "not_a_draft")


async def test_a_campaign_pauses_resumes_and_is_cancelled(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running = await worlds.launched(conn, 1)
    path = f"/api/campaigns/{running.campaign}"
    paused = (await api.post(f"{path}/pause", json={"scope": "message_1"})).json()
    assert (paused["status"], paused["holds"], paused["reason"]) == ("paused", "message_1", "a person paused it")
    problem(await api.post(f"{path}/pause"), 409, "not_possible")
    assert (await api.post(f"{path}/resume")).json()["status"] == "sending"
    problem(await api.post(f"{path}/resume"), 409, "not_possible")
    assert (await api.post(f"{path}/pause")).json()["holds"] == "all"
    assert (await api.post(f"{path}/cancel")).json()["status"] == "cancelled"
    assert "cancelled" in problem(await api.post(f"{path}/cancel"), 409, "not_possible")["detail"]
    problem(await api.patch(path, json={"pacing": {}}), 409, "not_editable")
    problem(await api.post(f"{path}/pause", json={"scope": "everything"}), 400, "invalid_request")


async def test_an_unknown_campaign_is_not_found_wherever_it_is_named(api: httpx.AsyncClient) -> None:
    path = f"/api/campaigns/{uuid4()}"
    for method, rest in [
        ("GET", ""), ("DELETE", ""), ("POST", "/preview"), ("POST", "/send"), ("POST", "/pause"), ("POST", "/resume"),
        ("POST", "/cancel"), ("GET", "/progress"), ("GET", "/events"), ("GET", "/report"),
        ("GET", "/report?format=csv"),
        ("GET", "/batches"), ("GET", "/series"), ("GET", "/recipients"),
    ]:  # fmt: skip
        problem(await api.request(method, path + rest), 404, "not_found")
    problem(await api.patch(path, json={}), 404, "not_found")


async def test_a_scheduled_campaign_takes_another_time_but_not_none(
    api: httpx.AsyncClient, new_campaign: Makes, conn: Connection[Record]
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    made = await new_campaign(scheduled_at=at.isoformat())
    path = f"/api/campaigns/{made['id']}"
    sent = await api.post(f"{path}/send")
    assert (sent.status_code, sent.json()["status"]) == (202, "scheduled")
    later = (at + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert (await api.patch(path, json={"scheduled_at": later})).json()["scheduled_at"] == later
    problem(await api.patch(path, json={"scheduled_at": None}), 409, "not_editable")
    problem(await api.post(f"{path}/send"), 409, "already_scheduled")
    assert await conn.fetchval("SELECT status FROM campaign WHERE id = $1", UUID(made["id"])) == "scheduled"
