"""The judge: the simulator's ledger against the database against its events, person by person.

What left, for whom and how often is compared by ``local.proof``. Here is added what a crash may break besides:
every move has its event, and the counters are the rows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from local import evidence, proof
from local.proof_person import EXPIRED, Evidence
from local.story import tell
from rules.phone import identity
from rules.status import ALLOWED
from tests.crash.story import Campaign
from tests.crash.system import System

if TYPE_CHECKING:
    from asyncpg import Record

Line = dict[str, Any]
OF_THE_END = frozenset({"wrong_state", "message_2_missing"})
"""What only a completed campaign can be blamed for."""


@dataclass
class Verdict:
    """What the judge found. ``wrong``: (identity of the person, what is wrong), each a broken promise."""

    messages: int = 0
    lost: int = 0
    doubled: int = 0
    unconfirmed: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)


async def judge(system: System, *campaigns: Campaign, unconfirmed_allowed: bool = False) -> Verdict:
    """Compare ledger, rows and events of these campaigns; no message may be pending or on its way."""
    seen = evidence.simulated(system.simulator.url)
    verdict = Verdict(messages=len([line for line in seen.accepted if left(line)]))
    for campaign in campaigns:
        sides = await evidence.gather(system.servers.database_url, str(campaign.id), seen)
        compared = proof.compare(sides, invited=campaign.phones, unconfirmed_allowed=unconfirmed_allowed)
        stopped = {r["identity"] for r in sides.recipients if r["state"] == "opted_out" and not r["window_ends_at"]}
        for difference in compared.differences:
            if difference.kind == "wrong_window" and difference.identity in stopped:
                continue  # STOP came before the send was recorded: there is no window to end
            if sides.status == "completed" or difference.kind not in OF_THE_END:
                verdict.doubled += difference.kind == "doubled"
                verdict.lost += difference.kind in ("lost", "not_invited", "message_2_missing")
                verdict.wrong.append((difference.identity, f"{difference.kind}: {difference.text}"))
        _judge_rows(verdict, sides, unconfirmed_allowed)
        _judge_texts(verdict, campaign, seen)
        await _judge_events(verdict, system, campaign)
        await _judge_counters(verdict, system, campaign)
    return verdict


async def assert_right(system: System, *campaigns: Campaign, unconfirmed_allowed: bool = False) -> Verdict:
    """Judge, and fail with the whole story of the first person that was wronged."""
    verdict = await judge(system, *campaigns, unconfirmed_allowed=unconfirmed_allowed)
    assert not verdict.wrong, await told(system, verdict, *campaigns)
    return verdict


async def told(system: System, verdict: Verdict, *campaigns: Campaign) -> str:
    """Put what is wrong into words, with the whole story of the first person that was wronged."""
    who, _ = verdict.wrong[0]
    lines = [
        f"{len(verdict.wrong)} promises were broken",
        *(f"  {person}: {what}" for person, what in verdict.wrong[:20]),
    ]
    seen = evidence.simulated(system.simulator.url)
    for campaign in campaigns:
        sides = await evidence.gather(system.servers.database_url, str(campaign.id), seen)
        recipient = next((r for r in sides.recipients if r["identity"] == who), None)
        if recipient is not None:
            records = await evidence.story(system.servers.database_url, str(recipient["id"]))
            lines += [f"  {line}" for line in tell(who, sides, seen, records)]
    return "\n".join(lines)


def left(line: Any) -> bool:
    """Whether an accepted message is one that left: what expired in the gateway's queue did not."""
    return line["failure"] is None or line["failure"]["code"] != EXPIRED


def lines_of(system: System, phone: str) -> list[Line]:
    """Return what left for one phone, oldest first."""
    return [line for line in system.simulator.ledger() if line["phone"] == phone and left(line)]


def _judge_rows(verdict: Verdict, sides: Evidence, unconfirmed_allowed: bool) -> None:
    """Nothing is forgotten on the way: no row may still be promised or to be promised."""
    people = {recipient["id"]: recipient["identity"] for recipient in sides.recipients}
    for message in sides.messages:
        who, status = people[message["recipient"]], message["status"]
        verdict.unconfirmed += status == "unconfirmed"
        if status in ("pending", "sending") or (status == "unconfirmed" and not unconfirmed_allowed):
            verdict.lost += status != "unconfirmed"
            verdict.wrong.append((who, f"Message {message['step']} is still {status}: {message['why']}"))


def _judge_texts(verdict: Verdict, campaign: Campaign, seen: evidence.Simulated) -> None:
    """The same words to the same person twice are a double whatever the references say."""
    got: dict[tuple[str, str], int] = defaultdict(int)
    for line in seen.accepted:
        if line["phone"] in campaign.phones and campaign.name in line["text"] and left(line) and not line["failure"]:
            got[line["phone"], line["text"]] += 1
    for (phone, text), times in got.items():
        if times > 1:
            verdict.wrong.append((identity(phone), f"got {text!r} {times} times"))


async def _judge_events(verdict: Verdict, system: System, campaign: Campaign) -> None:
    """Every move has its event, each begins where the one before ended, and the last one is the row."""
    rows = await system.books.rows(
        "SELECT m.id, 'message' AS subject, m.status, r.identity, 'pending' AS first"
        " FROM message m JOIN recipient r ON r.id = m.recipient WHERE m.campaign = $1"
        " UNION ALL SELECT id, 'recipient', state, identity, 'queued' FROM recipient WHERE campaign = $1",
        campaign.id,
    )
    events = await system.books.rows(
        "SELECT subject_id, old, new FROM event WHERE campaign = $1 AND subject <> 'campaign' ORDER BY id", campaign.id
    )
    stories: dict[UUID, list[Record]] = defaultdict(list)
    for event in events:
        stories[event["subject_id"]].append(event)
    for row in rows:
        who, subject, stands = row["identity"], row["subject"], row["first"]
        for event in stories[row["id"]]:
            if event["old"] != stands:
                verdict.wrong.append((who, f"a {subject} moved from {event['old']} while it was {stands}"))
            if event["new"] not in ALLOWED[subject][event["old"]]:
                verdict.wrong.append((who, f"a {subject} moved from {event['old']} to {event['new']}"))
            stands = event["new"]
        if stands != row["status"]:
            verdict.wrong.append((who, f"a {subject} is {row['status']}, its events say {stands}"))


async def _judge_counters(verdict: Verdict, system: System, campaign: Campaign) -> None:
    """The counters are the GROUP BY, and add up."""
    (row,) = await system.books.rows(
        """
        SELECT (SELECT to_jsonb(array[sum(total), sum(pending), sum(unconfirmed), sum(sent), sum(delivered), sum(read),
                       sum(send_failed), sum(cancelled), sum(message_2_sent), sum(message_2_failed)])
                FROM campaign_stats WHERE campaign = $1) AS counted,
               (SELECT to_jsonb(array[count(*) FILTER (WHERE step = 1),
                       count(*) FILTER (WHERE step = 1 AND status IN ('pending', 'sending')),
                       count(*) FILTER (WHERE step = 1 AND status = 'unconfirmed'),
                       count(*) FILTER (WHERE step = 1 AND status IN ('sent', 'delivered', 'read')),
                       count(*) FILTER (WHERE step = 1 AND status IN ('delivered', 'read')),
                       count(*) FILTER (WHERE step = 1 AND status = 'read'),
                       count(*) FILTER (WHERE step = 1 AND status = 'failed'),
                       count(*) FILTER (WHERE step = 1 AND status = 'cancelled'),
                       count(*) FILTER (WHERE step = 2 AND status IN ('sent', 'delivered', 'read')),
                       count(*) FILTER (WHERE step = 2 AND status = 'failed')])
                FROM message WHERE campaign = $1) AS there
        """,
        campaign.id,
    )
    counted, there = json.loads(row["counted"]), json.loads(row["there"])
    if counted != there:
        verdict.wrong.append((campaign.name, f"its counters say {counted}, its rows {there}"))
    total, pending, unconfirmed, sent, delivered, read, failed, cancelled, *_ = there
    if total != pending + unconfirmed + sent + failed + cancelled or not sent >= delivered >= read:
        verdict.wrong.append((campaign.name, f"its figures do not add up: {there}"))
