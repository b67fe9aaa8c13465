"""The people who get our messages: who answers, with what, when, and what else their phones bring."""

from __future__ import annotations

import time
from typing import Any

from local.simulator import noise, shapes
from local.simulator.behaviour import Person
from local.simulator.ledger import Chat, Device, Inbound, Message
from local.simulator.world import World

TEXTS = (
    "Oui, ça m'intéresse !", "Bonjour, combien ça coûte ?", "Merci 🙏", "D'accord", "Qui êtes-vous ?", "Yes please",
    "Call me tomorrow", "Non merci", "Peut-être la semaine prochaine", "ok", "C'est encore disponible ?", "Interested!",
)  # fmt: skip
EMOJI = ("👍", "❤️", "😂", "🙏", "🔥", "👏🏽", "🎉")
OPT_OUTS = ("STOP", "Stop", "stop", "Arrêt", "ARRET", "Unsubscribe")
_STOP = frozenset(word.casefold() for word in OPT_OUTS)
CAPTIONS = ("Voilà", "Regardez", "Like this one?")


class People:
    """Everybody on the other side. One person is one WhatsApp id, however their number is spelled."""

    def __init__(self, world: World) -> None:
        self._world = world

    def got(self, message: Message, chat: Chat) -> None:
        """A message is on the person's phone: decide whether and what they write, and make the noise around it."""
        world, behaviour, dice = self._world, self._world.behaviour, self._world.dice
        for name, share in behaviour.noise.items():
            if dice.happens(share, chat.wid, f"noise:{name}", chat.outbound):
                event, data = noise.make(name, chat, message, world.ledger.new_wa_id, world.now())
                self._receive(chat, event, data, name, data.get("body"), time.time(), genuine=False)
        now, n = world.loop.time(), chat.openings
        script = world.script(message.phone, chat.from_number)
        if now < chat.follow_up_until:
            chat.follow_up_until = 0.0
            kind = self._kind(script.reply_again, behaviour.reply_again_rate, chat, "again", n)
            if kind is not None:
                self._plan(script, chat, message, kind, n, again=True)
            return
        chat.openings += 1
        kind = self._kind(script.reply, behaviour.reply_rate, chat, "reply", n)
        if kind is not None:
            late, delay = self._plan(script, chat, message, kind, n, again=False)
            if not late and kind != "opt_out":
                chat.follow_up_until = now + delay + behaviour.conversation_seconds / behaviour.time_scale

    def say(
        self, device: Device, phone: str, kind: str, *, body: str | None, quoted: str | None, at: float, copies: int = 1
    ) -> Inbound:
        """Make a person write now. ``kind`` as in ``Reply``; a reaction without body takes the reaction back."""
        chat = self._world.chat(device, phone)
        chat.phone = phone
        return self._write(chat, kind, body, quoted, at, copies)

    def _kind(self, scripted: str | None, rate: float, chat: Chat, what: str, n: int) -> str | None:
        dice = self._world.dice
        if scripted is not None:
            return None if scripted == "none" else scripted
        if not dice.happens(rate, chat.wid, what, n):
            return None
        return dice.weighted(self._world.behaviour.reply_types, chat.wid, f"{what}:type", n)

    def _plan(
        self, script: Person, chat: Chat, message: Message, kind: str, n: int, *, again: bool
    ) -> tuple[bool, float]:
        """Put on the agenda all they write to one message; tells whether they are late, and the first delay."""
        world, behaviour, dice, who = self._world, self._world.behaviour, self._world.dice, chat.wid
        what = "again" if again else "reply"
        late = script.delay is None and dice.happens(behaviour.late_rate, who, f"{what}:late", n)
        span = behaviour.late_delay if late else behaviour.reply_delay
        delay = script.delay
        if delay is None:
            delay = dice.seconds(span, who, f"{what}:delay", n) / behaviour.time_scale
        times = script.times or 1
        if (
            script.times is None
            and kind != "opt_out"
            and dice.happens(behaviour.several_rate, who, f"{what}:several", n)
        ):
            times = 2 + int(dice.draw(who, f"{what}:times", n) * (behaviour.several - 1))
        quotes = script.quotes
        if quotes is None:
            quotes = dice.happens(behaviour.quote_rate, who, f"{what}:quote", n)
        quoted = message.wa_id if quotes or kind == "reaction" else None
        further: dict[str, float] = {
            name: weight for name, weight in behaviour.reply_types.items() if name != "opt_out"
        }
        at = delay
        for i in range(times):
            body = script.body if script.body is not None else self._words(kind, chat, f"{what}:{i}", n)
            world.agenda.after(at, self._write_now, chat, kind, body, quoted)
            at += dice.seconds(behaviour.several_gap, who, f"{what}:gap:{i}", n) / behaviour.time_scale
            if script.reply is None:
                kind = dice.weighted(further, who, f"{what}:type:{i}", n) or kind
        return late, delay

    def _words(self, kind: str, chat: Chat, what: str, n: int) -> str | None:
        dice = self._world.dice
        match kind:
            case "text":
                return dice.pick(TEXTS, chat.wid, what, n)
            case "emoji" | "reaction":
                return dice.pick(EMOJI, chat.wid, what, n)
            case "opt_out":
                return dice.pick(OPT_OUTS, chat.wid, what, n)
            case "image" | "video" | "document":
                return (
                    dice.pick(CAPTIONS, chat.wid, what, n) if dice.draw(chat.wid, f"{what}:caption", n) < 0.4 else None
                )
        return None

    def _write_now(self, chat: Chat, kind: str, body: str | None, quoted: str | None) -> None:
        self._write(chat, kind, body, quoted, time.time())

    def _write(
        self, chat: Chat, kind: str, body: str | None, quoted: str | None, at: float, copies: int = 1
    ) -> Inbound:
        world = self._world
        told = at + world.behaviour.clock_skew_seconds
        if kind == "reaction":
            target = quoted or chat.last_got
            message = world.ledger.by_wa_id.get(target or "")
            if message is not None and world.behaviour.readings.reaction == "listed":
                data = noise.reaction_listed(chat, message, body or "", told)
            else:
                data = noise.reaction(chat, world.ledger.new_wa_id(), body or "", target, told)
            return self._receive(
                chat, "message:reaction", data, kind, body, at, genuine=bool(body), copies=copies, quoted=target
            )
        chat.inbound += 1
        chat.last_inbound_at = max(told, chat.last_inbound_at or told)
        data = shapes.chat_message(chat, world.ledger.new_wa_id(), _wire_type(kind), _wire_body(kind, body, chat), told)
        if kind in shapes.MEDIA:
            file_id = world.ledger.new_id()
            world.files[file_id] = {"id": file_id, "kind": kind}
            data["media"] = shapes.attachment(chat, file_id, kind, data.get("body"))
            if kind == "voice" and world.behaviour.readings.voice == "voice":
                data["type"] = data["media"]["type"] = "voice"
            elif kind == "voice":
                data["subtype"] = "ptt"
        data |= _extras(kind, chat)
        data["meta"]["containsEmoji"] = kind == "emoji"
        if quoted is not None:
            data["quoted"] = {world.behaviour.readings.quoted: quoted, "type": "text", "body": ""}
        return self._receive(
            chat, "message:in:new", data, kind, data.get("body"), at, genuine=True, copies=copies, quoted=quoted
        )

    def _receive(
        self, chat: Chat, event: str, data: dict[str, Any], kind: str, body: str | None, at: float, *, genuine: bool,
        copies: int = 1, quoted: str | None = None,
    ) -> Inbound:  # fmt: skip
        """Keep what arrived at the device, and send its webhook with the detours of inbound ones."""
        world, behaviour, dice, device = self._world, self._world.behaviour, self._world.dice, chat.device
        inbound = Inbound(
            id=data["id"],
            device=device.id,
            phone=chat.phone,
            from_number=data.get("fromNumber"),
            type="text" if kind == "opt_out" else kind,
            body=body,
            event=event,
            genuine=genuine,
            time=at,
            timestamp=int(at + behaviour.clock_skew_seconds),
            quoted=quoted,
            opt_out=genuine and (body or "").strip().casefold() in _STOP,
            arrived_at=time.time(),
            data=data,
        )
        world.ledger.inbound.append(inbound)
        n = len(world.ledger.inbound) if not genuine else chat.inbound
        if behaviour.device_product != "io" or dice.happens(behaviour.webhook_loss, chat.wid, f"unheard:{kind}", n):
            return inbound
        delay = 0.0
        if dice.happens(behaviour.webhook_disorder, chat.wid, f"held:{kind}", n):
            delay = dice.seconds(behaviour.disorder_delay, chat.wid, f"held_for:{kind}", n)
        if copies == 1 and dice.happens(behaviour.webhook_duplication, chat.wid, f"twice:{kind}", n):
            copies = 2
        world.tell(event, device, data, phone=chat.phone, at=at, body=body, delay=delay, copies=copies)
        return inbound


def _wire_type(kind: str) -> str:
    return {"emoji": "text", "opt_out": "text", "voice": "audio"}.get(kind, kind)


def _wire_body(kind: str, body: str | None, chat: Chat) -> str | None:
    """Only texts and captions have a body; polls, stickers, voices and the like come without."""
    if kind in {"text", "emoji", "opt_out"}:
        return body if body is not None else {"emoji": "👍", "opt_out": "STOP"}.get(kind, "ok")
    return body if kind in {"image", "video", "document"} else None


def _extras(kind: str, chat: Chat) -> dict[str, Any]:
    if kind == "location":
        return {"location": {"latitude": 48.8584, "longitude": 2.2945, "name": "Tour Eiffel"}}
    if kind == "poll":
        return {"poll": {"name": "?", "options": [{"name": "Oui"}, {"name": "Non"}]}}
    if kind == "contacts":
        return {"contacts": [{"name": f"Friend of {chat.wid[:4]}", "phone": chat.device.phone}]}
    return {}
