"""The phone on the other side of the wall: what every WhatsApp gateway must be able to do for us.

One file per vendor implements ``Gateway``. An error says what happened *to the message*, because that
is all the caller needs to decide between sending again, looking it up, and giving up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

# --- what goes out -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Media:
    """One attachment, by public URL or by the id of a file uploaded before. Exactly one of the two."""

    url: str | None = None
    file_id: str | None = None
    filename: str | None = None


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to be kept by the gateway until messages carry it."""

    filename: str
    mime: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """The gateway's copy of a file: its id, and when the gateway forgets it (None: it does not say)."""

    file_id: str
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Order:
    """One message to be sent, once.

    ``reference`` is ours: the gateway stores it, echoes it and can be searched for it.
    ``not_after`` is absolute (UTC): the gateway must not deliver the message later than this.
    ``may_write`` is asked last of all, when a connection is in hand and before the first byte is
    written; False means the right to send was lost while waiting (raises ``Unreachable``).
    """

    device_id: str
    phone: str
    text: str
    media: Media | None = None
    reference: str
    not_after: datetime
    typing: int = 0
    """Whole seconds for which the number seems to be typing before; 0: not at all. A gateway may offer none."""
    may_write: Callable[[], bool] = lambda: True


# --- what the gateway knows ----------------------------------------------------------------------

Progress = Literal["queued", "sent", "delivered", "read", "failed"]


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """One message as the gateway holds it: the answer to a send, or to a look-up.

    ``gateway_id`` and ``message_id`` (WhatsApp's own) may be unknown after a 2xx with an unreadable
    body. ``wid`` is the recipient's JID as the gateway resolved it. ``error`` explains ``failed``.
    """

    reference: str | None
    gateway_id: str | None = None
    message_id: str | None = None
    wid: str | None = None
    progress: Progress = "queued"
    created_at: datetime | None = None
    error: str | None = None
    expired: bool = False
    """It failed because ``not_after`` passed in the gateway's queue: it never left."""
    text: str | None = field(default=None, compare=False, repr=False)
    """What it says, where the gateway tells; for nobody's log."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """Health of one number. ``reason`` says in words why it is not ``ready``."""

    device_id: str
    phone: str | None
    state: Literal["ready", "degraded", "blocked", "offline"]
    reason: str | None
    allows_replies: bool | None
    """Whether the plan delivers inbound messages (None: the gateway does not say)."""
    clock_skew: float = 0.0
    """Seconds by which the gateway's clock is ahead of ours; 0 where it agrees, or does not tell."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One webhook registered at the gateway."""

    webhook_id: str
    url: str
    events: Sequence[str]
    device_id: str | None
    enabled: bool


# --- what comes in -------------------------------------------------------------------------------

MessageType = Literal[
    "text", "emoji", "voice", "audio", "image", "video", "document", "sticker", "location", "reaction", "poll", "other"
]


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """Somebody wrote, reacted or voted.

    ``phone`` is E.164, or None where WhatsApp hides it behind ``lid``. ``body`` may be None (poll,
    sticker, media without caption). ``quoted_id`` is the WhatsApp id of the message answered to.
    ``noise`` says why this is no reply of a person (echo, group, own number, …); None: it may be one.
    """

    device_id: str
    device_phone: str | None
    message_id: str
    phone: str | None
    lid: str | None
    name: str | None
    type: MessageType
    body: str | None
    quoted_id: str | None
    at: datetime
    noise: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of a message of ours. Match by ``reference``, else ``gateway_id``, else ``message_id``."""

    device_id: str
    outbound: Outbound
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SessionChange:
    """The device itself changed state."""

    device_id: str
    state: Literal["ready", "degraded", "blocked", "offline"]
    reason: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """A well-formed event that is none of our business, and why."""

    reason: str


Event = Inbound | Delivery | SessionChange | Ignored


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An authenticated webhook: all the web process needs to store it.

    ``event_key`` is the same for every delivery of the same event (a hash of the body where the event
    has no usable id). ``kind`` is the vendor's event name. ``readable`` is False when the body could
    not be understood: it is kept, and the vendor is told 400. ``from_person``: it may be a reply, and must
    not queue behind acknowledgements.
    """

    event_key: str
    kind: str
    device_id: str | None
    readable: bool
    from_person: bool = False
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """Not from our gateway: wrong or missing secret or signature. Nothing is stored."""

    reason: str


# --- what can go wrong ---------------------------------------------------------------------------


class GatewayError(Exception):
    """The gateway did not do what was asked. ``code`` is the vendor's error code, if it gave one."""

    def __init__(self, detail: str = "", *, code: str | None = None, retry_after: float | None = None) -> None:
        self.detail = detail or (self.__doc__ or "").strip().splitlines()[0]
        self.code = code
        self.retry_after = retry_after
        super().__init__(self.detail)


class Unreachable(GatewayError):
    """The message never left us: proven so, by name, on a whitelist."""


class Unknown(GatewayError):
    """The message may have left us; only a look-up can tell."""


class RateLimited(GatewayError):
    """The gateway took nothing and asks us to slow down (``retry_after`` in seconds, if it said)."""


class Refused(GatewayError):
    """The gateway will never take this message: bad number, bad content."""


class SenderStopped(GatewayError):
    """The gateway will take nothing from this sender: key, plan, session, or a block."""


class LookupFailed(GatewayError):
    """The gateway could not be asked, or did not answer the question: nothing is proven."""


class Unreadable(GatewayError):
    """A stored webhook body cannot be understood."""


# --- the door ------------------------------------------------------------------------------------


class Gateway(Protocol):
    """What a vendor's file implements. All calls are safe from any task of one event loop."""

    async def send(self, order: Order) -> Outbound:
        """Hand over one message. Raises Unreachable, Unknown, RateLimited, Refused or SenderStopped;
        an exception that is none of these must be treated as Unknown."""
        ...

    async def find(self, device_id: str, reference: str) -> Sequence[Outbound]:
        """Look one reference up. Only rows carrying exactly this reference; raises LookupFailed."""
        ...

    def outbound_since(self, device_id: str, since: datetime) -> AsyncIterator[Outbound]:
        """List what the device was given since ``since``, newest first, page by page.
        Raises LookupFailed as soon as a page is not a complete answer."""
        ...

    def inbound_since(self, device_id: str, since: datetime) -> AsyncIterator[bytes]:
        """List what the device received since ``since`` as raw webhook bodies, oldest first,
        for those whose webhook was missed. Raises LookupFailed."""
        ...

    async def keep(self, file: File) -> KeptFile:
        """Hand over a file; a second copy does no harm. Raises Refused (it will never take it), SenderStopped (bad key,
        plan), or LookupFailed where it is not known to have it."""
        ...

    async def device(self, device_id: str) -> Device:
        """Return the health of one number. Raises LookupFailed or SenderStopped (bad key, unknown device)."""
        ...

    async def devices(self) -> Sequence[Device]:
        """List every number the key can see. Raises LookupFailed or SenderStopped (bad key)."""
        ...

    async def webhooks(self) -> Sequence[Webhook]:
        """List the registered webhooks. Raises LookupFailed or SenderStopped."""
        ...

    async def register_webhook(self, device_id: str, url: str) -> None:
        """Register (or complete, or enable again) our webhook with every event we need; twice is once.
        ``url`` carries the token. Raises LookupFailed, with the gateway's words, or SenderStopped (bad key)."""
        ...

    def receive(self, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes) -> Envelope | Rejected:
        """Authenticate a webhook in constant time and name its event. Pure: no I/O, no database."""
        ...

    def name(self, raw: bytes) -> Envelope:
        """Name an event that we fetched ourselves: the same key as if its webhook had come."""
        ...

    def parse(self, raw: bytes) -> Event:
        """Understand a stored webhook body. Raises Unreadable with the cause."""
        ...

    async def close(self) -> None:
        """Close every connection at once."""
        ...


def open_gateway() -> Gateway:
    """Return the gateway named by the settings, ready to use on the running loop."""
    from gateway.wassenger import Wassenger  # the vendors import this module

    return Wassenger.from_settings()
