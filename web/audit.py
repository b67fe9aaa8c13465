"""Who did what. One row per change asked for, committed before the change, completed with how it was answered.

A row whose status is null was never answered: the process died, or the database was away. No body is kept, so no
secret can be; what a handler finds worth knowing it adds by ``note``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from litestar import Request, Router, get
from litestar.enums import ScopeType
from litestar.params import QueryParameter

from models import pool
from models.queries import from_json, json_text, sql
from web.access import request_id
from web.address import client_of
from web.pages import Cursor, Limit, Moment, key, moment, page
from web.wire.accounts import AuditLine
from web.wire.common import Page

if TYPE_CHECKING:
    from uuid import UUID

    from asyncpg import Record
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

log = structlog.get_logger()

_KEY = "relance_audit"


@dataclass
class Entry:
    """The row of the request that is being served."""

    id: UUID
    detail: dict[str, Any] = field(default_factory=dict)


async def begin(scope: HTTPScope, *, actor: str, kind: str, actor_id: UUID | None, role: str) -> None:
    """Write down what is asked for, before it is done. A database that is away refuses the change."""
    async with pool.connection() as conn:
        written = await sql.add_audit(
            conn,
            actor=actor,
            kind=kind,
            actor_id=actor_id,
            role=role,
            action=f"{scope['method']} {scope['path_template']}",
            path=scope["path"][:200],
            status=None,
            detail="{}",
            address=client_of(scope),
            request_id=request_id(scope),
        )
    scope["state"][_KEY] = Entry(written)


def note(request: Request[Any, Any, Any], **detail: Any) -> None:
    """Add to the row of this request. Never a secret."""
    entry: Entry | None = request.scope["state"].get(_KEY)
    if entry is not None:
        entry.detail |= detail


class Audited:
    """A layer that completes the row with the answer's status, before the answer leaves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] == "OPTIONS":
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry: Entry | None = scope["state"].pop(_KEY, None)
                if entry is not None:
                    await _complete(entry, message["status"])
            await send(message)

        await self._app(scope, receive, told)


async def _complete(entry: Entry, status: int) -> None:
    try:
        async with pool.connection() as conn:
            await sql.end_audit(conn, id=entry.id, status=status, detail=json_text(entry.detail))
    except pool.UNAVAILABLE as error:  # what was done is done, and must be answered so
        log.warning("the audit does not know how it ended", audit=str(entry.id), status=status, error=str(error))


@get("/audit")
async def listed(
    actor: Annotated[str | None, QueryParameter(description="An e-mail, or the name of a key.", max_length=254)] = None,
    action: Annotated[
        str | None, QueryParameter(description="How the action begins, e.g. POST /api/campaigns.", max_length=200)
    ] = None,
    since: Moment = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[AuditLine]:
    """List who did what, newest first: every change that was asked for, also those refused, and every log-in."""
    wanted = {"actor": actor, "action": action, "since": moment(since, "since")}
    async with pool.connection() as conn:
        rows = await sql.list_audit(conn, before=key(cursor), **wanted, many=limit + 1)
    return page(rows, limit, _line)


router = Router("/", route_handlers=[listed], tags=["accounts"])


def _line(row: Record) -> AuditLine:
    shown = {name: row[name] for name in AuditLine.__struct_fields__ if name != "detail"}
    return AuditLine(**shown, detail=from_json(row["detail"]))
