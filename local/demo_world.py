"""How the demo's world is set: the settings that shorten its times, and how gateway and people behave."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from rules.phone import BadPhone, identity, parse

Row = Mapping[str, str]

REGION = "FR"
"""Numbers of the file that are written without + are French."""
WINDOW_SECONDS = 10.0
USUAL_CONTACTS = 200
SCALE = 24
"""TIME_SCALE for as many contacts as the file has: 3 s between two messages become an eighth of one."""
MOST_SCALE = 600
LATE_SECONDS = (11.2, 12.5)
"""When the late ones write: surely after their window, whole seconds cut off."""
YES = frozenset({"yes", "oui", "true", "1", "x"})

_ON_THE_FIRST: Sequence[tuple[str, list[str]]] = (
    ("accepted and never answered", ["timeout_after_accept", "ok"]),
    ("accepted and answered 500", ["error_after_accept", "ok"]),
    ("told to slow down", ["rate_limit", "ok"]),
    ("refused for good", ["refuse"]),
    ("accepted and cut off", ["close_after_accept", "ok"]),
    ("accepted and never answered", ["timeout_after_accept", "ok"]),
    ("refused for good", ["refuse"]),
    ("accepted and garbled", ["garbled_after_accept", "ok"]),
    ("told to slow down", ["rate_limit", "ok"]),
    ("accepted and failed later", ["fail"]),
)
_ON_THE_SECOND: Sequence[tuple[str, list[str]]] = (
    ("Message 2 accepted and never answered", ["ok", "timeout_after_accept", "ok"]),
    ("Message 2 lost in a proxy", ["ok", "html_502", "ok"]),
)


def shortened(contacts: int) -> dict[str, str]:
    """Return the settings of a demo with so many contacts; everything is real but the length of the waits."""
    scale = min(MOST_SCALE, max(SCALE, SCALE * contacts / USUAL_CONTACTS))
    return {
        "TIME_SCALE": f"{scale:g}",
        "WASSENGER_RATE_LIMIT_SECONDS": "3",
        "REPLY_WINDOW_HOURS": f"{WINDOW_SECONDS / 3600:.8f}",
        "SWEEP_INTERVAL_SECONDS": "1",
        "GATEWAY_TIMEOUT_SECONDS": "1",
        "DAILY_MESSAGE_LIMIT": str(max(1000, 2 * contacts)),
        "DEFAULT_REGION": REGION,
        "DEFAULT_TIMEZONE": "Europe/Paris",
    }


def invited(rows: Sequence[Row]) -> list[str]:
    """Return the numbers a campaign to all of ``rows`` must reach, in the file's order.

    Worked out here from the file alone: valid, once per person (the last row counts), not opted out.
    """
    people: dict[str, tuple[str, bool]] = {}
    for row in rows:
        try:
            phone = parse(row["phone"], REGION)
        except BadPhone:
            continue
        people[identity(phone)] = phone, row["opted_out"].strip().casefold() in YES
    return [phone for phone, opted_out in people.values() if not opted_out]


def behaviour(phones: Sequence[str], seed: int) -> dict[str, Any]:
    """Return the document that makes the simulator behave: every kind of reply, and every trouble there is.

    ``phones`` are those that will be written to, in order. The same seed gives the same story.
    """
    return {
        "reply_rate": 0.55,
        "reply_delay": [0.4, 8.5],
        "late_rate": 0.08,
        "late_delay": list(LATE_SECONDS),
        "reply_types": {"text": 40, "emoji": 9, "voice": 8, "audio": 4, "image": 7, "video": 4, "document": 4,
                        "sticker": 5, "location": 4, "reaction": 7, "poll": 4, "contacts": 2, "opt_out": 6},
        "several_rate": 0.15,
        "several": 3,
        "several_gap": [0.1, 0.5],
        "noise": {"group": 0.04, "echo": 0.04, "status": 0.02, "notification": 0.03, "channel": 0.01, "unreact": 0.02,
                  "vote": 0.02, "chat_update": 0.05, "hidden": 0.01},
        "latency_ms": 60,
        "latency_jitter_ms": 60,
        "ack_loss": 0.03,
        "ack_duplication": 0.1,
        "ack_disorder": 0.15,
        "webhook_duplication": 0.15,
        "webhook_disorder": 0.15,
        "phones": {phone: script for phone, (_, script) in troubles(phones, seed).items()},
    }  # fmt: skip


def troubles(phones: Sequence[str], seed: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """Choose who meets which trouble, spread over the first two thirds: ``{phone: (in words, script)}``.

    Not among the very first: two refusals of ten would rightly open the circuit breaker.
    """
    draw = random.Random(seed)
    planned: list[tuple[str, dict[str, Any]]] = []
    # These first: what a look-up has to prove absent takes its time.
    for words, send in _ON_THE_SECOND:
        planned.append((words, {"send": send, "reply": "text", "delay": 0.5}))
    for words, send in _ON_THE_FIRST:
        planned.append((words, {"send": send}))
    first, last = min(12, len(phones)), max(min(12, len(phones)), len(phones) * 2 // 3)
    step = (last - first) / len(planned)
    chosen: dict[str, tuple[str, dict[str, Any]]] = {}
    for number, trouble in enumerate(planned):
        at = first + int(step * number + draw.random() * max(0.0, step - 1))
        if at < len(phones):
            chosen.setdefault(phones[at], trouble)
    return chosen
