from __future__ import annotations

import secrets
from uuid import UUID, uuid4

import httpx
from asyncpg import Connection, Record

from tests import worlds
from tests.web.conftest import problem


async def test_a_sender_shows_its_pace_and_what_is_left_of_its_day(
    api: httpx.AsyncClient, conn: Connection[Record], sender: str
) -> None:
    await conn.execute(
        "INSERT INTO quota_day (sender, day, used) VALUES ($1, (now() AT TIME ZONE 'Europe/Paris')::date, 800)",
        UUID(sender),
    )
    shown = (await api.get(f"/api/senders/{sender}")).json()
    assert (shown["state"], shown["pace"]["delay_seconds"], shown["pace"]["sources"]["delay"]) == (
        "ready",
        5,
        "environment",
    )
    quota = shown["quota_today"]
    assert (quota["limit"], quota["used"], quota["remaining"], quota["level"]) == (1000, 800, 200, "attention")
    assert sender in [one["id"] for one in (await api.get("/api/senders")).json()["items"]]


async def test_senders_come_in_pages(api: httpx.AsyncClient, conn: Connection[Record], sender: str) -> None:
    await worlds.new_sender(conn)
    found: list[str] = []
    cursor: str | None = None
    while cursor is not None or not found:
        asked = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        one = (await api.get("/api/senders", params=asked)).json()
        assert len(one["items"]) == 1
        found, cursor = [*found, one["items"][0]["id"]], one["next_cursor"]
    assert found == [one["id"] for one in (await api.get("/api/senders")).json()["items"]]
    assert sender in found


async def test_a_sender_is_added_once_per_device(api: httpx.AsyncClient) -> None:
    wanted = {
        "device_id": secrets.token_hex(12),
        "name": "Second",
        "phone": "01 99 00 12 34",
        "time_zone": "Europe/Paris",
    }
    made = await api.post("/api/senders", json=wanted | {"pacing": {"delay": 4}, "daily_limit": 50})
    assert made.status_code == 201
    assert made.json()["phone"] == "+33199001234"
    assert (made.json()["pacing"], made.json()["pace"]["delay_seconds"]) == ({"delay": 4}, 4)
    assert made.json()["quota_today"]["limit"] == 50
    problem(await api.post("/api/senders", json=wanted), 409, "duplicate_sender")


async def test_a_pace_out_of_range_is_refused_with_the_range(api: httpx.AsyncClient, sender: str) -> None:
    document = problem(await api.patch(f"/api/senders/{sender}", json={"pacing": {"delay": 1}}), 422, "out_of_range")
    assert "2 to 10" in document["detail"]
    problem(await api.patch(f"/api/senders/{sender}", json={"time_zone": "Mars/Olympus"}), 422, "bad_time_zone")


async def test_a_sender_keeps_what_a_change_does_not_name(api: httpx.AsyncClient, sender: str) -> None:
    before = (await api.patch(f"/api/senders/{sender}", json={"pacing": {"size": 30}, "daily_limit": 9})).json()
    after = (await api.patch(f"/api/senders/{sender}", json={"name": "Renamed"})).json()
    assert after == before | {"name": "Renamed"}
    assert (await api.patch(f"/api/senders/{sender}", json={"daily_limit": None})).json()["quota_today"][
        "limit"
    ] == 1000


async def test_a_sender_pauses_and_resumes_once(api: httpx.AsyncClient, sender: str) -> None:
    assert (await api.post(f"/api/senders/{sender}/pause")).json()["state"] == "paused"
    assert "paused" in problem(await api.post(f"/api/senders/{sender}/pause"), 409, "not_possible")["detail"]
    assert (await api.post(f"/api/senders/{sender}/resume")).json()["state"] == "ready"
    problem(await api.post(f"/api/senders/{sender}/resume"), 409, "not_possible")


async def test_an_unknown_sender_is_not_found(api: httpx.AsyncClient) -> None:
    problem(await api.get(f"/api/senders/{uuid4()}"), 404, "not_found")
    problem(await api.post(f"/api/senders/{uuid4()}/pause"), 404, "not_found")


async def test_configuration_says_where_each_value_comes_from_and_changes_at_run_time(
    api: httpx.AsyncClient, sender: str
) -> None:
    before = (await api.get("/api/config")).json()["WASSENGER_BATCH_PAUSE_SECONDS"]
    assert (before["value"], before["source"], before["bounds"], before["changeable"]) == (
        30,
        "environment",
        [0, 3600],
        True,
    )
    try:
        after = (await api.patch("/api/config", json={"WASSENGER_BATCH_PAUSE_SECONDS": 45})).json()
        assert after["WASSENGER_BATCH_PAUSE_SECONDS"] | {"description": ""} == before | {
            "value": 45, "source": "configuration", "description": ""
        }  # fmt: skip
        pace = (await api.get(f"/api/senders/{sender}")).json()["pace"]
        assert (pace["pause_seconds"], pace["sources"]["pause"]) == (45, "configuration")
    finally:
        undone = (await api.patch("/api/config", json={"WASSENGER_BATCH_PAUSE_SECONDS": None})).json()
    assert undone["WASSENGER_BATCH_PAUSE_SECONDS"] == before


async def test_configuration_refuses_what_cannot_be(api: httpx.AsyncClient) -> None:
    async def change(**values: object) -> httpx.Response:
        return await api.patch("/api/config", json=values)

    assert "25 to 100" in problem(await change(WASSENGER_BATCH_SIZE=5), 422, "out_of_range")["detail"]
    assert "whole number" in problem(await change(WASSENGER_BATCH_SIZE=50.5), 422, "out_of_range")["detail"]
    assert "number" in problem(await change(PACING_JITTER="much"), 422, "out_of_range")["detail"]
    assert "standard, careful" in problem(await change(PACING_PROFILE="wild"), 422, "out_of_range")["detail"]
    assert "environment" in problem(await change(SECRET_KEY="x"), 400, "unknown_setting")["detail"]
    assert "no setting" in problem(await change(SPEED=3), 400, "unknown_setting")["detail"]


async def test_the_emergency_stop_pauses_every_number_and_a_second_one_none(
    api: httpx.AsyncClient, conn: Connection[Record], sender: str
) -> None:
    stopped = (await api.post("/api/pause-all")).json()["paused"]
    assert sender in stopped
    states = {row["state"] for row in await conn.fetch("SELECT state FROM sender")}
    assert not states & {"ready", "degraded", "offline"}
    assert (await api.post("/api/pause-all")).json() == {"paused": []}
    reason = (await api.get(f"/api/senders/{sender}")).json()["reason"]
    assert reason == "a person paused everything"
    assert (await api.post(f"/api/senders/{sender}/resume")).json()["state"] == "ready"


async def test_a_sender_shows_why_it_is_not_mature_and_a_person_may_say_it_is(
    api: httpx.AsyncClient, conn: Connection[Record], sender: str
) -> None:
    shown = (await api.get(f"/api/senders/{sender}")).json()
    assert not shown["maturity"]["mature"] and shown["maturity"]["override"] is None
    assert "28 days are needed" in shown["maturity"]["missing"][0] and len(shown["maturity"]["missing"]) == 4
    said = (await api.patch(f"/api/senders/{sender}", json={"mature": True})).json()
    assert said["maturity"]["mature"] and not said["maturity"]["computed"]
    assert said["maturity"]["reasons"][0] == "A person declared this number mature; its figures say otherwise."
    assert (said["pace"]["delay_seconds"], said["pace"]["sources"]["delay"]) == (3, "maturity")
    used = {"mature": None, "first_used_at": "2020-01-01T00:00:00Z"}
    older = (await api.patch(f"/api/senders/{sender}", json=used)).json()
    assert older["pace"]["delay_seconds"] == 5 and len(older["maturity"]["missing"]) == 3


async def test_new_conversations_are_counted_apart_with_their_cap_and_what_holds_them(
    api: httpx.AsyncClient, conn: Connection[Record], sender: str
) -> None:
    standard = (await api.get(f"/api/senders/{sender}")).json()["new_conversations"]
    assert (standard["opened_today"], standard["cap"], standard["held_until"]) == (0, None, None)
    careful = (await api.patch(f"/api/senders/{sender}", json={"pacing": {"profile": "careful"}})).json()
    assert careful["new_conversations"]["cap"] == 20
    assert careful["new_conversations"]["cap_reason"] == "the first stage: it has still to earn the next"
    problem(await api.post(f"/api/senders/{sender}/allow-new-chats"), 409, "not_possible")
    await conn.execute(
        "UPDATE sender SET new_chats_after = now() + interval '1 h', new_chats_why = 'error 463' WHERE id = $1",
        UUID(sender),
    )
    held = (await api.get(f"/api/senders/{sender}")).json()["new_conversations"]
    assert held["held_until"] is not None and held["held_reason"] == "error 463"
    allowed = (await api.post(f"/api/senders/{sender}/allow-new-chats")).json()["new_conversations"]
    assert allowed["held_until"] is None


async def test_thresholds_change_at_run_time_within_their_bounds(api: httpx.AsyncClient, sender: str) -> None:
    try:
        changed = (await api.patch("/api/config", json={"MATURE_DELAY_SECONDS": 4, "MATURE_SENT": 10})).json()
        assert (changed["MATURE_DELAY_SECONDS"]["value"], changed["MATURE_DELAY_SECONDS"]["source"]) == (
            4, "configuration"
        )  # fmt: skip
        said = (await api.patch(f"/api/senders/{sender}", json={"mature": True})).json()
        assert said["pace"]["delay_seconds"] == 4
        assert "10 are needed" in said["maturity"]["missing"][1]
        assert "2 to 10" in problem(
            await api.patch("/api/config", json={"MATURE_DELAY_SECONDS": 1}), 422, "out_of_range"
        )["detail"]  # fmt: skip
    finally:
        await api.patch("/api/config", json={"MATURE_DELAY_SECONDS": None, "MATURE_SENT": None})
