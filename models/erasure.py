"""Erasure: a person's data go, their figures stay, and a keyed hash keeps them from being added again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from models import stops, transitions
from models.queries import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

SETTLED_SECONDS = 60.0
"""So long after an erasure, whatever was under way then has been written: the last look is taken after it."""
LEAST_DIGITS = 7
"""Shorter runs of digits are no trace of a person: they stand in anybody's webhooks."""


async def erase(conn: Conn, people: Sequence[Record], by: str) -> list[UUID]:
    """Erase contacts that ``lock_contacts`` returned, in this transaction; returns the stop entries made.

    What is pending for them is cancelled. Their messages, replies and moves stay as rows without phone, text or
    name, so that every count stays true. Stored webhooks that only mention them are emptied afterwards, by the
    actor ``erase_traces``: one run for each entry returned.
    """
    if not people:
        return []
    contacts = [row["id"] for row in people]
    # First what locks no counter, then what moves: counters are the last lock everywhere.
    await sql.erase_messages(conn, contacts=contacts)
    await transitions.opt_out(
        conn, contacts, recipient=None, at=datetime.now(UTC), why="the person was erased", by=by, keep_silent=True
    )
    await sql.erase_interactions(conn, contacts=contacts)
    identities = [row["identity"] for row in people]
    await sql.drop_pending_trials(conn, identities=identities)
    await sql.erase_trials(conn, identities=identities)
    await sql.erase_contacts(conn, contacts=contacts)
    traces = _traces(people)
    made = await sql.add_stops(conn, hashes=[stops.digest(key) for key in traces], traces=list(traces.values()))
    return [row["id"] for row in made]


def _traces(people: Sequence[Record]) -> dict[str, str]:
    """Return the keys these people are recognised by, each with the digits they may stand under somewhere."""
    found: dict[str, set[str]] = {}
    for row in people:
        found.setdefault(row["identity"], {row["identity"]}).update((row["phone"].lstrip("+"), row["wa_id"] or ""))
        if row["lid"]:
            found.setdefault(stops.hidden(row["lid"]), set()).add(row["lid"])
    return {key: " ".join(sorted(digits for digits in some if digits)) for key, some in found.items()}


def digits_of(trace: str) -> list[bytes]:
    """Return what a stored webhook must not hold any more."""
    return [digits.encode() for digits in trace.split() if len(digits) >= LEAST_DIGITS]
