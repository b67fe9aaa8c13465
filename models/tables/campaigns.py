"""Campaigns, their people, the batches they ran in and their counters."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    BigSerial,
    Boolean,
    DoublePrecision,
    ForeignKey,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check, Unique
from piccolo.table import Table
from uuid_utils.compat import uuid7

from models.tables.people import Category


class Campaign(Table):
    """Two texts, an audience, and where the whole stands."""

    id = UUID(primary_key=True, default=uuid7)
    name = Text()
    sender = UUID(default=None)
    message_1 = Text()
    message_2 = Text(null=True, default=None, help_text="null: a reply is final")
    media_1 = JSONB(null=True, default=None)
    media_2 = JSONB(null=True, default=None)
    pacing = JSONB(default="{}", help_text="overrides of the pace, by setting name")
    quiet_hours = Text(null=True, default=None, help_text="null: QUIET_HOURS")
    excluded_categories = Array(base_column=UUID(), default=list)
    contacted_within_days = Integer(null=True, default=None)
    scheduled_at = Timestamptz(null=True, default=None)
    spread_over_days = Integer(null=True, default=None, help_text="null: all on one local day, or refused")
    quota_plan = JSONB(default="{}", help_text="messages reserved per local day when it was sent: {day: messages}")
    answer_automatic = Boolean(default=False, help_text="Message 2 also for away messages, canned answers, echoes")
    status = Text(default="draft")
    why = Text(default="", help_text="why it is in this status")
    moved_by = Text(default="")
    holds = Text(null=True, default=None, help_text="what a pause holds: all, or message_1")
    window_seconds = DoublePrecision(null=True, default=None, help_text="the reply window, fixed at launch")
    safety_seconds = DoublePrecision(null=True, default=None, help_text="the safety time-out, fixed at launch")
    created_at = Timestamptz(default=TimestamptzNow())
    launched_at = Timestamptz(null=True, default=None)
    planned_end = Timestamptz(null=True, default=None, help_text="forecast, then time, of the last Message 1")
    served_at = Timestamptz(null=True, default=None, help_text="its last batch began: the lane serves the oldest")
    breaker_since = Timestamptz(null=True, default=None, help_text="the breaker looks at nothing older")
    paused_at = Timestamptz(null=True, default=None)
    paused_seconds = DoublePrecision(default=0.0, help_text="earlier pauses; they do not count as safety time")
    completed_at = Timestamptz(null=True, default=None)
    final_stats = JSONB(null=True, default=None, help_text="the report as of completion")
    known_status = Check(
        "status in ('draft', 'scheduled', 'launching', 'sending', 'waiting', 'paused', 'completed', 'cancelled')"
    )
    launched_is_complete = Check("status in ('draft', 'scheduled', 'cancelled') or launched_at is not null")
    completed_is_dated = Check("(status = 'completed') <= (completed_at is not null and final_stats is not null)")
    scheduled_is_dated = Check("(status = 'scheduled') <= (scheduled_at is not null)")


class CampaignCategory(Table):
    """Which categories a campaign is sent to."""

    id = UUID(primary_key=True, default=uuid7)
    campaign = ForeignKey(Campaign, null=False, on_delete=OnDelete.cascade)
    category = ForeignKey(Category, null=False, on_delete=OnDelete.cascade)
    campaign_category_once = Unique([campaign, category])


class Recipient(Table):
    """One contact in one campaign. Completion is judged by these rows, person by person."""

    id = UUID(primary_key=True, default=uuid7)
    campaign = UUID(default=None)
    contact = UUID(default=None)
    identity = Text()
    state = Text(default="queued")
    why = Text(default="")
    moved_by = Text(default="")
    failed_step = SmallInt(null=True, default=None)
    window_ends_at = Timestamptz(null=True, default=None)
    replied_at = Timestamptz(null=True, default=None)
    recipient_once = Unique([campaign, contact])
    recipient_once_per_person = Unique([campaign, identity])
    known_state = Check(
        "state in ('queued', 'unconfirmed', 'awaiting_reply', 'replied', 'followed_up', 'late_reply',"
        " 'no_interaction', 'failed', 'opted_out', 'cancelled')"
    )
    awaiting_has_window = Check("(state in ('awaiting_reply', 'no_interaction')) <= (window_ends_at is not null)")
    reply_is_dated = Check("(state in ('replied', 'late_reply')) <= (replied_at is not null)")
    failure_has_step = Check("(state = 'failed') = (failed_step is not null)")


class Batch(Table):
    """The pacing a batch runs with, frozen at its start. A crash resumes it, a pause closes it."""

    id = UUID(primary_key=True, default=uuid7)
    campaign = UUID(default=None)
    sender = UUID(default=None)
    number = Integer()
    size = Integer()
    base_delay = DoublePrecision()
    delay = DoublePrecision()
    pause = DoublePrecision()
    gaps = Array(base_column=DoublePrecision())
    error_rate = DoublePrecision()
    adjustment = Text(help_text="why the delay is what it is")
    profile = Text(default="standard")
    sources = JSONB(default="{}", help_text="who named profile, delay, size, pause and jitter")
    attempted = Integer(default=0)
    sent = Integer(default=0)
    failed = Integer(default=0)
    started_at = Timestamptz(default=TimestamptzNow())
    finished_at = Timestamptz(null=True, default=None)
    finished_why = Text(null=True, default=None)
    batch_once = Unique([campaign, number])


class CampaignStats(Table):
    """Counters of a campaign in 16 slots, kept by triggers in the statement that moves a row; read as a sum."""

    id = BigSerial(primary_key=True)
    campaign = UUID(default=None)
    slot = SmallInt()
    total = BigInt(default=0)
    pending = BigInt(default=0, help_text="Message 1 pending or sending")
    unconfirmed = BigInt(default=0)
    sent = BigInt(default=0, help_text="Message 1 sent, delivered or read")
    delivered = BigInt(default=0, help_text="Message 1 delivered or read")
    read = BigInt(default=0)
    send_failed = BigInt(default=0)
    cancelled = BigInt(default=0)
    replied = BigInt(default=0, help_text="people who answered, in time or not")
    message_2_sent = BigInt(default=0)
    message_2_failed = BigInt(default=0)
    late_replies = BigInt(default=0)
    no_interaction = BigInt(default=0)
    opted_out = BigInt(default=0)
    campaign_stats_once = Unique([campaign, slot])


class CampaignMinute(Table):
    """The counters as they stood at the end of each minute: the charts are differences of these."""

    id = BigSerial(primary_key=True)
    campaign = UUID(default=None)
    minute = Timestamptz()
    sent = BigInt()
    delivered = BigInt()
    read = BigInt()
    send_failed = BigInt()
    replied = BigInt()
    message_2_sent = BigInt()
    campaign_minute_once = Unique([campaign, minute])


class CampaignForecast(Table):
    """The forecast that was told last, kept until it moves: why it moved is the difference."""

    campaign = UUID(primary_key=True, default=None)
    inputs = JSONB(help_text="rules.forecast.Inputs")
    told_at = Timestamptz(default=TimestamptzNow())
    moved = Text(default="", help_text="why the estimate last moved; empty: it never did")
    moved_at = Timestamptz(null=True, default=None)
