"""The life of one accepted message: it leaves, arrives, is read; or it expires, or fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from local.simulator import shapes
from local.simulator.ledger import Chat, Device, Message
from local.simulator.people import People
from local.simulator.world import World

EXPIRED = ("message:expired", "Message expired in the queue before it could be delivered")
LOST = ("message:failed", "Message could not be delivered by WhatsApp")
TIMELOCK = ("463", "server returned error 463: reach-out timelock")


class Life:
    """Leads every message through its states and tells each by its webhook."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people

    def begin(self, message: Message, chat: Chat, deliver_at: float | None) -> None:
        """Plan what comes next for a message just accepted. ``deliver_at`` is the gateway's time."""
        world, behaviour = self._world, self._world.behaviour
        wait = world.dice.seconds(behaviour.sent_delay, message.phone, "sent", chat.outbound)
        if message.options.get("enqueue") != "never":
            wait += world.dice.seconds(behaviour.queue_delay, message.phone, "queue", chat.outbound)
        wait += message.options.get("typing", 0) / behaviour.time_scale
        if deliver_at is not None:
            wait = max(wait, deliver_at - message.created_at)
        world.agenda.after(wait, self._leave, message, chat)
        if message.expires_at is not None and message.expires_at - message.created_at < wait:
            world.agenda.after(max(0.0, message.expires_at - message.created_at), self._expire, message, chat)

    def session_changed(self, device: Device) -> None:
        """Tell that a device went offline or came back, and let go what waited for it."""
        self._world.tell_session(device)
        if not self._world.is_offline(device):
            for message in self._world.held.pop(device.id, []):
                self._leave(message, self._world.chat(device, message.phone))

    def _leave(self, message: Message, chat: Chat) -> None:
        world = self._world
        if message.deleted or message.status != "queued":
            return
        if message.expires_at is not None and world.now() >= message.expires_at:
            self._fail(message, chat, EXPIRED)
        elif world.is_offline(message.device):
            world.held.setdefault(message.device.id, []).append(message)
            if message.expires_at is not None:
                world.agenda.after(message.expires_at - world.now(), self._expire, message, chat)
        elif message.fate == "fail":
            self._fail(message, chat, LOST)
        elif message.fate == "block" or (world.behaviour.fail_new_chats and not (chat.inbound or chat.reached)):
            self._fail(message, chat, TIMELOCK)
        else:
            self._left(message, chat)

    def _left(self, message: Message, chat: Chat) -> None:
        world, behaviour, dice = self._world, self._world.behaviour, self._world.dice
        number = chat.outbound
        chat.outbound += 1
        chat.last_outbound_at = world.now()
        chat.last_got = message.wa_id
        message.device.sent += 1
        at = self._move(message, "sent")
        self._tell(message, "message:out:sent", lambda: shapes.outbound_event(message, world.now()), at)
        if world.is_heard("message:out:new", message.device):
            data = shapes.outbound_chat_message(message, chat)
            world.tell("message:out:new", message.device, data, phone=message.phone, at=at, body=message.text)
        if not dice.happens(behaviour.delivered_rate, message.phone, "arrives", number):
            return
        delay = dice.seconds(behaviour.delivered_delay, message.phone, "delivered", number)
        world.agenda.after(delay, self._arrive, message, chat, number)

    def _arrive(self, message: Message, chat: Chat, number: int) -> None:
        world, behaviour, dice = self._world, self._world.behaviour, self._world.dice
        chat.reached = True
        acks = world.script(message.phone, chat.from_number).acks
        reads = acks != "delivered" and (
            acks in {"all", "skip_delivered"} or dice.happens(behaviour.read_rate, message.phone, "reads", number)
        )
        skips = acks == "skip_delivered" or (
            acks is None and reads and dice.happens(behaviour.skip_delivered, message.phone, "skips", number)
        )
        if not skips:
            self._acknowledge(message, chat, "delivered", silent=acks == "none")
        if reads:
            delay = dice.seconds(behaviour.read_delay, message.phone, "read", number) / behaviour.time_scale
            world.agenda.after(delay, self._acknowledge, message, chat, "read", acks == "none")
        self._people.got(message, chat)

    def _acknowledge(self, message: Message, chat: Chat, ack: str, silent: bool = False) -> None:
        at = self._move(message, ack)
        if not silent:
            world = self._world
            reading = world.behaviour.readings.ack
            self._tell(
                message,
                "message:out:ack",
                lambda: (
                    shapes.outbound_event(message, world.now())
                    if reading == "resource"
                    else shapes.ack_event(message, chat, ack, world.now())
                ),
                at,
                called=f"message:out:{ack}" if reading == "alias" else None,
            )

    def _expire(self, message: Message, chat: Chat) -> None:
        if message.status == "queued" and not message.deleted:
            self._fail(message, chat, EXPIRED)

    def _fail(self, message: Message, chat: Chat, failure: tuple[str, str]) -> None:
        message.device.failed += 1
        message.failure = failure
        at = self._move(message, "failed")
        self._tell(message, "message:out:failed", lambda: shapes.outbound_event(message, self._world.now()), at)

    def _move(self, message: Message, status: str) -> float:
        at = time.time()
        message.status = status
        message.history.append((status, at))
        return at

    def _tell(
        self, message: Message, event: str, data: Callable[[], dict[str, Any]], at: float, called: str | None = None
    ) -> None:
        """Send what becomes of a message, with the losses, copies and detours of acknowledgements."""
        world, behaviour, dice = self._world, self._world.behaviour, self._world.dice
        if not world.is_heard(event, message.device):
            return
        what = f"{event}:{message.status}"
        may_vanish = event != "message:out:failed"
        number = message.ordinal
        if may_vanish and dice.happens(behaviour.ack_loss, message.phone, f"lost:{what}", number):
            return
        copies = 2 if dice.happens(behaviour.ack_duplication, message.phone, f"twice:{what}", number) else 1
        delay = 0.0
        if dice.happens(behaviour.ack_disorder, message.phone, f"held:{what}", number):
            delay = dice.seconds(behaviour.disorder_delay, message.phone, f"held_for:{what}", number)
        world.tell(
            event, message.device, data(), phone=message.phone, at=at, body=message.text, copies=copies, delay=delay,
            called=called,
        )  # fmt: skip
