"""Contacts: the people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from litestar import Router, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

import settings
from models import cache, forgetting, pool, stops, transitions
from models.queries import from_json, json_text, sql
from rules import phone
from web.auth import who
from web.pages import Cursor, Limit, Skip, key, page
from web.problems import Problem, not_found
from web.wire.common import Page
from web.wire.contacts import Contact, ContactChange, ContactLine, ContactStats, NewContact

if TYPE_CHECKING:
    from asyncpg import Record

FEW = 5_000
"""So many hits of a search are put into order; of more, the newest contacts are looked at one by one."""
NOTHING = "~"
LEAST_ENDING = 3
"""Digits of the end of a phone."""


@post()
async def create(data: JSONBody[NewContact]) -> Contact:
    """Add one contact.

    409 ``duplicate_contact``, with the ``id`` of whoever has this phone already, in whichever spelling (Mexico with
    and without 1, Argentina 9, Brazil's ninth digit); 409 ``erased_contact``: this person asked to be erased.
    422: no such phone can exist.
    """
    number = read_phone(data.phone, data.region)
    person = phone.identity(number)
    async with pool.transaction() as conn:
        await refuse_unknown_categories(conn, data.category_ids)
        made = await sql.add_contact(
            conn,
            phone=number,
            identity=person,
            name=data.name or None,
            attributes=json_text(data.attributes),
            consent_source=data.consent_source,
        )
        if made is None:
            known = await sql.contact_of_person(conn, phone=number, identity=person)
            raise Problem(409, "duplicate_contact", "a contact with this phone exists already", id=str(known))
        # After the insert, which has waited for an erasure under way.
        if await stops.among(conn, [person]):
            raise Problem(409, "erased_contact", "this person was erased and cannot be added again")
        await sql.put_into_categories(conn, contact=made, categories=data.category_ids)
        shown = _contact(await sql.read_contact(conn, contact=made))
    await forgetting.contacts_changed(data.category_ids)
    return shown


@get()
async def listed(
    q: Annotated[
        str | None,
        QueryParameter(
            max_length=200,
            description="Words of the name, each may be a beginning; or how a phone begins or ends.",
        ),
    ] = None,
    category_id: FromQuery[UUID | None] = None,
    opted_out: FromQuery[bool | None] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    skip: Skip = 0,
) -> Page[ContactLine]:
    """List contacts, newest first."""
    wanted: dict[str, Any] = {
        "before": key(cursor), **chosen(category_id, opted_out), "skip": skip, "many": limit + 1
    }  # fmt: skip
    async with pool.connection() as conn:
        if q is None or not q.strip():
            rows = await sql.list_contacts(conn, **wanted)
        else:
            sought = {"words": _words(q), **_phone_ends(q)}
            many = await sql.count_hits(conn, most=FEW + 1, **sought)
            rows = await (sql.search_contacts if many <= FEW else sql.walk_contacts)(conn, **sought, **wanted)
    return page(rows, limit, lambda row: ContactLine(**row))


@get("/{contact_id:uuid}")
async def one(contact_id: FromPath[UUID]) -> Contact:
    """Return one contact."""
    async with pool.connection() as conn:
        return _contact(await found(conn, contact_id))


@patch("/{contact_id:uuid}")
async def change(contact_id: FromPath[UUID], data: JSONBody[ContactChange]) -> Contact:
    """Change one contact. ``opted_out`` true cancels what is pending for this person in every campaign."""
    async with pool.transaction() as conn:
        row = await found(conn, contact_id)
        same_person = await sql.lock_contacts(conn, identity=row["identity"], lid=row["lid"])
        await sql.change_contact(
            conn,
            contact=contact_id,
            name=row["name"] if data.name is UNSET else data.name or None,
            attributes=row["attributes"] if data.attributes is UNSET else json_text(data.attributes),
            consent_source=row["consent_source"] if data.consent_source is UNSET else data.consent_source,
        )
        if data.opted_out is True:
            await transitions.opt_out(
                conn,
                [other["id"] for other in same_person],
                recipient=None,
                at=datetime.now(UTC),
                why="a person opted them out",
                by=who(),
            )
        elif data.opted_out is False:
            for other in same_person:
                await sql.opt_in(conn, contact=other["id"])
        shown = _contact(await sql.read_contact(conn, contact=contact_id))
    await forgetting.contacts_changed(shown.category_ids)
    if data.opted_out is True:
        await forgetting.messages_moved()
    return shown


@get("/stats")
async def stats() -> ContactStats:
    """Return how many contacts there are, and how many of them may be written to."""

    async def counted() -> ContactStats:
        async with pool.connection() as conn:
            return ContactStats(**await sql.contact_stats(conn))

    return await cache.this().read("stats", "contacts", counted, ContactStats)


router = Router("/contacts", route_handlers=[create, listed, one, change, stats], tags=["contacts"])


def chosen(category: UUID | None, opted_out: bool | None) -> dict[str, Any]:
    """Return the filters of the lists of contacts as their statements take them; None leaves one out."""
    return {"category": category, "stopped": opted_out or None, "reachable": opted_out is False or None}


def read_phone(raw: str, region: str | None) -> str:
    """Return a number as E.164, or refuse it with cause and remedy."""
    try:
        return phone.parse(raw, region or settings.get().default_region or None)
    except phone.BadPhone as error:
        raise Problem(422, "bad_phone", error.reason, flaw=error.flaw) from None


async def refuse_unknown_categories(conn: pool.Conn, categories: list[UUID]) -> None:
    """Raise the 422 that names a category which does not exist."""
    missing = await sql.missing_categories(conn, categories=categories)
    if missing:
        names = ", ".join(str(row["id"]) for row in missing)
        raise Problem(422, "unknown_category", f"there is no category {names}: see GET /api/categories")


async def found(conn: pool.Conn, contact: UUID) -> Record:
    """Return the row of a contact, or raise the 404; somebody who was erased is not there."""
    row: Record | None = await sql.read_contact(conn, contact=contact)
    if row is None:
        raise not_found("contact", contact)
    return row


def _contact(row: Record) -> Contact:
    shown = {name: row[name] for name in Contact.__struct_fields__ if name != "attributes"}
    return Contact(**shown, attributes=from_json(row["attributes"]))


def _words(q: str) -> str:
    """Write a text query in which each word may be a beginning; nothing to search for finds nothing."""
    return " & ".join(f"'{word}':*" for word in re.findall(r"\w+", q))


def _phone_ends(q: str) -> dict[str, str]:
    """Return a phone's beginning, and its end read backwards; what is no phone gives what no phone begins with.

    The end may be written the national way: 01 99 00 12 34 ends +33199001234.

    >>> _phone_ends("0199001")
    {'starts': '+0199001', 'ends': '1009910', 'ends_national': '100991'}
    """
    digits = re.sub(r"[\s().\-+]", "", q)
    if not digits.isdecimal() or not digits.isascii():
        return dict.fromkeys(("starts", "ends", "ends_national"), NOTHING)
    long = len(digits) >= LEAST_ENDING and not q.strip().startswith("+")
    return {
        "starts": f"+{digits.removeprefix('00')}",
        "ends": digits[::-1] if long else NOTHING,
        "ends_national": digits[:0:-1] if long and digits[0] == "0" and len(digits) > LEAST_ENDING else NOTHING,
    }
