from __future__ import annotations

from uuid import uuid4

import httpx

from tests.web.conftest import Makes, problem


async def test_a_category_tells_how_many_contacts_it_has(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes
) -> None:
    category = await new_category(people=2)
    path = f"/api/categories/{category['id']}"
    other = await new_contact()
    assert (await api.get(path)).json()["contact_count"] == 2
    put = {"contact_ids": [other["id"]]}
    assert (await api.put(f"{path}/contacts", json=put)).json() == {"changed": 1}
    assert (await api.put(f"{path}/contacts", json=put)).json() == {"changed": 0}
    listed = (await api.get("/api/categories", params={"limit": 200})).json()["items"]
    assert {one["id"]: one["contact_count"] for one in listed}[category["id"]] == 3
    assert (await api.request("DELETE", f"{path}/contacts", json=put)).json() == {"changed": 1}
    assert (await api.get(path)).json()["contact_count"] == 2


async def test_a_name_belongs_to_one_category(api: httpx.AsyncClient, new_category: Makes) -> None:
    one, other = await new_category(), await new_category()
    document = problem(await api.post("/api/categories", json={"name": one["name"]}), 409, "duplicate_category")
    assert document["id"] == one["id"]
    problem(await api.patch(f"/api/categories/{other['id']}", json={"name": one["name"]}), 409, "duplicate_category")
    renamed = await api.patch(f"/api/categories/{other['id']}", json={"name": other["name"] + " b"})
    assert renamed.json()["name"] == other["name"] + " b"


async def test_contacts_that_do_not_exist_are_refused_by_id(api: httpx.AsyncClient, new_category: Makes) -> None:
    category, nobody = await new_category(), str(uuid4())
    answer = await api.put(f"/api/categories/{category['id']}/contacts", json={"contact_ids": [nobody]})
    assert nobody in problem(answer, 422, "unknown_contact")["detail"]


async def test_a_category_is_deleted_without_its_contacts(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes
) -> None:
    category = await new_category()
    contact = await new_contact(category_ids=[category["id"]])
    assert (await api.delete(f"/api/categories/{category['id']}")).status_code == 204
    problem(await api.get(f"/api/categories/{category['id']}"), 404, "not_found")
    assert (await api.get(f"/api/contacts/{contact['id']}")).json()["category_ids"] == []


async def test_a_category_that_a_draft_is_for_stays(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    campaign = await new_campaign()
    problem(await api.delete(f"/api/categories/{campaign['category_ids'][0]}"), 409, "category_in_use")


async def test_an_unknown_category_is_not_found(api: httpx.AsyncClient) -> None:
    path = f"/api/categories/{uuid4()}"
    problem(await api.get(path), 404, "not_found")
    problem(await api.delete(path), 404, "not_found")
    problem(await api.patch(path, json={"name": "x"}), 404, "not_found")
    problem(await api.put(f"{path}/contacts", json={"contact_ids": [str(uuid4())]}), 404, "not_found")
