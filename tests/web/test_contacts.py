from __future__ import annotations

from uuid import UUID, uuid4

import httpx
from asyncpg import Connection, Record

from models.queries import sql
from tests import worlds
from tests.web.conftest import Makes, fresh_phone, problem
from web.contacts import chosen


async def test_a_contact_is_made_with_its_phone_in_one_spelling(
    api: httpx.AsyncClient, conn: Connection[Record]
) -> None:
    phone = fresh_phone()
    national = "0" + phone.removeprefix("+33")
    answer = await api.post("/api/contacts", json={"phone": national, "name": "Ana", "attributes": {"city": "Lyon"}})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["phone"], made["name"], made["attributes"]) == (phone, "Ana", {"city": "Lyon"})
    assert await conn.fetchval("SELECT identity FROM contact WHERE id = $1", UUID(made["id"])) == phone.removeprefix(
        "+"
    )
    assert (await api.get(f"/api/contacts/{made['id']}")).json() == made


async def test_a_region_in_the_request_goes_before_the_default_one(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/contacts", json={"phone": "(212) 555-0123", "region": "US"})
    assert answer.json()["phone"] == "+12125550123"


async def test_a_phone_that_is_known_is_refused_with_the_id_of_its_contact(
    api: httpx.AsyncClient, new_contact: Makes
) -> None:
    known = await new_contact()
    answer = await api.post("/api/contacts", json={"phone": known["phone"].replace("+33", "0033")})
    assert problem(answer, 409, "duplicate_contact")["id"] == known["id"]


async def test_an_impossible_phone_is_refused_with_the_reason(api: httpx.AsyncClient) -> None:
    document = problem(await api.post("/api/contacts", json={"phone": "+33 6 39 98 00 00"}), 422, "bad_phone")
    assert document["flaw"] == "invalid"
    assert "639980000" not in document["detail"]


async def test_an_unknown_field_is_refused_by_name(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/contacts", json={"phone": fresh_phone(), "telephone": "1"})
    document = problem(answer, 400, "invalid_request")
    assert document["errors"][0]["field"] == "telephone"
    assert "unknown field" in document["detail"]


async def test_a_missing_field_is_named(api: httpx.AsyncClient) -> None:
    document = problem(await api.post("/api/contacts", json={"name": "Ana"}), 400, "invalid_request")
    assert document["errors"][0]["field"] == "phone"


async def test_a_value_of_the_wrong_kind_is_named_where_it_stands(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/contacts", json={"phone": fresh_phone(), "attributes": {"age": {"years": 3}}})
    assert "attributes" in problem(answer, 400, "invalid_request")["errors"][0]["field"]


async def test_a_body_that_is_no_json_and_none_at_all_are_refused(api: httpx.AsyncClient) -> None:
    broken = await api.post("/api/contacts", content=b'{"phone": ', headers={"content-type": "application/json"})
    problem(broken, 400, "invalid_request")
    assert "body is required" in problem(await api.post("/api/contacts"), 400, "invalid_request")["detail"]


async def test_a_text_that_the_database_cannot_hold_is_refused(api: httpx.AsyncClient) -> None:
    problem(await api.post("/api/contacts", json={"phone": fresh_phone(), "name": "A\0na"}), 400, "not_storable")


async def test_an_unknown_category_is_refused_and_nobody_is_made(api: httpx.AsyncClient) -> None:
    phone, category = fresh_phone(), str(uuid4())
    answer = await api.post("/api/contacts", json={"phone": phone, "category_ids": [category]})
    assert category in problem(answer, 422, "unknown_category")["detail"]
    assert (await api.post("/api/contacts", json={"phone": phone})).status_code == 201


async def test_contacts_are_found_by_words_of_their_name_and_by_the_beginning_of_their_phone(
    api: httpx.AsyncClient, new_contact: Makes
) -> None:
    made = await new_contact(name="Zénobie Quartz-Lemaire")

    async def found(q: str) -> list[str]:
        return [one["id"] for one in (await api.get("/api/contacts", params={"q": q})).json()["items"]]

    assert await found("zéno quartz") == [made["id"]]
    assert await found("lemaire") == [made["id"]]
    assert made["id"] in await found(made["phone"][:10])
    assert await found(made["phone"]) == [made["id"]]
    assert await found("zéno amethyst") == []
    assert await found("'|!&:*") == []


async def test_a_list_is_paged_without_a_gap_or_a_double(api: httpx.AsyncClient, new_category: Makes) -> None:
    category = await new_category(people=5)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        wanted = {"category_id": category["id"], "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/api/contacts", params=wanted)).json()
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


async def test_any_contact_is_a_cursor_to_skip_from(api: httpx.AsyncClient, new_category: Makes) -> None:
    category = await new_category(people=6)

    async def ids(**more: str | int) -> list[str]:
        answer = await api.get("/api/contacts", params={"category_id": category["id"], **more})
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    everybody = await ids()
    assert await ids(skip=2) == everybody[2:]
    assert await ids(skip=1, cursor=everybody[1], limit=2) == everybody[3:5]
    assert await ids(skip=6) == []
    assert await ids(q="Ana", skip=4) == everybody[4:]
    problem(await api.get("/api/contacts", params={"skip": -1}), 400, "invalid_request")


async def test_a_page_may_not_be_too_long_nor_its_cursor_invented(api: httpx.AsyncClient) -> None:
    document = problem(await api.get("/api/contacts", params={"limit": 201}), 400, "invalid_request")
    assert document["errors"][0] | {"reason": ""} == {"field": "limit", "in": "query", "reason": ""}
    problem(await api.get("/api/contacts", params={"cursor": "tomorrow"}), 400, "invalid_cursor")


async def test_a_contact_that_opts_out_gets_nothing_any_more(api: httpx.AsyncClient, conn: Connection[Record]) -> None:
    running = await worlds.launched(conn, 1)
    contact = str(running.first.contact)
    answer = await api.patch(f"/api/contacts/{contact}", json={"opted_out": True})
    assert answer.json()["opted_out_at"] is not None
    assert await worlds.status(conn, running.first.message) == "cancelled"
    assert await worlds.state(conn, running.first.recipient) == "opted_out"
    listed = (await api.get("/api/contacts", params={"opted_out": True})).json()["items"]
    assert contact in [one["id"] for one in listed]
    back = await api.patch(f"/api/contacts/{contact}", json={"opted_out": False})
    assert back.json()["opted_out_at"] is None


async def test_only_what_is_named_changes(api: httpx.AsyncClient, new_contact: Makes) -> None:
    made = await new_contact(attributes={"city": "Lyon"}, consent_source="fair")
    answer = await api.patch(f"/api/contacts/{made['id']}", json={"name": None})
    assert answer.json() | {"updated_at": ""} == made | {"name": None, "updated_at": ""}


async def test_an_unknown_contact_is_not_found(api: httpx.AsyncClient) -> None:
    problem(await api.get(f"/api/contacts/{uuid4()}"), 404, "not_found")
    problem(await api.patch(f"/api/contacts/{uuid4()}", json={}), 404, "not_found")
    problem(await api.get("/api/contacts/nobody"), 404, "not_found")


async def test_contacts_are_found_by_the_end_of_their_phone_in_either_spelling(
    api: httpx.AsyncClient, new_contact: Makes
) -> None:
    made = await new_contact()

    async def found(q: str) -> list[str]:
        return [one["id"] for one in (await api.get("/api/contacts", params={"q": q})).json()["items"]]

    phone = made["phone"]
    assert made["id"] in await found(phone[-4:])
    assert await found("0" + phone.removeprefix("+33")) == [made["id"]]
    assert made["id"] not in await found(phone[-3:] + "0")
    assert made["id"] not in await found(phone[-2:])


async def test_a_search_of_many_hits_finds_what_one_of_few_does(
    api: httpx.AsyncClient, new_category: Makes, conn: Connection[Record]
) -> None:
    category = UUID((await new_category(people=3, name="Quincunx"))["id"])
    sought = {"words": "'quinc':*", "starts": "~", "ends": "~", "ends_national": "~"}
    wanted = {"before": None, **chosen(category, None), "skip": 0, "many": 10}
    few = await sql.search_contacts(conn, **sought, **wanted)
    assert len(few) == 3
    assert await sql.walk_contacts(conn, **sought, **wanted) == few
    assert await sql.count_hits(conn, most=2, **sought) == 2


async def test_every_combination_of_filters_lists_whom_it_should(
    api: httpx.AsyncClient, new_category: Makes, new_contact: Makes
) -> None:
    category = (await new_category())["id"]
    made = [await new_contact(category_ids=[category], name="Zyxwv") for _ in range(4)]
    await new_contact(name="Zyxwv")  # in no category
    ids = [one["id"] for one in reversed(made)]
    for one in (made[0], made[2]):
        await api.patch(f"/api/contacts/{one['id']}", json={"opted_out": True})
    wanted: dict[bool | None, list[str]] = {None: ids, True: [ids[1], ids[3]], False: [ids[0], ids[2]]}
    for opted_out, expected in wanted.items():
        for search in ({}, {"q": "Zyxwv"}):
            asked = {"category_id": category, "limit": 1} | search
            asked |= {} if opted_out is None else {"opted_out": opted_out}
            found, cursor = [], None
            while True:
                page = (await api.get("/api/contacts", params=asked | ({"cursor": cursor} if cursor else {}))).json()
                found += [line["id"] for line in page["items"]]
                if (cursor := page["next_cursor"]) is None:
                    break
            assert found == expected, (opted_out, search)
        told = {"category_id": category} | ({} if opted_out is None else {"opted_out": opted_out})
        lines = (await api.get("/api/contacts/export", params=told)).text.splitlines()[1:]
        assert len(lines) == len(expected)


async def test_a_variant_of_a_known_phone_is_that_person(api: httpx.AsyncClient) -> None:
    made = (await api.post("/api/contacts", json={"phone": "+54 9 11 2345 6700"})).json()
    document = problem(await api.post("/api/contacts", json={"phone": "+54 11 2345 6700"}), 409, "duplicate_contact")
    assert document["id"] == made["id"]


async def test_the_zero_of_italy_stays_and_the_others_go(api: httpx.AsyncClient) -> None:
    for written, stored in (("+39 06 6982 0000", "+390669820000"), ("0039 (0)6 6982 0001", "+390669820001")):
        assert (await api.post("/api/contacts", json={"phone": written})).json()["phone"] == stored
