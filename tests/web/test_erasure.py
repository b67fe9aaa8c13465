from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
from asyncpg import Connection, Record

from models import stops, transitions
from models.queries import sql
from tests import books, worlds
from tests.web.conftest import Makes, problem
from tests.web.serving import Web


async def wrote(conn: Connection[Record], running: worlds.Running, person: worlds.Person, body: str) -> UUID:
    """Record that a person wrote this, with the webhook it came in; returns that."""
    now = datetime.now(UTC)
    inbox: UUID = await conn.fetchval(
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body, digested_at, outcome)"
        " VALUES ($1, 'message:in:new', true, false, $2, now(), 'plain') RETURNING id",
        str(uuid4()),
        f'{{"from": "{person.phone}", "body": "{body}"}}'.encode(),
    )
    await sql.add_interaction(
        conn, inbox=inbox, contact=person.contact, sender=running.sender, campaign=running.campaign,
        recipient=person.recipient, type="text", body=body, message_id="3EB0", quoted_id=None, at=now, received_at=now,
        in_window=True, outcome="plain", why="test",
    )  # fmt: skip
    return inbox


async def test_an_erased_person_is_gone_and_every_count_stays(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 2)
    person = running.first
    before = (await api.get("/api/messages/stats", params={"campaign_id": str(running.campaign)})).json()
    await conn.execute(
        "UPDATE contact SET name = 'Abélardine', attributes = '{\"city\": \"Lyon\"}' WHERE id = $1", person.contact
    )
    assert (await api.delete(f"/api/contacts/{person.contact}")).status_code == 204
    problem(await api.get(f"/api/contacts/{person.contact}"), 404, "not_found")
    problem(await api.delete(f"/api/contacts/{person.contact}"), 404, "not_found")
    for table in ("contact", "recipient", "message", "interaction"):
        rows = await conn.fetch(f"SELECT t::text AS all FROM {table} t")
        assert not any(person.phone[1:] in row["all"] or "Abélardine" in row["all"] for row in rows), table
    after = (await api.get("/api/messages/stats", params={"campaign_id": str(running.campaign)})).json()
    assert after == before | {"opted_out": 1}
    await books.check(conn, running.campaign)


async def test_what_is_pending_for_an_erased_person_is_never_sent(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running = await worlds.launched(conn, 2)
    assert (await api.delete(f"/api/contacts/{running.first.contact}")).status_code == 204
    assert await worlds.status(conn, running.first.message) == "cancelled"
    assert await worlds.state(conn, running.first.recipient) == "opted_out"
    lane = await worlds.lane(conn, running)
    promised = await transitions.claim_slice(conn, lane.claim(10))
    assert [promise.contact for promise in promised] == [running.people[1].contact]


async def test_an_erased_person_cannot_be_added_again_in_any_spelling(
    api: httpx.AsyncClient, new_contact: Makes
) -> None:
    made = await new_contact(phone="+52 55 1234 5679")
    assert (await api.delete(f"/api/contacts/{made['id']}")).status_code == 204
    for spelling in ("+52 55 1234 5679", "+5215512345679", "00521 55 1234 5679"):
        answer = await api.post("/api/contacts", json={"phone": spelling})
        assert "5512345679" not in problem(answer, 409, "erased_contact")["detail"]


async def test_a_stop_entry_holds_no_number_that_could_be_tried_out(
    api: httpx.AsyncClient, new_contact: Makes, conn: Connection[Record], web: Web
) -> None:
    made = await new_contact()
    await api.delete(f"/api/contacts/{made['id']}")
    hashes = {row["hash"] for row in await conn.fetch("SELECT hash FROM stop_entry")}
    assert all(len(one) == 64 for one in hashes)
    assert made["phone"] not in web.log.read_text()


async def test_every_spelling_of_an_erased_person_goes(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    ids = [
        await conn.fetchval(
            "INSERT INTO contact (phone, identity, attributes) VALUES ($1, '541123456780', '{}') RETURNING id", phone
        )
        for phone in ("+5491123456780", "+541123456780")
    ]
    assert (await api.delete(f"/api/contacts/{ids[0]}")).status_code == 204
    problem(await api.get(f"/api/contacts/{ids[1]}"), 404, "not_found")


async def test_an_erased_person_is_in_no_list_and_no_category(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes
) -> None:
    category = await new_category()
    made = await new_contact(name="Xanthippe", category_ids=[category["id"]])
    await api.delete(f"/api/contacts/{made['id']}")
    assert (await api.get(f"/api/categories/{category['id']}")).json()["contact_count"] == 0
    assert (await api.get("/api/contacts", params={"q": "xanthippe"})).json()["items"] == []
    stopped = (await api.get("/api/contacts", params={"opted_out": True, "limit": 200})).json()["items"]
    assert made["id"] not in [one["id"] for one in stopped]
    answer = await api.put(f"/api/categories/{category['id']}/contacts", json={"contact_ids": [made["id"]]})
    problem(answer, 422, "unknown_contact")


async def test_a_person_s_data_are_exported_whole(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 1)
    person = running.first
    await wrote(conn, running, person, "Bonjour")
    answer = await api.get(f"/api/contacts/{person.contact}/export")
    assert "attachment" in answer.headers["content-disposition"]
    document = answer.json()
    assert [one["phone"] for one in document["contacts"]] == [person.phone]
    assert [(one["content"], one["status"]) for one in document["messages"]] == [("Hello", "sent")]
    assert [one["body"] for one in document["interactions"]] == ["Bonjour"]
    problem(await api.get(f"/api/contacts/{uuid4()}/export"), 404, "not_found")


async def test_what_a_person_wrote_goes_and_that_they_wrote_stays(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _ = await worlds.sent(conn, 1)
    inbox = await wrote(conn, running, running.first, "a secret")
    await api.delete(f"/api/contacts/{running.first.contact}")
    row = await conn.fetchrow("SELECT * FROM interaction WHERE inbox = $1", inbox)
    assert row is not None
    assert (row["body"], row["type"], row["recipient"]) == (None, "text", running.first.recipient)
    assert await conn.fetchval("SELECT body FROM inbox WHERE id = $1", inbox) == b""


def test_a_hash_depends_on_the_secret_of_the_service(configured: object) -> None:
    assert stops.digest("33199001234") != stops.digest("33199001235")
    assert "33199001234" not in stops.digest("33199001234")
