"""A database as it is after a year: a million messages, made by a handful of statements."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg

from models.queries import parse

STATEMENTS = parse((Path(__file__).parent / "fill.sql").read_text())
BULK = ("recipient", "message", "event", "interaction", "contact", "contact_category", "batch", "campaign_minute")
"""Their indexes are built once, over all rows, and their triggers do not run: the counters are counted at the end."""
_INDEXES = """
SELECT indexdef, indexname FROM pg_indexes i WHERE schemaname = 'public' AND tablename = ANY($1)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)
"""


@dataclass(frozen=True)
class Size:
    """How much there is of everything. One person in ten gets a Message 2."""

    messages: int = 1_000_000
    contacts: int = 200_000
    campaigns: int = 200
    categories: int = 20

    @property
    def recipients(self) -> int:
        """People of one campaign: eleven messages for ten of them."""
        return max(20, self.messages * 10 // (11 * self.campaigns))


async def fill(database_url: str, size: Size) -> dict[str, float]:
    """Fill a migrated, empty database; returns the rows of the big tables and the seconds it took."""
    began = time.monotonic()
    conn = await asyncpg.connect(database_url, server_settings={"synchronous_commit": "off", "jit": "off"})
    try:
        indexes = await conn.fetch(_INDEXES, list(BULK))
        async with conn.transaction():
            for index in indexes:
                await conn.execute(f'DROP INDEX "{index["indexname"]}"')
            for table in ("campaign", *BULK):
                await conn.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
            await _insert(conn, size)
            for table in ("campaign", *BULK):
                await conn.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
            for index in indexes:
                await conn.execute(index["indexdef"])
        await conn.execute("VACUUM ANALYZE")
        await conn.execute("CHECKPOINT")
        counted = {table: float(await conn.fetchval(f'SELECT count(*) FROM "{table}"')) for table in BULK}  # noqa: S608
    finally:
        await conn.close()
    return counted | {"seconds": time.monotonic() - began}


async def _insert(conn: asyncpg.Connection[asyncpg.Record], size: Size) -> None:
    values = asdict(size) | {"recipients": size.recipients}
    for statement in STATEMENTS.values():
        await statement(conn, **{name: values[name] for name in statement.parameters})
