"""Many contacts at once: one action on a list of them, and all of them as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream

from actors.wake import wake
from models import erasure, forgetting, pool, transitions
from models.queries import from_json, json_text, sql
from web import csvs
from web.auth import who
from web.contacts import chosen, refuse_unknown_categories
from web.problems import Problem
from web.wire.contacts import BulkDone, BulkOrder

STEP = 500
"""People of one transaction."""
_COLUMNS = ("phone", "name", "category", "opted_out", "consent_source")


@post("/bulk", status_code=200)
async def bulk(data: JSONBody[BulkOrder]) -> BulkDone:
    """Do one thing to up to 10,000 contacts: opt_out, opt_in, delete, add_category, remove_category, set_attributes.

    ``changed`` counts those it changed; ``unknown`` names up to ten ids that nobody has. Done 500 people at a time:
    what a crash in between leaves undone is done by sending the same again.
    """
    if (data.category_id is not None) != (data.action in ("add_category", "remove_category")):
        raise Problem(422, "bad_action", "category_id belongs to add_category and remove_category, and to them alone")
    if bool(data.attributes) != (data.action == "set_attributes"):
        raise Problem(422, "bad_action", "attributes belong to set_attributes, and to it alone")
    ids = sorted(set(data.ids))
    async with pool.connection() as conn:
        if data.category_id is not None:
            await refuse_unknown_categories(conn, [data.category_id])
        unknown = await sql.unknown_contacts(conn, contacts=ids)
    changed = 0
    for at in range(0, len(ids), STEP):
        changed += await _step(data, ids[at : at + STEP])
    await forgetting.contacts_changed(None if data.category_id is None else [data.category_id])
    if data.action in ("opt_out", "delete"):
        await forgetting.messages_moved()
    return BulkDone(changed=changed, unknown=[row["id"] for row in unknown])


@get("/export", media_type="text/csv")
async def export(category_id: FromQuery[UUID | None] = None, opted_out: FromQuery[bool | None] = None) -> Response[Any]:
    """Return contacts as a CSV file that can be imported again: a column for every attribute, oldest first.

    422: there is no such category.
    """
    if category_id is not None:
        async with pool.connection() as conn:
            await refuse_unknown_categories(conn, [category_id])
    return Stream(
        _lines(chosen(category_id, opted_out)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="contacts.csv"'},
    )


router = Router("/contacts", route_handlers=[bulk, export], tags=["contacts"])


async def _step(data: BulkOrder, ids: list[UUID]) -> int:
    """Do it to some of them, in one transaction; returns how many changed."""
    entries: list[UUID] = []
    async with pool.transaction() as conn:
        match data.action:
            case "add_category":
                return int(await sql.add_members(conn, category=data.category_id, contacts=ids))
            case "remove_category":
                return int(await sql.remove_members(conn, category=data.category_id, contacts=ids))
            case "set_attributes":
                return int(await sql.set_attributes(conn, contacts=ids, attributes=json_text(data.attributes)))
        people = await sql.lock_people(conn, contacts=ids)
        everybody = [row["id"] for row in people]
        if data.action == "opt_in":
            return int(await sql.opt_in_all(conn, contacts=everybody))
        if data.action == "opt_out":
            return await _opt_out(conn, everybody)
        entries = await erasure.erase(conn, people, by=who())
    for entry in entries:
        wake("erase_traces", entry)
    return len(everybody)


async def _opt_out(conn: pool.Conn, everybody: list[UUID]) -> int:
    reachable: int = await sql.count_reachable(conn, contacts=everybody)
    if everybody:
        await transitions.opt_out(
            conn, everybody, recipient=None, at=datetime.now(UTC), why="a person opted them out", by=who()
        )
    return reachable


async def _lines(wanted: dict[str, Any]) -> AsyncIterator[str]:
    """Write page by page; no connection and no snapshot is held between two pages."""
    yield "\ufeff"
    async with pool.connection() as conn:
        names = [row["name"] for row in await sql.attribute_names(conn)]
    yield csvs.line([*_COLUMNS, *names])
    after = UUID(int=0)
    while True:
        async with pool.connection() as conn:
            rows = await sql.export_contacts(conn, after=after, many=csvs.STEP, **wanted)
        written = []
        for row in rows:
            attributes = from_json(row["attributes"])
            cells = [csvs.cell(name, row[name]) for name in _COLUMNS]
            written.append(csvs.line([*cells, *(csvs.cell("", attributes.get(name)) for name in names)]))
        if written:
            yield "".join(written)
            after = rows[-1]["id"]
        if len(rows) < csvs.STEP:
            return
