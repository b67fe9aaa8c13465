"""A message somebody wrote to us: from whom, of what kind, and why it may be no reply at all."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Final

from gateway import Inbound, MessageType
from gateway.wassenger_wire import Json, e164, jid, moment, text, truth

_TYPES: Final[dict[str, MessageType]] = {
    "text": "text", "chat": "text", "voice": "voice", "ptt": "voice", "audio": "audio", "image": "image",
    "video": "video", "gif": "video", "document": "document", "sticker": "sticker", "location": "location",
    "reaction": "reaction", "poll": "poll",
}  # fmt: skip
"""Every other word is ``other``, and still a reply."""

_PEOPLE: Final = frozenset({"c.us", "s.whatsapp.net"})
_EMOJI = re.compile(
    # regional flags · keycaps · pictures with their skin tones, variation and joiners
    "(?:[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3|"
    "[\U0001f000-\U0001f1e5\U0001f200-\U0001faff\u203c\u2049\u2122\u2139\u2194-\u21aa\u2300-\u23ff\u24c2\u25aa-\u27bf"
    "\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\u00a9\u00ae\ufe0f\u200d\U000e0020-\U000e007f]|\\s)+"
)


def inbound(device_id: str, body: Json, data: Json) -> Inbound:
    """Understand ``message:in:new``. Whatever is missing, a reply is never lost for it."""
    words = text(data, "body", "media.caption", "caption")
    device_phone = e164(text(body, "device.phone")) or (
        e164(text(data, "toNumber")) if text(data, "flow") != "outbound" else None
    )
    phone, lid = sender(data)
    at = sent_at(body, data)
    message_id = whatsapp_id(text(data, "id", "waId") or text(body, "id"))
    return Inbound(
        device_id=device_id,
        device_phone=device_phone,
        message_id=message_id or fingerprint("message", device_id, phone or lid, words, at.isoformat()),
        phone=phone,
        lid=lid,
        name=text(data, "meta.notifyName", "chat.contact.displayName", "chat.contact.name", "chat.name"),
        type=message_type(data),
        body=words,
        quoted_id=whatsapp_id(text(data, "quoted.id", "quoted.wid", "quoted.waId", "quoted")),
        at=at,
        noise=noise(data, phone, lid, device_phone),
    )


def message_type(data: Json) -> MessageType:
    """Return the kind of a message: a text of nothing but emoji is one of its own, so is a voice note.

    >>> message_type({"type": "audio", "subtype": "ptt"}), message_type({"type": "text", "body": "👍🏽 ❤️"})
    ('voice', 'emoji')
    """
    kind = _TYPES.get((text(data, "type") or "").lower(), "other")
    if kind == "audio":
        hints = {text(data, path) for path in ("subtype", "media.type", "media.format", "media.subtype")}
        return "voice" if hints & {"ptt", "voice"} or truth(data, "media.meta.ptt", "meta.isPtt") else "audio"
    if kind == "text" and is_emoji(text(data, "body")):
        return "emoji"
    return kind


def is_emoji(words: str | None) -> bool:
    """Whether a text is nothing but emoji.

    >>> [is_emoji(t) for t in ("🇫🇷", "👨‍👩‍👧", "1️⃣", "ok 👍", "12", " ", None)]
    [True, True, True, False, False, False, False]
    """
    return words is not None and bool(words.strip("\ufe0f\u200d \t\r\n")) and _EMOJI.fullmatch(words) is not None


def sender(data: Json) -> tuple[str | None, str | None]:
    """Return who wrote: a phone (E.164), a hidden identity, or both. A hidden identity is never a phone.

    >>> sender({"from": "184467440737095@lid", "fromNumber": "+184467440737095"})
    (None, '184467440737095')
    """
    user, server = jid(text(data, "from", "chat.id"))
    lid = user if server == "lid" else None
    candidates = [text(data, "fromNumber"), user if server in _PEOPLE else None, text(data, "chat.contact.phone")]
    phones = [phone for phone in map(e164, candidates) if phone is not None and phone != f"+{lid}"]
    return (phones[0] if phones else None), lid


def noise(data: Json, phone: str | None, lid: str | None, device_phone: str | None) -> str | None:
    """Say why this is no reply of a person; None where it may be one."""
    chat = (text(data, "chat.type") or "").lower()
    user, server = jid(text(data, "from", "chat.id"))
    _, chat_server = jid(text(data, "chat.id"))
    servers = {server, chat_server}
    reasons: dict[str, bool] = {
        "outbound": text(data, "flow") == "outbound" or truth(data, "fromMe", "meta.fromMe"),
        "status": user == "status" or text(data, "chat.id") == "status@broadcast",
        "group": chat == "group" or "g.us" in servers or truth(data, "meta.isGroup"),
        "channel": chat == "channel" or "newsletter" in servers or truth(data, "meta.isChannel"),
        "broadcast": "broadcast" in servers or truth(data, "meta.isBroadcast"),
        "notification": truth(data, "meta.isNotification", "meta.isBizNotification"),
        "chat of another kind": chat not in ("", "chat"),
        "own number": phone is not None and phone == device_phone,
        "no sender": phone is None and lid is None,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def sent_at(body: Json, data: Json) -> datetime:
    """Return the message's own time; where it has none the event's, else now (ours decides then)."""
    return moment(data, "timestamp", "date") or moment(body, "created") or datetime.now(UTC)


def whatsapp_id(value: str | None) -> str | None:
    """Return the bare id of a message that is named with direction and chat.

    >>> whatsapp_id("false_33199000123@c.us_3EB0A1"), whatsapp_id("3EB0A1")
    ('3EB0A1', '3EB0A1')
    """
    if value is None:
        return None
    return value.split("_")[2] if re.fullmatch(r"(true|false)_[^_]+@[^_]+_[^_]+(_.*)?", value, re.DOTALL) else value


def fingerprint(*parts: str | None) -> str:
    """Name what has no id of its own by what it says: the same for every copy of it."""
    return "sha256-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
