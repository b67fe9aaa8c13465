"""Small worlds for tests: senders, contacts and campaigns, brought into being by the code that does it in production.

Everything takes a connection first. Numbers are from the ranges that are reserved for fiction; ``phone`` has
140,000 of them. ``books.py`` checks what the triggers keep about a campaign.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from models import transitions
from models.queries import sql
from models.transitions import Claim, Fact, Promise
from rules.status import RecipientState

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from models.pool import Conn

TODAY = date(2026, 11, 20)
"""The local day that lanes of these worlds charge."""
WINDOW = 86_400.0
_FRANCE = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
_number = itertools.count()


def phone(index: int) -> str:
    """Return the phone number of the ``index``-th person: French, from 50,000 on American."""
    if index < 50_000:
        return f"{_FRANCE[index // 10_000]}{index % 10_000:04d}"
    area, line = divmod(index - 50_000, 100)
    if area >= 800:
        raise ValueError(f"there is no fictional person number {index}")
    return f"+1{200 + area}55501{line:02d}"


@dataclass(frozen=True)
class Person:
    """One recipient of a running campaign, with the row of its Message 1."""

    contact: UUID
    recipient: UUID
    message: UUID
    phone: str


@dataclass(frozen=True)
class Running:
    """A campaign in status sending, its sender, and its people in the order in which the lane serves them."""

    campaign: UUID
    sender: UUID
    people: list[Person]

    @property
    def first(self) -> Person:
        """The one most tests are about."""
        return self.people[0]

    def of(self, contact: UUID) -> Person:
        """The recipient that is this contact."""
        return next(person for person in self.people if person.contact == contact)


@dataclass(frozen=True)
class Lane:
    """The right to promise Message 1 of a sender: a lease that was taken, an open batch, a quota day."""

    sender: UUID
    campaign: UUID
    batch: UUID
    owner: UUID
    epoch: int

    @property
    def process(self) -> UUID:
        """Who promises: named like the sender, and alive (``lives``)."""
        return self.sender

    def claim(self, /, many: int = 1, **changes: Any) -> Claim:
        """Return the claim of ``many`` messages of the batch's campaign, with no other limit near."""
        usual = Claim(
            sender=self.sender,
            campaign=self.campaign,
            owner=self.owner,
            epoch=self.epoch,
            fence=6.0,
            process=self.process,
            batch=self.batch,
            many=many,
            day=TODAY,
            quota=1_000_000,
            gate_in=0.0,
        )
        return replace(usual, **changes)


async def new_sender(conn: Conn, *, time_zone: str = "Europe/Paris") -> UUID:
    """Make a sender that is ready."""
    made: UUID = await conn.fetchval(
        "INSERT INTO sender (gateway, device_id, name, time_zone)"
        " VALUES ('wassenger', $1, 'A number', $2) RETURNING id",
        secrets.token_hex(12),
        time_zone,
    )
    return made


async def lives(conn: Conn, process: UUID) -> None:
    """Let a process of this name live for as long as this connection, where nobody else is it."""
    await conn.execute("SELECT pg_try_advisory_lock(hashtextextended($1::text, 0))", str(process))


async def contacts(conn: Conn, many: int, *, name: str | None = "Ana") -> list[tuple[UUID, str]]:
    """Make ``many`` new contacts; returns their ids and phones, in the order of the ids."""
    start = await conn.fetchval("SELECT count(*) FROM contact")
    made = [(uuid7(), phone(start + i)) for i in range(many)]
    await conn.copy_records_to_table(
        "contact",
        columns=["id", "phone", "identity", "name", "attributes"],
        records=[(id_, phone_, phone_, name, "{}") for id_, phone_ in made],
    )
    return made


async def draft(
    conn: Conn,
    sender: UUID,
    *,
    message_1: str = "Hello",
    message_2: str | None = "Thank you",
    categories: Sequence[UUID] = (),
    **columns: Any,
) -> UUID:
    """Make a campaign that nobody has launched; ``columns`` are further columns of its row."""
    values = {"sender": sender, "message_1": message_1, "message_2": message_2, **columns}
    names, places = ", ".join(values), ", ".join(f"${i}" for i in range(2, len(values) + 2))
    made: UUID = await conn.fetchval(
        f"INSERT INTO campaign (name, {names}, why, moved_by) VALUES ($1, {places}, 'created', 'test') RETURNING id",
        f"Campaign {next(_number)}",
        *values.values(),
    )
    for category in categories:
        await conn.execute("INSERT INTO campaign_category (campaign, category) VALUES ($1, $2)", made, category)
    return made


async def launched(
    conn: Conn,
    many: int = 1,
    *,
    sender: UUID | None = None,
    people: Sequence[tuple[UUID, str]] | None = None,
    window: float = WINDOW,
    safety: float = 2 * WINDOW,
    **campaign: Any,
) -> Running:
    """Make a campaign that is sending to ``people`` (else to ``many`` new contacts); nothing has left yet."""
    whose = sender or await new_sender(conn)
    await lives(conn, whose)
    who = list(people) if people is not None else await contacts(conn, many)
    made = await draft(conn, whose, **campaign)
    assert await transitions.start_launch(conn, made, window=window, safety=safety, why="launched", by="test")
    found: list[Person] = []
    for at in range(0, len(who), 2_000):
        step = [(uuid7(), *one) for one in who[at : at + 2_000]]
        added = await sql.add_recipients(
            conn,
            campaign=made,
            ids=[r for r, _, _ in step],
            contacts=[c for _, c, _ in step],
            identities=[p for _, _, p in step],
            phones=[p for _, _, p in step],
            texts=["Hello"] * len(step),
        )
        assert added == len(step)
    assert await transitions.finish_launch(conn, made, "everyone is in") == whose
    for row in await conn.fetch(
        "SELECT id, recipient, contact, phone FROM message WHERE campaign = $1 ORDER BY next_at, id", made
    ):
        found.append(Person(row["contact"], row["recipient"], row["id"], row["phone"]))
    return Running(made, whose, found)


async def lane(conn: Conn, running: Running, *, size: int = 100, lease: float = 600.0) -> Lane:
    """Take the lane of a campaign's sender and open a batch; the lease outlives the test."""
    owner = uuid7()
    row = await sql.take_lane(conn, sender=running.sender, owner=owner, seconds=lease)
    assert row is not None, "somebody has this lane"
    await sql.ensure_quota_day(conn, sender=running.sender, day=TODAY)
    return Lane(running.sender, running.campaign, await batch(conn, running, size=size), owner, row["lease_epoch"])


async def batch(conn: Conn, running: Running, *, size: int = 100) -> UUID:
    """Open a batch of a campaign."""
    row = await sql.start_batch(
        conn, campaign=running.campaign, sender=running.sender, size=size, base_delay=5.0, delay=5.0, pause=30.0,
        gaps=[5.0] * size, error_rate=0.0, adjustment="the usual", planned_end=None,
        profile="standard", sources="{}",
    )  # fmt: skip
    made: UUID = row["id"]
    return made


async def promised(conn: Conn, many: int = 1, **launch: Any) -> tuple[Running, Lane, list[Promise]]:
    """Make a campaign whose every Message 1 has been promised."""
    running = await launched(conn, many, **launch)
    taken = await lane(conn, running)
    promises = await transitions.claim_slice(conn, taken.claim(len(running.people)))
    assert len(promises) == len(running.people)
    return running, taken, promises


async def sent(conn: Conn, many: int = 1, *, at: datetime | None = None, **launch: Any) -> tuple[Running, Lane]:
    """Make a campaign whose every Message 1 was accepted by the gateway (now, or ``at``)."""
    running, taken, promises = await promised(conn, many, **launch)
    moved = await transitions.accept(conn, [fact(p.message, at=at) for p in promises], by="test")
    assert len(moved) == len(promises)
    return running, taken


async def message_2(conn: Conn, running: Running, person: Person, *, at: datetime | None = None) -> UUID:
    """Let a person reply in time; returns the row of the Message 2 that this makes."""
    moved, made = await reply(conn, running, person, at=at)
    assert moved
    assert made is not None
    return made


async def reply(
    conn: Conn,
    running: Running,
    person: Person,
    *,
    at: datetime | None = None,
    text: str | None = "Thank you",
    **changes: Any,
) -> tuple[bool, UUID | None]:
    """Record a reply as the interaction handler does; ``changes`` are arguments of ``record_reply``."""
    usual: dict[str, Any] = {"state": RecipientState.REPLIED, "why": "replied in the window"}
    return await transitions.record_reply(
        conn, recipient=person.recipient, sender=running.sender, at=at or now(), phone=person.phone, message_2=text,
        media=None, **{**usual, **changes},
    )  # fmt: skip


def fact(message: UUID, status: Any = "sent", *, at: datetime | None = None, **more: Any) -> Fact:
    """Return what the gateway says of a message."""
    return Fact(message=message, status=status, at=at or now(), why=more.pop("why", f"acknowledged: {status}"), **more)


def now() -> datetime:
    """Return the time, as facts carry it."""
    return datetime.now(UTC)


async def row(conn: Conn, table: str, id_: UUID) -> Record:
    """Return one row by its key."""
    found = await conn.fetchrow(f'SELECT * FROM "{table}" WHERE id = $1', id_)
    assert found is not None, f"no row {id_} in {table}"
    return found


async def status(conn: Conn, message: UUID) -> str:
    """Return the status of a message."""
    return str((await row(conn, "message", message))["status"])


async def state(conn: Conn, recipient: UUID) -> str:
    """Return the state of a recipient."""
    return str((await row(conn, "recipient", recipient))["state"])


async def moves(conn: Conn, subject_id: UUID) -> list[tuple[str | None, str]]:
    """Return every (from, to) that the events tell of one row, oldest first."""
    rows = await conn.fetch("SELECT old, new FROM event WHERE subject_id = $1 ORDER BY id", subject_id)
    return [(event["old"], event["new"]) for event in rows]


async def last_event(conn: Conn, subject_id: UUID) -> Record:
    """Return the newest event of one row."""
    found = await conn.fetchrow("SELECT * FROM event WHERE subject_id = $1 ORDER BY id DESC LIMIT 1", subject_id)
    assert found is not None, f"nothing ever happened to {subject_id}"
    return found


async def everything(conn: Conn, campaign: UUID) -> dict[str, Any]:
    """Return every row that belongs to a campaign, to see that nothing of it changed."""
    tables = ("message", "recipient", "campaign_stats", "event", "batch")
    whole = {t: await conn.fetch(f"SELECT * FROM {t} WHERE campaign = $1 ORDER BY id", campaign) for t in tables}
    whole["campaign"] = await conn.fetch("SELECT * FROM campaign WHERE id = $1", campaign)
    whole["quota"] = await conn.fetch("SELECT * FROM quota_day ORDER BY id")
    return json.loads(json.dumps({t: [dict(r) for r in rows] for t, rows in whole.items()}, default=str))  # type: ignore[no-any-return]


async def used(conn: Conn, sender: UUID, day: date = TODAY) -> int:
    """Return what a sender used of its quota."""
    spent: int = await sql.quota_used(conn, sender=sender, day=day)
    return spent


@asynccontextmanager
async def connections(many: int) -> AsyncIterator[list[Connection[Record]]]:
    """Open so many direct connections, with the time-outs of production."""
    from models import pool  # reads the settings when it is imported

    opened: list[Connection[Record]] = []
    try:
        for _ in range(many):
            opened.append(await pool.connect())
        yield opened
    finally:
        for conn in opened:
            if not conn.is_closed():
                conn.terminate()


async def waits_for_a_lock(observer: Conn, waiting: asyncpg.Connection[Any]) -> bool:
    """Whether this connection waits for a lock just now."""
    return bool(
        await observer.fetchval(
            "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1", waiting.get_server_pid()
        )
    )
