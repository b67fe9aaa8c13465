"""The vendor's JSON: what its answers and its webhooks look like."""

from __future__ import annotations

from typing import Any

from local.simulator.ledger import Chat, Device, Message, iso

MEDIA = {
    "voice": ("audio/ogg; codecs=opus", "ogg", 9_412),
    "audio": ("audio/mpeg", "mp3", 83_204),
    "image": ("image/jpeg", "jpg", 121_907),
    "video": ("video/mp4", "mp4", 1_840_221),
    "document": ("application/pdf", "pdf", 64_118),
    "sticker": ("image/webp", "webp", 22_514),
}
"""Mime, extension and size of each kind of attachment."""


def resource(message: Message) -> dict[str, Any]:
    """Return a message as the API answers with it."""
    failed = message.status == "failed"
    shape: dict[str, Any] = {
        "id": message.id,
        "waId": message.wa_id,
        "phone": message.phone,
        "wid": message.wid,
        "status": message.status if message.status in {"queued", "failed"} else "sent",
        "deliveryStatus": message.status,
        "createdAt": iso(message.created_at),
        "deliverAt": message.options.get("deliverAt") or iso(message.created_at),
        "message": message.text,
        "priority": message.options.get("priority") or "normal",
        "retentionPolicy": "plan_defaults",
        "retry": {"count": int(failed)},
        "webhookStatus": "pending",
        "device": message.device.id,
    }
    if message.reference is not None:
        shape["reference"] = message.reference
    if "media" in message.options:
        given = message.options["media"]
        shape["media"] = {
            "format": given.get("format", "native"),
            "file": given.get("file") or given.get("url"),
            "message": message.text,
        }
    if message.failure is not None:
        shape["failureCode"], shape["failureReason"] = message.failure
    return shape


def outbound_event(message: Message, at: float) -> dict[str, Any]:
    """Return ``data`` of message:out:sent and message:out:failed."""
    shape = resource(message) | {"retries": 0, "webhookStatus": "pending"}
    if message.status != "failed":
        shape["sentAt"] = iso(at)
    return shape


def ack_event(message: Message, chat: Chat, ack: str, at: float) -> dict[str, Any]:
    """Return ``data`` of message:out:ack."""
    data = outbound_chat_message(message, chat)
    data["ack"] = ack
    data["events"] = {ack: {"date": iso(at)}}
    return data


def outbound_chat_message(message: Message, chat: Chat) -> dict[str, Any]:
    """Return a message of ours in the shape of chats, as in message:out:new."""
    data = chat_message(chat, message.wa_id, "image" if "media" in message.options else "text", message.text,
                        message.created_at, outbound=True)  # fmt: skip
    data["ack"] = "sent" if message.status == "queued" else message.status
    if message.reference is not None:
        data["reference"] = message.reference
    return data


def chat_message(
    chat: Chat, wa_id: str, kind: str, body: str | None, at: float, *, outbound: bool = False
) -> dict[str, Any]:
    """Return ``data`` of one message of a chat. ``kind`` is the vendor's type, ``at`` the gateway's time."""
    own, theirs = f"{chat.device.digits}@c.us", chat.wid
    data: dict[str, Any] = {
        "id": wa_id,
        "type": kind,
        "flow": "outbound" if outbound else "inbound",
        "status": "active",
        "ack": "pending" if outbound else "delivered",
        "agent": None,
        "from": own if outbound else theirs,
        "to": theirs if outbound else own,
        "fromNumber": chat.device.phone if outbound else chat.from_number,
        "toNumber": chat.from_number if outbound else chat.device.phone,
        "date": iso(at),
        "timestamp": int(at),
        "chat": _chat(chat),
        "reactions": [],
        "events": {},
        "links": {"chat": f"/v1/chat/{chat.device.id}/chats/{theirs}"},
        "meta": {
            "isGroup": False, "isChannel": False, "isForwarded": False, "isBroadcast": False, "isNotification": False,
            "isBizNotification": False, "isRevoked": False, "isEphemeral": False, "isFailed": False,
            "isFirstMessage": not outbound and chat.inbound <= 1, "notifyName": _name(chat), "rtl": False,
            "source": "api" if outbound else "android", "via": "api" if outbound else "whatsapp",
            "containsEmoji": False,
        },
    }  # fmt: skip
    if body is not None:
        data["body"] = body
    return data


def attachment(chat: Chat, file_id: str, kind: str, caption: str | None) -> dict[str, Any]:
    """Return ``media`` of an inbound message; ``kind`` as in ``MEDIA``."""
    mime, extension, size = MEDIA[kind]
    download = f"/v1/chat/{chat.device.id}/files/{file_id}/download"
    return {
        "id": file_id,
        "type": "audio" if kind == "voice" else kind,
        "caption": caption,
        "mime": mime,
        "size": size,
        "filename": f"{file_id}.{extension}",
        "extension": extension,
        "meta": {"duration": 4} if kind in {"voice", "audio", "video"} else {},
        "links": {
            "download": download,
            "resource": f"/v1/chat/{chat.device.id}/files/{file_id}",
            "message": f"/v1/chat/{chat.device.id}/messages",
            "chat": f"/v1/chat/{chat.device.id}/chats/{chat.wid}",
        },
    }


def envelope(
    event: str, device: Device, data: dict[str, Any], created: float, plan: str, kind: str = "message"
) -> dict[str, Any]:
    """Return one webhook's body. Its ``id`` is that of ``data``: not unique per event, as captured."""
    return {
        "id": data.get("id", device.id),
        "object": kind,
        "event": event,
        "created": int(created),
        "device": {"id": device.id, "phone": device.phone, "alias": device.alias, "plan": plan, "version": 2},
        "data": data,
    }


def device_resource(device: Device, *, online: bool, product: str, queued: int, hooks: list[str]) -> dict[str, Any]:
    """Return a device as ``GET /v1/devices/{id}`` answers with it."""
    return {
        "id": device.id,
        "phone": device.phone,
        "alias": device.alias,
        "wid": f"{device.digits}@c.us",
        "status": "operative",
        "plan": f"{product}-professional",
        "session": {"status": "online" if online else "offline", "uptime": 86_400 if online else 0},
        "settings": {
            "deliverySpeed": 0, "retentionPolicy": "plan_defaults", "rebootPolicy": "auto",
            "isNewNumber": False, "newNumberEndsAt": None,
        },
        "queue": {"messages": queued},
        "stats": {span: {"sent": device.sent, "failed": device.failed} for span in ("minutes", "hour", "day")},
        "billing": {
            "subscription": {
                "product": product, "plan": f"{product}-professional", "status": "active",
                "usage": {"messages": device.sent},
            }
        },
        "webhooks": hooks,
    }  # fmt: skip


def error(status: int, code: str | None, text: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    shape: dict[str, Any] = {"status": status, "message": text, "errorCode": code}
    return shape if errors is None else shape | {"errors": errors}


def _name(chat: Chat) -> str:
    return f"Person {chat.wid.partition('@')[0][-4:]}"


def _chat(chat: Chat) -> dict[str, Any]:
    name = _name(chat)
    last = max(chat.last_inbound_at or chat.first_at, chat.last_outbound_at or chat.first_at)
    return {
        "id": chat.wid,
        "name": name,
        "date": iso(last),
        "type": "chat",
        "status": "active",
        "waStatus": "active",
        "firstMessageAt": iso(chat.first_at),
        "lastMessageAt": iso(last),
        "lastInboundMessageAt": chat.last_inbound_at and iso(chat.last_inbound_at),
        "lastOutboundMessageAt": chat.last_outbound_at and iso(chat.last_outbound_at),
        "stats": {
            "notes": 0, "localMessages": 0, "inboundMessages": chat.inbound, "outboundMessages": chat.outbound
        },
        "labels": [],
        "owner": {"agent": None},
        "contact": {
            "wid": chat.wid, "name": name, "displayName": name, "phone": chat.from_number, "status": "active",
            "metadata": [], "locationInfo": {},
        },
    }  # fmt: skip
