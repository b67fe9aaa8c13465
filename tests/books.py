"""The books of a campaign: what the triggers keep must equal what the rows say, at every instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from models.pool import Conn

KEPT = (
    "total", "pending", "unconfirmed", "sent", "delivered", "read", "send_failed", "cancelled",
    "message_2_sent", "message_2_failed", "replied", "late_replies", "no_interaction", "opted_out",
)  # fmt: skip

_KEPT = "SELECT " + ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in KEPT)

FIGURES = f"""
WITH kept AS ({_KEPT} FROM campaign_stats WHERE campaign = $1),
messages AS (
    SELECT count(*) FILTER (WHERE step = 1) AS total,
           count(*) FILTER (WHERE step = 1 AND status IN ('pending', 'sending')) AS pending,
           count(*) FILTER (WHERE step = 1 AND status = 'unconfirmed') AS unconfirmed,
           count(*) FILTER (WHERE step = 1 AND status IN ('sent', 'delivered', 'read')) AS sent,
           count(*) FILTER (WHERE step = 1 AND status IN ('delivered', 'read')) AS delivered,
           count(*) FILTER (WHERE step = 1 AND status = 'read') AS read,
           count(*) FILTER (WHERE step = 1 AND status = 'failed') AS send_failed,
           count(*) FILTER (WHERE step = 1 AND status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE step = 2 AND status IN ('sent', 'delivered', 'read')) AS message_2_sent,
           count(*) FILTER (WHERE step = 2 AND status = 'failed') AS message_2_failed
    FROM message WHERE campaign = $1
), people AS (
    SELECT count(*) FILTER (WHERE replied_at IS NOT NULL) AS replied,
           count(*) FILTER (WHERE state = 'late_reply') AS late_replies,
           count(*) FILTER (WHERE state = 'no_interaction') AS no_interaction,
           count(*) FILTER (WHERE state = 'opted_out') AS opted_out
    FROM recipient WHERE campaign = $1
)
SELECT {", ".join(f"kept.{name} AS kept_{name}" for name in KEPT)}, messages.*, people.* FROM kept, messages, people
"""
"""Both sides in one statement: one snapshot."""

BROKEN_CHAINS = """
WITH told AS (
    SELECT subject, subject_id, old, new,
           lag(new) OVER (PARTITION BY subject_id ORDER BY id) AS before,
           lead(id) OVER (PARTITION BY subject_id ORDER BY id) IS NULL AS newest
    FROM event WHERE campaign = $1 AND subject IN ('message', 'recipient')
), now AS (
    SELECT 'message' AS subject, id, status AS current, 'pending' AS began FROM message WHERE campaign = $1
    UNION ALL SELECT 'recipient', id, state, 'queued' FROM recipient WHERE campaign = $1
)
SELECT told.subject, told.subject_id, format('%s -> %s follows %s', old, new, coalesce(before, began)) AS problem
FROM told JOIN now ON now.id = told.subject_id AND now.subject = told.subject
WHERE old IS DISTINCT FROM coalesce(before, began) OR old = new
UNION ALL
SELECT now.subject, now.id, format('is %s, its newest event says %s', current, coalesce(told.new, 'nothing'))
FROM now LEFT JOIN told ON told.subject_id = now.id AND told.newest
WHERE current <> coalesce(told.new, began)
UNION ALL
SELECT told.subject, told.subject_id, 'an event of nobody' FROM told
WHERE NOT EXISTS (SELECT FROM now WHERE now.id = told.subject_id AND now.subject = told.subject)
LIMIT 5
"""
"""Replaying the events of each row from its first status must give its current one, link by link."""

BATCHES = """
SELECT b.number, b.sent, b.failed,
       count(m.id) FILTER (WHERE m.status IN ('sent', 'delivered', 'read')) AS sent_rows,
       count(m.id) FILTER (WHERE m.status = 'failed') AS failed_rows
FROM batch b LEFT JOIN message m ON m.batch = b.id WHERE b.campaign = $1 GROUP BY b.id
"""


async def figures(conn: Conn, campaign: UUID) -> tuple[dict[str, int], dict[str, int]]:
    """Return (what the counters say, what the rows say), both of one snapshot."""
    row = await conn.fetchrow(FIGURES, campaign)
    assert row is not None
    return {name: row[f"kept_{name}"] for name in KEPT}, {name: row[name] for name in KEPT}


def check_identities(c: dict[str, int]) -> None:
    """Hold the identities of every instant, Message 1 only."""
    assert c["total"] == c["pending"] + c["unconfirmed"] + c["sent"] + c["send_failed"] + c["cancelled"], c
    assert c["sent"] >= c["delivered"] >= c["read"] >= 0, c
    assert min(c.values()) >= 0, c


async def check_instant(conn: Conn, campaign: UUID) -> dict[str, int]:
    """Hold counters, rows and identities of this instant against each other; returns the counters."""
    kept, counted = await figures(conn, campaign)
    wrong = {name: (kept[name], counted[name]) for name in KEPT if kept[name] != counted[name]}
    assert not wrong, f"(counter, rows) differ: {wrong}"
    check_identities(kept)
    return kept


async def check(conn: Conn, campaign: UUID) -> dict[str, int]:
    """Hold all the books of a campaign against its rows: counters, identities, events, batches."""
    kept = await check_instant(conn, campaign)
    broken: list[Any] = await conn.fetch(BROKEN_CHAINS, campaign)
    assert not broken, [dict(row) for row in broken]
    for row in await conn.fetch(BATCHES, campaign):
        assert (row["sent"], row["failed"]) == (row["sent_rows"], row["failed_rows"]), dict(row)
    return kept
