from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from asyncpg import Connection, Record

from local import embedded, stack
from models import transitions
from models.queries import sql
from tests import worlds
from tests.web.conftest import problem
from tests.web.serving import environment_of, serving


async def test_monitoring_shows_each_number_with_its_day_and_its_lane(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _lane, [promise, *_] = await worlds.promised(conn, 2)
    await transitions.accept(conn, [worlds.fact(promise.message)], by="test")
    await conn.execute("UPDATE sender SET daily_limit = 10 WHERE id = $1", running.sender)
    day = await conn.fetchval("SELECT (now() AT TIME ZONE 'Europe/Paris')::date")
    await sql.ensure_quota_day(conn, sender=running.sender, day=day)
    await conn.execute("UPDATE quota_day SET used = 9 WHERE sender = $1 AND day = $2", running.sender, day)
    shown = (await api.get("/api/monitoring")).json()
    [one] = [s for s in shown["senders"] if s["id"] == str(running.sender)]
    assert (one["state"], one["quota_today"]["used"], one["quota_today"]["level"]) == ("ready", 9, "attention")
    assert (one["lane"]["owned"], one["lane"]["campaigns_sending"], one["lane"]["pending"]) == (True, 1, 1)
    assert shown["level"] in ("attention", "danger", "blocked")  # the worst of all numbers
    assert shown["campaigns"]["sending"] >= 1
    assert shown["gateway"]["sending"] >= 1
    assert shown["gateway"]["last_accepted_at"] is not None
    assert shown["queues"].keys() == {"replies", "sending", "work"}


async def test_monitoring_counts_doubts_processes_and_undigested_webhooks(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    _running, _, promises = await worlds.promised(conn, 1)
    before = (await api.get("/api/monitoring")).json()
    await transitions.doubt(conn, [(promises[0].message, 1, "nobody can tell")], by="test")
    process = uuid4()
    await sql.beat(conn, process=process, kind="worker", host="here", pid=1)
    await sql.store_webhook(
        conn,
        event_key=str(uuid4()),
        kind="message:in:new",
        device_id=None,
        from_person=True,
        body=b"{}",
        unreadable=None,
    )
    after = (await api.get("/api/monitoring")).json()
    assert after["gateway"]["unconfirmed"] == before["gateway"]["unconfirmed"] + 1
    assert after["webhooks"]["people_waiting"] == before["webhooks"]["people_waiting"] + 1
    assert after["webhooks"]["last_received_at"] > before["at"]
    [seen] = [p for p in after["processes"] if p["id"] == str(process)]
    assert (seen["kind"], seen["alive"]) == ("worker", True)
    await conn.execute("UPDATE heartbeat SET beat_at = now() - interval '1 minute' WHERE process = $1", process)
    [seen] = [p for p in (await api.get("/api/monitoring")).json()["processes"] if p["id"] == str(process)]
    assert seen["alive"] is False


async def test_monitoring_tells_how_long_each_kind_lived(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    for began, beat in ((1000, 500), (900, 100), (90, 0)):  # two at once, ten seconds without any, and one to now
        await conn.execute(
            "INSERT INTO heartbeat (process, kind, host, pid, started_at, beat_at)"
            " VALUES (gen_random_uuid(), 'replies', 'here', 1, now() - make_interval(secs => $1),"
            " now() - make_interval(secs => $2))",
            float(began),
            float(beat),
        )
    [one] = [u for u in (await api.get("/api/monitoring")).json()["uptime"] if u["kind"] == "replies"]
    assert one["last_24h"] == one["last_7d"] == pytest.approx(0.99, abs=0.004)


async def test_who_puts_a_missing_process_away_says_that_it_is_not_missed(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    gone, lives = uuid4(), uuid4()
    for process, silent in ((gone, 301.0), (lives, 0.0)):
        await conn.execute(
            "INSERT INTO heartbeat (process, kind, host, pid, beat_at)"
            " VALUES ($1, 'worker', 'here', 1, now() - make_interval(secs => $2))",
            process,
            silent,
        )
    raised = await conn.fetchval(
        "INSERT INTO alert (kind, subject, text) VALUES ('worker_down', 'worker', 'one is silent') RETURNING id"
    )
    closed = (await api.post(f"/api/alerts/{raised}/resolve")).json()
    assert (closed["resolved_at"] is not None, closed["news"]) == (True, "resolved")
    rows = await conn.fetch("SELECT process FROM heartbeat WHERE ended_at IS NOT NULL AND kind = 'worker'")
    assert [row["process"] for row in rows] == [gone]


async def test_a_test_alert_is_raised_listed_and_put_away(api: httpx.AsyncClient) -> None:
    raised = await api.post("/api/alerts/test")
    assert (raised.status_code, raised.json()["kind"], raised.json()["times"]) == (201, "test", 1)
    again = (await api.post("/api/alerts/test")).json()  # the same one, while it is open
    assert (again["id"], again["times"]) == (raised.json()["id"], 2)
    assert again["id"] in [one["id"] for one in (await api.get("/api/monitoring")).json()["alerts"]]
    closed = (await api.post(f"/api/alerts/{again['id']}/resolve")).json()
    assert closed["resolved_at"] is not None
    assert (await api.post(f"/api/alerts/{again['id']}/resolve")).json() == closed
    assert again["id"] not in [
        one["id"] for one in (await api.get("/api/alerts", params={"open": True})).json()["items"]
    ]
    newest = (await api.get("/api/alerts", params={"limit": 1})).json()
    assert (newest["items"][0]["id"], newest["items"][0]["resolved_at"]) == (again["id"], closed["resolved_at"])
    problem(await api.post(f"/api/alerts/{uuid4()}/resolve"), 404, "not_found")


async def test_monitoring_answers_without_redis(servers: embedded.Servers, template: str, own_log: Path) -> None:
    name = f"relance_monitoring_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), f"redis://127.0.0.1:{stack.free_port()}/0")
    with serving(env, own_log) as web:
        async with web.client() as client:
            shown = (await client.get("/api/monitoring")).json()
    assert shown["queues"] is None
    servers.drop_database(name)
