"""What a test tells the system to do, and what it reads back: campaigns in, rows out, over a connection of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from models import transitions
from rules.phone import identity

if TYPE_CHECKING:
    from asyncpg import Connection, Record

PREFIXES = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
"""Ranges reserved for fiction; each sender writes to numbers of one of them."""
GONE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.InternalClientError, TimeoutError)  # fmt: skip
PATIENCE_SECONDS = 60.0
"""How long a question waits for a database that is away."""


@dataclass(frozen=True)
class Campaign:
    """One launched campaign and the numbers it writes to, in the order they are served."""

    id: UUID
    name: str
    sender: UUID
    phones: list[str]


def phones(block: int, count: int) -> list[str]:
    """Return fictional numbers: the blocks 0 to 49 are disjoint, up to 1,000 numbers each."""
    prefix, part = PREFIXES[block % 5], block // 5
    return [f"{prefix}{part}{number:03d}" for number in range(count)]


class Story:
    """A connection to the system's database that comes back after an outage."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._conn: Connection[Record] | None = None
        self._turn = asyncio.Lock()
        self._blocks = 0
        self.senders: list[UUID] = []

    @classmethod
    async def opened(cls, url: str) -> Story:
        """Connect."""
        story = cls(url)
        await story.value("SELECT 1")
        return story

    async def close(self) -> None:
        """Close the connection."""
        if self._conn is not None:
            with suppress(*GONE):
                await self._conn.close(timeout=2)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection[Record]]:
        """Lend the connection to one task at a time, made anew when it broke."""
        async with self._turn:
            if self._conn is None or self._conn.is_closed():
                self._conn = await asyncpg.connect(self._url, timeout=10)
            yield self._conn

    async def rows(self, query: str, *arguments: Any) -> list[Record]:
        """Return the rows of one statement; waits for a database that is away, and may run it twice."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                async with self.connection() as conn:
                    return list(await conn.fetch(query, *arguments))
            except GONE:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def value(self, query: str, *arguments: Any) -> Any:
        """Return the one value of one statement (as ``rows``)."""
        rows = await self.rows(query, *arguments)
        return rows[0][0] if rows else None

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[Connection[Record]]:
        """Lend a connection of its own, for a test that holds a lock or listens."""
        conn = await asyncpg.connect(self._url, timeout=10)
        try:
            yield conn
        finally:
            with suppress(*GONE):
                await conn.close(timeout=2)

    # --- what is told -----------------------------------------------------------------------------------

    async def make_senders(self, devices: Sequence[str]) -> None:
        """Have exactly the senders of these devices."""
        async with self.connection() as conn:
            await conn.execute("DELETE FROM sender WHERE device_id <> ALL($1::text[])", list(devices))
            for number, name in enumerate(devices):
                await conn.execute(
                    "INSERT INTO sender (id, gateway, device_id, name, time_zone)"
                    " VALUES ($1, 'wassenger', $2, $3, 'UTC') ON CONFLICT (gateway, device_id) DO NOTHING",
                    uuid7(),
                    name,
                    f"Number {number + 1}",
                )
                self.senders.append(await conn.fetchval("SELECT id FROM sender WHERE device_id = $1", name))

    async def draft(
        self,
        contacts: int,
        *,
        sender: int = 0,
        name: str | None = None,
        message_2: str | None = None,
        people: Sequence[str] | None = None,
    ) -> Campaign:
        """Make a campaign that is ready to be launched; ``people``: its phones, else ``contacts`` new ones.

        Its texts hold its name, so that the ledger's lines can be told apart. They are served in order.
        """
        block, self._blocks = self._blocks, self._blocks + 1
        name = name or f"campaign {block}"
        chosen = list(people) if people is not None else phones(block, contacts)
        async with self.connection() as conn, conn.transaction():
            category = await conn.fetchval("INSERT INTO category (name) VALUES ($1) RETURNING id", name)
            for phone in chosen:
                contact = await conn.fetchval(
                    "INSERT INTO contact (id, phone, identity, name) VALUES ($1, $2, $3, 'Ada')"
                    " ON CONFLICT (phone) DO UPDATE SET name = excluded.name RETURNING id",
                    uuid7(),
                    phone,
                    identity(phone),
                )
                await conn.execute(
                    "INSERT INTO contact_category (contact, category) VALUES ($1, $2)", contact, category
                )
            campaign = await conn.fetchval(
                "INSERT INTO campaign (name, sender, message_1, message_2, why, moved_by)"
                " VALUES ($1, $2, $3, $4, 'made', 'test') RETURNING id",
                name,
                self.senders[sender],
                f"Hello {{{{name}}}}, this is {name}",
                message_2,
            )
            await conn.execute("INSERT INTO campaign_category (campaign, category) VALUES ($1, $2)", campaign, category)
        return Campaign(campaign, name, self.senders[sender], chosen)

    async def launch(self, campaign: Campaign, *, window: float = 3600.0, safety: float = 86_400.0) -> bool:
        """Launch as a person does; the scheduler has the rest done. False: it was launched before."""
        async with self.connection() as conn:
            return await transitions.start_launch(
                conn, campaign.id, window=window, safety=safety, why="a person launched it", by="test"
            )

    async def launched(self, contacts: int, *, window: float = 3600.0, **more: Any) -> Campaign:
        """Make and launch a campaign."""
        campaign = await self.draft(contacts, **more)
        assert await self.launch(campaign, window=window)
        return campaign

    async def shut_gates(self) -> None:
        """Let nothing leave until ``open_gate``."""
        await self.rows("UPDATE sender SET gate_at = now() + interval '1 hour'")

    async def gates_found_shut(self) -> bool:
        """Whether every lane has found its gate shut and left (it looked at the gateway's story before)."""
        return bool(
            await self.value(
                "SELECT every(lease_until IS NULL AND not_before > now() + interval '10 minutes') FROM sender"
            )
        )

    async def open_gate(self, campaign: Campaign) -> None:
        """Let the lane of a campaign go, which has found its gate shut."""
        await self.rows("UPDATE sender SET gate_at = now(), not_before = now() WHERE id = $1", campaign.sender)

    # --- what is read -----------------------------------------------------------------------------------

    async def messages(self, campaign: Campaign, step: int = 1) -> dict[str, Record]:
        """Return the messages of one step by phone."""
        rows = await self.rows("SELECT * FROM message WHERE campaign = $1 AND step = $2 ORDER BY id", campaign.id, step)
        return {row["phone"]: row for row in rows}

    async def states(self, campaign: Campaign) -> dict[str, str]:
        """Return every recipient's state by phone."""
        rows = await self.rows(
            "SELECT c.phone, r.state FROM recipient r JOIN contact c ON c.id = r.contact WHERE r.campaign = $1",
            campaign.id,
        )
        return {row["phone"]: row["state"] for row in rows}

    async def status(self, campaign: Campaign) -> str:
        """Return where a campaign stands."""
        return str(await self.value("SELECT status FROM campaign WHERE id = $1", campaign.id))

    async def all_left(self, *campaigns: Campaign, seconds: float = 90) -> None:
        """Wait until every Message 1 of these campaigns has been accepted; fails with what is left."""
        ids, total = [campaign.id for campaign in campaigns], sum(len(campaign.phones) for campaign in campaigns)
        deadline = time.monotonic() + seconds
        while True:
            left = await self.value(
                "SELECT count(*) FROM message WHERE campaign = ANY($1::uuid[]) AND step = 1"
                " AND status IN ('sent', 'delivered', 'read')",
                ids,
            )
            if left == total:
                return
            assert time.monotonic() < deadline, f"{total - left} Message 1 have not left after {seconds:g} s"
            await asyncio.sleep(0.1)

    async def some_left(self, campaign: Campaign, many: int, *, seconds: float = 60) -> None:
        """Wait until so many Message 1 of a campaign have been accepted."""
        deadline = time.monotonic() + seconds
        query = (
            "SELECT count(*) FROM message WHERE campaign = $1 AND step = 1 AND status IN ('sent', 'delivered', 'read')"
        )
        while await self.value(query, campaign.id) < many:
            assert time.monotonic() < deadline, f"{many} messages did not leave within {seconds:g} s"
            await asyncio.sleep(0.05)

    async def remaining(self) -> str:
        """Say which messages have not left, and how campaigns, lanes and processes stand."""
        rows = await self.rows(
            "SELECT step, status, why, attempt, process, count(*), min(now() - promised_at) AS age FROM message"
            " WHERE status NOT IN ('sent', 'delivered', 'read') GROUP BY 1, 2, 3, 4, 5"
        )
        rows += await self.rows("SELECT status, why, count(*) FROM campaign GROUP BY 1, 2")
        rows += await self.rows("SELECT state, count(*) FROM recipient GROUP BY 1")
        rows += await self.rows("SELECT kind, outcome, count(*) FROM inbox GROUP BY 1, 2")
        rows += await self.rows(
            "SELECT state, why, lease_until - now() AS lease, not_before - now() AS not_before, gate_at - now() AS gate"
            " FROM sender"
        )
        rows += await self.rows(
            "SELECT kind, pid, process, now() - beat_at AS silent FROM heartbeat"
            " WHERE beat_at > now() - interval '1 minute'"
        )
        return "at the end:\n" + "\n".join(f"  {dict(row)}" for row in rows)

    async def in_doubt(self) -> int:
        """Return how many messages are promised and not settled."""
        return int(await self.value("SELECT count(*) FROM message WHERE status IN ('sending', 'unconfirmed')"))

    async def worker_of(self, message: UUID) -> int:
        """Return the pid of the process that made the last promise of a message."""
        return int(
            await self.value(
                "SELECT h.pid FROM message m JOIN heartbeat h ON h.process = m.process WHERE m.id = $1", message
            )
        )
