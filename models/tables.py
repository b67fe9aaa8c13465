"""Everything we remember, table by table, with the constraints that guard it.

Partial, composite and expression indexes, fill factors and the triggers of ``bookkeeping.sql`` are in the
migrations: Piccolo cannot say them. Keys are UUIDv7 (time-ordered); all times are ``timestamptz``.
Only ``message.recipient`` is a foreign key among the big tables: three of them cost the launch 40 %.
"""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    Date,
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


class Sender(Table):
    """One WhatsApp number, and its lane: the right to send Message 1 from it."""

    id = UUID(primary_key=True, default=uuid7)
    gateway = Text()
    device_id = Text()
    phone = Text(null=True, default=None)
    name = Text()
    time_zone = Text()
    state = Text(default="ready", help_text="ready, degraded, blocked, offline, paused")
    why = Text(default="", help_text="why it is in this state")
    moved_by = Text(default="")
    daily_limit = Integer(null=True, default=None, help_text="null: DAILY_MESSAGE_LIMIT")
    pacing = JSONB(default="{}", help_text="overrides of the pace, by setting name")
    gate_at = Timestamptz(default=TimestamptzNow(), help_text="no Message 1 before this, whatever Redis says")
    not_before = Timestamptz(default=TimestamptzNow(), help_text="the lane has nothing to do before this")
    heard_until = Timestamptz(null=True, default=None, help_text="inbound messages were read back up to here")
    lease_owner = UUID(null=True, default=None)
    lease_epoch = BigInt(default=0)
    lease_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    sender_one_per_device = Unique([gateway, device_id])
    known_state = Check("state in ('ready', 'degraded', 'blocked', 'offline', 'paused')")


class Contact(Table):
    """One person. ``identity`` is the key all spellings of the number share; two contacts may collide on it."""

    id = UUID(primary_key=True, default=uuid7)
    phone = Text(unique=True, help_text="E.164")
    identity = Text()
    wa_id = Text(null=True, default=None, help_text="digits, as the gateway returned them")
    lid = Text(null=True, default=None, help_text="the hidden id of people whose number WhatsApp does not show")
    name = Text(null=True, default=None)
    attributes = JSONB(default="{}")
    opted_out_at = Timestamptz(null=True, default=None)
    consent_source = Text(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())


class Category(Table):
    """A named group of contacts."""

    id = UUID(primary_key=True, default=uuid7)
    name = Text(unique=True)
    created_at = Timestamptz(default=TimestamptzNow())


class ContactCategory(Table):
    """Which contact is in which category."""

    id = UUID(primary_key=True, default=uuid7)
    contact = ForeignKey(Contact, null=False, on_delete=OnDelete.cascade)
    category = ForeignKey(Category, null=False, on_delete=OnDelete.cascade)
    contact_category_once = Unique([contact, category])


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


class Message(Table):
    """One send. The row (recipient, step) is the idempotency guard: there is never a second one."""

    id = UUID(primary_key=True, default=uuid7)
    recipient = ForeignKey(Recipient, null=False, on_delete=OnDelete.restrict, index=False)
    campaign = UUID(default=None)
    contact = UUID(default=None)
    sender = UUID(default=None)
    step = SmallInt(help_text="1 or 2")
    phone = Text()
    text = Text()
    media = JSONB(null=True, default=None)
    status = Text(default="pending")
    why = Text(default="")
    moved_by = Text(default="")
    attempt = Integer(default=0, help_text="number of the last promise: the fence of whoever made it")
    retries = Integer(default=0, help_text="attempts that failed and used up a retry")
    round = Integer(default=0, help_text="raised by a person's retry; part of the reference from 1 on")
    next_at = Timestamptz(default=TimestamptzNow())
    promised_at = Timestamptz(null=True, default=None)
    process = UUID(null=True, default=None, help_text="the process that promised: its advisory lock says if it lives")
    ended_at = Timestamptz(null=True, default=None, help_text="that process saw its call end without an answer")
    absent_at = Timestamptz(null=True, default=None, help_text="first look-up that proved nothing was there")
    batch = UUID(null=True, default=None)
    quota_day = Date(null=True, default=None)
    gateway_id = Text(null=True, default=None)
    whatsapp_message_id = Text(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    delivered_at = Timestamptz(null=True, default=None)
    read_at = Timestamptz(null=True, default=None)
    failed_at = Timestamptz(null=True, default=None)
    error_class = Text(null=True, default=None)
    error_text = Text(null=True, default=None)
    accept_ms = DoublePrecision(null=True, default=None, help_text="from the write to the gateway's answer")
    created_at = Timestamptz(default=TimestamptzNow())
    message_once = Unique([recipient, step])
    known_step = Check("step in (1, 2)")
    known_status = Check(
        "status in ('pending', 'sending', 'unconfirmed', 'sent', 'delivered', 'read', 'failed', 'cancelled')"
    )
    promise_is_complete = Check(
        "(status in ('sending', 'unconfirmed')) <= (promised_at is not null and process is not null)"
    )
    accepted_is_dated = Check("(status in ('sent', 'delivered', 'read')) <= (sent_at is not null)")
    failure_has_reason = Check("(status = 'failed') <= (failed_at is not null and error_text is not null)")


class Inbox(Table):
    """A webhook as it came, stored before the 200. Digested later; twice is once."""

    id = UUID(primary_key=True, default=uuid7)
    event_key = Text(unique=True)
    kind = Text()
    device_id = Text(null=True, default=None)
    from_person = Boolean(help_text="may be a reply: the replies process digests it, one by one")
    body = Bytea()
    received_at = Timestamptz(default=TimestamptzNow())
    fetched = Boolean(help_text="read back from the gateway: its webhook was missed")
    attempts = SmallInt(default=0)
    digested_at = Timestamptz(null=True, default=None)
    parked_for = UUID(null=True, default=None, help_text="waits until this message is no longer in doubt")
    outcome = Text(null=True, default=None)
    why = Text(null=True, default=None)


class Interaction(Table):
    """One thing a contact did: wrote, reacted, sent a picture. Always recorded, reply or not."""

    id = UUID(primary_key=True, default=uuid7)
    inbox = UUID(unique=True, default=None)
    contact = UUID(default=None)
    sender = UUID(default=None)
    campaign = UUID(null=True, default=None)
    recipient = UUID(null=True, default=None)
    type = Text()
    body = Text(null=True, default=None)
    whatsapp_message_id = Text()
    quoted_id = Text(null=True, default=None)
    at = Timestamptz(help_text="the gateway's time of it")
    received_at = Timestamptz()
    in_window = Boolean(null=True, default=None)
    outcome = Text()
    why = Text(help_text="why it was matched and judged as it was")


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
    attempted = Integer(default=0)
    sent = Integer(default=0)
    failed = Integer(default=0)
    started_at = Timestamptz(default=TimestamptzNow())
    finished_at = Timestamptz(null=True, default=None)
    finished_why = Text(null=True, default=None)
    batch_once = Unique([campaign, number])


class Event(Table):
    """One move of any status: what, from, to, why, when, by whom. Written by triggers, never updated."""

    id = BigSerial(primary_key=True)
    subject = Text(help_text="campaign, recipient, message or sender")
    subject_id = UUID(default=None)
    campaign = UUID(null=True, default=None)
    old = Text(null=True, default=None)
    new = Text()
    why = Text()
    moved_by = Text()
    at = Timestamptz(default=TimestamptzNow())


class AllowedMove(Table):
    """``rules.status.ALLOWED``, copied here by the release process for the triggers to enforce."""

    id = BigSerial(primary_key=True)
    subject = Text()
    old = Text()
    new = Text()
    allowed_move_once = Unique([subject, old, new])


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


class QuotaDay(Table):
    """What one number used of its limit on one local day. Charged in the statement that promises."""

    id = BigSerial(primary_key=True)
    sender = UUID(default=None)
    day = Date()
    used = Integer(default=0)
    quota_day_once = Unique([sender, day])
    not_negative = Check("used >= 0")


class Setting(Table):
    """Run-time configuration: overrides the environment, is overridden by sender and campaign."""

    key = Text(primary_key=True)
    value = JSONB()
    changed_at = Timestamptz(default=TimestamptzNow())
    changed_by = Text()


class Alert(Table):
    """Something a person should know: raised once per (kind, subject), updated, resolved."""

    id = UUID(primary_key=True, default=uuid7)
    kind = Text()
    subject = Text()
    text = Text()
    times = Integer(default=1)
    raised_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
    resolved_at = Timestamptz(null=True, default=None)


class Import(Table):
    """One uploaded file of contacts, and what became of its rows. The file is dropped when done."""

    id = UUID(primary_key=True, default=uuid7)
    filename = Text()
    body = Bytea(null=True, default=None)
    category = UUID(null=True, default=None)
    region = Text(null=True, default=None)
    dry_run = Boolean(default=False)
    state = Text(default="pending", help_text="pending, running, completed, failed")
    why = Text(default="")
    rows = Integer(default=0)
    created = Integer(default=0)
    updated = Integer(default=0)
    unchanged = Integer(default=0)
    rejected = Integer(default=0)
    errors = JSONB(default="[]", help_text="[{line, column, value, reason}], the first 1,000")
    created_at = Timestamptz(default=TimestamptzNow())
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class Heartbeat(Table):
    """One process that lives, or lived. Its id is on every promise it made."""

    process = UUID(primary_key=True, default=None)
    kind = Text(help_text="web, worker, replies or scheduler")
    host = Text()
    pid = Integer()
    started_at = Timestamptz(default=TimestamptzNow())
    beat_at = Timestamptz(default=TimestamptzNow())


class Leader(Table):
    """Who may act as the one scheduler, until when. A frozen leader loses it by the clock."""

    name = Text(primary_key=True)
    owner = UUID(default=None)
    until = Timestamptz()
