"""Recipients: what became of one person in one campaign, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from models import pool, transitions
from models.queries import sql
from rules.status import RecipientState
from web.auth import who
from web.campaigns import found
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.common import Page
from web.wire.messages import Event, Interaction, Message, Recipient, RecipientLine, Resolution

if TYPE_CHECKING:
    from asyncpg import Record


@get("/campaigns/{campaign_id:uuid}/recipients")
async def listed(
    campaign_id: FromPath[UUID],
    in_state: Annotated[RecipientState | None, QueryParameter(name="state")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RecipientLine]:
    """List the people of a campaign, in the order they were added."""
    async with pool.connection() as conn:
        await found(conn, campaign_id)
        rows = await sql.list_recipients(conn, campaign=campaign_id, state=in_state, after=key(cursor), many=limit + 1)
    return page(rows, limit, lambda row: RecipientLine(**row))


@get("/recipients/{recipient_id:uuid}")
async def one(recipient_id: FromPath[UUID]) -> Recipient:
    """Return one person's whole story: messages, interactions, every move and its reason."""
    async with pool.connection() as conn:
        return await _story(conn, recipient_id)


@post("/recipients/{recipient_id:uuid}/resolve", status_code=200)
async def resolve(recipient_id: FromPath[UUID], data: JSONBody[Resolution]) -> Recipient:
    """Settle a message in doubt by what a person knows: it left, or it did not and is sent again. Else 409."""
    async with pool.transaction() as conn:
        await _found(conn, recipient_id)
        settle = transitions.confirm if data.as_ == "sent" else transitions.retry_unconfirmed
        moved = await settle(conn, recipient_id, by=who())
        if moved is None:
            raise Problem(409, "nothing_in_doubt", "no message of this recipient is unconfirmed")
        return await _story(conn, recipient_id)


router = Router("/", route_handlers=[listed, one, resolve], tags=["recipients"])


async def _found(conn: pool.Conn, recipient: UUID) -> Record:
    row: Record | None = await sql.read_recipient(conn, recipient=recipient)
    if row is None:
        raise not_found("recipient", recipient)
    return row


async def _story(conn: pool.Conn, recipient: UUID) -> Recipient:
    row = await _found(conn, recipient)
    return Recipient(
        **row,
        messages=[Message(**m) for m in await sql.messages_of_recipient(conn, recipient=recipient)],
        interactions=[Interaction(**i) for i in await sql.interactions_of_recipient(conn, recipient=recipient)],
        events=[Event(**e) for e in await sql.events_of_recipient(conn, recipient=recipient)],
    )
