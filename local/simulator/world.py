"""Everything one simulator knows, and the way its parts reach each other."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import msgspec

from local.simulator import shapes
from local.simulator.agenda import Agenda
from local.simulator.behaviour import Behaviour, Outcome, Person
from local.simulator.dice import Dice
from local.simulator.hooks import Hooks
from local.simulator.ledger import Chat, Device, Ledger, Message, iso
from local.simulator.numbers import jid, spelled_by_whatsapp
from local.simulator.post import Post, Webhook

_NOBODY = Person()
_encode = msgspec.json.Encoder().encode


class Requests:
    """How the API was used: counts by endpoint and status, and how many calls were open at once."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()

    def started(self, endpoint: str) -> None:
        """Count one call as open."""
        now = self.in_flight[endpoint] + 1
        self.in_flight[endpoint] = now
        if now > self.most_in_flight[endpoint]:
            self.most_in_flight[endpoint] = now

    def ended(self, endpoint: str, status: str) -> None:
        """Count one call as answered; ``status`` is ``none`` where it was not."""
        self.in_flight[endpoint] -= 1
        self.counts[endpoint, status] += 1

    def forget(self) -> None:
        """Count from nothing; what is open stays open."""
        self.counts.clear()
        self.most_in_flight = Counter(self.in_flight)

    def told(self) -> dict[str, Any]:
        """Return what ``/_sim/requests`` answers."""
        endpoints: dict[str, dict[str, int]] = {}
        for (endpoint, status), number in sorted(self.counts.items()):
            endpoints.setdefault(endpoint, {})[status] = number
        return {
            "endpoints": endpoints,
            "in_flight": {name: number for name, number in self.in_flight.items() if number},
            "max_in_flight": dict(self.most_in_flight),
            "total": sum(self.counts.values()),
        }


class World:
    """One simulator: its devices, its memory, its dice, its clock, its post."""

    def __init__(self, *, devices: list[Device], token: str, seed: int, signing_secret: str | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.token = token
        self.seed = seed
        self.signing_secret = signing_secret
        self.devices = {device.id: device for device in devices}
        self.behaviour = Behaviour(signing_secret=signing_secret)
        self.dice = Dice(seed)
        self.agenda = Agenda(self.loop)
        self.ledger = Ledger()
        self.hooks = Hooks(self.ledger.new_id)
        self.post = Post(self.agenda, lambda: self.behaviour, self._settled)
        self.requests = Requests()
        self.attempts: Counter[str] = Counter()
        self.held: dict[str, list[Message]] = {}
        """Messages in the queue of a device that is offline."""
        self.files: dict[str, dict[str, Any]] = {}

    def now(self) -> float:
        """Return the gateway's time, unix seconds."""
        return time.time() + self.behaviour.clock_skew_seconds

    def forget(self, keep: set[str], seed: int | None) -> None:
        """Start a new run. ``keep`` may hold ``behaviour`` and ``webhooks`` (the registrations)."""
        if "behaviour" not in keep:
            self.behaviour = Behaviour(signing_secret=self.signing_secret)
        if "webhooks" not in keep:
            self.hooks.forget()
        self.dice = Dice(self.seed if seed is None else seed)
        self.agenda.forget()
        self.ledger.forget()
        self.post.forget()
        self.requests.forget()
        self.attempts.clear()
        self.held.clear()
        self.files.clear()
        for device in self.devices.values():
            device.sent = device.failed = 0

    async def close(self) -> None:
        """Stop everything that runs."""
        self.agenda.forget()
        await self.post.close()

    # --- what the behaviour says of one person or device -----------------------------------------

    def is_offline(self, device: Device) -> bool:
        """Whether the session of this device is gone."""
        off = self.behaviour.device_offline
        return device.id in off if isinstance(off, list) else off

    def script(self, *spellings: str) -> Person:
        """Return the script of a person known under one of these numbers, or an empty one."""
        phones = self.behaviour.phones
        for phone in spellings if phones else ():
            if phone in phones:
                return phones[phone]
        return _NOBODY

    def wid(self, phone: str) -> str:
        """Return the chat id WhatsApp has for a number."""
        digits = phone[1:]
        local = spelled_by_whatsapp(digits)
        if local != digits and self.dice.happens(self.behaviour.number_variants, digits, "variant"):
            return jid(local)
        return jid(digits)

    def is_on_whatsapp(self, phone: str) -> bool:
        """Whether a number has WhatsApp at all."""
        if self.script(phone).send == "refuse":
            return False
        return not self.dice.happens(self.behaviour.invalid_phones, phone, "invalid")

    def outcome(self, phone: str, device: Device) -> Outcome:
        """Decide what becomes of the next send to a number: script, then state, then chance."""
        behaviour, dice = self.behaviour, self.dice
        attempt = self.attempts[phone]
        self.attempts[phone] = attempt + 1
        scripted = self.script(phone, f"+{self.wid(phone)[:-5]}").send if behaviour.phones else None
        if isinstance(scripted, list):
            scripted = scripted[min(attempt, len(scripted) - 1)] if scripted else None
        if scripted is not None:
            return scripted
        if behaviour.send != "ok":
            return behaviour.send
        if self.is_offline(device) and not behaviour.offline_accepts:
            return "unavailable"
        if not self.is_on_whatsapp(phone):
            return "refuse"
        chances: tuple[tuple[float, Outcome], ...] = (
            (behaviour.rate_429, "rate_limit"),
            (behaviour.rate_5xx, "unavailable"),
            (behaviour.rate_html_502, "html_502"),
            (behaviour.timeout_after_accept, "timeout_after_accept"),
            (behaviour.error_after_accept, "error_after_accept"),
            (behaviour.failed_rate, "fail"),
        )
        for share, outcome in chances:
            if dice.happens(share, phone, outcome, attempt):
                return outcome
        return "ok"

    # --- webhooks --------------------------------------------------------------------------------

    def is_heard(self, event: str, device: Device) -> bool:
        """Whether anybody subscribed to an event of this device."""
        return bool(self.hooks.targets(event, device.id, self.behaviour.webhook_url))

    def tell(
        self, event: str, device: Device, data: dict[str, Any], *, phone: str | None, at: float,
        body: str | None = None, delay: float = 0.0, copies: int = 1, kind: str = "message",
        called: str | None = None,
    ) -> None:  # fmt: skip
        """Send one webhook to all who subscribed; one that nobody hears is not sent.

        ``at`` is the event's own (true) time, ``delay`` how much later it goes out, in seconds;
        ``called`` is the name it goes under where that is not what was subscribed to.
        """
        behaviour = self.behaviour
        targets = self.hooks.targets(event, device.id, behaviour.webhook_url)
        if not targets:
            return
        data_id = str(data.get("id", device.id))
        plan = f"{behaviour.device_product}-professional"
        raw = _encode(shapes.envelope(called or event, device, data, self.now(), plan, kind))
        delay += self.dice.seconds(behaviour.webhook_delay, data_id, "webhook_delay")
        webhook = Webhook(
            event=called or event, data_id=data_id, device=device.id, phone=phone, body=body, time=at,
            queued_at=time.time(), copies=copies,
        )  # fmt: skip
        self.post.send(webhook, raw, targets, delay)

    def tell_raw(self, raw: bytes, copies: int) -> Webhook:
        """Deliver bytes as they are to every active address, whatever it subscribed to."""
        targets = self.hooks.targets(None, None, self.behaviour.webhook_url)
        now = time.time()
        webhook = Webhook(
            event="raw", data_id=None, device=None, phone=None, body=None, time=now, queued_at=now, copies=copies
        )
        self.post.send(webhook, raw, targets)
        return webhook

    def tell_session(self, device: Device) -> None:
        """Send number:session for the state the device is in."""
        status = "offline" if self.is_offline(device) else "online"
        data: dict[str, Any] = {
            "id": device.id, "phone": device.phone, "alias": device.alias, "status": "operative",
            "session": {"status": status}, "date": iso(self.now()), "timestamp": int(self.now()),
        }  # fmt: skip
        if self.behaviour.readings.session == "flat":
            data = {"status": status}
        self.tell("number:session", device, data, phone=device.phone, at=time.time(), body=status, kind="device")

    def chat(self, device: Device, phone: str) -> Chat:
        """Return the chat of a device with the person behind a number."""
        return self.ledger.chat(device, self.wid(phone), phone, self.now())

    def _settled(self, hook_id: str, gave_up: bool) -> None:
        self.hooks.settled(hook_id, gave_up, self.behaviour.webhook_disable_after)
