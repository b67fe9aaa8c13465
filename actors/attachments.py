"""The files of a campaign, handed to the gateway before its first message."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from gateway import File
from models import pool
from models.queries import sql

if TYPE_CHECKING:
    from actors.process import Process

log = structlog.get_logger()

LAST_DAYS = 7
"""A copy that the gateway forgets sooner is made anew: the last answer to a campaign may come days after its launch."""


async def hand_over(process: Process, campaign: UUID) -> None:
    """See to it that the gateway keeps every file this campaign carries, and that its messages will name the copies.

    Twice does no harm. Raises Refused, SenderStopped, or LookupFailed (try again).
    """
    async with pool.connection() as conn:
        carried = await sql.attachments_of(conn, campaign=campaign, days=LAST_DAYS)
    for row in carried:
        kept = row["gateway_file"] if row["lasts"] else await _copied(process, row["id"])
        async with pool.connection() as conn:
            await sql.carry_file(conn, campaign=campaign, attachment=row["id"], file=kept)


async def _copied(process: Process, attachment: UUID) -> str:
    """Upload one file and remember its copy."""
    async with pool.connection() as conn:
        row = await sql.attachment_body(conn, attachment=attachment)
    kept = await process.gateway.keep(File(filename=row["filename"], mime=row["mime"], body=row["body"]))
    async with pool.connection() as conn:
        await sql.note_kept(conn, attachment=attachment, file=kept.file_id, until=kept.until)
    log.info("the gateway keeps a file", attachment=str(attachment), file=kept.file_id, bytes=len(row["body"]))
    return kept.file_id
