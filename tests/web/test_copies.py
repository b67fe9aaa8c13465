from __future__ import annotations

from uuid import UUID, uuid4

import httpx
from asyncpg import Connection, Record

from models import transitions
from models.transitions import Failure
from tests import worlds
from tests.web.conftest import Makes, problem


async def test_a_duplicate_is_the_same_campaign_as_a_draft(
    api: httpx.AsyncClient, new_campaign: Makes, new_category: Makes
) -> None:
    out = await new_category()
    made = await new_campaign(
        message_2="Thanks", media_1={"url": "https://example.org/a.png"}, pacing={"delay": 4},
        quiet_hours="21:00-08:00",
        exclude={"category_ids": [out["id"]], "contacted_within_days": 30}, scheduled_at="2030-01-01T09:00:00Z",
    )  # fmt: skip
    answer = await api.post(f"/api/campaigns/{made['id']}/duplicate")
    assert answer.status_code == 201
    copy = answer.json()
    own = {"id", "name", "created_at", "reason", "scheduled_at"}
    assert {k: v for k, v in copy.items() if k not in own} == {k: v for k, v in made.items() if k not in own}
    assert (copy["name"], copy["status"], copy["scheduled_at"]) == ("Spring (copy)", "draft", None)
    assert copy["id"] != made["id"]
    named = (await api.post(f"/api/campaigns/{made['id']}/duplicate", json={"name": "Summer"})).json()
    assert named["name"] == "Summer"


async def test_a_duplicate_of_a_long_name_still_has_a_name_that_is_allowed(
    api: httpx.AsyncClient, new_campaign: Makes
) -> None:
    made = await new_campaign(name="x" * 200)
    copy = (await api.post(f"/api/campaigns/{made['id']}/duplicate")).json()
    assert (len(copy["name"]), copy["name"][-7:]) == (200, " (copy)")
    problem(await api.post(f"/api/campaigns/{made['id']}/duplicate", json={"name": ""}), 400, "invalid_request")
    problem(await api.post(f"/api/campaigns/{uuid4()}/duplicate"), 404, "not_found")


async def test_those_who_did_not_get_it_become_a_new_draft(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _, promises = await worlds.promised(conn, 6)
    sent, doubtful, failed, stopped, reported, pending = promises
    await transitions.accept(conn, [worlds.fact(p.message) for p in (sent, reported)], by="test")
    await transitions.doubt(conn, [(doubtful.message, 1, "nobody can tell")], by="test")
    for one, error in ((failed, "refused"), (stopped, "refused"), (reported, "reported")):
        await transitions.fail(conn, [Failure(message=one.message, error_class=error, error_text="no")], by="test")
    await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", stopped.contact)
    path = f"/api/campaigns/{running.campaign}/not-reached"

    made = await api.post(path)
    assert made.status_code == 201, made.text
    draft = made.json()["campaign"]
    assert made.json()["people"] == 2
    assert (draft["status"], draft["category_ids"]) == ("draft", [made.json()["category_id"]])
    members = await conn.fetch(
        "SELECT contact FROM contact_category WHERE category = $1", UUID(made.json()["category_id"])
    )
    assert {row["contact"] for row in members} == {failed.contact, reported.contact}
    assert (await api.post(f"/api/campaigns/{draft['id']}/preview")).json()["audience"]["reached"] == 2

    again = (await api.post(path, json={"name": "Once more"})).json()  # a category of its own each time
    assert (again["campaign"]["name"], again["category_id"] != made.json()["category_id"]) == ("Once more", True)
    assert await worlds.status(conn, pending.message) == "sending"


async def test_a_campaign_that_reached_everybody_leaves_no_draft(
    api: httpx.AsyncClient, conn: Connection[Record], new_campaign: Makes
) -> None:
    running, _ = await worlds.sent(conn, 1)
    drafts = await conn.fetchval("SELECT count(*) FROM campaign WHERE status = 'draft'")
    problem(await api.post(f"/api/campaigns/{running.campaign}/not-reached"), 422, "everybody_reached")
    assert await conn.fetchval("SELECT count(*) FROM campaign WHERE status = 'draft'") == drafts
    made = await new_campaign()
    problem(await api.post(f"/api/campaigns/{made['id']}/not-reached"), 409, "not_launched")
    problem(await api.post(f"/api/campaigns/{uuid4()}/not-reached"), 404, "not_found")


async def test_who_was_contacted_lately_or_is_in_an_excluded_category_gets_nothing(
    api: httpx.AsyncClient, conn: Connection[Record], new_campaign: Makes, new_contact: Makes, new_category: Makes
) -> None:
    running, _ = await worlds.sent(conn, 1)
    made, out = await new_campaign(people=1), await new_category()
    category = made["category_ids"][0]
    await conn.execute(
        "INSERT INTO contact_category (contact, category) VALUES ($1, $2)", running.first.contact, UUID(category)
    )
    await new_contact(category_ids=[category, out["id"]])
    exclude = {"category_ids": [out["id"]], "contacted_within_days": 3}
    path = f"/api/campaigns/{made['id']}"
    assert (await api.patch(path, json={"exclude": exclude})).json()["exclude"] == exclude
    audience = (await api.post(f"{path}/preview")).json()["audience"]
    assert (audience["members"], audience["reached"]) == (3, 1)
    assert (audience["excluded"], audience["contacted_recently"]) == (1, 1)
    await conn.execute(
        "UPDATE message SET promised_at = promised_at - interval '4 days' WHERE id = $1", running.first.message
    )
    assert (await api.post(f"{path}/preview")).json()["audience"]["reached"] == 2
