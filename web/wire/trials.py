"""Tests of a campaign: what is asked, and how far they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, field

from web.wire.common import Attributes, Body


class TrialOrder(Body, kw_only=True):
    """Where to send it. ``message_2``: that text too. ``name`` and ``attributes`` fill the placeholders; what they
    leave out comes from the contact with this phone, else from the first person the campaign reaches."""

    phone: Annotated[str, Meta(min_length=1, max_length=40)]
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    message_2: bool = False
    name: Annotated[str, Meta(max_length=200)] | None = None
    attributes: Attributes = field(default_factory=dict)


class Trial(Struct, kw_only=True):
    """One text on its way: pending, sending, sent, delivered, read, failed; unconfirmed where nobody can tell."""

    id: UUID
    campaign_id: UUID
    message_type: str
    phone: str
    content: str
    status: str
    reason: str
    created_at: datetime
    sent_at: datetime | None
