"""What a launch and an acknowledgement may cost: foreign keys, room on a page, indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]


async def test_a_launch_pays_for_one_foreign_key(conn: Conn) -> None:
    """Each further one costs a launch a quarter of its speed: the launcher guards the rest."""
    rows = await conn.fetch(
        "SELECT conrelid::regclass::text AS from, confrelid::regclass::text AS to FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid IN ('message'::regclass, 'recipient'::regclass, 'event'::regclass)"
    )
    assert [(row["from"], row["to"]) for row in rows] == [("message", "recipient")]


async def test_rows_that_move_keep_room_for_their_next_version(conn: Conn) -> None:
    rows = await conn.fetch("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r'")
    found = {row["relname"]: row["reloptions"] for row in rows}
    assert found["message"] == found["recipient"] == ["fillfactor=80"]
    assert found["campaign_stats"] == ["fillfactor=50"]


async def test_a_delivery_touches_no_index(conn: Conn) -> None:
    rows = await conn.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'message'")
    assert rows
    assert [row["indexname"] for row in rows if "delivered_at" in row["indexdef"] or "read_at" in row["indexdef"]] == []
