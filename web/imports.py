"""Imports: a file of contacts comes in, an actor digests it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, MultipartBody

from actors.wake import wake
from models import pool
from models.queries import from_json, sql
from web.contacts import refuse_unknown_categories
from web.problems import Problem, not_found
from web.wire.common import Made
from web.wire.contacts import ImportState, RowError

if TYPE_CHECKING:
    from asyncpg import Record

MOST_BYTES = 52_428_800
"""50 MiB, some 500,000 rows."""
_ZIP = b"PK\x03\x04"


class Upload(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``category_id``: every contact of the file also goes there. ``dry_run``: only say what would happen."""

    file: UploadFile
    category_id: UUID | None = None
    region: str | None = None
    dry_run: bool = False


@post("/contacts/import", status_code=202, request_max_body_size=MOST_BYTES)
async def upload(data: MultipartBody[Upload]) -> Made:
    """Take a CSV file (UTF-8, UTF-16 or Latin-1; comma, semicolon or tab). Follow it at GET /api/imports/{id}."""
    body = await data.file.read()
    filename = (data.file.filename or "upload.csv")[:200]
    if body.startswith(_ZIP) or filename.lower().endswith((".xlsx", ".xls", ".ods")):
        raise Problem(415, "unsupported_file", f"{filename} is a spreadsheet: save it as CSV and send that")
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


@get("/imports/{import_id:uuid}")
async def one(import_id: FromPath[UUID]) -> ImportState:
    """Say how far an import is, and which rows were rejected and why (the first 1,000)."""
    async with pool.connection() as conn:
        row: Record | None = await sql.read_import(conn, id=import_id)
    if row is None:
        raise not_found("import", import_id)
    shown = {name: row[name] for name in ImportState.__struct_fields__ if name != "errors"}
    return ImportState(**shown, errors=msgspec.convert(from_json(row["errors"]), list[RowError]))


router = Router("/", route_handlers=[upload, one], tags=["contacts"])
