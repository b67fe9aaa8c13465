"""Telling a person: an alert is raised once per kind and subject, updated, and resolved when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from models import pool, transitions
from models.queries import sql

if TYPE_CHECKING:
    from models.pool import Conn

log = structlog.get_logger()


async def say(conn: Conn, kind: str, subject: str, text: str) -> None:
    """Raise or update an alert."""
    if await sql.raise_alert(conn, kind=kind, subject=subject, text=text):
        log.error("ALERT", kind=kind, subject=subject, text=text)


async def over(conn: Conn, kind: str, subject: str) -> None:
    """Resolve an alert."""
    await sql.resolve_alert(conn, kind=kind, subject=subject)


async def sender_stopped(sender: UUID, why: str) -> None:
    """Block a sender that the gateway takes nothing from, pause its campaigns, and say so."""
    async with pool.connection() as conn:
        paused = await transitions.stop_sender(conn, sender, state="blocked", why=why, by="gateway")
        text = f"the gateway takes nothing from this sender: {why}; {len(paused)} campaigns paused"
        await say(conn, "sender_blocked", str(sender), text)
