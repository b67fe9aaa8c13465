"""Messages: every send, across campaigns, and their statistics."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from litestar import Router, get
from litestar.params import FromQuery

from models import pool
from models.queries import sql
from web.pages import Cursor, Limit, key, page
from web.wire.common import Page
from web.wire.messages import Message, MessageStats

Status = Literal[
    "pending", "sending", "unconfirmed", "sent", "delivered", "read", "failed", "cancelled", "no_interaction"
]


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
    async with pool.connection() as conn:
        rows = await sql.list_messages(
            conn, before=key(cursor), campaign=campaign_id, step=step, status=status, many=limit + 1
        )
    return page(rows, limit, lambda row: Message(**row))


@get("/stats")
async def stats(campaign_id: FromQuery[UUID | None] = None) -> MessageStats:
    """Return the exact counters over all campaigns, or of one."""
    async with pool.connection() as conn:
        return MessageStats(**await sql.message_stats(conn, campaign=campaign_id))


router = Router("/messages", route_handlers=[listed, stats], tags=["messages"])
