"""A worker process on the test's own loop, its sender, and what the database says about them."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import dramatiq
from asyncpg import Record

import settings
from actors import launcher, lease
from actors.interactions import handle_interaction
from actors.lane import Lane
from actors.process import Process
from gateway import Envelope
from models import pool, transitions
from models.queries import sql
from models.reservations import begin_day, limit_of
from rules.phone import identity
from tests.actors.people import phones
from tests.simulator_process import DEVICE, Simulator, until


async def run(actor: dramatiq.Actor[Any, Any], *arguments: object) -> None:
    """Run one actor's own function on this loop, as a worker would on its loop."""
    await inspect.unwrap(actor.fn)(*map(str, arguments))


class Memory:
    """What the database says, and rows put into it. Needs the open pool."""

    async def execute(self, query: str, *arguments: Any) -> None:
        """Run one statement."""
        async with pool.connection() as conn:
            await conn.execute(query, *arguments)

    async def value(self, query: str, *arguments: Any) -> Any:
        """Return one value."""
        async with pool.connection() as conn:
            return await conn.fetchval(query, *arguments)

    async def row(self, query: str, *arguments: Any) -> Record:
        """Return one row that must be there."""
        async with pool.connection() as conn:
            found = await conn.fetchrow(query, *arguments)
        assert found is not None, query
        return found

    async def rows(self, query: str, *arguments: Any) -> list[Record]:
        """Return rows."""
        async with pool.connection() as conn:
            return list(await conn.fetch(query, *arguments))

    async def first_sender(self) -> UUID:
        """Return the sender the release made, on the simulator's device."""
        found: UUID = await self.value("UPDATE sender SET device_id = $1 RETURNING id", DEVICE)
        return found

    async def add_sender(self, device: str, **columns: Any) -> UUID:
        """Add a number."""
        names = ["gateway", "device_id", "name", "time_zone", *columns]
        values = ["wassenger", device, "Another", "UTC", *columns.values()]
        found: UUID = await self.value(
            f"INSERT INTO sender ({', '.join(names)}) VALUES ({_slots(names)}) RETURNING id", *values
        )
        return found

    async def contacts(self, numbers: Iterable[str], category: UUID | None = None) -> UUID:
        """Add people to a category (a new one by default); returns it."""
        if category is None:
            category = await self.value("INSERT INTO category (name) VALUES (gen_random_uuid()::text) RETURNING id")
        given = list(numbers)
        await self.execute(
            "WITH added AS (INSERT INTO contact (phone, identity, name, attributes)"
            " SELECT p, i, 'Awa', '{}' FROM unnest($1::text[], $2::text[]) AS g(p, i)"
            " ON CONFLICT (phone) DO UPDATE SET updated_at = now() RETURNING id)"
            " INSERT INTO contact_category (contact, category) SELECT id, $3 FROM added",
            given,
            [identity(p) for p in given],
            category,
        )
        assert category is not None
        return category

    async def draft(self, sender: UUID, audience: int | Iterable[str] = 1, **columns: Any) -> UUID:
        """Create a campaign for a fresh category of these people."""
        numbers = phones(audience) if isinstance(audience, int) else audience
        category = await self.contacts(numbers)
        given = {"name": "Test", "message_1": "Bonjour {{name}}", "message_2": "Merci {{name}}"} | columns
        given = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in given.items()}
        names = ["sender", *given]
        campaign: UUID = await self.value(
            f"INSERT INTO campaign ({', '.join(names)}) VALUES ({_slots(names)}) RETURNING id", sender, *given.values()
        )
        await self.execute("INSERT INTO campaign_category (campaign, category) VALUES ($1, $2)", campaign, category)
        return campaign

    async def start_launch(self, campaign: UUID, *, window: float | None = None, safety: float | None = None) -> None:
        """Draft -> launching, as ``POST /send`` does."""
        s = settings.get()
        async with pool.connection() as conn:
            whose = await sql.campaign(conn, campaign=campaign)
            sender = await sql.read_sender(conn, sender=whose["sender"])
            await begin_day(conn, sender["id"], sender["time_zone"], limit_of(sender), sender["now"])
            assert await transitions.start_launch(
                conn,
                campaign,
                window=s.reply_window_hours * 3600 if window is None else window,
                safety=s.campaign_safety_timeout_hours * 3600 if safety is None else safety,
                why="the test sends it",
                by="test",
            )

    async def status(self, campaign: UUID) -> str:
        """Return a campaign's status."""
        return str(await self.value("SELECT status FROM campaign WHERE id = $1", campaign))

    async def states(self, campaign: UUID) -> dict[str, int]:
        """Count recipients by state."""
        query = "SELECT state, count(*) AS n FROM recipient WHERE campaign = $1 GROUP BY 1"
        return {row["state"]: row["n"] for row in await self.rows(query, campaign)}

    async def statuses(self, campaign: UUID, step: int = 1) -> dict[str, int]:
        """Count messages of one step by status."""
        query = "SELECT status, count(*) AS n FROM message WHERE campaign = $1 AND step = $2 GROUP BY 1"
        return {row["status"]: row["n"] for row in await self.rows(query, campaign, step)}

    async def alerts(self) -> set[str]:
        """Return the kinds of the open alerts."""
        return {row["kind"] for row in await self.rows("SELECT kind FROM alert WHERE resolved_at IS NULL")}


class World(Memory):
    """``Memory``, and the process that acts on it."""

    def __init__(self, process: Process, sender: UUID, simulator: Simulator) -> None:
        self.process = process
        self.sender = sender
        self.simulator = simulator

    async def launch(self, audience: int | Iterable[str] = 1, **columns: Any) -> UUID:
        """Create a campaign and launch it with the real launcher; returns its id."""
        window, safety = columns.pop("window", None), columns.pop("safety", None)
        campaign = await self.draft(columns.pop("sender", self.sender), audience, **columns)
        await self.start_launch(campaign, window=window, safety=safety)
        await run(launcher.launch_campaign, campaign)
        return campaign

    async def lane(self, sender: UUID | None = None) -> Lane:
        """Take the lane of a sender."""
        taken = await lease.take(sender or self.sender)
        assert taken is not None, "the lane has an owner"
        return Lane(self.process, taken)

    @asynccontextmanager
    async def sending(self, sender: UUID | None = None) -> AsyncIterator[asyncio.Task[None]]:
        """Run a lane beside the block; at its end it is cancelled, what is promised is sent, and the lane is free."""
        lane = await self.lane(sender)
        task = asyncio.create_task(lane.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await until(lambda: not lane._calls, what="the end of the calls")
            await self.settled()
            await self.execute("UPDATE sender SET lease_until = NULL WHERE lease_owner = $1", lane._lease.owner)

    async def send_all(self, campaign: UUID, seconds: float = 20) -> None:
        """Run the lane until every Message 1 has left."""

        async def left() -> bool:
            return await self.status(campaign) == "waiting"

        async with self.sending():
            await until(left, seconds=seconds, what="the end of sending")

    async def reached(self, audience: int | Iterable[str] = 1, **columns: Any) -> UUID:
        """Launch a campaign and record every Message 1 as sent just now, without a gateway."""
        campaign = await self.launch(audience, **columns)
        await self.promise(campaign)
        await self.execute(
            "UPDATE message SET status = 'sent', sent_at = promised_at, whatsapp_message_id = 'WA' || id,"
            " gateway_id = left(md5(id::text), 24), why = 'test', moved_by = 'test' WHERE campaign = $1 AND step = 1",
            campaign,
        )
        await self.execute(
            "UPDATE recipient r SET state = 'awaiting_reply', why = 'test', moved_by = 'test', window_ends_at ="
            " now() + make_interval(secs => c.window_seconds) FROM campaign c WHERE c.id = r.campaign AND c.id = $1",
            campaign,
        )
        await self.execute(
            "UPDATE campaign SET status = 'waiting', why = 'test', moved_by = 'test' WHERE id = $1", campaign
        )
        return campaign

    async def promise(self, campaign: UUID) -> None:
        """Leave every pending Message 1 of a campaign as a crash between promise and call would."""
        await self.execute(
            "UPDATE message SET status = 'sending', promised_at = now(), process = $2, attempt = attempt + 1,"
            " why = 'test', moved_by = 'test' WHERE campaign = $1 AND step = 1 AND status = 'pending'",
            campaign,
            self.process.identity.id,
        )

    async def store(self, raw: bytes) -> UUID | None:
        """Store a webhook as the web process does; None: it is here already."""
        envelope = self.process.gateway.receive({"x-relance-token": settings.get().wassenger_webhook_secret}, {}, raw)
        assert isinstance(envelope, Envelope), envelope
        async with pool.connection() as conn:
            found: UUID | None = await sql.store_webhook(
                conn,
                event_key=envelope.event_key,
                kind=envelope.kind,
                device_id=envelope.device_id,
                from_person=envelope.from_person,
                body=raw,
                unreadable=None if envelope.readable else envelope.reason,
            )
        return found

    async def hear(self, raw: bytes) -> Record:
        """Store and digest a webhook of a person; returns its inbox row."""
        inbox = await self.store(raw)
        assert inbox is not None, "this webhook is here already"
        await run(handle_interaction, inbox)
        await self.settled()
        return await self.inbox(inbox)

    async def inbox(self, inbox: UUID) -> Record:
        """Return an inbox row."""
        return await self.row("SELECT * FROM inbox WHERE id = $1", inbox)

    async def settled(self) -> None:
        """Wait until every result so far has been written."""
        assert await self.process.recorder.drained(5)

    def sent(self) -> list[dict[str, Any]]:
        """Return what the simulator accepted, oldest first."""
        return self.simulator.ledger()


def _slots(names: list[str]) -> str:
    return ", ".join(f"${n}" for n in range(1, len(names) + 1))
