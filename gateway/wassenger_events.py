"""Webhook JSON in: what one stored event says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from gateway import Delivery, Event, Ignored, Outbound, Progress, SessionChange, Unreadable
from gateway.wassenger_answers import Health, health
from gateway.wassenger_inbound import inbound
from gateway.wassenger_outbound import outbound, progress
from gateway.wassenger_reaction import reaction
from gateway.wassenger_wire import Json, decode, device_of, dig, masked, moment, text


def parse(raw: bytes) -> Event:
    """Understand a stored webhook body. Raises Unreadable with the cause."""
    try:
        body = decode(raw)
    except ValueError as error:
        raise Unreadable(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Unreadable("the body is not an object")
    event, device_id = text(body, "event"), device_of(body, "device", "data.device")
    if event is None:
        raise Unreadable("the event has no name")
    read = _READERS.get(event)
    if read is None:
        return Ignored(reason=f"{event[:64]} is none of our business")
    data = dig(body, "data")
    if not isinstance(data, dict):
        raise Unreadable("the event has no data object")
    if device_id is None:
        raise Unreadable("the event names no device")
    return read(device_id, body, data)


def as_webhook(device_id: str, row: Json, at: datetime) -> bytes:
    """Write a row of a device's received messages as the webhook that was missed."""
    body = {
        "id": row.get("id"),
        "object": "message",
        "event": "message:in:new",
        "created": int(at.timestamp()),
        "device": {"id": device_id},
        "data": row,
    }
    return json.dumps(body).encode()


# --- what became of ours -----------------------------------------------------------------------------


def _sent(device_id: str, body: Json, data: Json) -> Event:
    return _delivery(device_id, body, outbound(data, at_least="sent"), moment(data, "sentAt"))


def _acknowledged(device_id: str, body: Json, data: Json) -> Event:
    word = progress(data, "ack") or progress(data, "deliveryStatus")
    if word is None:
        return Ignored(reason="an acknowledgement without a word we know")
    at = moment(data, f"events.{word}.date") if word != "queued" else None
    return _delivery(device_id, body, outbound(data, exactly=word), at)


def _reached(word: Progress) -> Callable[[str, Json, Json], Event]:
    """Return a reader for an alias that names the progress itself."""

    def read(device_id: str, body: Json, data: Json) -> Event:
        return _delivery(device_id, body, outbound(data, at_least=word), moment(data, f"events.{word}.date"))

    return read


def _failed(device_id: str, body: Json, data: Json) -> Event:
    return _delivery(device_id, body, outbound(data, exactly="failed"), None)


def _written(device_id: str, body: Json, data: Json) -> Event:
    """Tell our own sends from what somebody typed on the phone itself."""
    if text(data, "reference") is None and text(data, "meta.source") != "api":
        return Ignored(reason="written on the phone itself")
    return _delivery(device_id, body, outbound(data, at_least="sent"), moment(data, "events.sent.date"))


def _delivery(device_id: str, body: Json, message: Outbound, at: datetime | None) -> Event:
    if message.reference is None and message.gateway_id is None and message.message_id is None:
        return Ignored(reason="it names no message")
    at = at or moment(body, "created", "data.timestamp", "data.date") or datetime.now(UTC)
    return Delivery(device_id=device_id, outbound=message, at=at)


# --- the device and the rest --------------------------------------------------------------------------


def _session(device_id: str, body: Json, data: Json) -> Event:
    """Understand a change of session, whether it tells the device, its session, or one word."""
    words = [text(data, path) for path in ("session.status", "sessionStatus", "status", "state")]
    session = next((word for word in words if word and word != "operative"), None)
    status = "operative"
    if session in ("pending", "disabled", "removed"):
        status, session = session, None
    if session is None and status == "operative":
        return Ignored(reason="a session event without a state")
    state: Health
    state, reason = health(status, session)
    detail = text(data, "session.error", "error", "reason")
    at = moment(body, "created", "data.timestamp", "data.date") or datetime.now(UTC)
    reason = f"{reason}: {masked(detail[:200])}" if reason and detail else reason
    return SessionChange(device_id=device_id, state=state, reason=reason, at=at)


def _received(device_id: str, body: Json, data: Json) -> Event:
    read = reaction if text(data, "type") == "reaction" else inbound
    return read(device_id, body, data)


def _updated(device_id: str, body: Json, data: Json) -> Event:
    return Ignored(reason="an edit or a vote, not a reply")


_READERS: Final[dict[str, Callable[[str, Json, Json], Event]]] = {
    "message:in:new": _received,
    "message:reaction": reaction,
    "message:update": _updated,
    "message:out:new": _written,
    "message:out:sent": _sent,
    "message:out:ack": _acknowledged,
    "message:out:failed": _failed,
    "number:session": _session,
    # Named by one text of the vendor only; understood, never subscribed to.
    "message:out:delivered": _reached("delivered"),
    "message:out:read": _reached("read"),
    "device:status:changed": _session,
}
