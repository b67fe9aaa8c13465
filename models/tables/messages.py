"""What was sent, what came in, and every move of any status."""

from __future__ import annotations

from piccolo.columns import (
    JSONB,
    UUID,
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

from models.tables.campaigns import Recipient


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
    opens = Boolean(null=True, default=None, help_text="nothing had passed between this contact and this number before")
    held = Text(null=True, default=None, help_text="what put next_at off, other than a retry")
    acked_at = Timestamptz(null=True, default=None, help_text="the gateway was first heard of it after taking it")
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
    fingerprint = Text(null=True, default=None, help_text="what the same text of different people has in common")
    automatic = Text(null=True, default=None, help_text="echo, away, same_text or instant: no person wrote it")


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
