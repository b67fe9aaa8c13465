"""The reach-out lock: WhatsApp lets a number open no new chats for a while, and leaves its known chats alone.

Seen as error 463 ("reach-out timelock": Baileys #2441 and #2707, whatsmeow #1197) or as GREEN-API's ``yellowCard``.
How a gateway words it is not settled, so the wording is read generously, and new chats that all fail while known ones
go through count even where nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORDING = re.compile(
    r"(?:error|code|status|nack|returned|http|failure|reason)\W{0,3}463(?!\w)|\(463\)|\A463(?!\w)"
    r"|reach[ _-]?out|time[ _-]?lock|yellow[ _-]?card"
    r"|(?:account|number|device|you|chats?)\b[^.;]{0,40}\b(?:restricted|restriction)\b"
    r"|restrict\w*\b[^.;]{0,40}\b(?:new (?:chat|conversation|contact)s?|start\w*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one message of a number. ``known_chat``: the contact had written to the number, or had got a
    message from it, before. ``error`` is the code and text of the failure; it may be empty."""

    known_chat: bool
    failed: bool
    error: str | None = None
    invalid_number: bool = False


@dataclass(frozen=True)
class Lock:
    """New conversations must pause, Message 2 and known chats go on; ``why`` in words."""

    why: str


def is_timelock(*said: str | None) -> bool:
    """Whether an error's code or text speaks of a reach-out lock.

    >>> is_timelock("463"), is_timelock("HTTP 500: server returned error 463"), is_timelock("took 463 ms")
    (True, True, False)
    """
    return any(_WORDING.search(words) is not None for words in said if words)


def judge(
    newest_first: Sequence[Outcome], *, look_at: int = 10, named: int = 3, silent: int = 5, known: int = 3
) -> Lock | None:
    """Say whether new conversations of a number must pause.

    ``newest_first``: its last settled messages, of any campaign and step, the newest first. Of the last ``look_at``
    to new chats (numbers that nobody has say nothing), more than half must have failed: at least ``named`` of them
    with words of a reach-out lock; or, without any, at least ``silent``, and all, while of at least ``known`` messages
    to known chats more than half went through.

    >>> new = Outcome(known_chat=False, failed=True, error="error 463")
    >>> old = Outcome(known_chat=True, failed=False)
    >>> judge([new, old, new, new]).why
    'reach-out lock: 3 of the last 3 new chats failed (3 × "error 463"); 1 of 1 known chats went through'
    >>> judge([new, old, new]) is None
    True
    """
    new = [o for o in newest_first if not o.known_chat and not o.invalid_number][:look_at]
    old = [o for o in newest_first if o.known_chat]
    failed = [o for o in new if o.failed]
    locked = [o for o in failed if is_timelock(o.error)]
    through = sum(not o.failed for o in old)
    said_so = len(locked) >= named and 2 * len(locked) > len(new)
    looks_so = len(new) >= silent and len(failed) == len(new) and len(old) >= known and 2 * through > len(old)
    if not (said_so or looks_so):
        return None
    words = f' ({len(locked)} × "{_short(locked[0].error)}")' if locked else ""
    others = f"; {through} of {len(old)} known chats went through" if old else ""
    return Lock(f"reach-out lock: {len(failed)} of the last {len(new)} new chats failed{words}{others}")


def _short(error: str | None) -> str:
    text = " ".join((error or "").split())
    return text if len(text) <= 80 else text[:79] + "…"
