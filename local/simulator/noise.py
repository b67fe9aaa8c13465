"""Webhooks around the replies: groups, echoes of our own number, status posts, notices, votes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.simulator import shapes
from local.simulator.ledger import Chat, Message, iso

Made = tuple[str, dict[str, Any]]


def make(kind: str, chat: Chat, message: Message, new_id: Callable[[], str], at: float) -> Made:
    """Return event name and ``data`` of one piece of noise around a message that just arrived."""
    return _KINDS[kind](chat, message, new_id(), at)


def reaction(chat: Chat, wa_id: str, emoji: str, target: str | None, at: float) -> dict[str, Any]:
    """Return ``data`` of message:reaction; an empty emoji takes the reaction back."""
    data = shapes.chat_message(chat, wa_id, "reaction", None, at)
    data["body"] = None
    data["reaction"] = {"emoji": emoji, "message": target}
    return data


def reaction_listed(chat: Chat, message: Message, emoji: str, at: float) -> dict[str, Any]:
    """Return ``data`` of message:reaction in its other reading: the message reacted to, with its reactions."""
    data = shapes.outbound_chat_message(message, chat)
    if emoji:
        data["reactions"] = [{"emoji": emoji, "from": chat.wid, "fromNumber": chat.from_number, "date": iso(at)}]
    return data


def _group(chat: Chat, _message: Message, wa_id: str, at: float) -> Made:
    data = shapes.chat_message(chat, wa_id, "text", "Bonjour le groupe", at)
    group = "120363000000000001@g.us"
    data["author"] = chat.wid
    data["from"] = group
    data["chat"] |= {"id": group, "type": "group", "name": "Voisins"}
    data["meta"]["isGroup"] = True
    return "message:in:new", data


def _echo(chat: Chat, message: Message, wa_id: str, at: float) -> Made:
    """Our own text comes back as if it were inbound, from our own number."""
    data = shapes.chat_message(chat, wa_id, "text", message.text, at)
    data["from"] = data["to"]
    data["fromNumber"] = chat.device.phone
    data["meta"]["isFirstMessage"] = False
    return "message:in:new", data


def _status(chat: Chat, _message: Message, wa_id: str, at: float) -> Made:
    data = shapes.chat_message(chat, wa_id, "image", "Mon statut", at)
    data["to"] = "status@broadcast"
    data["meta"]["isBroadcast"] = True
    return "message:in:new", data


def _notification(chat: Chat, _message: Message, wa_id: str, at: float) -> Made:
    data = shapes.chat_message(chat, wa_id, "notification", None, at)
    data["meta"]["isNotification"] = True
    return "message:in:new", data


def _channel(chat: Chat, _message: Message, wa_id: str, at: float) -> Made:
    data = shapes.chat_message(chat, wa_id, "text", "Nouveautés de la semaine", at)
    data["from"] = "120363000000000002@newsletter"
    data["fromNumber"] = None
    data["chat"] |= {"id": data["from"], "type": "channel", "name": "Actualités"}
    data["meta"]["isChannel"] = True
    return "message:in:new", data


def _hidden(chat: Chat, _message: Message, wa_id: str, at: float) -> Made:
    """Somebody whose number WhatsApp hides."""
    data = shapes.chat_message(chat, wa_id, "text", "Bonjour", at)
    lid = f"{int(wa_id[4:], 16) % 10**14:014d}@lid"
    data["from"] = lid
    data["fromNumber"] = None
    data["chat"] |= {"id": lid, "contact": data["chat"]["contact"] | {"wid": lid, "phone": None}}
    return "message:in:new", data


def _unreact(chat: Chat, message: Message, wa_id: str, at: float) -> Made:
    return "message:reaction", reaction(chat, wa_id, "", message.wa_id, at)


def _vote(chat: Chat, message: Message, _wa_id: str, at: float) -> Made:
    """A vote arrives as an update of the message that holds the poll."""
    data = shapes.outbound_chat_message(message, chat)
    data["poll"] = {"name": "?", "votes": [{"option": "Oui", "voters": [chat.wid]}]}
    data["timestamp"] = int(at)
    return "message:update", data


def _chat_update(chat: Chat, message: Message, _wa_id: str, at: float) -> Made:
    return "chat:update", shapes.outbound_chat_message(message, chat)["chat"] | {"timestamp": int(at)}


_KINDS: dict[str, Callable[[Chat, Message, str, float], Made]] = {
    "group": _group, "echo": _echo, "status": _status, "notification": _notification, "channel": _channel,
    "hidden": _hidden, "unreact": _unreact, "vote": _vote, "chat_update": _chat_update,
}  # fmt: skip
