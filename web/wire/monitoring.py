"""What the whole service is doing, on one page."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from web.wire.senders import Quota


class Lane(Struct, kw_only=True):
    """The right to send Message 1 from a number, and what waits for it."""

    owned: bool
    """Whether a worker holds it just now."""
    opens_in_seconds: float
    """Until then nothing leaves this number."""
    campaigns_sending: int
    pending: int
    """Message 1 of its launched campaigns that have not left."""


class MonitoredSender(Struct, kw_only=True):
    """One number: may it send, how much of its day is used, what does its lane do?"""

    id: UUID
    name: str
    state: str
    reason: str
    quota_today: Quota
    lane: Lane


class ProcessSeen(Struct, kw_only=True):
    """One process that beats, or did within the last quarter of an hour."""

    id: UUID
    kind: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    alive: bool


class Uptime(Struct, kw_only=True):
    """Share (0 to 1) of the time in which at least one process of a kind lived, by its heartbeats.

    A process that was frozen and went on counts as alive.
    """

    kind: str
    last_24h: float
    last_7d: float
    since: datetime
    """Nothing is known of before: a week ago, or when the first one was seen."""


class Hooks(Struct, kw_only=True):
    """When the gateway last told us something, and how much of it is not digested yet (counted up to 10,000)."""

    last_received_at: datetime | None
    last_interaction_at: datetime | None
    people_waiting: int
    others_waiting: int


class GatewaySeen(Struct, kw_only=True):
    """What the gateway took from us: the newest Message, those on their way, those it cannot tell about."""

    last_accepted_at: datetime | None
    sending: int
    unconfirmed: int


class Alert(Struct, kw_only=True):
    """Something a person should know; ``times`` it was raised while open."""

    id: UUID
    kind: str
    subject: str
    text: str
    times: int
    raised_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    news: str | None
    """What of it has still to be told to ``ALERT_URLS``: raised, updated or resolved; null: nothing."""
    news_tries: int
    """Attempts so far at telling that."""
    news_error: str | None
    """Which address did not take it, by its place in ``ALERT_URLS``."""
    told_at: datetime | None
    """When everybody had last been told."""


class Monitoring(Struct, kw_only=True):
    """The state of the service at one moment. ``level`` is that of the number nearest to its limit."""

    at: datetime
    level: str
    senders: list[MonitoredSender]
    processes: list[ProcessSeen]
    uptime: list[Uptime]
    queues: dict[str, int] | None
    """Wake-ups waiting, by queue; null while Redis is away (nothing waits for it then)."""
    webhooks: Hooks
    gateway: GatewaySeen
    campaigns: dict[str, int]
    """Open campaigns by status."""
    alerts: list[Alert]
