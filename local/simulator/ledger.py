"""What truly happened: every accepted message, every inbound one, every chat between a device and a person."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

import msgspec


def iso(at: float) -> str:
    """Write unix seconds the way the vendor does.

    >>> iso(1700000000.5)
    '2023-11-14T22:13:20.500Z'
    """
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Device(msgspec.Struct, kw_only=True):
    """One WhatsApp number of the account."""

    id: str
    phone: str
    alias: str
    sent: int = 0
    failed: int = 0

    @property
    def digits(self) -> str:
        """Return the number without its ``+``."""
        return self.phone[1:]


class Chat(msgspec.Struct, kw_only=True):
    """What one device and one person have had with each other. Times are the gateway's."""

    device: Device
    wid: str
    phone: str
    """The number as we last wrote it; ``wid`` has WhatsApp's spelling."""
    first_at: float
    last_inbound_at: float | None = None
    last_outbound_at: float | None = None
    inbound: int = 0
    outbound: int = 0
    reached: bool = False
    last_got: str | None = None
    """WhatsApp id of the last message the person got."""
    openings: int = 0
    follow_up_until: float = 0.0
    """Until then (on the loop's clock) a message is the follow-up of what they answered."""

    @property
    def from_number(self) -> str:
        """Return the person's number in WhatsApp's spelling."""
        return "+" + self.wid.partition("@")[0]


class Message(msgspec.Struct, kw_only=True):
    """One accepted message. ``accepted_at`` is true time, ``created_at`` the gateway's."""

    id: str
    wa_id: str
    device: Device
    phone: str
    wid: str
    text: str
    reference: str | None
    accepted_at: float
    created_at: float
    expires_at: float | None
    options: dict[str, Any]
    """What else the request carried, as it was."""
    fate: str
    ordinal: int = 0
    """How many sends to this number came before, accepted or not."""
    status: str = "queued"
    history: list[tuple[str, float]] = msgspec.field(default_factory=list)
    failure: tuple[str, str] | None = None
    """``(failureCode, failureReason)`` of one that failed."""
    deleted: bool = False

    def line(self) -> dict[str, Any]:
        """Return what ``/_sim/ledger`` tells of it."""
        return {
            "reference": self.reference, "phone": self.phone, "wid": self.wid, "text": self.text,
            "device": self.device.id, "time": self.accepted_at, "id": self.id, "waId": self.wa_id,
            "status": self.status, "outcome": self.fate, "options": self.options, "deleted": self.deleted,
            "failure": None if self.failure is None else {"code": self.failure[0], "reason": self.failure[1]},
            "history": [{"status": status, "time": at} for status, at in self.history],
        }  # fmt: skip


class Inbound(msgspec.Struct, kw_only=True):
    """One thing that arrived at a device. ``genuine``: a person of ours wrote or reacted to us."""

    id: str
    device: str
    phone: str
    """The number as we wrote it (``fromNumber`` is in WhatsApp's spelling)."""
    from_number: str | None = msgspec.field(name="fromNumber")
    type: str
    body: str | None
    event: str
    genuine: bool
    time: float
    """When it was written: true time, or as told to ``/_sim/say``."""
    timestamp: int
    """The same as the webhook says it: whole seconds of the gateway's clock."""
    quoted: str | None
    opt_out: bool
    arrived_at: float
    data: dict[str, Any]

    def line(self) -> dict[str, Any]:
        """Return what ``/_sim/inbound`` tells of it."""
        return {
            "id": self.id, "device": self.device, "phone": self.phone, "fromNumber": self.from_number,
            "type": self.type, "body": self.body, "event": self.event, "genuine": self.genuine, "time": self.time,
            "timestamp": self.timestamp, "quoted": self.quoted, "opt_out": self.opt_out,
        }  # fmt: skip


class Ledger:
    """The memory of one run, searchable the way the API needs it."""

    def __init__(self) -> None:
        self._run = os.urandom(4).hex()
        self._ids = count(1)
        self.forget()

    def forget(self) -> None:
        """Start with nothing; ids go on, so that two runs never share one."""
        self.messages: list[Message] = []
        self.inbound: list[Inbound] = []
        self.chats: dict[tuple[str, str], Chat] = {}
        self.by_id: dict[str, Message] = {}
        self.by_wa_id: dict[str, Message] = {}
        self.by_reference: dict[str, list[Message]] = {}

    def new_id(self) -> str:
        """Return an id of 24 hex digits."""
        return f"{self._run}{next(self._ids):016x}"

    def new_wa_id(self) -> str:
        """Return a WhatsApp id."""
        return f"3EB0{self._run.upper()}{next(self._ids):010X}"

    def keep(self, message: Message) -> None:
        """Remember one accepted message."""
        message.history.append(("queued", message.accepted_at))
        self.messages.append(message)
        self.by_id[message.id] = message
        self.by_wa_id[message.wa_id] = message
        if message.reference is not None:
            self.by_reference.setdefault(message.reference, []).append(message)

    def chat(self, device: Device, wid: str, phone: str, at: float) -> Chat:
        """Return the chat of a device and a person, a new one where they have none."""
        chat = self.chats.get((device.id, wid))
        if chat is None:
            chat = self.chats[device.id, wid] = Chat(device=device, wid=wid, phone=phone, first_at=at)
        return chat

    def created_after(self, at: float) -> Iterator[Message]:
        """Return the messages created at or after a time of the gateway's, newest first."""
        start = bisect_left(self.messages, at, key=lambda message: message.created_at)
        return islice(reversed(self.messages), len(self.messages) - start)

    def accepted_since(self, at: float) -> Sequence[Message]:
        """Return the messages accepted after ``at`` (true time), oldest first."""
        return self.messages[bisect_right(self.messages, at, key=lambda message: message.accepted_at) :]
