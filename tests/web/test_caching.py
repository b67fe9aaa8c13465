from __future__ import annotations

from uuid import UUID

import httpx
import redis.asyncio
from asyncpg import Connection, Record

from tests.web.conftest import Makes, fresh_phone
from tests.web.serving import Web


async def keys(web: Web, pattern: str) -> set[str]:
    async with redis.asyncio.Redis.from_url(web.env["REDIS_URL"]) as client:
        return {key.decode() async for key in client.scan_iter(pattern)}


async def test_a_category_s_count_follows_every_change_of_its_contacts(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes
) -> None:
    category = await new_category()

    async def counts() -> tuple[int, int]:
        one = (await api.get(f"/api/categories/{category['id']}")).json()["contact_count"]
        listed = (await api.get("/api/categories", params={"limit": 200})).json()["items"]
        return one, next(line["contact_count"] for line in listed if line["id"] == category["id"])

    assert await counts() == (0, 0)
    made = await new_contact(category_ids=[category["id"]])
    assert await counts() == (1, 1)
    members = f"/api/categories/{category['id']}/contacts"
    await api.request("DELETE", members, json={"contact_ids": [made["id"]]})
    assert await counts() == (0, 0)
    await api.put(members, json={"contact_ids": [made["id"]]})
    assert await counts() == (1, 1)
    await api.post("/api/contacts/bulk", json={"action": "delete", "ids": [made["id"]]})
    assert await counts() == (0, 0)


async def test_the_list_follows_names_and_deletions(api: httpx.AsyncClient, new_category: Makes) -> None:
    category = await new_category()

    async def names() -> dict[str, str]:
        listed = (await api.get("/api/categories", params={"limit": 200})).json()["items"]
        return {line["id"]: line["name"] for line in listed}

    assert (await names())[category["id"]] == category["name"]
    await api.patch(f"/api/categories/{category['id']}", json={"name": f"{category['name']} renamed"})
    assert (await names())[category["id"]].endswith("renamed")
    await api.delete(f"/api/categories/{category['id']}")
    assert category["id"] not in await names()
    assert (await api.get(f"/api/categories/{category['id']}")).status_code == 404


async def test_a_change_of_members_drops_that_category_and_no_other(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes, web: Web
) -> None:
    one, other = await new_category(), await new_category()
    for category in (one, other):
        await api.get(f"/api/categories/{category['id']}")
    await new_contact(category_ids=[one["id"]])
    kept = await keys(web, "cache:categories:detail:*")
    assert f"cache:categories:detail:{one['id']}" not in kept
    assert f"cache:categories:detail:{other['id']}" in kept


async def test_the_statistics_of_contacts_follow_them(api: httpx.AsyncClient) -> None:
    async def stats() -> dict[str, int]:
        return dict((await api.get("/api/contacts/stats")).json())

    before = await stats()
    made = (await api.post("/api/contacts", json={"phone": fresh_phone()})).json()
    assert await stats() == {"total": before["total"] + 1, "reachable": before["reachable"] + 1} | {
        "opted_out": before["opted_out"]
    }
    await api.patch(f"/api/contacts/{made['id']}", json={"opted_out": True})
    assert (await stats())["opted_out"] == before["opted_out"] + 1
    await api.delete(f"/api/contacts/{made['id']}")
    assert await stats() == before


async def test_the_cache_tells_how_well_it_does(
    api: httpx.AsyncClient, conn: Connection[Record], new_campaign: Makes
) -> None:
    campaign = UUID((await new_campaign())["id"])
    before = (await api.get("/api/cache/stats")).json()
    for _ in range(10):
        assert (await api.get("/api/messages/stats", params={"campaign_id": str(campaign)})).status_code == 200
    after = (await api.get("/api/cache/stats")).json()
    assert after["available"]
    assert (after["hits"] - before["hits"], after["misses"] - before["misses"]) == (9, 1)
    assert 0 < after["hit_rate"] <= 1
    assert after["keys"] >= 1
    assert after["latency_ms"] > 0
