"""The proof: what the database says against what the gateway saw, person by person.

Pure functions over rows, and nothing of the actors: whoever sends must not be asked whether it was sent.
The database's rows come from ``local.evidence``, as do the simulator's lines: ``accepted`` are those of
``/_sim/ledger``, ``inbound`` those of ``/_sim/inbound``. Call it when the world is quiet: no message on its way,
no webhook undelivered or undigested. One campaign; its contacts were written to by no other one meanwhile.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from local.proof_person import Evidence, Person, Row, expected_of, own_time
from rules.phone import identity

Kind = Literal[
    "not_invited", "uninvited", "unknown_reference", "doubled", "lost", "unrecorded", "altered", "wrong_window",
    "message_2_missing", "message_2_unasked", "message_2_after_stop", "wrong_state",
]  # fmt: skip

ACCEPTED: Final = frozenset({"sent", "delivered", "read"})
CLOCK_SECONDS: Final = 6.0
"""The most by which our time of a send may differ from the gateway's: the longest deadline of a call."""


@dataclass(frozen=True)
class Difference:
    """One thing that does not agree. ``identity`` is whose story tells why."""

    kind: Kind
    identity: str
    text: str


@dataclass
class Verdict:
    """What was compared, in figures, and every difference."""

    people: int = 0
    accepted: Counter[int] = field(default_factory=Counter)
    """Messages that the gateway accepted, by step; those that expired in its queue never left."""
    recorded: Counter[int] = field(default_factory=Counter)
    """Messages that the database says were accepted (those reported as failed afterwards included), by step."""
    replies: Counter[str] = field(default_factory=Counter)
    """People by what their first genuine inbound was: in_window, late, stop, none; unreached where Message 1 is."""
    states: Counter[str] = field(default_factory=Counter)
    reached: Counter[int] = field(default_factory=Counter)
    """People whom a message of a step reached for good, by the gateway's word."""
    differences: list[Difference] = field(default_factory=list)


def compare(
    evidence: Evidence, *, invited: Collection[str] | None = None, unconfirmed_allowed: bool = False
) -> Verdict:
    """Compare both sides and return the figures and the differences (none: everything agrees).

    ``invited`` are the phones of everybody who should have been written to, where the caller knows them from
    elsewhere. ``unconfirmed_allowed``: look-ups were made impossible, so a message may stay in doubt.
    """
    verdict = Verdict()
    people = _people(evidence, verdict)
    verdict.people = len(people)
    if invited is not None:
        _check_audience(people, invited, verdict)
    for person in people:
        verdict.states[person.row["state"]] += 1
        for step in (1, 2):
            _check_sends(person, step, verdict, unconfirmed_allowed)
        _check_window(person, evidence, verdict)
        _check_story(person, evidence, verdict, unconfirmed_allowed)
    return verdict


def wrong_figures(verdict: Verdict, figures: Mapping[str, int]) -> list[str]:
    """Compare the service's live figures of the campaign with what was counted person by person."""
    counted = {
        "total": verdict.people,
        "sent": verdict.reached[1],
        "message_2_sent": verdict.reached[2],
        "no_interaction": verdict.states["no_interaction"],
        "late_replies": verdict.states["late_reply"],
        "unconfirmed": verdict.states["unconfirmed"],
    }
    return [
        f"the service shows {name} {figures[name]}, and it is {counted[name]}"
        for name in counted
        if figures[name] != counted[name]
    ]


def _people(evidence: Evidence, verdict: Verdict) -> list[Person]:
    """Sort every row and line under the person it belongs to; a line of nobody is a difference."""
    messages: dict[str, dict[int, Row]] = defaultdict(dict)
    owner: dict[str, Row] = {}
    for message in evidence.messages:
        messages[str(message["recipient"])][message["step"]] = message
        owner[str(message["id"])] = message
    lines: dict[str, dict[int, list[Row]]] = defaultdict(lambda: {1: [], 2: []})
    for line in evidence.accepted:
        found = owner.get(str(line["reference"]).partition(".")[0])
        if found is None:
            text = f"the gateway accepted {line['reference']}, and the database has no such message"
            verdict.differences.append(Difference("unknown_reference", identity(line["phone"]), text))
        else:
            lines[str(found["recipient"])][found["step"]].append(line)
    written: dict[str, list[Row]] = defaultdict(list)
    for entry in evidence.inbound:
        if entry["genuine"]:
            written[identity(entry["phone"])].append(entry)
    return [
        Person(
            row=row,
            message=messages[str(row["id"])],
            lines=lines[str(row["id"])],
            inbound=sorted(written[row["identity"]], key=lambda entry: (own_time(entry), entry["time"])),
        )
        for row in evidence.recipients
    ]


def _check_audience(people: Iterable[Person], invited: Collection[str], verdict: Verdict) -> None:
    """Everybody who should be a recipient is one, and nobody else."""
    wanted, there = {identity(phone) for phone in invited}, {person.identity for person in people}
    for missing in sorted(wanted - there):
        verdict.differences.append(Difference("not_invited", missing, "should have been written to, and is missing"))
    for extra in sorted(there - wanted):
        verdict.differences.append(Difference("uninvited", extra, "should not have been written to"))


def _check_sends(person: Person, step: int, verdict: Verdict, unconfirmed_allowed: bool) -> None:
    """Accepted references = messages sent, nobody twice, and what arrived is what was meant."""
    took, message = person.took(step), person.message.get(step)
    verdict.accepted[step] += bool(took)
    verdict.reached[step] += person.reached(step)

    def differs(kind: Kind, text: str) -> None:
        verdict.differences.append(Difference(kind, person.identity, f"Message {step} {text}"))

    references = Counter(line["reference"] for line in took)
    if max(references.values(), default=0) > 1 or sum(line["failure"] is None for line in took) > 1:
        differs("doubled", f"was accepted {len(took)} times by the gateway")
    if message is None:
        return
    if any(line["phone"] != message["phone"] or line["text"] != message["text"] for line in took):
        differs("altered", "reached the gateway with another number or text than the database has")
    status = message["status"]
    verdict.recorded[step] += status in ACCEPTED or (status == "failed" and bool(took))
    if status in ACCEPTED and not person.reached(step):
        seen = "says it failed" if took else "never accepted it"
        differs("lost", f"is {status} in the database, and the gateway {seen}")
    elif person.reached(step) and status not in ACCEPTED and not (unconfirmed_allowed and status == "unconfirmed"):
        differs("unrecorded", f"was sent by the gateway, and is {status} in the database")
    elif took and not person.reached(step) and status != "failed":
        differs("unrecorded", f"failed at the gateway, and is {status} in the database")


def _check_window(person: Person, evidence: Evidence, verdict: Verdict) -> None:
    """The window began when the gateway took Message 1, and is as long as the campaign says."""
    message, ends = person.message.get(1), person.row["window_ends_at"]
    if message is None or message["sent_at"] is None or not person.reached(1):
        return
    off = abs(message["sent_at"].timestamp() - person.took(1)[0]["time"])
    if off > CLOCK_SECONDS:
        text = f"the database dates Message 1 {off:.1f} s away from the gateway"
        verdict.differences.append(Difference("wrong_window", person.identity, text))
    wanted = message["sent_at"] + timedelta(seconds=evidence.window_seconds)
    if ends is None or abs((ends - wanted).total_seconds()) > 0.001:
        text = f"the window ends at {ends}, and should at {wanted}"
        verdict.differences.append(Difference("wrong_window", person.identity, text))


def _check_story(person: Person, evidence: Evidence, verdict: Verdict, unconfirmed_allowed: bool) -> None:
    """Message 2 exactly where it is due, and the right final state."""
    expected = expected_of(person, evidence, unconfirmed_allowed)
    verdict.replies[expected.reply] += 1

    def differs(kind: Kind, text: str) -> None:
        verdict.differences.append(Difference(kind, person.identity, text))

    second, stopped_at = person.message.get(2), person.row["opted_out_at"]
    got, heard = bool(person.took(2)), {"late": "late", "in_window": "in it"}.get(expected.reply, "not there")
    if got and expected.reply == "stop":
        differs("message_2_after_stop", "got a Message 2 after asking us to stop")
    elif got and expected.message_2 is False:
        differs("message_2_unasked", f"got a Message 2, and the first reply is {heard}")
    elif got and second is not None and stopped_at is not None and second["promised_at"] > stopped_at:
        differs("message_2_after_stop", "was promised a Message 2 after asking us to stop")
    elif not got and expected.message_2 is True and not _may_be_missing(second, unconfirmed_allowed):
        differs("message_2_missing", "replied in the window, and got no Message 2")
    if person.row["state"] not in expected.states:
        wanted = " or ".join(sorted(expected.states))
        differs("wrong_state", f"is {person.row['state']} in the database, and should be {wanted}")
    elif person.row["state"] == "failed" and person.row["failed_step"] != (2 if person.reached(1) else 1):
        differs("wrong_state", f"is failed at Message {person.row['failed_step']}, and it was the other one")


def _may_be_missing(second: Row | None, unconfirmed_allowed: bool) -> bool:
    """Whether a Message 2 that never arrived is accounted for: it failed for a reason, or is in doubt."""
    return second is not None and (
        second["status"] == "failed" or (unconfirmed_allowed and second["status"] == "unconfirmed")
    )
