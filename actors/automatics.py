"""Was it a person? Away messages, canned answers and echoes are recorded and marked; they do not answer for anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from gateway import Inbound
from models.queries import sql
from rules.automatic import Automatic, Limits, Reply, fingerprint, judge
from rules.reply import Outcome, Verdict

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

SAME_TEXT_WITHIN = timedelta(days=1)
"""The same text of other contacts counts for so long."""
_ANSWERS = (Outcome.FOLLOW_UP, Outcome.FINAL_REPLY, Outcome.LATE)


@dataclass(frozen=True)
class Mark:
    """What is kept with an interaction: the fingerprint of a long text, and why no person wrote it (None: one may)."""

    fingerprint: str | None
    automatic: Automatic | None


NOBODY = Mark(None, None)
"""What is kept with noise: it is no reply anyway, and its text is not compared with anybody's."""


async def look(conn: Conn, event: Inbound, received_at: datetime, contact: UUID, answered: Record | None) -> Mark:
    """Look at an inbound message as one of a machine. A request to stop is judged before, and obeyed whoever writes."""
    long_enough = len(" ".join((event.body or "").split())) >= Limits().same_text_length
    told = (fingerprint(event.body) or None) if long_enough else None
    same, ours = 0, []
    if told:
        since = received_at - SAME_TEXT_WITHIN
        same = await sql.same_text_contacts(conn, fingerprint=told, since=since, contact=contact)
    if event.body:
        ours = [row["text"] for row in await sql.texts_to(conn, contact=contact)]
    reply = Reply(
        body=event.body,
        at=min(event.at, received_at),
        sent_at=answered["sent_at"] if answered else None,
        delivered_at=answered["delivered_at"] if answered else None,
        ours=ours,
        same_text_contacts=same,
    )
    return Mark(told, judge(reply))


def weighed(verdict: Verdict, mark: Mark, answered: Record | None) -> Verdict:
    """Return the verdict once it is known who wrote: a machine's answer settles nothing, unless the campaign says so.

    The person behind it may still answer within the window, and is then answered.
    """
    if mark.automatic is None or answered is None or verdict.outcome not in _ANSWERS:
        return verdict
    if answered["answer_automatic"]:
        return Verdict(verdict.outcome, verdict.in_window, f"{verdict.why} (no person wrote it: {mark.automatic.why})")
    return Verdict(Outcome.AUTOMATIC, verdict.in_window, f"no person wrote it: {mark.automatic.why}")
