"""The people who may log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from litestar import Request, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from models import credentials, pool
from models.queries import sql
from rules.accounts import BadAccount
from rules.accounts import email as as_kept
from rules.roles import Role
from web import audit
from web.login import refuse_weak
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.accounts import NewUser, User, UserChange
from web.wire.common import Page

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn


@get()
async def listed(limit: Limit = 50, cursor: Cursor = None) -> Page[User]:
    """List the people who may log in, newest first."""
    async with pool.connection() as conn:
        rows = await sql.list_users(conn, before=key(cursor), many=limit + 1)
    return page(rows, limit, lambda row: User(**row))


@post()
async def create(request: Request[Any, Any, Any], data: JSONBody[NewUser]) -> User:
    """Let a person log in. 409 with the ``id`` of the one who has this e-mail; 422 for a password easily guessed."""
    try:
        email = as_kept(data.email)
    except BadAccount as error:
        raise Problem(422, "bad_email", str(error)) from None
    refuse_weak(data.password, email)
    audit.note(request, email=email, role=data.role)
    hashed = await credentials.hash_password(data.password)
    async with pool.connection() as conn:
        made = await sql.add_user(conn, email=email, name=data.name, role=data.role, password_hash=hashed)
        if made is None:
            known = await sql.user_of_email(conn, email=email)
            raise Problem(
                409,
                "duplicate_user",
                "a person with this e-mail exists already",
                id=str(known["id"]) if known else None,
            )
        return await _shown(conn, made)


@patch("/{user_id:uuid}")
async def change(request: Request[Any, Any, Any], user_id: FromPath[UUID], data: JSONBody[UserChange]) -> User:
    """Change a person's name, role or password, or disable them. It counts from their next request on.

    409 for the last admin who may come in: somebody else has to be one first.
    """
    given = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET}
    audit.note(request, **{name: value for name, value in given.items() if name in ("role", "disabled")})
    hashed = None
    if "password" in given:
        async with pool.connection() as conn:
            refuse_weak(given["password"], (await _shown(conn, user_id)).email)
        hashed = await credentials.hash_password(given["password"])
        audit.note(request, password="changed")  # noqa: S106 - that it was, not what it is
    async with pool.transaction() as conn:
        row = await _locked(conn, user_id, given)
        disabled = given.get("disabled", row["disabled_at"] is not None)
        await sql.change_user(
            conn,
            user=user_id,
            name=given.get("name", row["name"]),
            role=given.get("role", row["role"]),
            disabled=disabled,
        )
        if hashed is not None:
            await sql.change_password(conn, user=user_id, password_hash=hashed)
        if disabled or hashed is not None:
            await sql.end_sessions(conn, user=user_id)
        if disabled:
            await sql.revoke_keys_of(conn, owner=user_id)
        return await _shown(conn, user_id)


@delete("/{user_id:uuid}")
async def remove(request: Request[Any, Any, Any], user_id: FromPath[UUID]) -> None:
    """Delete a person with their log-ins and keys; the audit keeps their e-mail. 409 for the last admin."""
    async with pool.transaction() as conn:
        row = await _locked(conn, user_id, {"disabled": True})
        audit.note(request, email=row["email"])
        await sql.delete_user(conn, user=user_id)


router = Router("/users", route_handlers=[listed, create, change, remove], tags=["accounts"])


async def _locked(conn: Conn, user: UUID, given: dict[str, Any]) -> Record:
    """Return the row of a person, locked; refuse what would leave nobody in charge."""
    admins = [row["id"] for row in await sql.lock_admins(conn)]
    row: Record | None = await sql.lock_user(conn, user=user)
    if row is None:
        raise not_found("user", user)
    stops = given.get("disabled") is True or given.get("role", Role.ADMIN) != Role.ADMIN
    if stops and admins == [user]:
        raise Problem(409, "last_admin", "this is the last admin who may come in: make somebody else one first")
    return row


async def _shown(conn: Conn, user: UUID) -> User:
    row = await sql.read_user(conn, user=user)
    if row is None:
        raise not_found("user", user)
    return User(**row)
