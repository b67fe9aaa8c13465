"""Tests of a campaign: its texts to one phone, before anybody else gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from actors.wake import wake
from models import pool, stops
from models.queries import from_json, sql
from rules.phone import identity
from rules.text import Hole, fill
from web import paces, senders
from web.campaigns import found, locked
from web.contacts import read_phone
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.common import Page
from web.wire.trials import Trial, TrialOrder

if TYPE_CHECKING:
    from asyncpg import Record

_TESTABLE = ("draft", "scheduled")


@post("/campaigns/{campaign_id:uuid}/test", status_code=202)
async def test(campaign_id: FromPath[UUID], data: JSONBody[TrialOrder]) -> list[Trial]:
    """Send the texts of a draft to one phone, at once and once, outside of its audience; they count in the daily quota.

    Answers with one entry per text; ``GET /api/tests/{id}`` says how far it is. 409: not a draft, the number opted
    out, its sender is not ready, or the same test is under way. 422: a bad phone, no Message 2, or a text that would
    have a hole. 429 with ``remaining``: the number's day is full.
    """
    phone = read_phone(data.phone, data.region)
    async with pool.transaction() as conn:
        campaign = await locked(conn, campaign_id)
        if campaign["status"] not in _TESTABLE:
            raise Problem(409, "not_a_draft", f"the campaign is {campaign['status']}: only drafts are tested")
        sender = await senders.found(conn, campaign["sender"])
        senders.refuse_stopped(sender)
        texts = await _texts(conn, campaign, data, phone)
        if await stops.among(conn, [identity(phone)]):
            raise Problem(409, "erased_contact", "this person was erased: nothing is sent to them, not even a test")
        if await sql.opted_out_of_trial(conn, identity=identity(phone)):
            raise Problem(409, "opted_out", "this number opted out: nothing is sent to it, not even a test")
        await _refuse_over_quota(conn, sender, len(texts))
        made = [await _add(conn, campaign, step, phone, text) for step, text in texts.items()]
        rows = [await _found(conn, trial) for trial in made]
    for trial in made:
        wake("send_trial", trial)
    return [_shown(row) for row in rows]


@get("/campaigns/{campaign_id:uuid}/tests")
async def listed(campaign_id: FromPath[UUID], limit: Limit = 50, cursor: Cursor = None) -> Page[Trial]:
    """List the tests of a campaign, newest first."""
    async with pool.connection() as conn:
        await found(conn, campaign_id)
        rows = await sql.list_trials(conn, campaign=campaign_id, before=key(cursor), many=limit + 1)
    return page(rows, limit, _shown)


@get("/tests/{trial_id:uuid}")
async def one(trial_id: FromPath[UUID]) -> Trial:
    """Return how far one test is."""
    async with pool.connection() as conn:
        return _shown(await _found(conn, trial_id))


router = Router("/", route_handlers=[test, listed, one], tags=["campaigns"])


async def _texts(conn: pool.Conn, campaign: Record, order: TrialOrder, phone: str) -> dict[int, str]:
    """Write the texts asked for, or raise the 422 that names what they lack."""
    templates = {1: campaign["message_1"]}
    if order.message_2:
        if campaign["message_2"] is None:
            raise Problem(422, "no_message_2", "this campaign has no Message 2: ask for Message 1 alone")
        templates[2] = campaign["message_2"]
    name, attributes = await _values(conn, campaign, order, phone)
    try:
        return {step: fill(template, name, attributes) for step, template in templates.items()}
    except Hole as hole:
        lacks = ", ".join(hole.missing)
        raise Problem(
            422, "incomplete_contacts", f"nobody says what to write for {lacks}: give name or attributes",
            missing=dict.fromkeys(hole.missing, 1),
        ) from None  # fmt: skip


async def _values(
    conn: pool.Conn, campaign: Record, order: TrialOrder, phone: str
) -> tuple[str | None, dict[str, str]]:
    """Return what fills the placeholders: the order's own values, else the phone's contact, else an example's."""
    example = await sql.audience_step(conn, campaign=campaign["id"], after=UUID(int=0), many=1)
    known = await sql.texts_for_phone(conn, phone=phone)
    name: str | None = None
    attributes: dict[str, str] = {}
    for person in [*example, *([known] if known else [])]:
        name = person["name"] or name
        attributes |= {key: str(value) for key, value in (from_json(person["attributes"]) or {}).items()}
    return order.name or name, attributes | order.attributes


async def _refuse_over_quota(conn: pool.Conn, sender: Record, needed: int) -> None:
    await sql.lock_reservations(conn, sender=sender["id"])
    quota = await paces.quota_of(conn, sender)
    if needed > quota.remaining:
        raise Problem(
            429, "quota", f"{needed} messages are needed and {quota.remaining} remain of {quota.limit} on {quota.day}",
            remaining=quota.remaining, needed=needed,
        )  # fmt: skip


async def _add(conn: pool.Conn, campaign: Record, step: int, phone: str, text: str) -> UUID:
    made: UUID | None = await sql.add_trial(
        conn,
        campaign=campaign["id"],
        sender=campaign["sender"],
        step=step,
        phone=phone,
        identity=identity(phone),
        text=text,
        media=campaign[f"media_{step}"],
    )
    if made is None:
        raise Problem(409, "test_under_way", f"Message {step} is on its way to this phone already: wait for its result")
    return made


async def _found(conn: pool.Conn, trial: UUID) -> Record:
    row: Record | None = await sql.read_trial(conn, trial=trial)
    if row is None:
        raise not_found("test", trial)
    return row


def _shown(row: Record) -> Trial:
    same = ("id", "phone", "status", "created_at", "sent_at")
    return Trial(
        **{name: row[name] for name in same},
        campaign_id=row["campaign"],
        message_type=f"message_{row['step']}",
        content=row["text"],
        reason=row["why"],
    )
