"""What both sides have of one campaign, read from where it is: plain SQL, and the simulator's ledger over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx

from local.proof_person import Evidence

if TYPE_CHECKING:
    from asyncpg import Connection, Record

Row = Mapping[str, Any]

_CAMPAIGN = "SELECT status, window_seconds, message_2 IS NOT NULL AS has_message_2 FROM campaign WHERE id = $1::uuid"
_RECIPIENTS = """
SELECT r.id, r.contact, r.identity, r.state, r.failed_step, r.window_ends_at, r.replied_at, r.why,
       c.phone, c.opted_out_at
FROM recipient r JOIN contact c ON c.id = r.contact WHERE r.campaign = $1::uuid ORDER BY r.id
"""
_MESSAGES = """
SELECT id, recipient, step, phone, text, status, attempt, round, retries, promised_at, sent_at, error_text, why
FROM message WHERE campaign = $1::uuid ORDER BY id
"""
_STORIES = {
    "events": """
        SELECT e.subject, e.old, e.new, e.why, e.moved_by, e.at FROM event e
        WHERE e.subject_id = $1::uuid OR e.subject_id IN (SELECT id FROM message WHERE recipient = $1::uuid)
        ORDER BY e.id""",
    "interactions": """
        SELECT i.at, i.received_at, i.type, i.outcome, i.why, i.in_window, x.digested_at
        FROM interaction i JOIN inbox x ON x.id = i.inbox
        WHERE i.contact = (SELECT contact FROM recipient WHERE id = $1::uuid) ORDER BY i.received_at""",
}


@dataclass(frozen=True)
class Simulated:
    """The gateway's side: what it accepted, what people wrote, what it told us."""

    accepted: Sequence[Row]
    inbound: Sequence[Row]
    webhooks: Sequence[Row]


def simulated(simulator_url: str) -> Simulated:
    """Read the whole ledger of a simulator."""
    with httpx.Client(base_url=simulator_url, timeout=30, trust_env=False) as http:

        def lines(what: str) -> list[Row]:
            answer = http.get(f"/_sim/{what}")
            answer.raise_for_status()
            return [json.loads(line) for line in answer.text.splitlines()]

        return Simulated(lines("ledger"), lines("inbound"), lines("webhooks"))


async def gather(database_url: str, campaign: str, seen: Simulated) -> Evidence:
    """Read the database's side of one campaign and put the gateway's beside it.

    Messages of other campaigns are left out of what the gateway accepted; what no campaign knows stays in.
    """
    conn = await asyncpg.connect(database_url)
    try:
        row = await conn.fetchrow(_CAMPAIGN, campaign)
        if row is None:
            raise LookupError(f"there is no campaign {campaign}")
        messages = await conn.fetch(_MESSAGES, campaign)
        recipients = await conn.fetch(_RECIPIENTS, campaign)
        foreign = await _foreign(conn, campaign, seen.accepted)
    finally:
        await conn.close()
    accepted = [line for line in seen.accepted if str(line["reference"]).partition(".")[0] not in foreign]
    return Evidence(
        status=row["status"],
        window_seconds=row["window_seconds"],
        has_message_2=row["has_message_2"],
        recipients=[dict(r) for r in recipients],
        messages=[dict(m) for m in messages],
        accepted=accepted,
        inbound=seen.inbound,
    )


async def _foreign(conn: Connection[Record], campaign: str, accepted: Sequence[Row]) -> set[str]:
    rows = await conn.fetch("SELECT id::text FROM message WHERE campaign <> $1::uuid", campaign)
    known = {row["id"] for row in rows}
    return {reference for line in accepted if (reference := str(line["reference"]).partition(".")[0]) in known}


async def story(database_url: str, recipient: str) -> dict[str, list[Row]]:
    """Read the events and interactions of one recipient."""
    conn = await asyncpg.connect(database_url)
    try:
        return {name: [dict(row) for row in await conn.fetch(query, recipient)] for name, query in _STORIES.items()}
    finally:
        await conn.close()


async def unsettled(database_url: str) -> int:
    """Count what is still on its way through the service: undigested webhooks, promises without an answer."""
    conn = await asyncpg.connect(database_url)
    try:
        return int(
            await conn.fetchval(
                "SELECT (SELECT count(*) FROM inbox WHERE digested_at IS NULL)"
                " + (SELECT count(*) FROM message WHERE status IN ('sending') OR (step = 2 AND status = 'pending'))"
            )
        )
    finally:
        await conn.close()
