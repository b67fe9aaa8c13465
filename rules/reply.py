"""Is this a reply, does it opt out, is Message 2 due?"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from rules.status import MESSAGE_ACCEPTED, MessageStatus, RecipientState

EARLY: Final = timedelta(seconds=2)
"""A reply may carry a time this much before our promise: gateways cut to the second, and clocks differ."""

_ANSWERED: Final = frozenset({RecipientState.REPLIED, RecipientState.FOLLOWED_UP})
_CLOSED: Final = frozenset({RecipientState.FAILED, RecipientState.CANCELLED, RecipientState.OPTED_OUT})
_IN_DOUBT: Final = frozenset({MessageStatus.SENDING, MessageStatus.UNCONFIRMED})


class Outcome(StrEnum):
    """What an inbound message means for the recipient it was matched to."""

    NOISE = "noise"
    """No reply of a person: an echo, a group, a notification. Recorded, nothing else."""
    PLAIN = "plain"
    """A person wrote, but not in answer to a Message 1 that left."""
    PARKED = "parked"
    """Message 1 is in doubt: keep the reply, look the message up at once, then judge again."""
    OPT_OUT = "opt_out"
    """Asks us to stop: opted out everywhere, no Message 2."""
    FOLLOW_UP = "follow_up"
    """The first reply in the window: Message 2 is due."""
    FINAL_REPLY = "final_reply"
    """The first reply in the window of a campaign without Message 2: the recipient is done."""
    AGAIN = "again"
    """This recipient's story is already decided: nothing more is due."""
    LATE = "late"
    """The first reply, after its window."""
    AUTOMATIC = "automatic"
    """No person wrote it (``rules.automatic``): recorded and marked; the person may still answer."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One inbound message. ``at`` is the gateway's time of it, ``received_at`` ours; ``noise`` says why it is
    no reply of a person, None if it may be one. ``body`` may be None (sticker, poll, voice)."""

    type: str
    body: str | None
    at: datetime
    received_at: datetime
    noise: str | None = None

    @property
    def own_time(self) -> datetime:
        """When it was written, as far as both clocks can vouch for it."""
        return min(self.at, self.received_at)


@dataclass(frozen=True, kw_only=True)
class FirstMessage:
    """Message 1 of the matched recipient. ``promised_at`` None: the network was never touched for it."""

    status: MessageStatus
    promised_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True)
class Verdict:
    """What to do, whether the reply lies in the window (None: cannot be told, or has none), and why, in words."""

    outcome: Outcome
    in_window: bool | None
    why: str


def is_opt_out(body: str | None, words: Iterable[str]) -> bool:
    """Whether the whole message is one of ``words``, blind to case, accents, spaces, punctuation and emoji.

    >>> is_opt_out("Arrêt !! 🛑", ["arret"]), is_opt_out("stop by the shop", ["stop"])
    (True, False)
    """
    heard = _bare(body or "")
    return heard != "" and any(heard == _bare(word) for word in words)


def in_window(promised_at: datetime, sent_at: datetime, window: timedelta, at: datetime, received_at: datetime) -> bool:
    """Whether a reply answers in time: not before the promise (less 2 s, from its full second), and strictly
    before the window's end. The earlier of the gateway's time and ours counts."""
    return not _before_promise(promised_at, min(at, received_at)) and min(at, received_at) < sent_at + window


def judge(
    heard: Heard,
    *,
    state: RecipientState | None,
    first: FirstMessage | None,
    window: timedelta,
    has_message_2: bool,
    opt_out_words: Iterable[str],
) -> Verdict:
    """Decide what an inbound message means. ``state`` and ``first`` are None when no recipient matches.

    ``has_message_2`` says whether one may still be sent: False also for a cancelled campaign. Raises
    ValueError for an accepted Message 1 without its times, which the database refuses to hold.
    """
    if heard.noise is not None:
        return Verdict(Outcome.NOISE, None, heard.noise)
    if is_opt_out(heard.body, opt_out_words):
        return Verdict(Outcome.OPT_OUT, _inside(heard, first, window), "the whole message asks us to stop")
    if state is None or first is None:
        return Verdict(Outcome.PLAIN, None, "no Message 1 of this number was promised to this contact")
    if unanswerable := _why_unanswerable(heard, state, first):
        return Verdict(Outcome.PLAIN, None, unanswerable)
    if state in _CLOSED or state in _ANSWERED:
        return Verdict(Outcome.AGAIN, _inside(heard, first, window), f"the recipient is already {state.value}")
    if first.status in _IN_DOUBT:
        return Verdict(Outcome.PARKED, None, f"Message 1 is {first.status.value}: a look-up must settle it first")
    if state is RecipientState.LATE_REPLY and not _inside(heard, first, window):
        return Verdict(Outcome.AGAIN, False, "the recipient has already answered late")
    if not _inside(heard, first, window):
        return Verdict(Outcome.LATE, False, f"{heard.type} written after the window had ended")
    if has_message_2:
        return Verdict(Outcome.FOLLOW_UP, True, f"first reply ({heard.type}), in the window: Message 2 is due")
    return Verdict(Outcome.FINAL_REPLY, True, f"first reply ({heard.type}), in the window; there is no Message 2")


def _why_unanswerable(heard: Heard, state: RecipientState, first: FirstMessage) -> str | None:
    """Say why this cannot be an answer to Message 1; None if it can."""
    if first.promised_at is None:
        return f"Message 1 has not been promised yet: it is {first.status.value}"
    if _before_promise(first.promised_at, heard.own_time):
        return "written before Message 1 was promised"
    if first.status not in MESSAGE_ACCEPTED | _IN_DOUBT:
        return f"Message 1 did not leave: it is {first.status.value}, the recipient {state.value}"
    return None


def _inside(heard: Heard, first: FirstMessage | None, window: timedelta) -> bool | None:
    """Whether the reply lies in the window; None while Message 1 has not left."""
    if first is None or first.status not in MESSAGE_ACCEPTED:
        return None
    if first.promised_at is None or first.sent_at is None:
        raise ValueError(f"a Message 1 that is {first.status.value} must have promised_at and sent_at")
    return in_window(first.promised_at, first.sent_at, window, heard.at, heard.received_at)


def _before_promise(promised_at: datetime, written_at: datetime) -> bool:
    return written_at < promised_at.replace(microsecond=0) - EARLY


def _bare(text: str) -> str:
    """Reduce to letters and digits without case and accents; where there are none (an emoji), to its signs."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(c for c in folded if c.isalnum())
    return letters or "".join(c for c in folded if unicodedata.category(c) == "So")
