"""CSV out: streamed page by page, readable by a spreadsheet, harmless in it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar.response import Stream

from models import pool

STEP = 2_000
"""Lines read by one statement."""

_FORMULA = ("=", "@", "\t", "\r", "-", "+")


def cell(column: str, value: object) -> str:
    """Write one value; a text that a spreadsheet would run as a formula is quoted.

    >>> cell("body", "=1+1"), cell("phone", "+33199001234"), cell("body", None)
    ("'=1+1", '+33199001234', '')
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value)
    return f"'{text}" if column != "phone" and text.startswith(_FORMULA) else text


def export(
    filename: str,
    columns: Sequence[str],
    following: Callable[[pool.Conn, Any], Awaitable[Sequence[Mapping[str, Any]]]],
) -> Stream:
    """Stream lines as a CSV file. ``following`` returns the next up to STEP rows behind a key (column ``id``).

    No connection and no snapshot is held between two pages.
    """

    async def lines() -> AsyncIterator[str]:
        yield "\ufeff" + line(columns)
        after: Any = None
        while True:
            async with pool.connection() as conn:
                rows = await following(conn, after)
            if rows:
                yield "".join(line([cell(name, row[name]) for name in columns]) for row in rows)
                after = rows[-1]["id"]
            if len(rows) < STEP:
                return

    return Stream(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def line(cells: Sequence[str]) -> str:
    """Write one line."""
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
