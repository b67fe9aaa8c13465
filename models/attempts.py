"""How the last attempts of a campaign went: what its error rate, its breaker and its probe are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from models.queries import sql
from rules.breaker import Attempts, Kind, Probe, kind, probe

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

WINDOW = 100
"""Settled attempts that the error rate looks at."""
PROBE_SAMPLE = 10
"""Attempts after a resume that the probe is told of."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The last settled attempts: ``failed`` of ``settled`` is the error rate that is shown; ``judged`` is what the
    breakers see of it (a reach-out lock is no fault of the campaign)."""

    failed: int
    settled: int
    judged: Attempts


async def window(conn: Conn, campaign: UUID, since: datetime | None) -> Window:
    """Read the last attempts since ``since``; each try counts, silence never does."""
    kinds: list[Kind | None] = []
    for row in await sql.settled_attempts(conn, campaign=campaign, since=since, last=WINDOW):
        kinds += _kinds(row)
    last = kinds[:WINDOW]
    seen = [k for k in last if k is not Kind.REACH_OUT]
    return Window(
        failed=sum(k is not None for k in last),
        settled=len(last),
        judged=Attempts(
            settled=len(seen), failed=sum(k is not None for k in seen), invalid=seen.count(Kind.INVALID_NUMBER)
        ),
    )


async def probing(conn: Conn, campaign: UUID, since: datetime | None) -> Probe:
    """Say where the probe of a campaign stands that was resumed at ``since``; without a resume there is none."""
    if since is None:
        return Probe(None, None)
    told: list[bool | None] = []
    for row in await sql.attempts_since(conn, campaign=campaign, since=since, many=PROBE_SAMPLE):
        if row["outcome"] == "open":
            told += [True] * row["retries"] + [None]
        else:
            told += [k is not None for k in reversed(_kinds(row)) if k is not Kind.REACH_OUT]
    return probe(told)


def _kinds(row: Record) -> list[Kind | None]:
    """Return what one message's attempts were, the newest first; None is a success."""
    retried: list[Kind | None] = [Kind.FAILED] * row["retries"]
    if row["outcome"] == "sent":
        return [None, *retried]
    if row["outcome"] == "failed":
        what = kind(row["error_class"], row["error_text"], new_chat=bool(row["opens"]))
        return retried if what is Kind.NOT_COUNTED else [what, *retried]
    return retried
