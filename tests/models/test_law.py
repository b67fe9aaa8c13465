"""The database refuses nonsense, whoever asks: the law by triggers, the shape of a row by its constraints."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from models.queries import sql
from rules.status import ALLOWED, CampaignStatus, MessageStatus, RecipientState, Status
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

COMPLETE = {
    "message": "sent_at = now(), failed_at = now(), error_text = 'x', promised_at = now(), process = uuid7()",
    "recipient": "window_ends_at = now(), replied_at = now()",
    "campaign": "launched_at = now(), scheduled_at = now(), completed_at = now(), final_stats = '{}'",
}
"""What any status needs beside it, so that only the law can refuse a move."""
COLUMN = {"message": "status", "recipient": "state", "campaign": "status"}
STATUSES: dict[str, type[Status]] = {
    "message": MessageStatus, "recipient": RecipientState, "campaign": CampaignStatus,
}  # fmt: skip


def to(subject: str, status: str) -> str:
    """Return the assignments that bring a row to a status, with all that belongs to it."""
    step = f", failed_step = {'1' if status == 'failed' else 'NULL'}" if subject == "recipient" else ""
    return f"{COLUMN[subject]} = '{status}', {COMPLETE[subject]}{step}"


@pytest.mark.parametrize("subject", ["message", "recipient", "campaign"])
async def test_every_move_outside_the_law_is_refused_and_every_other_one_told(conn: Conn, subject: str) -> None:
    running = await worlds.launched(conn)
    key = {"message": running.first.message, "recipient": running.first.recipient, "campaign": running.campaign}[
        subject
    ]
    statuses = [str(s) for s in STATUSES[subject]]
    for old, new in itertools.permutations(statuses, 2):
        async with conn.transaction():
            await conn.execute("SET LOCAL session_replication_role = replica")  # no triggers while we set the scene
            await conn.execute(f"UPDATE {subject} SET {to(subject, old)} WHERE id = $1", key)
            await conn.execute("SET LOCAL session_replication_role = origin")
        move = f"UPDATE {subject} SET {to(subject, new)}, why = 'raw', moved_by = 'a person' WHERE id = $1"
        if new in ALLOWED[subject][STATUSES[subject](old)]:
            await conn.execute(move, key)
            event = await worlds.last_event(conn, key)
            assert (event["subject"], event["old"], event["new"], event["why"], event["moved_by"]) == (
                subject, old, new, "raw", "a person",
            )  # fmt: skip
        else:
            with pytest.raises(asyncpg.CheckViolationError, match=f"may not move from {old} to {new}") as refused:
                await conn.execute(move, key)
            assert refused.value.constraint_name == "allowed_move"
            assert (await worlds.row(conn, subject, key))[COLUMN[subject]] == old


async def test_one_unlawful_row_among_many_refuses_the_whole_statement(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 3)
    await conn.execute(f"UPDATE message SET {to('message', 'read')} WHERE id = $1", running.first.message)
    before = await worlds.everything(conn, running.campaign)
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute(f"UPDATE message SET {to('message', 'delivered')} WHERE campaign = $1", running.campaign)
    assert await worlds.everything(conn, running.campaign) == before


async def test_a_raw_update_by_a_person_keeps_the_books_too(conn: Conn) -> None:
    running, _ = await worlds.sent(conn, 5)
    await conn.execute(
        "UPDATE message SET status = 'delivered', delivered_at = now() WHERE campaign = $1", running.campaign
    )
    assert (await books.check(conn, running.campaign))["delivered"] == 5


async def test_an_update_that_moves_nothing_tells_nothing(conn: Conn) -> None:
    running, _ = await worlds.sent(conn)
    told = len(await worlds.moves(conn, running.first.message))
    await conn.execute("UPDATE message SET why = 'still' WHERE campaign = $1", running.campaign)
    await conn.execute("UPDATE recipient SET why = 'still' WHERE campaign = $1", running.campaign)
    await conn.execute("UPDATE campaign SET why = 'still' WHERE id = $1", running.campaign)
    assert len(await worlds.moves(conn, running.first.message)) == told
    await books.check(conn, running.campaign)


NONSENSE: list[tuple[str, str, str]] = [
    ("message", "status = 'sent'", "accepted_is_dated"),
    ("message", "status = 'sending'", "promise_is_complete"),
    ("message", "status = 'failed'", "failure_has_reason"),
    ("message", "status = 'failed', failed_at = now()", "failure_has_reason"),
    ("message", "status = 'lost'", "known_status"),
    ("message", "step = 3", "known_step"),
    ("recipient", "state = 'awaiting_reply'", "awaiting_has_window"),
    ("recipient", "state = 'replied'", "reply_is_dated"),
    ("recipient", "state = 'failed'", "failure_has_step"),
    ("recipient", "failed_step = 1", "failure_has_step"),
    ("recipient", "state = 'gone'", "known_state"),
    ("campaign", "status = 'sold'", "known_status"),
    ("campaign", "launched_at = NULL", "launched_is_complete"),
    ("campaign", "status = 'completed'", "completed_is_dated"),
    ("campaign", "status = 'scheduled'", "scheduled_is_dated"),
    ("sender", "state = 'tired'", "known_state"),
    ("quota_day", "used = -1", "not_negative"),
]


@pytest.mark.parametrize(("table", "change", "constraint"), NONSENSE, ids=[f"{t} {c}" for t, c, _ in NONSENSE])
async def test_a_row_that_contradicts_itself_is_refused(conn: Conn, table: str, change: str, constraint: str) -> None:
    running = await worlds.launched(conn)
    await worlds.lane(conn, running)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await conn.execute(f"UPDATE {table} SET {change}")
    assert constraint in str(refused.value.constraint_name)


async def second_of(conn: Conn, table: str, **changes: Any) -> None:
    """Insert a copy of the only row of a table, with a key of its own and these changes."""
    row = dict((await conn.fetchrow(f"SELECT * FROM {table} LIMIT 1")) or {})
    row = {**row, "id": uuid7(), **changes}
    places = ", ".join(f"${i}" for i in range(1, len(row) + 1))
    names = ", ".join(f'"{name}"' for name in row)
    await conn.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())


async def test_there_is_never_a_second_message_of_one_step(conn: Conn) -> None:
    await worlds.launched(conn)
    with pytest.raises(asyncpg.UniqueViolationError):
        await second_of(conn, "message")
    await second_of(conn, "message", step=2)


async def test_a_contact_or_a_person_is_in_a_campaign_once(conn: Conn) -> None:
    await worlds.launched(conn)
    with pytest.raises(asyncpg.UniqueViolationError):
        await second_of(conn, "recipient", identity="another")
    with pytest.raises(asyncpg.UniqueViolationError):
        await second_of(conn, "recipient", contact=uuid7())


async def test_a_message_belongs_to_a_recipient(conn: Conn) -> None:
    running = await worlds.launched(conn)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await second_of(conn, "message", recipient=uuid7())
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await conn.execute("DELETE FROM recipient WHERE id = $1", running.first.recipient)


async def test_a_sender_has_one_open_batch(conn: Conn) -> None:
    running = await worlds.launched(conn)
    await worlds.lane(conn, running)
    with pytest.raises(asyncpg.UniqueViolationError):
        await worlds.batch(conn, running)


async def test_an_event_of_the_inbox_is_stored_once(conn: Conn) -> None:
    stored = [
        await stored_webhook(conn, "key-1"),
        await stored_webhook(conn, "key-1"),
        await stored_webhook(conn, "key-2"),
    ]
    assert [made is not None for made in stored] == [True, False, True]


async def stored_webhook(conn: Conn, key: str) -> Any:
    return await sql.store_webhook(
        conn, event_key=key, kind="message:in:new", device_id=None, from_person=True, body=b"{}", unreadable=None
    )
