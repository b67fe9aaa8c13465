"""A reaction, in either of the shapes it may come in (the vendor's own text shows none).

Either it is a message of its own that carries ``reaction``, or it is the message reacted to, whose
``reactions`` (or ``reaction``) name who reacted. A removed reaction has no emoji and is no reply.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from gateway import Inbound
from gateway.wassenger_inbound import fingerprint, is_emoji, noise, sender, sent_at, whatsapp_id
from gateway.wassenger_wire import Json, dig, e164, moment, rows, text

_WHO = ("from", "author", "wid", "fromNumber", "phone")
_EMOJI = ("emoji", "text", "reaction", "body")
_MESSAGE = ("message", "message.id", "messageId", "msgId", "key.id")


def reaction(device_id: str, body: Json, data: Json) -> Inbound:
    """Understand ``message:reaction``; ``quoted_id`` is the message reacted to."""
    own, listed = dig(data, "reaction"), _latest(data)
    if isinstance(own, Mapping) and text(own, *_WHO):
        return _on_message(device_id, body, data, own)
    if own is None and listed is not None:
        return _on_message(device_id, body, data, listed)
    return _of_its_own(device_id, body, data)


def _of_its_own(device_id: str, body: Json, data: Json) -> Inbound:
    emoji = text(data, "reaction", *(f"reaction.{key}" for key in _EMOJI), "emoji")
    if emoji is None and is_emoji(text(data, "body")):
        emoji = text(data, "body")
    about = (*(f"reaction.{key}" for key in _MESSAGE), "reactionMessage", "quoted.id", "quoted.wid", "quoted")
    own_id, quoted_id = whatsapp_id(text(data, "id", "waId")), whatsapp_id(text(data, *about))
    return _reaction(device_id, body, data, emoji, None if own_id == quoted_id else own_id, quoted_id, None)


def _on_message(device_id: str, body: Json, data: Json, entry: Json) -> Inbound:
    # The message is ours and outbound; who reacted is somebody else, at another time.
    who = text(entry, "from", "author", "wid") or (None if text(entry, *_WHO) else text(data, "chat.id"))
    told = {
        "from": who,
        "fromNumber": text(entry, "fromNumber", "phone"),
        "flow": text(entry, "flow"),
        "fromMe": dig(entry, "fromMe"),
        "chat": dig(data, "chat"),
    }
    quoted_id = whatsapp_id(text(entry, *_MESSAGE) or text(data, "id", "waId"))
    at = moment(entry, "date", "timestamp", "createdAt") or moment(body, "created") or datetime.now(UTC)
    return _reaction(device_id, body, told, text(entry, *_EMOJI), None, quoted_id, at)


def _reaction(
    device_id: str,
    body: Json,
    told: Json,
    emoji: str | None,
    message_id: str | None,
    quoted_id: str | None,
    at: datetime | None,
) -> Inbound:
    phone, lid = sender(told)
    device_phone = e164(text(body, "device.phone"))
    at = at or sent_at(body, told)
    return Inbound(
        device_id=device_id,
        device_phone=device_phone,
        message_id=message_id or fingerprint("reaction", device_id, quoted_id, phone or lid, emoji, at.isoformat()),
        phone=phone,
        lid=lid,
        name=text(told, "meta.notifyName", "chat.contact.displayName", "chat.contact.name", "chat.name"),
        type="reaction",
        body=emoji,
        quoted_id=quoted_id,
        at=at,
        noise=noise(told, phone, lid, device_phone) or ("removed reaction" if emoji is None else None),
    )


def _latest(data: Json) -> Json | None:
    """Return the newest of the listed reactions (the last one where they carry no time)."""
    listed = list(rows(dig(data, "reactions")))
    never = datetime.min.replace(tzinfo=UTC)
    return max(
        reversed(listed), key=lambda entry: moment(entry, "date", "timestamp", "createdAt") or never, default=None
    )
