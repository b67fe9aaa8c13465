"""Replies that are no person: away messages, canned answers, echoes of our own text.

They are recorded like any reply; whether they bring Message 2 is the campaign's decision. When in doubt it is a person:
a bot that gets Message 2 costs one message, a person who does not costs the campaign its point. A request to stop is
judged before (``rules.reply``) and is obeyed whoever writes it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.away import away


class AutomaticKind(StrEnum):
    """What gave it away."""

    ECHO = "echo"
    """Our own text came back."""
    AWAY = "away"
    """A greeting or away message, in words that WhatsApp Business or mail programs put there."""
    SAME_TEXT = "same_text"
    """Word for word what many other contacts sent."""
    INSTANT = "instant"
    """More text than anybody types in the time since our message arrived."""


@dataclass(frozen=True)
class Automatic:
    """This reply is no person's; ``why`` in words."""

    kind: AutomaticKind
    why: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One inbound message and what it answers.

    ``at``: its own time; ``sent_at`` and ``delivered_at``: those of the message it answers, as far as known. ``ours``:
    texts this contact got from us. ``same_text_contacts``: other contacts whose reply had the same ``fingerprint``
    within the window the caller looks at (a day is a good one).
    """

    body: str | None
    at: datetime
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    ours: Collection[str] = ()
    same_text_contacts: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From where on it is no person. Our own choices, made so that no short human answer is caught."""

    instant: timedelta = timedelta(seconds=3)
    """Answered within it …"""
    instant_length: int = 60
    """… with at least so many characters: twenty a second, four times what fast thumbs do."""
    same_text_length: int = 40
    """"Yes, I am interested" is written by many; so many characters are not."""
    same_text_contacts: int = 5
    echo_length: int = 25
    """Who answers "Hello" to "Hello" is no echo."""


def judge(reply: Reply, limits: Limits = Limits()) -> Automatic | None:
    """Say why a reply is no person's, or None if it may be one. Only texts can be judged.

    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    >>> away = "Merci pour votre message. Nous vous répondrons dès que possible."
    >>> judge(Reply(body=away, at=at)).kind.value
    'away'
    >>> judge(Reply(body="Merci pour votre message, ça m'intéresse !", at=at)) is None
    True
    """
    text = " ".join((reply.body or "").split())
    if not text:
        return None
    return _echo(text, reply, limits) or _away(text) or _same_text(text, reply, limits) or _instant(text, reply, limits)


def fingerprint(body: str | None) -> str:
    """Return what the same text of different contacts has in common: letters and digits, without case and accents.

    >>> fingerprint("Bonjour !  Nous sommes fermés."), fingerprint(None)
    ('bonjour nous sommes fermes', '')
    """
    return " ".join(re.findall(r"\w+", _folded(body or "")))


# --- the four tests ------------------------------------------------------------------------------


def _echo(text: str, reply: Reply, limits: Limits) -> Automatic | None:
    said = fingerprint(text)
    if len(said) < limits.echo_length:
        return None
    for own in map(fingerprint, reply.ours):
        if said == own or (len(own) >= limits.echo_length and own in said and 10 * len(own) >= 9 * len(said)):
            return Automatic(AutomaticKind.ECHO, "our own text came back")
    return None


def _away(text: str) -> Automatic | None:
    words = away(_folded(text))
    return Automatic(AutomaticKind.AWAY, f"an away message ({words})") if words else None


def _same_text(text: str, reply: Reply, limits: Limits) -> Automatic | None:
    if len(text) < limits.same_text_length or reply.same_text_contacts < limits.same_text_contacts:
        return None
    return Automatic(AutomaticKind.SAME_TEXT, f"{reply.same_text_contacts} other contacts sent the same text")


def _instant(text: str, reply: Reply, limits: Limits) -> Automatic | None:
    arrived = [at for at in (reply.delivered_at, reply.sent_at) if at is not None and at <= reply.at]
    if not arrived or len(text) < limits.instant_length:
        return None
    took = reply.at - max(arrived)
    if took > limits.instant:
        return None
    return Automatic(AutomaticKind.INSTANT, f"{len(text)} characters within {took.total_seconds():.0f} s")


def _folded(text: str) -> str:
    """Reduce to small letters without accents, straight apostrophes, single spaces."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).replace("’", "'").casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
