"""The shapes of a campaign's figures: what a snapshot and a report hold, in which units."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class BatchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The newest batch: its number, how many attempts it has, how many are done."""

    number: int
    size: int
    done: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """So many messages wait for this reason: a recipient's quiet hours, the warm-up, a reach-out lock."""

    reason: str
    messages: int
    until: datetime


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Median and 95th percentile, in milliseconds."""

    p50: float
    p95: float


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """How long things took; null while nothing was seen. ``accept``: from our write to the gateway's answer; the
    others from the acceptance of Message 1 to its delivery, its reading, the reply."""

    accept: Spread | None
    delivery: Spread | None
    read: Spread | None
    reply: Spread | None


class Counters(msgspec.Struct, kw_only=True):
    """Exact figures. total = pending + unconfirmed + sent + send_failed + cancelled, of Message 1 only."""

    total: int
    pending: int
    unconfirmed: int
    sent: int
    delivered: int
    read: int
    interactions: int
    """People who replied, in time or not."""
    message_2_sent: int
    message_2_failed: int
    late_replies: int
    no_interaction: int
    send_failed: int
    failed_count: int
    """send_failed + no_interaction."""
    opted_out: int
    cancelled: int


class Progress(Counters, kw_only=True):
    """One snapshot of one campaign. Delays are seconds; a forecast that cannot be made is null."""

    campaign_id: UUID
    status: str
    reason: str
    holds: str | None
    at: datetime
    error_rate: float
    """Share of the last attempts that failed; silence never counts."""
    delay_seconds: float | None
    delay_reason: str | None
    delay_source: str | None
    """Which rule set the delay: environment, configuration, sender, campaign, profile, maturity or error_rate."""
    delay_since: datetime | None
    """Since when it is so: the start of the first batch with this delay, set by this rule."""
    held: list[Held]
    """Pending Message 1 that wait for something else than their turn."""
    batch: BatchProgress | None
    rate_per_minute: float
    """Message 1 that left in the last minute (since the launch, while that is less ago)."""
    last_message_at: datetime | None
    """When the newest Message 1 left."""
    sending_ends_at: datetime | None
    completes_at: datetime | None
    forecast_reason: str
    """What makes it later than the delay alone would."""
    forecast_parts: dict[str, float]
    forecast_moved: str
    """Why the estimate last moved, in words with its share; empty while it never did."""
    forecast_moved_at: datetime | None
    latency_ms: Latencies


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of 0 to 1; null where the whole is zero."""

    sent: float | None
    delivered: float | None
    read: float | None
    replied: float | None
    failed: float | None
    no_interaction: float | None
    opted_out: float | None


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: sending is first to last Message 1, total is launch to completion (or to now)."""

    sending: float | None
    total: float | None
    paused: float


class MessageTwo(msgspec.Struct, frozen=True, kw_only=True):
    """How many replies in time led to Message 2, and how soon after the reply it was accepted."""

    replied_in_window: int
    sent: int
    failed: int
    conversion: float | None
    after_reply_ms: Spread | None


class PaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """From this batch on the campaign ran at this pace, and why."""

    batch: int
    at: datetime
    size: int
    delay_seconds: float
    pause_seconds: float
    error_rate: float
    reason: str


class FailureReason(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of a step failed for one reason."""

    step: int
    error_class: str | None
    reason: str
    messages: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign came to, as of ``at``."""

    campaign_id: UUID
    name: str
    status: str
    reason: str
    at: datetime
    launched_at: datetime | None
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    completed_at: datetime | None
    totals: Counters
    rates: Rates
    durations: Durations
    latency_ms: Latencies
    message_2: MessageTwo | None
    batches: int
    retries: int
    pacing: list[PaceChange]
    failures: list[FailureReason]
