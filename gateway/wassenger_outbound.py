"""What became of one message of ours, in any of the shapes the vendor tells it."""

from __future__ import annotations

import re
from typing import Final

from gateway import Outbound, Progress
from gateway.wassenger_wire import Json, dig, masked, moment, text, truth

_WORDS: Final[dict[str, Progress]] = {
    "queued": "queued", "processing": "queued", "pending": "queued", "scheduled": "queued", "0": "queued",
    "sent": "sent", "server": "sent", "1": "sent",
    "delivered": "delivered", "device": "delivered", "2": "delivered",
    "read": "read", "played": "read", "3": "read", "4": "read",
    "failed": "failed", "error": "failed", "expired": "failed", "cancelled": "failed", "canceled": "failed",
    "-1": "failed",
}  # fmt: skip
_ORDER: Final[tuple[Progress, ...]] = ("queued", "sent", "failed", "delivered", "read")
"""Of two words about one message the later one here is believed: a phone that has it outweighs "failed"."""

_NOT_THE_MESSAGE = re.compile(r"session|token|auth|\bkey\b|link|url|media|file|plan|subscription|trial|licen", re.I)


def progress(value: Json, *paths: str) -> Progress | None:
    """Return how far the message is by the furthest of the words (or ack numbers) at ``paths``.

    >>> progress({"status": "sent", "deliveryStatus": "played"}, "status", "deliveryStatus")
    'read'
    """
    words = [_WORDS[word] for path in paths if (word := (text(value, path) or "").lower()) in _WORDS]
    return max(words, key=_ORDER.index) if words else None


def failure(value: Json) -> tuple[str | None, bool]:
    """Return why it failed, in the vendor's words (phone numbers masked), and whether it expired in the queue.

    >>> failure({"failureReason": "Message expired", "failureCode": "message:expired"})
    ('Message expired (message:expired)', True)
    >>> failure({"failureReason": "The session expired"})
    ('The session expired', False)
    """
    reason = text(value, "failureReason", "error.message", "error", "failure.reason", "failure.message")
    code = text(value, "failureCode", "errorCode", "error.code", "failure.code")
    told = f"{reason} ({code})" if reason and code and reason != code else reason or code
    words = f"{told or ''} {text(value, 'status') or ''} {text(value, 'deliveryStatus') or ''}"
    return told and masked(told[:300]), "expir" in words.lower() and not _NOT_THE_MESSAGE.search(words)


def outbound(row: Json, *, at_least: Progress = "queued", exactly: Progress | None = None) -> Outbound:
    """Understand one message of ours: an answer, a row of a list, or the ``data`` of an event.

    ``at_least`` is what the name of the event already says, ``exactly`` overrules every word in the row.
    """
    said: Progress = progress(row, "ack", "deliveryStatus", "status") or "queued"
    state: Progress = max((at_least, said), key=_ORDER.index) if exactly is None else exactly
    error, expired = failure(row) if state == "failed" or truth(row, "meta.isFailed") else (None, False)
    gateway_id, message_id = _ids(row)
    return Outbound(
        reference=text(row, "reference"),
        gateway_id=gateway_id,
        message_id=message_id,
        wid=text(row, "wid", "to", "chat.id"),
        progress=state,
        created_at=moment(row, "createdAt", "date", "timestamp"),
        error=error,
        expired=expired and state == "failed",
        text=text(row, "message", "body", "media.message"),
    )


def _ids(row: Json) -> tuple[str | None, str | None]:
    """Tell the gateway's id from WhatsApp's: a row with ``waId`` carries both, a chat message only the latter."""
    own, wa = text(row, "id"), text(row, "waId")
    if wa is not None:
        return own, wa
    is_chat_message = any(dig(row, key) is not None for key in ("flow", "from", "to", "chat"))
    if own is None or is_chat_message or not re.fullmatch("[0-9a-f]{24}", own):
        return None, own
    return own, None
