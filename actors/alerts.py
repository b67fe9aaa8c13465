"""Telling a person: an alert is raised once per kind and subject, updated, and resolved when it is over.

Each of these also writes the news into the alert's own row, in the same statement: what must be told outlives whoever
found it out (``actors.telling`` delivers it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


async def settle(conn: Conn, kind: str, texts: Mapping[str, str]) -> None:
    """Let exactly these alerts of a kind be open: ``texts`` by subject. What a person put away rests for an hour."""
    for row in await sql.settle_alerts(conn, kind=kind, subjects=list(texts), texts=list(texts.values())):
        _log(kind, row["subject"], row["text"], raised=row["what"] == "raised")


async def clear(conn: Conn, kind: str, still: Iterable[str]) -> None:
    """Resolve the alerts of a kind whose cause is gone: all but those about ``still``."""
    for row in await sql.clear_alerts(conn, kind=kind, still=list(still)):
        _log(kind, row["subject"], row["text"], raised=False)


def _log(kind: str, subject: str, text: str, *, raised: bool) -> None:
    if raised:
        log.error("ALERT", kind=kind, subject=subject, text=text)
    else:
        log.info("alert over", kind=kind, subject=subject, text=text)


async def sender_stopped(sender: UUID, why: str) -> None:
    """Block a sender that the gateway takes nothing from, pause its campaigns, and say so, all or nothing."""
    async with pool.transaction() as conn:
        paused = await transitions.stop_sender(conn, sender, state="blocked", why=why, by="gateway")
        text = f"the gateway takes nothing from this sender: {why}; {len(paused)} campaigns paused"
        await say(conn, "sender_blocked", str(sender), text)
