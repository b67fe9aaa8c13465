"""The door for webhooks: who knocks, and has this event been here before?"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gateway import Envelope, Rejected
from gateway.wassenger_wire import decode, device_of, dig, text

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_NAMED_BY_ID: Final = frozenset(
    {"message:in:new", "message:out:sent", "message:out:ack", "message:out:failed",
     "message:out:delivered", "message:out:read"}
)  # fmt: skip
"""Events of which a message has one each (an ack one per word). ``message:reaction``, ``message:update``
and ``message:out:new`` repeat one id for different things: there the body is the identity."""


class Doorkeeper:
    """Knows our own token, and the vendor's signing key where there is one.

    The token is always required; a signature is checked when a key is configured and one is given,
    and missed only with ``require_signature`` (the vendor's texts disagree on whether it signs).
    """

    def __init__(self, token: str, signing_key: str, *, require_signature: bool) -> None:
        self._token = token
        self._signing_key = signing_key
        self._require_signature = require_signature

    def receive(self, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes) -> Envelope | Rejected:
        """Authenticate and name one webhook. Pure; raises nothing, whatever the body holds."""
        given = {name.lower(): value for name, value in headers.items()}
        reason = self._refuses(given, query, raw)
        return Rejected(reason=reason) if reason else envelope(raw)

    def _refuses(self, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes) -> str | None:
        tokens = [token for token in (query.get("token"), headers.get("x-relance-token")) if token]
        if not tokens:
            return "no token: the webhook's address must carry ?token=, or the header X-Relance-Token"
        matches = [_same(token, self._token) for token in tokens]  # all of them: the time tells nothing about which
        if not any(matches):
            return "wrong token: it is not WASSENGER_WEBHOOK_SECRET"
        if not self._signing_key:
            return None
        signature = headers.get("x-wassenger-signature", "").strip()
        if not signature:
            return "no signature, and WASSENGER_REQUIRE_SIGNATURE is on" if self._require_signature else None
        wanted = hmac.new(self._signing_key.encode(), raw, hashlib.sha256).hexdigest()
        if not _same(signature.lower(), f"sha256={wanted}"):
            return "wrong signature: it was not made with WASSENGER_SIGNING_SECRET over this body"
        return None


FROM_PEOPLE = frozenset({"message:in:new", "message:reaction"})
"""Events that may be a reply."""


def envelope(raw: bytes) -> Envelope:
    """Name an authenticated event. Its key is the same for every delivery of it and for no other event."""
    digest = hashlib.sha256(raw).hexdigest()
    try:
        body = decode(raw)
    except ValueError as error:
        return _unreadable(digest, f"the body is not JSON: {error}"[:200])
    if not isinstance(body, dict):
        return _unreadable(digest, f"the body is {_kind(body)}, not an object")
    event, device_id = text(body, "event") or "", device_of(body, "device")
    device_id = device_id if device_id and _NAME.fullmatch(device_id) else None
    if not _NAME.fullmatch(event):
        return _unreadable(digest, "the event has no usable name", device_id)
    if not isinstance(body.get("data"), dict):
        return Envelope(
            event_key=digest, kind=event, device_id=device_id, readable=False, reason="the event has no data object"
        )
    return Envelope(
        event_key=_key(event, device_id, body) or digest,
        kind=event,
        device_id=device_id,
        readable=True,
        from_person=event in FROM_PEOPLE,
    )


def _key(event: str, device_id: str | None, body: dict[str, Any]) -> str | None:
    """Hash what names the event; None where nothing does. A received message has no acknowledgement of
    ours: back-filled from the list it must have the key its webhook would have had."""
    message_id = text(body, "data.id", "data.waId")
    if event not in _NAMED_BY_ID or device_id is None or message_id is None:
        return None
    ack = None if event == "message:in:new" else (dig(body, "data.ack"), dig(body, "data.deliveryStatus"))
    try:
        named = json.dumps([event, device_id, message_id, ack], ensure_ascii=True)
    except RecursionError:  # an ack that is a tower of lists names nothing
        return None
    return hashlib.sha256(named.encode()).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass"))


def _unreadable(digest: str, reason: str, device_id: str | None = None) -> Envelope:
    return Envelope(event_key=digest, kind="unreadable", device_id=device_id, readable=False, reason=reason)


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}.get(type(value), "a number")
