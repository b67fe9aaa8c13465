"""Campaigns: two texts, an audience, a number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET

from models import pool, reservations
from models.audience import reach
from models.queries import from_json, json_text, sql
from rules.reservations import TooLittleRoom
from rules.status import CampaignStatus
from rules.text import BadTemplate, check
from web import paces
from web.attachments import attached, goes_alone
from web.auth import who
from web.contacts import refuse_unknown_categories
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.campaigns import Campaign, CampaignChange, CampaignLine, Exclusion, NewCampaign
from web.wire.common import Page

if TYPE_CHECKING:
    from asyncpg import Record

_LATER = {"pacing", "quiet_hours"}
_EDITABLE = ("draft", "scheduled")


@post()
async def create(data: JSONBody[NewCampaign]) -> Campaign:
    """Write a campaign; nothing is sent. 422 names what cannot be: a template, a pace, a sender, a category."""
    pacing = paces.overrides(data.pacing)
    async with pool.transaction() as conn:
        media_1, media_2 = await attached(conn, data.media_1), await attached(conn, data.media_2)
        check_texts(data.message_1, data.message_2, media_1, media_2)
        sender = await _sender(conn, data.sender_id)
        await paces.check(conn, from_json(sender["pacing"]), pacing)
        await refuse_unknown_categories(conn, [*data.category_ids, *data.exclude.category_ids])
        made = await sql.add_campaign(
            conn,
            name=data.name,
            sender=sender["id"],
            categories=data.category_ids,
            message_1=data.message_1,
            message_2=data.message_2,
            media_1=media_1,
            media_2=media_2,
            pacing=json_text(pacing),
            quiet_hours=paces.check_quiet_hours(data.quiet_hours),
            excluded_categories=data.exclude.category_ids,
            contacted_within_days=data.exclude.contacted_within_days,
            scheduled_at=_aware(data.scheduled_at),
            by=who(),
        )
        await sql.set_campaign_options(
            conn,
            campaign=made,
            spread_over_days=data.spread_over_days,
            answer_automatic=data.answer_automatic_replies,
        )
        return await shown(conn, made)


@get()
async def listed(
    status: FromQuery[CampaignStatus | None] = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[CampaignLine]:
    """List campaigns, newest first."""
    async with pool.connection() as conn:
        rows = await sql.list_campaigns(conn, before=key(cursor), status=status, many=limit + 1)
    return page(rows, limit, lambda row: CampaignLine(**row))


@get("/{campaign_id:uuid}")
async def one(campaign_id: FromPath[UUID]) -> Campaign:
    """Return one campaign."""
    async with pool.connection() as conn:
        return await shown(conn, campaign_id)


@patch("/{campaign_id:uuid}")
async def change(campaign_id: FromPath[UUID], data: JSONBody[CampaignChange]) -> Campaign:
    """Change a draft or scheduled campaign; pacing and quiet hours also later, from the next batch on. Else 409."""
    given = {name: value for name in data.__struct_fields__ if (value := getattr(data, name)) is not UNSET}
    async with pool.transaction() as conn:
        row = await locked(conn, campaign_id)
        _refuse_late_changes(row["status"], given)
        sender = await _sender(conn, given.get("sender_id", row["sender"]))
        pacing = paces.overrides(given["pacing"]) if "pacing" in given else from_json(row["pacing"])
        await paces.check(conn, from_json(sender["pacing"]), pacing)
        message_1, message_2 = given.get("message_1", row["message_1"]), given.get("message_2", row["message_2"])
        media_1 = await attached(conn, given["media_1"]) if "media_1" in given else row["media_1"]
        media_2 = await attached(conn, given["media_2"]) if "media_2" in given else row["media_2"]
        check_texts(message_1, message_2, media_1, media_2)
        exclude: Exclusion = given.get("exclude", _exclusion(row))
        categories = given.get("category_ids", row["category_ids"])
        await refuse_unknown_categories(
            conn, [*given.get("category_ids", []), *(exclude.category_ids if "exclude" in given else [])]
        )
        await sql.change_audience(conn, campaign=campaign_id, categories=categories)
        await sql.change_campaign(
            conn,
            campaign=campaign_id,
            name=given.get("name", row["name"]),
            sender=sender["id"],
            message_1=message_1,
            message_2=message_2,
            media_1=media_1,
            media_2=media_2,
            pacing=json_text(pacing),
            quiet_hours=paces.check_quiet_hours(given.get("quiet_hours", row["quiet_hours"])),
            excluded_categories=exclude.category_ids,
            contacted_within_days=exclude.contacted_within_days,
            scheduled_at=_scheduled(row, given),
        )
        await sql.set_campaign_options(
            conn,
            campaign=campaign_id,
            spread_over_days=given.get("spread_over_days", row["spread_over_days"]),
            answer_automatic=given.get("answer_automatic_replies", row["answer_automatic"]),
        )
        if row["status"] == "scheduled":
            await _reserve_anew(conn, campaign_id)
        return await shown(conn, campaign_id)


@delete("/{campaign_id:uuid}")
async def remove(campaign_id: FromPath[UUID]) -> None:
    """Delete a draft. What was launched or scheduled is history: 409."""
    async with pool.connection() as conn:
        if await sql.delete_campaign(conn, campaign=campaign_id) is None:
            status = (await found(conn, campaign_id))["status"]
            raise Problem(
                409, "not_a_draft", f"the campaign is {status}: only drafts can be deleted, cancel it instead"
            )


router = Router("/campaigns", route_handlers=[create, listed, one, change, remove], tags=["campaigns"])


async def found(conn: pool.Conn, campaign: UUID) -> Record:
    """Return the row of a campaign with its ``category_ids``, or raise the 404."""
    row: Record | None = await sql.read_campaign(conn, campaign=campaign)
    if row is None:
        raise not_found("campaign", campaign)
    return row


async def locked(conn: pool.Conn, campaign: UUID) -> Record:
    """Return the row as ``found`` does (with ``now``), locked until the end of the transaction."""
    row: Record | None = await sql.lock_campaign(conn, campaign=campaign)
    if row is None:
        raise not_found("campaign", campaign)
    return row


async def shown(conn: pool.Conn, campaign: UUID) -> Campaign:
    """Return a campaign as the API shows it."""
    row = await found(conn, campaign)
    same = (
        "id", "name", "status", "holds", "category_ids", "message_1", "message_2", "quiet_hours", "scheduled_at",
        "spread_over_days", "created_at", "launched_at", "completed_at",
    )  # fmt: skip
    return Campaign(
        **{name: row[name] for name in same},
        reason=row["why"],
        sender_id=row["sender"],
        exclude=_exclusion(row),
        media_1=from_json(row["media_1"]),
        media_2=from_json(row["media_2"]),
        pacing=from_json(row["pacing"]),
        plan=reservations.plan_of(row),
        answer_automatic_replies=row["answer_automatic"],
    )


def check_texts(message_1: str, message_2: str | None, media_1: str | None = None, media_2: str | None = None) -> None:
    """Refuse a text that could be sent to nobody, or not together with what it carries."""
    for name, text, media in (("message_1", message_1, media_1), ("message_2", message_2, media_2)):
        if goes_alone(media, text, name) or text is None:
            continue
        try:
            check(text)
        except BadTemplate as error:
            raise Problem(422, "bad_template", f"{name}: {error.reason}", field=name) from None


async def _sender(conn: pool.Conn, named: UUID | None) -> Record:
    """Return the sender that was named, or the only one there is."""
    if named is not None:
        row: Record | None = await sql.read_sender(conn, sender=named)
        if row is None:
            raise Problem(422, "unknown_sender", f"there is no sender {named}: see GET /api/senders")
        return row
    rows = await sql.list_senders(conn)
    if not rows:
        raise Problem(422, "no_sender", "there is no sender yet: add one with POST /api/senders")
    if len(rows) > 1:
        raise Problem(422, "sender_not_named", "there are several senders: name one in sender_id (GET /api/senders)")
    only: Record = rows[0]
    return only


def _refuse_late_changes(status: str, given: dict[str, Any]) -> None:
    late = sorted(given.keys() - _LATER)
    if status not in _EDITABLE and late:
        raise Problem(
            409,
            "not_editable",
            f"the campaign is {status}: only pacing and quiet_hours may change, not {', '.join(late)}",
        )
    if status in ("completed", "cancelled"):
        raise Problem(409, "not_editable", f"the campaign is {status}: nothing of it changes any more")


def _scheduled(row: Record, given: dict[str, Any]) -> datetime | None:
    at: datetime | None = _aware(given["scheduled_at"]) if "scheduled_at" in given else row["scheduled_at"]
    if at is None and row["status"] == "scheduled":
        raise Problem(409, "not_editable", "the campaign is scheduled: give it another time, or cancel it")
    return at


def _aware(at: datetime | None) -> datetime | None:
    """Refuse a time without its zone: it would be somebody's guess."""
    if at is not None and at.tzinfo is None:
        raise Problem(422, "bad_time", "scheduled_at needs a time zone, e.g. 2026-01-31T09:00:00Z")
    return at.astimezone(UTC) if at else None


async def _reserve_anew(conn: pool.Conn, campaign: UUID) -> None:
    """Move the places of a scheduled campaign to where its change puts them, or raise the 429 and change nothing."""
    row = await found(conn, campaign)
    sender = await sql.read_sender(conn, sender=row["sender"])
    await sql.lock_reservations(conn, sender=row["sender"])
    try:
        plan = await reservations.fit(conn, sender, row, (await reach(conn, row)).complete, row["scheduled_at"])
    except TooLittleRoom as short:
        raise too_little_room(short) from None
    await reservations.reserve(conn, campaign, plan)


def too_little_room(short: TooLittleRoom) -> Problem:
    """Return the 429 with what remains, what is needed, and the day that is too small."""
    return Problem(429, "quota", str(short), remaining=short.remaining, needed=short.needed, day=short.day.isoformat())


def _exclusion(row: Record) -> Exclusion:
    return Exclusion(category_ids=row["excluded_categories"], contacted_within_days=row["contacted_within_days"])
