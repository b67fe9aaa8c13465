"""Where an import stands: the same figures for a GET and for whoever watches it live."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from models.queries import from_json, sql

if TYPE_CHECKING:
    from models.pool import Conn


class RowError(msgspec.Struct, kw_only=True):
    """One rejected row of an import; phones are masked. ``column`` is null where the whole row is at fault."""

    line: int
    column: str | None
    value: str | None
    reason: str


class ImportLine(msgspec.Struct, kw_only=True):
    """rows = created + updated + unchanged + rejected, of what has been digested so far."""

    id: UUID
    filename: str
    state: str
    """pending, running, completed or failed."""
    why: str
    """Why it failed."""
    dry_run: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    created_at: datetime
    finished_at: datetime | None


class ImportState(ImportLine, kw_only=True):
    """An import with its first 1,000 rejected rows; the CSV has all."""

    errors: list[RowError]


class NoSuchImport(LookupError):
    """There is no import with this id."""


async def state(conn: Conn, upload: UUID) -> ImportState:
    """Return where an import stands. Raises NoSuchImport."""
    row = await sql.read_import(conn, id=upload)
    if row is None:
        raise NoSuchImport(f"there is no import {upload}")
    shown: dict[str, Any] = dict(row)
    return ImportState(**shown | {"errors": msgspec.convert(from_json(row["errors"]), list[RowError])})
