"""API keys: for programs. Their secret is shown once and never kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from litestar import Request, Router, delete, get, post
from litestar.params import FromPath, JSONBody

from models import credentials, pool
from models.queries import sql
from rules.roles import Role, area
from web import audit
from web.auth import current
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.accounts import Key, MadeKey, NewKey
from web.wire.common import Page

if TYPE_CHECKING:
    from litestar import Litestar


@get()
async def listed(limit: Limit = 50, cursor: Cursor = None) -> Page[Key]:
    """List keys, newest first, also those revoked: an admin sees all, others their own. Never a secret."""
    async with pool.connection() as conn:
        rows = await sql.list_keys(conn, before=key(cursor), owner=_only_of(), many=limit + 1)
    return page(rows, limit, lambda row: Key(**row))


@post()
async def create(request: Request[Any, Any, Any], data: JSONBody[NewKey]) -> MadeKey:
    """Make a key; this answer is the only one that holds it. It may never do more than its owner may just then.

    422 for a role above one's own, or an area that does not exist.
    """
    principal = current()
    if not principal.role.covers(data.role):
        raise Problem(422, "role_too_high", f"your role is {principal.role}: a key of yours cannot be {data.role}")
    if unknown := sorted(set(data.areas or []) - areas(request.app)):
        raise Problem(
            422, "unknown_area", f"{', '.join(unknown)} is no area: there are {', '.join(sorted(areas(request.app)))}"
        )
    new = credentials.NewKey()
    async with pool.connection() as conn:
        row = await sql.add_key(
            conn,
            name=data.name,
            prefix=new.prefix,
            hash=new.hash,
            role=data.role,
            areas=data.areas,
            owner=principal.user,
            by=principal.name,
            days=data.expires_in_days,
        )
    audit.note(request, key=str(row["id"]), name=data.name, role=data.role)
    return MadeKey(**row, key=new.text)


@delete("/{key_id:uuid}")
async def revoke(key_id: FromPath[UUID]) -> None:
    """Revoke a key: its next request is refused. An admin may revoke all, others their own."""
    async with pool.connection() as conn:
        if await sql.revoke_key(conn, key=key_id, owner=_only_of()) is None:
            raise not_found("key", key_id)


router = Router("/keys", route_handlers=[listed, create, revoke], tags=["accounts"])


def areas(app: Litestar) -> set[str]:
    """Return the areas a key can be limited to, as the routing table has them."""
    return {area(route.path_format) for route in app.routes if route.path_format.startswith("/api/")} - {
        "auth", "users", "keys",
    }  # fmt: skip


def _only_of() -> UUID | None:
    """Return whose keys may be touched; None: everybody's."""
    principal = current()
    return None if principal.role == Role.ADMIN else principal.user
