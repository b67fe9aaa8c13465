"""How the simulated gateway and its people behave in this run: every key, what it does, and its default."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=2_592_000)]
Span = float | tuple[float, float]
"""A fixed number of seconds, or ``[least, most]`` to draw from evenly. ``document.py`` checks its bounds:
msgspec reads those of a float in a union with a tuple from the wrong place."""

Outcome = Literal[
    "ok",
    # refused: nothing was accepted
    "refuse", "bad_request", "unauthorized", "payment", "forbidden", "not_found", "rate_limit", "error", "unavailable",
    "html_502", "hang", "close",
    # accepted, but the caller is not told so
    "timeout_after_accept", "error_after_accept", "html_after_accept", "close_after_accept", "garbled_after_accept",
    # accepted, and failed later by a webhook
    "fail", "block",
]  # fmt: skip
"""What becomes of one ``POST /v1/messages``."""

Reply = Literal[
    "text", "emoji", "voice", "audio", "image", "video", "document", "sticker", "location", "reaction", "poll",
    "contacts", "opt_out",
]  # fmt: skip
"""What a person answers with; ``opt_out`` is a text such as STOP."""

Noise = Literal["group", "echo", "status", "notification", "channel", "hidden", "unreact", "vote", "chat_update"]
"""Webhooks that are no reply of a contact; ``hidden`` comes from an ``@lid`` without any number."""

USUAL_REPLIES: dict[Reply, float] = {
    "text": 58, "emoji": 8, "voice": 6, "audio": 2, "image": 6, "video": 2, "document": 2, "sticker": 3, "location": 2,
    "reaction": 6, "poll": 2, "contacts": 1, "opt_out": 2,
}  # fmt: skip
"""What people answer with, by weight."""
REPLIES: tuple[str, ...] = get_args(Reply)
NOISES: tuple[str, ...] = get_args(Noise)


class Person(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One scripted person. What is left out is drawn like everybody else's."""

    reply: Reply | Literal["none"] | None = None
    """What they answer a first message with; ``none``: they stay silent."""
    reply_again: Reply | Literal["none"] | None = None
    """What they answer a follow-up (Message 2) with."""
    delay: Seconds | None = None
    """Seconds between getting the message and writing."""
    body: str | None = None
    """What they write, instead of a drawn text."""
    times: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """How many messages they write in a row."""
    quotes: bool | None = None
    """Whether they quote the message they answer."""
    send: Outcome | list[Outcome] | None = None
    """What becomes of sends to them; of a list, one per attempt, the last one for all further ones."""
    acks: Literal["all", "none", "skip_delivered", "delivered"] | None = None
    """Which delivery events their messages bring."""


class Readings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which of the shapes that nobody has confirmed the vendor uses; a client must understand them all."""

    voice: Literal["ptt", "voice"] = "ptt"
    """A voice note is an ``audio`` of subtype ``ptt``, or a type of its own."""
    reaction: Literal["own", "listed"] = "own"
    """A reaction is a message of its own, or the message reacted to with its list of reactions."""
    ack: Literal["chat", "resource", "alias"] = "chat"
    """``message:out:ack`` carries a chat message, or the outbound resource; or it is called
    ``message:out:delivered`` and ``message:out:read``."""
    quoted: Literal["id", "wid"] = "id"
    """What names the message answered to."""
    session: Literal["nested", "flat"] = "nested"
    """``number:session`` carries the device, or the session's word alone."""
    files: Literal["list", "object"] = "list"
    """What an upload is answered with."""


class Behaviour(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole document. Rates are shares from 0 to 1, times are seconds unless the name says ``_ms``."""

    # The people
    reply_rate: Share = 0.5
    """Share of people who answer the first message of a conversation."""
    reply_again_rate: Share = 0.1
    """Share of people who answer the follow-up, too."""
    reply_delay: Span = (1.0, 8.0)
    """How long they take, divided by ``time_scale``."""
    late_rate: Share = 0.0
    """Share of those who answer that take ``late_delay`` instead."""
    late_delay: Span = (90_000.0, 180_000.0)
    """How long the late ones take, divided by ``time_scale``."""
    reply_types: dict[Reply, Annotated[float, Meta(ge=0)]] = msgspec.field(default_factory=lambda: {**USUAL_REPLIES})
    """Weights of what they answer with; a partial document changes single weights."""
    several_rate: Share = 0.1
    """Share of those who answer that write more than once."""
    several: Annotated[int, Meta(ge=2, le=1000)] = 4
    """The most messages such a person writes (2 to this, drawn)."""
    several_gap: Span = (0.2, 2.0)
    """Time between two of them, divided by ``time_scale``."""
    quote_rate: Share = 0.15
    """Share of answers that quote the message answered."""
    conversation_seconds: Seconds = 86_400.0
    """After an answer, a message that comes within this time is taken as the follow-up. Divided by ``time_scale``."""
    noise: dict[Noise, Share] = msgspec.field(default_factory=dict)
    """Share of accepted messages that are accompanied by a webhook of each kind."""
    time_scale: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    """Divides the people's times."""
    phones: dict[str, Person] = msgspec.field(default_factory=dict)
    """Scripts of single people by phone, as sent to or as WhatsApp spells it."""

    readings: Readings = msgspec.field(default_factory=Readings)
    """Which unconfirmed shapes are played."""

    # The send
    send: Outcome = "ok"
    """What becomes of every send that nothing else decides."""
    latency_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    """Time from request to acceptance."""
    latency_jitter_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    """Up to so much more, drawn."""
    answer_lag_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    """Time from acceptance to answer: events may overtake the answer."""
    rate_429: Share = 0.0
    """Share of sends answered 429, nothing accepted."""
    retry_after: Annotated[int, Meta(ge=0)] | None = None
    """``Retry-After`` of a 429; null: no such header."""
    rate_5xx: Share = 0.0
    """Share of sends answered 503 in JSON, nothing accepted."""
    rate_html_502: Share = 0.0
    """Share of sends answered 502 in HTML, nothing accepted."""
    timeout_after_accept: Share = 0.0
    """Share of sends that are accepted and not answered for ``timeout_seconds``."""
    timeout_seconds: Seconds | None = None
    """When such a send is answered after all; null: never."""
    error_after_accept: Share = 0.0
    """Share of sends that are accepted and answered 500."""
    failed_rate: Share = 0.0
    """Share of accepted messages that fail later (``message:out:failed``)."""
    invalid_phones: Share = 0.0
    """Share of phones that are not on WhatsApp: 400 ``phone:invalid``, and ``numbers/exists`` says no."""
    fail_new_chats: bool = False
    """Messages to people who never wrote and never got one fail later with 463; known chats keep working."""
    device_offline: bool | list[str] = False
    """The session of every device, or of those listed, is gone: it says so, and sends are answered 503."""
    offline_accepts: bool = False
    """While offline, sends are accepted and wait in the vendor's queue until they expire."""
    key_revoked: bool = False
    """Every call is answered 401."""
    device_product: Literal["io", "gateway"] = "io"
    """The plan: ``gateway`` is send-only and brings no inbound webhooks."""
    number_variants: Share = 1.0
    """Share of Mexican, Argentinian and Brazilian numbers that WhatsApp spells its own way."""
    clock_skew_seconds: Annotated[float, Meta(ge=-86_400, le=86_400)] = 0.0
    """How far the gateway's clock is ahead: its ``Date``, its timestamps and its idea of expiry."""

    # A message's life
    sent_delay: Span = (0.01, 0.05)
    """From acceptance to leaving."""
    queue_delay: Span = 0.0
    """More of it for sends without ``enqueue: never``."""
    delivered_delay: Span = (0.05, 0.4)
    """From leaving to the phone."""
    read_delay: Span = (0.5, 3.0)
    """From the phone to being read, divided by ``time_scale``."""
    delivered_rate: Share = 1.0
    """Share of messages that reach the phone."""
    read_rate: Share = 0.8
    """Share of those that are read (receipts may be off)."""
    skip_delivered: Share = 0.0
    """Share of messages that go from sent to read without a delivered event."""
    ack_loss: Share = 0.0
    """Share of ``message:out:sent`` and ``message:out:ack`` webhooks that are never sent."""
    ack_duplication: Share = 0.0
    """Share of them that are sent twice."""
    ack_disorder: Share = 0.0
    """Share of them that are held back for ``disorder_delay``, so that later ones overtake."""
    disorder_delay: Span = (0.2, 1.0)
    """How long they are held back."""

    # Webhooks
    webhook_url: str | None = None
    """Gets every event of every device, besides the registered ones."""
    signing_secret: str | None = None
    """Key of ``X-Wassenger-Signature: sha256=<hex>``; null: unsigned."""
    webhook_delay: Span = 0.0
    """How late every webhook is."""
    webhook_duplication: Share = 0.0
    """Share of inbound webhooks that are delivered twice."""
    webhook_disorder: Share = 0.0
    """Share of inbound webhooks held back for ``disorder_delay``."""
    webhook_loss: Share = 0.0
    """Share of inbound webhooks never sent; the chat history still has them."""
    webhook_attempts: Annotated[int, Meta(ge=1, le=1000)] = 12
    """How often one webhook is tried until a 2xx."""
    webhook_retry_seconds: Seconds = 0.2
    """Wait before the second attempt; each next one waits twice as long."""
    webhook_retry_most: Seconds = 30.0
    """The longest wait."""
    webhook_timeout: Annotated[float, Meta(gt=0, le=600)] = 10.0
    """How long a receiver may take."""
    webhook_disable_after: Annotated[int, Meta(ge=0)] = 0
    """Webhooks given up in a row after which a registration is disabled; 0: never."""

    # Look-ups
    lookup_lag_seconds: Seconds = 0.0
    """How long an accepted message is missing from look-ups."""
    lookup_latency_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    """How long a look-up takes."""
    lookups_unavailable: bool = False
    """Look-ups are answered 503."""
    lookup_ignores_filter: bool = False
    """Listing messages ignores every filter but the page."""
    page_limit: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """The most rows one page brings, whatever was asked."""
