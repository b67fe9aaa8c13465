from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
from asyncpg import Connection, Record

from models.queries import sql
from tests import worlds


async def heard(
    conn: Connection[Record], running: worlds.Running, person: worlds.Person, type: str = "text", days: int = 0
) -> UUID:
    """Record that a person did something so many days ago; returns the interaction."""
    at = datetime.now(UTC) - timedelta(days=days)
    made: UUID = await sql.add_interaction(
        conn, inbox=uuid4(), contact=person.contact, sender=running.sender, campaign=running.campaign,
        recipient=person.recipient, type=type, body="=1+1", message_id="3EB0", quoted_id=None, at=at, received_at=at,
        in_window=True, outcome="plain", why="test",
    )  # fmt: skip
    if days:
        key = UUID(int=(int(at.timestamp() * 1000) << 80) | 0x7000_8000_0000_0000_0000)
        await conn.execute("UPDATE interaction SET id = $2 WHERE id = $1", made, key)
        made = key
    return made


async def test_interactions_are_found_by_campaign_type_person_and_time(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _ = await worlds.sent(conn, 2)
    one, two = running.people
    old = await heard(conn, running, one, days=3)
    text = await heard(conn, running, one)
    await asyncio.sleep(0.002)  # keys of one millisecond have no order
    voice = await heard(conn, running, two, "voice")

    async def found(**more: str) -> list[str]:
        wanted = {"campaign_id": str(running.campaign)} | more
        return [line["id"] for line in (await api.get("/api/interactions", params=wanted)).json()["items"]]

    assert await found() == [str(voice), str(text), str(old)]
    assert await found(type="voice") == [str(voice)]
    assert await found(contact_id=str(one.contact)) == [str(text), str(old)]
    since = datetime.now(UTC) - timedelta(days=1)
    assert await found(since=since.isoformat()) == [str(voice), str(text)]
    assert await found(since=since.replace(tzinfo=None).isoformat()) == [str(voice), str(text)]
    assert await found(since="0001-01-01T00:00:00Z") == [str(voice), str(text), str(old)]
    assert await found(since="9999-12-31T00:00:00Z") == []


async def test_interactions_come_as_a_file_with_phone_and_name(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _ = await worlds.sent(conn, 1)
    await heard(conn, running, running.first)
    answer = await api.get("/api/interactions", params={"campaign_id": str(running.campaign), "format": "csv"})
    (line,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (line["phone"], line["name"], line["body"]) == (running.first.phone, "Ana", "'=1+1")


async def test_interactions_are_found_by_what_they_meant(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 2)
    stopped, late = [await heard(conn, running, person) for person in running.people]
    await conn.execute("UPDATE interaction SET outcome = 'opt_out' WHERE id = $1", stopped)
    await conn.execute("UPDATE interaction SET outcome = 'late', in_window = false WHERE id = $1", late)

    async def found(**more: str | bool | int) -> list[str]:
        answer = await api.get("/api/interactions", params={"campaign_id": str(running.campaign), **more})
        return [one["id"] for one in answer.json()["items"]]

    assert await found(outcome="opt_out") == [str(stopped)]
    assert await found(in_window=False) == await found(outcome="late") == [str(late)]
    assert await found(in_window=True, outcome="late") == []
    assert (await api.get("/api/interactions", params={"outcome": "weather"})).status_code == 400
