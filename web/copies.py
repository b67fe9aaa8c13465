"""New drafts out of old campaigns: the same again, or for those it did not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from litestar import Router, post
from litestar.params import FromPath, JSONBody
from uuid_utils.compat import uuid7

from models import forgetting, pool
from models.queries import sql
from web.auth import who
from web.campaigns import found, shown
from web.problems import Problem
from web.wire.campaigns import Campaign
from web.wire.copies import CopyOrder, NotReached

if TYPE_CHECKING:
    from asyncpg import Record

LONGEST_NAME = 200
_NOT_LAUNCHED = ("draft", "scheduled", "launching")


@post("/{campaign_id:uuid}/duplicate")
async def duplicate(campaign_id: FromPath[UUID], data: JSONBody[CopyOrder | None] = None) -> Campaign:
    """Write a new draft with the same texts, audience, media, exclusions and pace. Its time is not copied."""
    async with pool.transaction() as conn:
        row = await found(conn, campaign_id)
        made = await _copied(conn, row, _name(data) or _suffixed(row["name"], " (copy)"), with_audience=True)
        return await shown(conn, made)


@post("/{campaign_id:uuid}/not-reached")
async def not_reached(campaign_id: FromPath[UUID], data: JSONBody[CopyOrder | None] = None) -> NotReached:
    """Write a new draft for those who did not get Message 1: it failed, or was cancelled before it left.

    They are put into a category of their own. Not among them: who opted out, and who is in doubt (unconfirmed). 409
    while the campaign has not been launched, 422 if it reached everybody.
    """
    async with pool.transaction() as conn:
        row = await found(conn, campaign_id)
        if row["status"] in _NOT_LAUNCHED:
            raise Problem(409, "not_launched", f"the campaign is {row['status']}: it has not tried to reach anybody")
        name = _name(data) or _suffixed(row["name"], " (not reached)")
        draft, category = await _copied(conn, row, name, with_audience=False), uuid7()
        # Names of categories are unique, and this may be asked for again: the end of the id tells them apart.
        called = _suffixed(f"Not reached: {row['name']}", f" · {category.hex[-6:]}")
        people = await sql.gather_not_reached(conn, campaign=campaign_id, category=category, name=called, draft=draft)
        if not people:
            raise Problem(422, "everybody_reached", "nobody is left: Message 1 of nobody failed or was cancelled")
        made = NotReached(campaign=await shown(conn, draft), category_id=category, people=people)
    await forgetting.category_changed(category)
    return made


router = Router("/campaigns", route_handlers=[duplicate, not_reached], tags=["campaigns"])


async def _copied(conn: pool.Conn, row: Record, name: str, *, with_audience: bool) -> UUID:
    made: UUID = await sql.copy_campaign(
        conn, campaign=row["id"], name=name, why=f"made from {row['name']}", by=who(), with_audience=with_audience
    )
    return made


def _name(data: CopyOrder | None) -> str | None:
    return data.name if data else None


def _suffixed(name: str, suffix: str) -> str:
    """Add a suffix, and shorten what is before it where the whole would be too long."""
    return name[: LONGEST_NAME - len(suffix)] + suffix
