"""Categories: named groups of contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
from litestar import Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from models import cache, forgetting, pool
from models.queries import sql
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.categories import Category, Changed, Members, NewCategory
from web.wire.common import Page

if TYPE_CHECKING:
    from asyncpg import Record


@post()
async def create(data: JSONBody[NewCategory]) -> Category:
    """Add a category. 409 with the ``id`` of the one that has this name already."""
    async with pool.connection() as conn:
        made = await sql.add_category(conn, name=data.name.strip())
        if made is None:
            raise await _taken(conn, data.name.strip())
        shown = await _found(conn, made)
    await forgetting.category_changed(made)
    return shown


@get()
async def listed(limit: Limit = 50, cursor: Cursor = None) -> Page[Category]:
    """List categories, newest first, each with its number of contacts."""

    async def ids() -> Page[UUID]:
        async with pool.connection() as conn:
            rows = await sql.category_page(conn, before=key(cursor), many=limit + 1)
        return page(rows, limit, lambda row: UUID(bytes=row["id"].bytes))

    found = await cache.this().read("categories", f"page:{limit}:{key(cursor) or ''}", ids, Page[UUID])
    details = await _details(found.items)
    return Page(items=[details[c] for c in found.items if c in details], next_cursor=found.next_cursor)


@get("/{category_id:uuid}")
async def one(category_id: FromPath[UUID]) -> Category:
    """Return one category."""
    found = (await _details([category_id])).get(category_id)
    if found is None:
        raise not_found("category", category_id)
    return found


@patch("/{category_id:uuid}")
async def rename(category_id: FromPath[UUID], data: JSONBody[NewCategory]) -> Category:
    """Rename a category. 409 if another one has this name."""
    async with pool.connection() as conn:
        try:
            await sql.rename_category(conn, category=category_id, name=data.name.strip())
        except asyncpg.UniqueViolationError:
            raise await _taken(conn, data.name.strip()) from None
        shown = await _found(conn, category_id)
    await forgetting.category_changed(category_id)
    return shown


@delete("/{category_id:uuid}")
async def remove(category_id: FromPath[UUID]) -> None:
    """Delete a category, not its contacts. 409 while a campaign that is not launched yet is sent to it."""
    async with pool.connection() as conn:
        if await sql.delete_category(conn, category=category_id) is None:
            await _found(conn, category_id)
            raise Problem(409, "category_in_use", "a campaign that is not launched yet is sent to this category")
    await forgetting.category_changed(category_id)


@put("/{category_id:uuid}/contacts")
async def put_in(category_id: FromPath[UUID], data: JSONBody[Members]) -> Changed:
    """Put contacts into a category. 422 naming those that do not exist."""
    async with pool.transaction() as conn:
        await _found(conn, category_id)
        await _refuse_unknown(conn, data.contact_ids)
        changed = await sql.add_members(conn, category=category_id, contacts=data.contact_ids)
    await forgetting.members_changed(category_id)
    return Changed(changed=changed)


@delete("/{category_id:uuid}/contacts", status_code=200)
async def take_out(category_id: FromPath[UUID], data: JSONBody[Members]) -> Changed:
    """Take contacts out of a category."""
    async with pool.transaction() as conn:
        await _found(conn, category_id)
        changed = await sql.remove_members(conn, category=category_id, contacts=data.contact_ids)
    await forgetting.members_changed(category_id)
    return Changed(changed=changed)


router = Router(
    "/categories", route_handlers=[create, listed, one, rename, remove, put_in, take_out], tags=["categories"]
)


async def _details(ids: Sequence[UUID]) -> dict[UUID, Category]:
    """Return these categories with their counts, kept or counted in one statement; unknown ones are left out."""

    async def counted(names: Sequence[str]) -> dict[str, Category]:
        wanted = [UUID(name.removeprefix("detail:")) for name in names]
        async with pool.connection() as conn:
            rows = await sql.categories_of(conn, ids=wanted)
        return {f"detail:{row['id']}": Category(**row) for row in rows}

    found = await cache.this().read_many("categories", [f"detail:{one}" for one in ids], counted, Category)
    return {category.id: category for category in found.values()}


async def _found(conn: pool.Conn, category: UUID) -> Category:
    row: Record | None = await sql.read_category(conn, category=category)
    if row is None:
        raise not_found("category", category)
    return Category(**row)


async def _taken(conn: pool.Conn, name: str) -> Problem:
    known = await sql.category_of_name(conn, name=name)
    return Problem(409, "duplicate_category", "a category with this name exists already", id=str(known))


async def _refuse_unknown(conn: pool.Conn, contacts: list[UUID]) -> None:
    unknown = await sql.unknown_contacts(conn, contacts=contacts)
    if unknown:
        names = ", ".join(str(row["id"]) for row in unknown)
        raise Problem(422, "unknown_contact", f"there is no contact {names}")
