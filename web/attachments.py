"""Attachments: uploaded once, kept in the database, carried by Message 1 or 2 of any campaign."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, MultipartBody
from msgspec import UNSET

from models import pool
from models.queries import from_json, json_text, sql
from rules.attachments import LARGEST, BadAttachment, check_caption, examine, kind_by_name
from web.pages import Cursor, Limit, key, page
from web.problems import Problem, not_found
from web.wire.attachments import Attachment, NewAttachment
from web.wire.campaigns import Media
from web.wire.common import Page

if TYPE_CHECKING:
    from rules.attachments import Kind

MOST_BYTES = max(LARGEST.values()) + 65_536
"""The largest file, and the form around it."""
_STATUS = {"too_large": 413, "unsupported_file": 415}


@post(request_max_body_size=MOST_BYTES)
async def upload(data: MultipartBody[NewAttachment]) -> Attachment:
    """Keep one image, video, sound or document. 415: none of these; 413: too large for its kind; 422: empty."""
    body = await data.file.read()
    filename = (data.file.filename or "file")[-200:].replace("\x00", "")
    try:
        found = examine(body, filename)
    except BadAttachment as error:
        raise Problem(_STATUS.get(error.code, 422), error.code, str(error)) from None
    digest = hashlib.sha256(body).hexdigest()
    async with pool.connection() as conn:
        row = await sql.add_attachment(
            conn, filename=filename, kind=found.kind, mime=found.mime, size=len(body), sha256=digest, body=body
        )
    return Attachment(**row)


@get()
async def listed(limit: Limit = 50, cursor: Cursor = None) -> Page[Attachment]:
    """List attachments, newest first."""
    async with pool.connection() as conn:
        rows = await sql.list_attachments(conn, before=key(cursor), many=limit + 1)
    return page(rows, limit, lambda row: Attachment(**row))


@get("/{media_id:uuid}")
async def one(media_id: FromPath[UUID]) -> Attachment:
    """Return what is known of one file."""
    async with pool.connection() as conn:
        row = await sql.read_attachment(conn, attachment=media_id)
    if row is None:
        raise not_found("attachment", media_id)
    return Attachment(**row)


@get("/{media_id:uuid}/content", media_type="application/octet-stream")
async def content(media_id: FromPath[UUID]) -> Response[bytes]:
    """Return the file itself."""
    async with pool.connection() as conn:
        row = await sql.attachment_body(conn, attachment=media_id)
    if row is None:
        raise not_found("attachment", media_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['filename'])}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(row["body"], media_type=row["mime"], headers=headers)


@delete("/{media_id:uuid}")
async def remove(media_id: FromPath[UUID]) -> None:
    """Delete a file. 409 while a campaign that may still send carries it."""
    async with pool.connection() as conn:
        if many := await sql.campaigns_with(conn, attachment=media_id):
            raise Problem(409, "in_use", f"{many} campaigns that may still send carry this file: change them first")
        if await sql.delete_attachment(conn, attachment=media_id) is None:
            raise not_found("attachment", media_id)


router = Router("/media", route_handlers=[upload, listed, one, content, remove], tags=["media"])


async def attached(conn: pool.Conn, given: Media | None) -> str | None:
    """Return what a campaign stores of an attachment, or raise the 422."""
    if given is None:
        return None
    if (given.url is UNSET) == (given.media_id is UNSET):
        raise Problem(422, "bad_media", "name the attachment by either url or media_id (POST /api/media)")
    if given.media_id is UNSET:
        return json_text(msgspec.to_builtins(given))
    row = await sql.read_attachment(conn, attachment=given.media_id)
    if row is None:
        raise Problem(422, "unknown_media", f"there is no attachment {given.media_id}: upload it with POST /api/media")
    known = {"media_id": str(row["id"]), "filename": given.filename or row["filename"], "kind": row["kind"]}
    return json_text(known)


def kind_of(media: str | None) -> Kind | None:
    """Return what kind of file a campaign carries there, where that is known."""
    stored: dict[str, Any] = from_json(media) or {}
    known: Kind | None = stored.get("kind") or kind_by_name(stored.get("url", ""))
    return known


def goes_alone(media: str | None, text: str | None, field: str) -> bool:
    """Whether this attachment goes without any text; raises the 422 where text and file do not go together."""
    kind = kind_of(media)
    if media is not None and text is None:
        raise Problem(422, "media_without_message", f"{field} is null: there is no message to carry the file")
    try:
        check_caption(kind, text or "")
    except BadAttachment as error:
        raise Problem(422, error.code, f"{field}: {error}", field=field) from None
    return kind == "audio" and not text
