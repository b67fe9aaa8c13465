"""Imports: a file of contacts comes in, an actor digests it, whoever wants to watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, MultipartBody

from actors.wake import wake
from models import imports, pool
from models.imports import ImportLine, ImportState
from models.queries import sql
from web import csvs
from web.contacts import refuse_unknown_categories
from web.pages import Cursor, Limit, key, page
from web.problems import Problem
from web.stream import event_stream
from web.wire.common import Made, Page

MOST_BYTES = 52_428_800
"""50 MiB, some 500,000 rows."""
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_COLUMNS = ("line", "column", "value", "reason")


class Upload(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``category_id``: every contact of the file also goes there. ``dry_run``: only say what would happen."""

    file: UploadFile
    category_id: UUID | None = None
    region: str | None = None
    dry_run: bool = False


@post("/contacts/import", status_code=202, request_max_body_size=MOST_BYTES)
async def upload(data: MultipartBody[Upload]) -> Made:
    """Take a CSV file (UTF-8, UTF-16 or Latin-1; comma, semicolon or tab) or an .xlsx workbook, of up to 50 MiB.

    Columns, in French or English: phone (required), name, category (several separated by |), opted_out,
    consent_source; every other column is an attribute. The last of several rows about one person counts, and the
    same file again changes nothing. Follow it at GET /api/imports/{id} or its /events.
    """
    body = await data.file.read()
    filename = (data.file.filename or "upload.csv")[:200]
    if body.startswith(_OLD_OFFICE) or filename.lower().endswith((".xls", ".ods")):
        detail = f"{filename} is an old, an open or a locked spreadsheet: save it as .xlsx or CSV, without a password"
        raise Problem(415, "unsupported_file", detail)
    if not body.strip():
        raise Problem(422, "empty_file", "the file is empty: the first line names the columns, one of them phone")
    region = data.region or None
    if region is not None and not (len(region) == 2 and region.isascii() and region.isalpha()):
        raise Problem(422, "bad_region", "region is two letters such as FR")
    async with pool.connection() as conn:
        if data.category_id is not None:
            await refuse_unknown_categories(conn, [data.category_id])
        made = await sql.add_import(
            conn,
            filename=filename,
            body=body,
            category=data.category_id,
            region=region and region.upper(),
            dry_run=data.dry_run,
        )
    wake("import_contacts", made)
    return Made(id=made)


@get("/imports")
async def listed(limit: Limit = 50, cursor: Cursor = None) -> Page[ImportLine]:
    """List imports, newest first, without their rejected rows."""
    async with pool.connection() as conn:
        rows = await sql.list_imports(conn, before=key(cursor), many=limit + 1)
    return page(rows, limit, lambda row: ImportLine(**row))


@get("/imports/{import_id:uuid}")
async def one(import_id: FromPath[UUID]) -> ImportState:
    """Say how far an import is, and which rows were rejected and why (the first 1,000)."""
    return await _state(import_id)


@get("/imports/{import_id:uuid}/events", media_type="text/event-stream")
async def events(request: Request[Any, Any, Any], import_id: FromPath[UUID]) -> Response[Any]:
    """Stream how far an import is: first where it stands, then every thousand rows."""

    async def snapshots() -> dict[str, Any]:
        return {str(import_id): await _state(import_id)}

    return await event_stream(request, import_id, snapshots, kind="import")


@get("/imports/{import_id:uuid}/errors", media_type="text/csv")
async def errors(import_id: FromPath[UUID]) -> Response[Any]:
    """Return every rejected row as a CSV file: line, column, value (phones masked), reason."""
    await _state(import_id)

    async def following(conn: pool.Conn, after: Any) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = await sql.rejected_rows(
            conn, upload=import_id, after=after or 0, many=csvs.STEP
        )
        return rows

    return csvs.export(f"import-{import_id}-errors.csv", _COLUMNS, following)


router = Router("/", route_handlers=[upload, listed, one, events, errors], tags=["contacts"])


async def _state(upload: UUID) -> ImportState:
    async with pool.connection() as conn:
        return await imports.state(conn, upload)
