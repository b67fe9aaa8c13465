"""WhatsApp numbers: their lanes, and what they used of their day."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, BigSerial, Boolean, Date, Integer, Text, Timestamptz
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
    first_used_at = Timestamptz(null=True, default=None, help_text="since when it is used, before this service too")
    mature = Boolean(null=True, default=None, help_text="a person's word; null: what its figures say")
    guard_since = Timestamptz(null=True, default=None, help_text="the guards of this number look at nothing older")
    new_chats_after = Timestamptz(null=True, default=None, help_text="no new conversation before this")
    new_chats_why = Text(default="", help_text="why new conversations pause")
    lease_owner = UUID(null=True, default=None)
    lease_epoch = BigInt(default=0)
    lease_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    sender_one_per_device = Unique([gateway, device_id])
    known_state = Check("state in ('ready', 'degraded', 'blocked', 'offline', 'paused')")


class QuotaDay(Table):
    """What one number used of its limit on one local day. Charged in the statement that promises."""

    id = BigSerial(primary_key=True)
    sender = UUID(default=None)
    day = Date()
    used = Integer(default=0)
    begun_at = Timestamptz(null=True, default=None, help_text="what earlier days left over was moved then")
    opened = Integer(default=0, help_text="of them, Message 1 that opened a conversation")
    new_cap = Integer(null=True, default=None, help_text="warm-up: new conversations it may open; null: not judged yet")
    cap_why = Text(default="", help_text="why the cap is what it is")
    quota_day_once = Unique([sender, day])
    not_negative = Check("used >= 0")


class SenderWarning(Table):
    """A sign that a number is in danger: it costs the number a stage of its warm-up. Once per kind and local day."""

    id = BigSerial(primary_key=True)
    sender = UUID(default=None)
    day = Date()
    kind = Text(help_text="reach_out, silence or breaker")
    text = Text()
    at = Timestamptz(default=TimestamptzNow())
    sender_warning_once = Unique([sender, day, kind])
