"""Single people of a campaign: their messages, what they did, and the story of both."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

from web.wire.common import Body


class RecipientLine(Struct, kw_only=True):
    """One person of a campaign."""

    id: UUID
    contact_id: UUID
    phone: str | None
    name: str | None
    state: str
    reason: str
    failed_step: int | None
    window_ends_at: datetime | None
    replied_at: datetime | None


class Message(Struct, kw_only=True):
    """One send. ``status`` of an unanswered Message 1 is ``no_interaction`` once its window has ended."""

    id: UUID
    campaign_id: UUID
    recipient_id: UUID
    contact_id: UUID
    message_type: Literal["message_1", "message_2"]
    status: str
    content: str
    whatsapp_message_id: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    error_message: str | None
    retry_count: int


class Interaction(Struct, kw_only=True):
    """One thing a contact did."""

    id: UUID
    contact_id: UUID
    campaign_id: UUID | None
    recipient_id: UUID | None
    type: str
    body: str | None
    whatsapp_message_id: str
    quoted_id: str | None
    at: datetime
    received_at: datetime
    in_window: bool | None
    outcome: str
    reason: str
    automatic: str | None
    """echo, away, same_text or instant: no person wrote it; null where one may have."""


class InteractionLine(Interaction, kw_only=True):
    """An interaction in a list, with whose it is; null once the person was erased."""

    phone: str | None
    name: str | None


class Event(Struct, kw_only=True):
    """One move: what, from, to, why, when, by whom."""

    subject: str
    subject_id: UUID
    old: str | None
    new: str
    reason: str
    moved_by: str
    at: datetime


class Recipient(RecipientLine, kw_only=True):
    """One person of a campaign with the whole story, oldest first."""

    campaign_id: UUID
    messages: list[Message]
    interactions: list[Interaction]
    events: list[Event]


class Resolution(Body, kw_only=True):
    """What a person knows of a message in doubt: it left, or it did not and shall be sent again."""

    as_: Literal["sent", "retry"] = field(name="as")


class MessageStats(Struct, kw_only=True):
    """The exact counters, over all campaigns or one; Message 1 unless named otherwise."""

    total: int
    pending: int
    unconfirmed: int
    sent: int
    delivered: int
    read: int
    send_failed: int
    cancelled: int
    interactions: int
    message_2_sent: int
    message_2_failed: int
    late_replies: int
    no_interaction: int
    failed_count: int
    opted_out: int
