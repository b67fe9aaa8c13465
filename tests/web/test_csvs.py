"""What is exported is read page by page: a long export disturbs nobody's work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import settings
from models import pool
from web import csvs


async def test_an_export_holds_no_connection_between_two_pages(
    configured: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot held open for a minute slows every hot row: here the pool's only connection is free at each pause."""
    monkeypatch.setattr(csvs, "STEP", 2)

    async def following(conn: pool.Conn, after: int | None) -> Sequence[dict[str, Any]]:
        first = (after or 0) + 1
        rows = await conn.fetch("SELECT g AS id FROM generate_series($1::int, 5) g LIMIT 2", first)
        return [dict(row) for row in rows]

    await pool.open_pool(1)
    try:
        told = []
        lines: Any = csvs.export("five.csv", ["id"], following).iterator
        async for part in lines:
            async with pool.connection() as conn:
                assert await conn.fetchval("SELECT true")
            told += part.split()
    finally:
        await pool.close_pool()
    assert told == ["\ufeffid", "1", "2", "3", "4", "5"]
