from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from asyncpg import Connection, Record

from models import transitions
from models.queries import sql
from models.transitions import Failure
from tests import worlds
from tests.web.conftest import Makes, problem


async def test_progress_shows_the_counters_the_batch_and_when_it_ends(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, lane, promises = await worlds.promised(conn, 4)
    facts = [worlds.fact(p.message, accept_ms=40.0 + i) for i, p in enumerate(promises[:3])]
    await transitions.accept(conn, facts, by="test")
    await worlds.message_2(conn, running, running.people[0])
    shown = (await api.get(f"/api/campaigns/{running.campaign}/progress")).json()
    assert (shown["status"], shown["total"], shown["sent"], shown["pending"], shown["interactions"]) == (
        "sending",
        4,
        3,
        1,
        1,
    )
    assert shown["batch"] == {"number": 1, "size": 100, "done": 4}
    assert (shown["delay_seconds"], shown["delay_reason"], shown["error_rate"]) == (5, "the usual", 0)
    assert shown["latency_ms"]["accept"] == {"p50": 41.0, "p95": 41.9}
    assert shown["latency_ms"]["reply"] is not None
    assert shown["latency_ms"]["read"] is None
    assert shown["rate_per_minute"] > 0
    ends, completes = (datetime.fromisoformat(shown[name]) for name in ("sending_ends_at", "completes_at"))
    assert timedelta(0) < completes - ends <= timedelta(days=1)
    assert lane.campaign == running.campaign


async def test_progress_of_a_draft_has_no_forecast(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made = await new_campaign()
    shown = (await api.get(f"/api/campaigns/{made['id']}/progress")).json()
    assert (shown["status"], shown["completes_at"], shown["batch"]) == ("draft", None, None)
    assert "draft" in shown["forecast_reason"]


async def test_the_error_rate_counts_failed_attempts_and_never_silence(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _, promises = await worlds.promised(conn, 4)
    await transitions.accept(conn, [worlds.fact(p.message) for p in promises[:3]], by="test")
    refusal = transitions.Failure(message=promises[3].message, error_class="refused", error_text="no such number")
    await transitions.fail(conn, [refusal], by="test")
    shown = (await api.get(f"/api/campaigns/{running.campaign}/progress")).json()
    assert (shown["error_rate"], shown["send_failed"], shown["failed_count"]) == (0.25, 1, 1)
    report = (await api.get(f"/api/campaigns/{running.campaign}/report")).json()
    assert report["failures"] == [{"step": 1, "error_class": "refused", "reason": "no such number", "messages": 1}]
    failed = (await api.get(f"/api/campaigns/{running.campaign}/recipients", params={"state": "failed"})).json()[
        "items"
    ]
    assert [(one["failed_step"], one["reason"]) for one in failed] == [(1, "no such number")]


async def test_a_report_tells_rates_durations_and_the_history_of_the_pace(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _ = await worlds.sent(conn, 2)
    message = await worlds.message_2(conn, running, running.people[0])
    await conn.execute(
        "UPDATE message SET status = 'sending', promised_at = now(), process = $2, attempt = 1 WHERE id = $1",
        message,
        uuid4(),
    )
    await transitions.accept(conn, [worlds.fact(message)], by="test")
    report = (await api.get(f"/api/campaigns/{running.campaign}/report")).json()
    assert (report["totals"]["sent"], report["rates"]["sent"], report["rates"]["replied"]) == (2, 1, 0.5)
    assert report["message_2"] | {"after_reply_ms": None} == {
        "replied_in_window": 1, "sent": 1, "failed": 0, "conversion": 0.5, "after_reply_ms": None
    }  # fmt: skip
    assert report["durations"]["total"] > 0
    assert [(one["batch"], one["delay_seconds"], one["reason"]) for one in report["pacing"]] == [(1, 5, "the usual")]


async def test_the_report_of_a_completed_campaign_is_the_one_that_was_stored(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    made = await worlds.draft(conn, await worlds.new_sender(conn))
    await conn.execute("UPDATE campaign SET status = 'launching', launched_at = now() WHERE id = $1", made)
    for status in ("sending", "waiting"):
        await conn.execute("UPDATE campaign SET status = $2 WHERE id = $1", made, status)
    await conn.execute(
        "UPDATE campaign SET status = 'completed', completed_at = now(), final_stats = $2 WHERE id = $1",
        made,
        json.dumps({"as": "stored"}),
    )
    assert (await api.get(f"/api/campaigns/{made}/report")).json() == {"as": "stored"}


async def test_the_report_can_be_printed_in_french_and_english(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _ = await worlds.sent(conn, 2)
    await conn.execute("UPDATE campaign SET name = '<script>alert(1)</script>' WHERE id = $1", running.campaign)
    asked = f"/api/campaigns/{running.campaign}/report?format=html"
    for accepted, lang, word in (("fr-FR,fr;q=0.9", "fr", "Destinataires"), ("en", "en", "Recipients")):
        page = await api.get(asked, headers={"Accept-Language": accepted})
        assert page.headers["content-type"].startswith("text/html")
        assert (page.headers["content-language"], word in page.text) == (lang, True)
        assert "<script>" not in page.text and "&lt;script&gt;" in page.text
        [style] = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = page.headers["content-security-policy"]
        assert f"'sha256-{hashed}'" in policy and "unsafe-inline" not in policy and "default-src 'none'" in policy
        assert "@media print" in style
    assert len(re.findall("<h2>", page.text)) == 2  # people, pace: nothing failed, no latency is known
    missing = await api.get(f"/api/campaigns/{uuid4()}/report?format=html")
    problem(missing, 404, "not_found")


async def test_the_report_as_csv_has_a_line_per_person(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 3)
    await conn.execute("UPDATE contact SET name = '=cmd()' WHERE id = $1", running.people[0].contact)
    answer = await api.get(f"/api/campaigns/{running.campaign}/report", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {line["phone"] for line in lines} == {person.phone for person in running.people}
    assert {line["state"] for line in lines} == {"awaiting_reply"}
    assert "'=cmd()" in {line["name"] for line in lines}


async def test_recipients_are_listed_by_state_and_paged(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 3)
    await worlds.reply(conn, running, running.people[1])
    path = f"/api/campaigns/{running.campaign}/recipients"
    first = (await api.get(path, params={"state": "awaiting_reply", "limit": 1})).json()
    rest = (await api.get(path, params={"state": "awaiting_reply", "cursor": first["next_cursor"]})).json()
    seen = [one["id"] for one in first["items"] + rest["items"]]
    assert sorted(seen) == sorted(str(p.recipient) for p in (running.people[0], running.people[2]))
    assert rest["next_cursor"] is None
    problem(await api.get(path, params={"state": "bored"}), 400, "invalid_request")


async def test_a_recipient_tells_its_whole_story(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 1)
    message = await worlds.message_2(conn, running, running.first)
    await _interaction(conn, running, "text", "Yes", datetime.now(UTC))
    story = (await api.get(f"/api/recipients/{running.first.recipient}")).json()
    assert (story["state"], story["phone"], story["campaign_id"]) == (
        "replied",
        running.first.phone,
        str(running.campaign),
    )
    assert [(m["message_type"], m["status"]) for m in story["messages"]] == [
        ("message_1", "sent"),
        ("message_2", "pending"),
    ]
    assert story["messages"][1]["id"] == str(message)
    assert [(i["type"], i["body"], i["reason"]) for i in story["interactions"]] == [("text", "Yes", "quoted")]
    assert [(e["subject"], e["new"]) for e in story["events"]] == [
        ("message", "sending"), ("recipient", "awaiting_reply"), ("message", "sent"), ("recipient", "replied"),
    ] or [(e["subject"], e["new"]) for e in story["events"]] == [
        ("message", "sending"), ("message", "sent"), ("recipient", "awaiting_reply"), ("recipient", "replied"),
    ]  # fmt: skip
    assert all(event["reason"] for event in story["events"])
    problem(await api.get(f"/api/recipients/{uuid4()}"), 404, "not_found")


async def test_a_message_in_doubt_is_settled_by_a_person_as_sent(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _, promises = await worlds.promised(conn, 1)
    await transitions.doubt(conn, [(promises[0].message, 1, "nobody can tell")], by="test")
    path = f"/api/recipients/{running.first.recipient}/resolve"
    assert (await api.post(path, json={"as": "sent"})).json()["state"] == "awaiting_reply"
    problem(await api.post(path, json={"as": "sent"}), 409, "nothing_in_doubt")
    problem(await api.post(path, json={"as": "retry"}), 409, "nothing_in_doubt")


async def test_a_message_in_doubt_is_sent_again_when_a_person_says_so(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _, promises = await worlds.promised(conn, 1)
    await transitions.doubt(conn, [(promises[0].message, 1, "nobody can tell")], by="test")
    path = f"/api/recipients/{running.first.recipient}/resolve"
    story = (await api.post(path, json={"as": "retry"})).json()
    assert (story["state"], story["messages"][0]["status"]) == ("queued", "pending")
    problem(await api.post(path, json={"as": "lost"}), 400, "invalid_request")
    problem(await api.post(f"/api/recipients/{uuid4()}/resolve", json={"as": "sent"}), 404, "not_found")


async def test_batches_are_listed_with_the_reason_of_their_pace(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, lane = await worlds.sent(conn, 1)
    await conn.execute("UPDATE batch SET finished_at = now(), finished_why = 'complete' WHERE id = $1", lane.batch)
    await worlds.batch(conn, running)
    path = f"/api/campaigns/{running.campaign}/batches"
    first = (await api.get(path, params={"limit": 1})).json()
    assert (first["items"][0]["number"], first["items"][0]["finished_at"]) == (2, None)
    rest = (await api.get(path, params={"cursor": first["next_cursor"]})).json()
    assert [(b["number"], b["sent"], b["reason"], b["finished_reason"]) for b in rest["items"]] == [
        (1, 1, "the usual", "complete")
    ]
    problem(await api.get(path, params={"cursor": "x"}), 400, "invalid_cursor")


async def test_series_are_the_counters_minute_by_minute(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    made = await worlds.draft(conn, await worlds.new_sender(conn))
    start = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    for minute in range(3):
        await conn.execute(
            "INSERT INTO campaign_minute"
            " (campaign, minute, sent, delivered, read, send_failed, replied, message_2_sent)"
            " VALUES ($1, $2, $3, 0, 0, 0, 0, 0)",
            made,
            start + timedelta(minutes=minute),
            minute * 10,
        )
    all_of_it = (await api.get(f"/api/campaigns/{made}/series")).json()
    assert [one["sent"] for one in all_of_it] == [0, 10, 20]
    later = (await api.get(f"/api/campaigns/{made}/series", params={"after": all_of_it[1]["minute"]})).json()
    assert later == all_of_it[2:]


async def test_messages_are_listed_by_campaign_type_and_status(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    running, _ = await worlds.sent(conn, 2, at=worlds.now() - timedelta(days=2))
    await transitions.mark_silent(conn, running.campaign, worlds.now())
    await conn.execute(
        "UPDATE recipient SET state = 'replied', replied_at = now(), why = 'late news' WHERE id = $1",
        running.first.recipient,
    )

    async def listed(**wanted: str) -> list[dict[str, object]]:
        answer = await api.get("/api/messages", params={"campaign_id": str(running.campaign)} | wanted)
        return list(answer.json()["items"])

    assert len(await listed()) == 2
    silent = await listed(status="no_interaction")
    assert [one["recipient_id"] for one in silent] == [str(running.people[1].recipient)]
    assert [one["recipient_id"] for one in await listed(status="sent")] == [str(running.first.recipient)]
    assert (silent[0]["message_type"], silent[0]["content"], silent[0]["retry_count"]) == ("message_1", "Hello", 0)
    assert await listed(message_type="message_2") == []


async def test_message_statistics_are_the_exact_counters(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 2)
    await worlds.reply(conn, running, running.first)
    one = (await api.get("/api/messages/stats", params={"campaign_id": str(running.campaign)})).json()
    assert (one["total"], one["sent"], one["pending"], one["interactions"]) == (2, 2, 0, 1)
    everything = (await api.get("/api/messages/stats")).json()
    assert everything["total"] == await conn.fetchval("SELECT count(*) FROM message WHERE step = 1")


async def test_interactions_are_listed_filtered_and_exported(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running, _ = await worlds.sent(conn, 1)
    start = datetime.now(UTC)
    for number, (kind, body) in enumerate([("text", "Yes, please"), ("sticker", None), ("text", "+1")]):
        await _interaction(conn, running, kind, body, start + timedelta(hours=number))
    wanted = {"campaign_id": str(running.campaign)}
    listed = (await api.get("/api/interactions", params=wanted)).json()["items"]
    assert sorted(one["type"] for one in listed) == ["sticker", "text", "text"]
    assert len((await api.get("/api/interactions", params=wanted | {"type": "sticker"})).json()["items"]) == 1
    since = (start + timedelta(minutes=30)).isoformat()
    assert len((await api.get("/api/interactions", params=wanted | {"since": since})).json()["items"]) == 2
    answer = await api.get("/api/interactions", params=wanted | {"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sorted(line["body"] for line in lines) == ["", "'+1", "Yes, please"]
    assert UUID(lines[0]["recipient_id"]) == running.first.recipient


async def _interaction(
    conn: Connection[Record], running: worlds.Running, kind: str, body: str | None, at: datetime
) -> None:
    """Record what the first person of a campaign did."""
    await sql.add_interaction(
        conn,
        inbox=uuid4(),
        contact=running.first.contact,
        sender=running.sender,
        campaign=running.campaign,
        recipient=running.first.recipient,
        type=kind,
        body=body,
        message_id="WA1",
        quoted_id=None,
        at=at,
        received_at=at,
        in_window=True,
        outcome="again",
        why="quoted",
    )


@pytest.mark.parametrize("status", ["failed", "no_interaction", "read", None])
async def test_messages_are_paged_one_by_one_without_a_gap_or_a_double(
    api: httpx.AsyncClient, conn: Connection[Record], status: str | None
) -> None:
    running, _ = await worlds.sent(conn, 12, at=worlds.now() - timedelta(days=2))
    ids = [person.message for person in running.people]
    await transitions.accept(conn, [worlds.fact(m, "read") for m in ids[8:]], by="test")
    for person in running.people[:8:2]:
        await transitions.fail(
            conn, [Failure(message=person.message, error_class="reported", error_text="no")], by="test"
        )
    await worlds.reply(conn, running, running.people[8], at=worlds.now() - timedelta(days=1, hours=12))
    await transitions.mark_silent(conn, running.campaign, worlds.now())
    wanted = {"campaign_id": str(running.campaign), "limit": "1"} | ({"status": status} if status else {})
    whole = (await api.get("/api/messages", params=wanted | {"limit": "200"})).json()["items"]
    seen: list[str] = []
    behind: dict[str, str] = {}
    while True:
        one = (await api.get("/api/messages", params=wanted | behind)).json()
        seen += [item["id"] for item in one["items"]]
        if one["next_cursor"] is None:
            break
        behind = {"cursor": one["next_cursor"]}
    assert seen == [item["id"] for item in whole]
    expected = {"failed": 4, "no_interaction": 7, "read": 1, None: 13}[status]
    assert len(seen) == len(set(seen)) == expected
