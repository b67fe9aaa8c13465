"""Tests of a campaign: its texts, sent once to a phone of the operator's choice."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Date, SmallInt, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check
from piccolo.table import Table
from uuid_utils.compat import uuid7


class Trial(Table):
    """One text of a campaign on its way to a test phone. It is promised once and never sent again."""

    id = UUID(primary_key=True, default=uuid7)
    campaign = UUID(default=None)
    sender = UUID(default=None)
    step = SmallInt(help_text="1 or 2")
    phone = Text()
    identity = Text()
    text = Text()
    media = JSONB(null=True, default=None)
    status = Text(default="pending", help_text="pending, sending, sent, delivered, read, failed, unconfirmed")
    why = Text(default="")
    process = UUID(null=True, default=None, help_text="the process that promised it")
    quota_day = Date(null=True, default=None)
    gateway_id = Text(null=True, default=None)
    whatsapp_message_id = Text(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    promised_at = Timestamptz(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    known_trial_step = Check("step in (1, 2)")
    known_trial_status = Check("status in ('pending', 'sending', 'sent', 'delivered', 'read', 'failed', 'unconfirmed')")
    trial_promise_is_complete = Check("status in ('pending', 'failed') or promised_at is not null")
