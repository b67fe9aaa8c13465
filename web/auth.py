"""Who is asking, and may they? One guard stands before every route below /api; ``rules/roles.py`` is its law."""

from __future__ import annotations

import contextlib
import hmac
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID

import settings
from models import credentials, pool
from models.queries import sql
from rules.roles import Role, area, demand
from web import audit, sessions
from web.address import client_of
from web.limits import Limiter, too_many
from web.problems import Problem

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler
    from litestar.types import HTTPScope

    from rules.roles import Demand

    Connection = ASGIConnection[Any, Any, Any, Any]

SAFE = ("GET", "HEAD", "OPTIONS")
ELSEWHERE = ("cross-site", "same-site")
"""What browsers say of a request (``Sec-Fetch-Site``) that a page of another origin makes."""

LOOK_AGAIN_SECONDS = 5.0
"""How long a live stream goes on at most with what it shows, once its session or key is over."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who is asking: a person in a session, an API key, or the operator's bootstrap key."""

    kind: Literal["user", "key", "bootstrap"]
    id: UUID | None
    name: str
    role: Role
    user: UUID | None = None
    """The person, or the key's owner."""
    areas: tuple[str, ...] | None = None
    session: bytes | None = None
    session_ends_at: datetime | None = None


_BOOTSTRAP = Principal(kind="bootstrap", id=None, name="bootstrap key", role=Role.ADMIN)
_current: ContextVar[Principal] = ContextVar("principal")


def current() -> Principal:
    """Return who makes the request that is being served; LookupError outside of one, or where nobody has to log in."""
    return _current.get()


def who() -> str:
    """Return their name, as it stands in events, settings and the audit: an e-mail, or which key."""
    return current().name


async def guard(connection: Connection, _: BaseRouteHandler) -> None:
    """Let pass whom the rule lets pass; else 401, 403 or 429. Changes are written down before."""
    wanted = demand(_method(connection), connection.scope["path_template"])
    if wanted.role is None:
        _refuse_other_sites(connection)
        return
    principal = await identified(connection)
    if principal is None:
        await _limit(connection, f"unknown:{client_of(connection.scope)}")
        raise Problem(401, "unauthorized", "log in, or send a valid API key as Authorization: Bearer <key>")
    await _limit(connection, f"{principal.kind}:{principal.id}")
    _current.set(principal)
    if _worth_writing_down(connection):
        await audit.begin(
            cast("HTTPScope", connection.scope),
            actor=principal.name,
            kind=principal.kind,
            actor_id=principal.id,
            role=principal.role,
        )
    _refuse_forged(connection, principal)
    _refuse_less(connection, principal, wanted)


async def identified(connection: Connection) -> Principal | None:
    """Return who a request comes from; None for nobody, or for credentials that are wrong or over."""
    header = connection.headers.get("authorization")
    if header is None:
        token = sessions.presented(connection)
        return None if token is None else await _of_session(token)
    scheme, _, given = header.partition(" ")
    given = given.strip()
    if scheme.lower() != "bearer" or not given:
        return None
    # Compared in constant time, and as bytes: a header may hold anything.
    if hmac.compare_digest(given.encode(), settings.get().bootstrap_api_key.encode()):
        return _BOOTSTRAP
    return await _of_key(given) if given.startswith(credentials.KEY_MARK) else None


async def while_admitted(connection: Connection, parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Pass a live stream on until whoever opened it may not come in any more. A database that is away ends none."""
    looked = time.monotonic()
    async with contextlib.aclosing(parts):
        async for part in parts:
            if time.monotonic() - looked >= LOOK_AGAIN_SECONDS:
                with contextlib.suppress(*pool.UNAVAILABLE):
                    if await identified(connection) is None:
                        return
                looked = time.monotonic()
            yield part


async def _of_session(token: bytes) -> Principal | None:
    s = settings.get()
    async with pool.connection() as conn:
        row = await sql.session_principal(
            conn, token=token, idle=s.session_idle_hours * 3600, longest=s.session_max_hours * 3600
        )
        if row is None:
            return None
        if row["stale"]:
            await sql.touch_session(conn, token=token)
    return Principal(
        kind="user",
        id=row["user_id"],
        name=row["email"],
        role=Role(row["role"]),
        user=row["user_id"],
        session=token,
        session_ends_at=row["ends_at"],
    )


async def _of_key(given: str) -> Principal | None:
    async with pool.connection() as conn:
        row = await sql.key_principal(conn, hash=credentials.digest(given))
        if row is None:
            return None
        if row["stale"]:
            await sql.touch_key(conn, key=row["id"])
    role, owners = Role(row["role"]), row["owner_role"]
    return Principal(
        kind="key",
        id=row["id"],
        name=f"key {row['name']}",
        role=role if owners is None or Role(owners).covers(role) else Role(owners),
        user=row["owner"],
        areas=None if row["areas"] is None else tuple(row["areas"]),
    )


async def _limit(connection: Connection, who: str) -> None:
    limiter: Limiter = connection.app.state.limiter
    if seconds := await limiter.wait(who):
        raise too_many(seconds)


def _method(connection: Connection) -> str:
    return cast("HTTPScope", connection.scope)["method"]


def _worth_writing_down(connection: Connection) -> bool:
    """Every change, and every time that people's data leaves."""
    return _method(connection) not in SAFE or connection.scope["path_template"].endswith("/export")


def _refuse_other_sites(connection: Connection) -> None:
    if connection.headers.get("sec-fetch-site") in ELSEWHERE:
        raise Problem(403, "other_site", "a page of another site may not ask for this")


def _refuse_forged(connection: Connection, principal: Principal) -> None:
    """A browser sends its cookie by itself: a change also needs what only our own pages know."""
    if principal.session is None or _method(connection) in SAFE:
        return
    _refuse_other_sites(connection)
    given = connection.headers.get(sessions.CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), sessions.csrf_token(principal.session).encode()):
        raise Problem(403, "csrf", "send the csrf_token of GET /api/auth/me in the header X-CSRF-Token")


def _refuse_less(connection: Connection, principal: Principal, wanted: Demand) -> None:
    role = wanted.role or Role.ADMIN
    if not principal.role.covers(role):
        raise Problem(403, "forbidden", f"this takes the role {role}; yours is {principal.role}", needs=role)
    if principal.kind == "key" and not wanted.by_key:
        raise Problem(403, "needs_log_in", "this takes a log-in: an API key cannot do it")
    touched = area(connection.scope["path_template"])
    if principal.areas is not None and touched not in (*principal.areas, "auth"):
        raise Problem(403, "out_of_scope", f"this key reaches {', '.join(principal.areas)}, not {touched}")
