from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import httpx
from asyncpg import Connection, Record

from models import transitions
from models.queries import sql
from models.transitions import Failure, Promise
from tests import books, worlds
from tests.web.conftest import Makes, problem


async def _fail(conn: Connection[Record], promise: Promise, error: str) -> None:
    failure = Failure(message=promise.message, error_class=error, error_text=f"it failed: {error}")
    assert len(await transitions.fail(conn, [failure], by="test")) == 1


async def test_only_what_provably_never_left_is_retried(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, lane, promises = await worlds.promised(conn, 7)
    never, refused, timeout, quota, reported, stopped, doubtful = promises
    await transitions.accept(conn, [worlds.fact(reported.message)], by="test")
    for promise, error in (
        (never, "never_left"), (refused, "refused"), (timeout, "safety_timeout"), (quota, "quota"),
        (reported, "reported"), (stopped, "refused"),
    ):  # fmt: skip
        await _fail(conn, promise, error)
    await transitions.doubt(conn, [(doubtful.message, 1, "nobody can tell")], by="test")
    await conn.execute("UPDATE contact SET opted_out_at = now() WHERE id = $1", stopped.contact)
    await conn.execute("UPDATE message SET retries = 3 WHERE id = $1", never.message)

    answer = await api.post(f"/api/campaigns/{running.campaign}/retry-failed")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["retried"], answer.json()["not_retried"]) == (4, {"opted_out": 1, "reported": 1})
    for promise in (never, refused, timeout, quota):
        assert await worlds.status(conn, promise.message) == "pending"
        assert await worlds.state(conn, promise.recipient) == "queued"
    assert await worlds.status(conn, reported.message) == "failed"
    assert await worlds.status(conn, doubtful.message) == "unconfirmed"
    event = await worlds.last_event(conn, never.message)
    assert (event["old"], event["new"], event["moved_by"]) == ("failed", "pending", "bootstrap key")
    await books.check(conn, running.campaign)

    again = await transitions.claim_slice(conn, lane.claim(10))
    assert {p.message for p in again} == {p.message for p in (never, refused, timeout, quota)}
    # A new round is a new reference, and the retries begin anew.
    assert {(p.reference, p.retries) for p in again} == {(f"{p.message}.1", 0) for p in again}


async def test_many_retries_at_once_make_one_pending_row_and_one_round(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _, [promise] = await worlds.promised(conn, 1)
    await _fail(conn, promise, "refused")
    answers = await asyncio.gather(*(api.post(f"/api/campaigns/{running.campaign}/retry-failed") for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409, 409]
    for one in answers:
        if one.status_code == 409:
            problem(one, 409, "nothing_to_retry")
    assert (await worlds.row(conn, "message", promise.message))["round"] == 1


async def test_a_completed_campaign_sends_again_and_its_safety_time_begins_anew(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _, promises = await worlds.promised(conn, 2)
    await transitions.accept(conn, [worlds.fact(promises[0].message)], by="test")
    await _fail(conn, promises[1], "never_left")
    assert await transitions.all_sent(conn, running.campaign)
    await conn.execute(
        "UPDATE recipient SET state = 'no_interaction', why = 'test' WHERE id = $1", promises[0].recipient
    )
    assert await transitions.complete(conn, running.campaign, report={"as": "stored"}, why="test", past_safety=False)
    await conn.execute(
        "UPDATE campaign SET launched_at = now() - interval '30 days', planned_end = now() - interval '30 days'"
        " WHERE id = $1",
        running.campaign,
    )
    answer = await api.post(f"/api/campaigns/{running.campaign}/retry-failed")
    shown = answer.json()["campaign"]
    assert (answer.status_code, shown["status"], shown["completed_at"]) == (200, "sending", None)
    [swept] = [row for row in await sql.campaigns_to_sweep(conn) if row["id"] == running.campaign]
    assert (swept["status"], swept["past_safety"]) == ("sending", False)
    # The report is live again until the campaign completes once more.
    assert (await api.get(f"/api/campaigns/{running.campaign}/report")).json()["status"] == "sending"
    assert json.loads((await worlds.row(conn, "campaign", running.campaign))["final_stats"] or "null") is None


async def test_a_paused_campaign_stays_paused_with_its_people_queued(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _, promises = await worlds.promised(conn, 1)
    await _fail(conn, promises[0], "refused")
    await api.post(f"/api/campaigns/{running.campaign}/pause")
    answer = await api.post(f"/api/campaigns/{running.campaign}/retry-failed")
    assert (answer.json()["retried"], answer.json()["campaign"]["status"]) == (1, "paused")
    assert await worlds.state(conn, promises[0].recipient) == "queued"


async def test_a_campaign_that_sends_nothing_any_more_retries_nothing(
    api: httpx.AsyncClient, conn: Connection[Record], new_campaign: Makes
) -> None:
    made = await new_campaign()
    problem(await api.post(f"/api/campaigns/{made['id']}/retry-failed"), 409, "not_possible")
    running, _ = await worlds.sent(conn, 1)
    path = f"/api/campaigns/{running.campaign}"
    assert problem(await api.post(f"{path}/retry-failed"), 409, "nothing_to_retry")["not_retried"] == {}
    await api.post(f"{path}/cancel")
    problem(await api.post(f"{path}/retry-failed"), 409, "not_possible")
    problem(await api.post(f"/api/campaigns/{uuid4()}/retry-failed"), 404, "not_found")
