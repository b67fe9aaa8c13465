"""One person's whole story, both sides on one time line: what is read when something does not agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.evidence import Simulated
from local.proof_person import Evidence
from rules.phone import identity, mask

Row = Mapping[str, Any]


def tell(who: str, evidence: Evidence, seen: Simulated, records: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Yield the lines of the story of the person with identity ``who``. Numbers are masked.

    ``records`` are the events and interactions that ``local.evidence.story`` read.
    """
    recipient = next((r for r in evidence.recipients if r["identity"] == who), None)
    if recipient is None:
        yield f"{mask('+' + who)}: the database knows no such recipient"
    else:
        yield f"{mask('+' + who)}  contact {recipient['contact']}  recipient {recipient['id']}"
        ends = recipient["window_ends_at"]
        yield f"is {recipient['state']} ({recipient['why']}); window until {_clock(ends.timestamp()) if ends else '–'}"
        for message in evidence.messages:
            if message["recipient"] == recipient["id"]:
                attempts = f"{message['attempt']} attempts, {message['retries']} retries, round {message['round']}"
                yield f"Message {message['step']} {message['id']} is {message['status']}: {message['why']} ({attempts})"
    moments = [*_ours(records), *_theirs(who, seen)]
    for at, side, what in sorted(moments, key=lambda moment: moment[0]):
        yield f"{_clock(at)}  {side:<8}  {what}"


def _ours(records: Mapping[str, Sequence[Row]]) -> Iterator[tuple[float, str, str]]:
    for event in records.get("events", ()):
        move = f"{event['subject']} {event['old'] or 'new'} → {event['new']} by {event['moved_by']}: {event['why']}"
        yield event["at"].timestamp(), "database", move
    for entry in records.get("interactions", ()):
        text = f"webhook in: {entry['type']} of {_clock(entry['at'].timestamp())}, judged {entry['outcome']}"
        yield entry["received_at"].timestamp(), "database", f"{text}: {entry['why']}"


def _theirs(who: str, seen: Simulated) -> Iterator[tuple[float, str, str]]:
    for line in seen.accepted:
        if identity(line["phone"]) == who:
            failure = f", {line['failure']['reason']}" if line["failure"] else ""
            text = f"accepted {line['reference']} ({line['outcome']}), now {line['status']}{failure}"
            yield line["time"], "gateway", text
    for entry in seen.inbound:
        if identity(entry["phone"]) == who:
            kind = ("STOP, " if entry["opt_out"] else "") + ("" if entry["genuine"] else "noise, ")
            dated = _clock(float(entry["timestamp"]))
            yield entry["time"], "person", f"{kind}{entry['type']} {entry['body'] or ''} (dated {dated})".strip()
    for webhook in seen.webhooks:
        if webhook["phone"] and identity(webhook["phone"]) == who:
            for delivery in webhook["deliveries"]:
                answer = delivery["status"] or delivery["error"]
                yield delivery["time"], "gateway", f"webhook out: {webhook['event']}, answered {answer}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
