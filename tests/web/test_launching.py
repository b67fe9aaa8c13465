from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from asyncpg import Connection, Record

from tests.web.conftest import Makes, problem


async def test_a_preview_says_who_reads_what_and_until_when(
    api: httpx.AsyncClient, new_campaign: Makes, new_contact: Makes
) -> None:
    made = await new_campaign(people=2, message_1="Hello {{name}} of {{city|afar}}", message_2="Thanks {{name}}")
    category = made["category_ids"][0]
    await new_contact(category_ids=[category], name=None)
    stopped = await new_contact(category_ids=[category])
    await api.patch(f"/api/contacts/{stopped['id']}", json={"opted_out": True})
    shown = (await api.post(f"/api/campaigns/{made['id']}/preview")).json()
    assert shown["audience"] == {
        "members": 4, "reached": 3, "opted_out": 1, "excluded": 0, "contacted_recently": 0, "same_person": 0,
        "incomplete": 1,
    }  # fmt: skip
    assert shown["missing"] == {"name": 1}
    texts = [(one["message_1"], one["message_2"], one["missing"]) for one in shown["samples"]]
    assert ("Hello Ana of afar", "Thanks Ana", []) in texts
    assert (None, None, ["name"]) in texts
    # Whoever lacks a name gets nothing: nobody waits for a day on their account.
    assert (shown["quota_needed"], shown["quota"]["remaining"]) == (2, 1000)
    assert shown["forecast"]["parts"]["delay"] == 5
    assert shown["forecast"]["parts"]["quota"] == 0
    assert shown["forecast"]["parts"]["window"] == 86_400


async def test_people_who_are_excluded_or_the_same_are_counted_once_by_reason(
    api: httpx.AsyncClient, new_campaign: Makes, new_category: Makes, new_contact: Makes
) -> None:
    made, out = await new_campaign(people=1), await new_category()
    category = made["category_ids"][0]
    await new_contact(category_ids=[category, out["id"]])
    await new_contact(phone="+522221234567", category_ids=[category])
    await new_contact(phone="+525512345678", category_ids=[category])
    await api.patch(f"/api/campaigns/{made['id']}", json={"exclude": {"category_ids": [out["id"]]}})
    answer = await api.post(f"/api/campaigns/{made['id']}/send")
    assert answer.status_code == 202
    assert answer.json()["reserved"] == 3
    assert answer.json()["excluded"] == {"opted_out": 0, "excluded": 1, "contacted_recently": 0, "same_person": 0}


async def test_a_campaign_is_launched_once(
    api: httpx.AsyncClient, new_campaign: Makes, conn: Connection[Record]
) -> None:
    made = await new_campaign(people=2)
    answers = await asyncio.gather(*(api.post(f"/api/campaigns/{made['id']}/send") for _ in range(5)))
    launched = [one for one in answers if one.status_code == 202]
    day = (await api.get(f"/api/senders/{made['sender_id']}")).json()["quota_today"]["day"]
    assert [one.json() for one in launched] == [
        {
            "reserved": 2,
            "plan": {day: 2},
            "excluded": {"opted_out": 0, "excluded": 0, "contacted_recently": 0, "same_person": 0},
            "status": "launching",
            "scheduled_at": None,
        }
    ]
    for other in answers:
        if other not in launched:
            problem(other, 409, "already_launched")
    row = await conn.fetchrow(
        "SELECT status, window_seconds, safety_seconds FROM campaign WHERE id = $1", UUID(made["id"])
    )
    assert row is not None
    assert tuple(row) == ("launching", 86_400, 172_800)


async def test_nobody_to_send_to_is_refused(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made = await new_campaign(people=0)
    problem(await api.post(f"/api/campaigns/{made['id']}/send"), 422, "empty_audience")


async def test_contacts_whose_text_would_have_a_hole_are_named_by_what_they_lack(
    api: httpx.AsyncClient, new_campaign: Makes, new_contact: Makes
) -> None:
    made = await new_campaign(people=1, message_1="Hello", message_2="Thanks {{city}}")
    await new_contact(category_ids=made["category_ids"], attributes={"city": "Lyon"})
    path = f"/api/campaigns/{made['id']}/send"
    document = problem(await api.post(path), 422, "incomplete_contacts")
    assert document["missing"] == {"attributes.city": 1}
    skipped = await api.post(path, params={"skip_incomplete": True})
    assert (skipped.status_code, skipped.json()["reserved"], skipped.json()["excluded"]["incomplete"]) == (202, 1, 1)


async def test_all_incomplete_contacts_skipped_leaves_nobody(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made = await new_campaign(people=1, message_1="Hello {{city}}")
    answer = await api.post(f"/api/campaigns/{made['id']}/send", json={"skip_incomplete": True})
    problem(answer, 422, "empty_audience")


async def test_more_than_the_day_allows_is_refused_with_what_remains(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 3})
    first, second = await new_campaign(people=2), await new_campaign(people=2)
    assert (await api.post(f"/api/campaigns/{first['id']}/send")).status_code == 202
    # The first one is still being launched: what it will need is taken already.
    document = problem(await api.post(f"/api/campaigns/{second['id']}/send"), 429, "quota")
    assert (document["remaining"], document["needed"]) == (1, 2)


async def test_two_launches_of_one_number_do_not_take_the_same_remainder(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 3})
    drafts = [await new_campaign(people=2) for _ in range(4)]
    answers = await asyncio.gather(*(api.post(f"/api/campaigns/{one['id']}/send") for one in drafts))
    assert sorted(one.status_code for one in answers) == [202, 429, 429, 429]


async def test_a_sender_that_cannot_send_is_named_with_its_reason(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    made = await new_campaign()
    await api.post(f"/api/senders/{sender}/pause")
    document = problem(await api.post(f"/api/campaigns/{made['id']}/send"), 409, "sender_not_ready")
    assert "a person paused it" in document["detail"]


async def test_a_cancelled_draft_cannot_be_sent(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    made = await new_campaign()
    await api.post(f"/api/campaigns/{made['id']}/cancel")
    problem(await api.post(f"/api/campaigns/{made['id']}/send"), 409, "not_launchable")


async def test_a_launch_wakes_the_launcher(api: httpx.AsyncClient, new_campaign: Makes, redis_url: str) -> None:
    import redis.asyncio

    from tests.simulator_process import until

    made = await new_campaign()
    await api.post(f"/api/campaigns/{made['id']}/send")
    async with redis.asyncio.Redis.from_url(redis_url) as client:

        async def woken() -> bool:
            waiting = await client.hvals("relance:queues:work.msgs")
            return any(b"launch_campaign" in one and made["id"].encode() in one for one in waiting)

        await until(woken, what="the wake-up of the launcher")


async def test_a_launch_beyond_the_day_is_spread_on_a_plan_that_is_shown(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 3})
    made = await new_campaign(people=5, spread_over_days=2)
    path = f"/api/campaigns/{made['id']}"
    shown = (await api.post(f"{path}/preview")).json()
    assert list(shown["plan"].values()) == [3, 2]
    sent = (await api.post(f"{path}/send")).json()
    assert sent["plan"] == shown["plan"] == (await api.get(path)).json()["plan"]
    quota = (await api.get(f"/api/senders/{sender}")).json()["quota_today"]
    assert (quota["used"], quota["reserved"], quota["remaining"]) == (0, 3, 0)


async def test_a_spread_that_is_too_short_is_refused_with_the_day_and_nothing_is_launched(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 2})
    made = await new_campaign(people=5, spread_over_days=2)
    document = problem(await api.post(f"/api/campaigns/{made['id']}/send"), 429, "quota")
    assert (document["remaining"], document["needed"]) == (2, 3)
    assert document["day"]
    after = (await api.get(f"/api/campaigns/{made['id']}")).json()
    assert (after["status"], after["plan"]) == ("draft", {})
    shown = (await api.post(f"/api/campaigns/{made['id']}/preview")).json()
    assert shown["plan"] == {}
    assert "more days" in shown["plan_reason"]


async def test_a_scheduled_campaign_keeps_its_places_on_its_day(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 3})
    at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    first, second = await new_campaign(people=2, scheduled_at=at), await new_campaign(people=2, scheduled_at=at)
    assert (await api.post(f"/api/campaigns/{first['id']}/send")).json()["status"] == "scheduled"
    document = problem(await api.post(f"/api/campaigns/{second['id']}/send"), 429, "quota")
    assert document["remaining"] == 1
    now = await new_campaign(people=3)
    assert (await api.post(f"/api/campaigns/{now['id']}/send")).status_code == 202, "today is another day"


async def test_a_cancel_gives_the_places_back_at_once(api: httpx.AsyncClient, new_campaign: Makes, sender: str) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 2})
    first, second = await new_campaign(people=2), await new_campaign(people=2)
    assert (await api.post(f"/api/campaigns/{first['id']}/send")).status_code == 202
    assert (await api.post(f"/api/campaigns/{second['id']}/send")).status_code == 429
    assert (await api.post(f"/api/campaigns/{first['id']}/cancel")).status_code == 200
    assert (await api.post(f"/api/campaigns/{second['id']}/send")).status_code == 202


async def test_a_preview_names_the_risk_and_proposes_the_careful_profile_to_a_young_number(
    api: httpx.AsyncClient, new_campaign: Makes
) -> None:
    made = await new_campaign(people=25)
    risk = (await api.post(f"/api/campaigns/{made['id']}/preview")).json()["risk"]
    assert risk["level"] == "high"
    assert risk["sentences"][0].startswith("25 people would be written to for the first time; a number this young")
    assert risk["proposal"]["profile"] == "careful"
    assert "take the careful profile" in risk["proposal"]["why"]


async def test_a_scheduled_campaign_that_is_moved_takes_its_places_along(
    api: httpx.AsyncClient, new_campaign: Makes, sender: str
) -> None:
    await api.patch(f"/api/senders/{sender}", json={"daily_limit": 3})
    days = [(datetime.now(UTC) + timedelta(days=n)).isoformat() for n in (2, 3)]
    first = await new_campaign(people=2, scheduled_at=days[0])
    second = await new_campaign(people=2, scheduled_at=days[1])
    for one in (first, second):
        assert (await api.post(f"/api/campaigns/{one['id']}/send")).status_code == 202
    problem(await api.patch(f"/api/campaigns/{first['id']}", json={"scheduled_at": days[1]}), 429, "quota")
    kept = (await api.get(f"/api/campaigns/{first['id']}")).json()
    assert kept["scheduled_at"][:10] == days[0][:10]
    await api.post(f"/api/campaigns/{second['id']}/cancel")
    moved = await api.patch(f"/api/campaigns/{first['id']}", json={"scheduled_at": days[1]})
    assert moved.status_code == 200, moved.text
    assert list(moved.json()["plan"]) != list(kept["plan"])
    third = await new_campaign(people=3, scheduled_at=days[0])
    assert (await api.post(f"/api/campaigns/{third['id']}/send")).status_code == 202
