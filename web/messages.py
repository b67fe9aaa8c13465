"""Messages: every send, across campaigns, and their statistics."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from litestar import Router, get
from litestar.params import FromQuery

from models import cache, pool
from models.queries import sql
from web.pages import Cursor, Limit, key, page
from web.wire.common import Page
from web.wire.messages import Message, MessageStats

Status = Literal[
    "pending", "sending", "unconfirmed", "sent", "delivered", "read", "failed", "cancelled", "no_interaction"
]

_RARE = ("pending", "sending", "unconfirmed", "failed", "cancelled")
"""Statuses that have an index of their own: all the others are passed through, or are everywhere."""


@get()
async def listed(
    campaign_id: FromQuery[UUID | None] = None,
    status: FromQuery[Status | None] = None,
    message_type: FromQuery[Literal["message_1", "message_2"] | None] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Message]:
    """List messages, newest first."""
    step = None if message_type is None else int(message_type[-1])
    chosen: dict[str, Any] = {"before": key(cursor), "campaign": campaign_id, "many": limit + 1}
    wanted: dict[str, Any] = {**chosen, "step": step, "status": status, "ids": None}
    async with pool.connection() as conn:
        if status in _RARE:
            found = await sql.rare_messages(conn, **chosen, step=step, status=status)
            wanted |= {"ids": [row["id"] for row in found], "status": None}
        elif status == "no_interaction":
            found = await sql.silent_messages(conn, **chosen) if step != 2 else []
            wanted |= {"ids": [row["id"] for row in found], "status": None, "before": None}
        rows = await sql.list_messages(conn, **wanted)
    if wanted["ids"] is not None:  # the page goes on behind the last one of the order in which they were chosen
        rows.sort(key=lambda row: wanted["ids"].index(row["id"]))
    return page(rows, limit, lambda row: Message(**row))


@get("/stats")
async def stats(campaign_id: FromQuery[UUID | None] = None) -> MessageStats:
    """Return the exact counters over all campaigns, or of one: one statement, kept in the cache until messages move."""

    async def counted() -> MessageStats:
        async with pool.connection() as conn:
            return MessageStats(**await sql.message_stats(conn, campaign=campaign_id))

    return await cache.this().read("stats", f"messages:{campaign_id or 'all'}", counted, MessageStats)


router = Router("/messages", route_handlers=[listed, stats], tags=["messages"])
