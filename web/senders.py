"""Senders: the WhatsApp numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import available_timezones

from litestar import Router, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

import settings
from actors import alerts
from actors.wake import wake
from models import pool, transitions
from models.no_reply import of_month
from models.queries import from_json, json_text, sql
from rules.budget import Budget
from web import paces
from web.auth import who
from web.contacts import read_phone
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.common import Page
from web.wire.senders import NewSender, NoReply, Sender, SenderChange, Stopped

if TYPE_CHECKING:
    from asyncpg import Record

_MAY_PAUSE = ("ready", "degraded", "offline")
_MAY_RESUME = ("paused", "blocked", "offline", "degraded")


@get()
async def listed(limit: Limit = 200, cursor: Cursor = None) -> Page[Sender]:
    """List senders, oldest first."""
    async with pool.connection() as conn:
        rows = await sql.sender_page(conn, after=key(cursor), many=limit + 1)
        shown = {row["id"]: await _shown(conn, row, whole=False) for row in rows[:limit]}
    return page(rows, limit, lambda row: shown[row["id"]])


@post()
async def create(data: JSONBody[NewSender]) -> Sender:
    """Add a number by its device id. 409 if it is known; 422 for pacing out of range or an unknown time zone."""
    pacing = paces.overrides(data.pacing)
    zone = _time_zone(data.time_zone or settings.get().default_timezone)
    async with pool.connection() as conn:
        await paces.check(conn, pacing)
        made = await sql.add_sender(
            conn,
            gateway=settings.get().gateway,
            device_id=data.device_id,
            name=data.name,
            phone=read_phone(data.phone, None) if data.phone else None,
            time_zone=zone,
            daily_limit=data.daily_limit,
            pacing=json_text(pacing),
        )
        if made is None:
            raise Problem(409, "duplicate_sender", "a sender with this device_id exists already")
        return await _shown(conn, await found(conn, made))


@get("/{sender_id:uuid}")
async def one(sender_id: FromPath[UUID]) -> Sender:
    """Return one sender: its state and why, its quota today, the pace in force."""
    async with pool.connection() as conn:
        return await _shown(conn, await found(conn, sender_id))


@patch("/{sender_id:uuid}")
async def change(sender_id: FromPath[UUID], data: JSONBody[SenderChange]) -> Sender:
    """Change a sender; pacing counts from the next batch on."""
    async with pool.connection() as conn:
        row = await found(conn, sender_id)
        pacing = from_json(row["pacing"]) if data.pacing is UNSET else paces.overrides(data.pacing)
        await paces.check(conn, pacing)
        phone = row["phone"] if data.phone is UNSET else read_phone(data.phone, None) if data.phone else None
        await sql.change_sender(
            conn,
            sender=sender_id,
            name=row["name"] if data.name is UNSET else data.name,
            phone=phone,
            time_zone=row["time_zone"] if data.time_zone is UNSET else _time_zone(data.time_zone),
            daily_limit=row["daily_limit"] if data.daily_limit is UNSET else data.daily_limit,
            pacing=json_text(pacing),
            first_used_at=row["first_used_at"] if data.first_used_at is UNSET else data.first_used_at,
            mature=row["mature"] if data.mature is UNSET else data.mature,
        )
        if data.mature is not UNSET or data.first_used_at is not UNSET:
            await sql.forget_caps(conn, sender=sender_id)
        return await _shown(conn, await found(conn, sender_id))


@post("/{sender_id:uuid}/allow-new-chats", status_code=200)
async def allow_new_chats(sender_id: FromPath[UUID]) -> Sender:
    """Let it open new conversations again before its reach-out lock is slept off. 409 if none are held."""
    async with pool.connection() as conn:
        row = await found(conn, sender_id)
        if row["new_chats_after"] is None or row["new_chats_after"] <= row["now"]:
            raise Problem(409, "not_possible", "new conversations of this sender are not held")
        await sql.allow_new_chats(conn, sender=sender_id)
        await alerts.over(conn, "reach_out", str(sender_id))
        wake("send_batch", sender_id)
        return await _shown(conn, await found(conn, sender_id))


@post("/{sender_id:uuid}/pause", status_code=200)
async def pause(sender_id: FromPath[UUID]) -> Sender:
    """Let nothing leave this number, Message 2 included, within a second. Its campaigns go on when it resumes."""
    return await _move(sender_id, _MAY_PAUSE, "paused", "a person paused it")


@post("/{sender_id:uuid}/resume", status_code=200)
async def resume(sender_id: FromPath[UUID]) -> Sender:
    """Let it send again; also after it was blocked or offline. Campaigns paused meanwhile are resumed one by one."""
    shown = await _move(sender_id, _MAY_RESUME, "ready", "a person resumed it")
    wake("send_batch", sender_id)
    return shown


@post("/pause-all", status_code=200)
async def pause_all() -> Stopped:
    """Emergency stop: nothing leaves any number any more, Message 2 included, within a second.

    It is resumed number by number (POST /api/senders/{id}/resume); campaigns then go on by themselves. A second call
    finds nothing to pause and is no error.
    """
    paused: list[UUID] = []
    async with pool.connection() as conn:
        for row in await sql.senders_in(conn, states=list(_MAY_PAUSE)):
            if await transitions.move_sender(
                conn, row["id"], old=_MAY_PAUSE, new="paused", why="a person paused everything", by=who()
            ):
                paused.append(row["id"])
    return Stopped(paused=paused)


_HANDLERS = [listed, create, one, change, allow_new_chats, pause, resume]
router = Router("/senders", route_handlers=_HANDLERS, tags=["senders"])
everything = Router("/", route_handlers=[pause_all], tags=["senders"])


async def found(conn: pool.Conn, sender: UUID) -> Record:
    """Return the row of a sender (with ``now``), or raise the 404."""
    row: Record | None = await sql.read_sender(conn, sender=sender)
    if row is None:
        raise not_found("sender", sender)
    return row


def refuse_stopped(sender: Record) -> None:
    """Raise the 409 for a sender from which nothing can leave."""
    if sender["state"] not in ("ready", "degraded"):
        raise Problem(
            409,
            "sender_not_ready",
            f"the sender is {sender['state']}: {sender['why'] or 'no reason is known'}; resume it first",
        )


async def _move(sender: UUID, old: tuple[str, ...], new: str, why: str) -> Sender:
    async with pool.connection() as conn:
        row = await found(conn, sender)
        if not await transitions.move_sender(conn, sender, old=old, new=new, why=why, by=who()):
            raise Problem(409, "not_possible", f"the sender is {row['state']}: {row['why'] or 'nothing to change'}")
        return await _shown(conn, await found(conn, sender))


async def _shown(conn: pool.Conn, row: Record, *, whole: bool = True) -> Sender:
    same = ("id", "name", "gateway", "device_id", "phone", "time_zone", "state", "daily_limit", "created_at")
    return Sender(
        **{name: row[name] for name in same},
        reason=row["why"],
        pacing=from_json(row["pacing"]),
        pace=paces.shown(await paces.in_force(conn, row)),
        quota_today=await paces.quota_of(conn, row),
        maturity=await paces.maturity_of(conn, row),
        new_conversations=await paces.new_conversations(conn, row),
        no_reply_month=_no_reply(await of_month(conn, row)) if whole else None,
    )


def _no_reply(month: Budget) -> NoReply:
    same = ("unanswered", "cap", "left", "why")
    return NoReply(
        **{name: getattr(month, name) for name in same}, answered_share=month.answered, level=month.level.value
    )


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise Problem(422, "bad_time_zone", f"{name[:60]!r} is not an IANA time zone such as Europe/Paris")
    return name
