"""A campaign: what is written down of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from web.wire.common import Body, Ids, Name
from web.wire.config import Pacing

SpreadDays = Annotated[int, Meta(ge=1, le=365)]
Words = Annotated[str, Meta(max_length=4096)]
"""The text of a message; empty only beside a sound, which carries none."""


class Exclusion(Body, kw_only=True):
    """Who is left out: members of these categories, those who got a Message 1 within so many days."""

    category_ids: Ids = field(default_factory=list)
    contacted_within_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Media(Body, kw_only=True):
    """One attachment: by public address, or by the id of an uploaded file (POST /api/media)."""

    url: Annotated[str, Meta(pattern="^https?://", max_length=2000)] | UnsetType = UNSET
    media_id: UUID | UnsetType = UNSET
    filename: Annotated[str, Meta(max_length=200)] | None = None


class NewCampaign(Body, kw_only=True):
    """``message_2`` null: no follow-up. ``sender_id`` may be left out while there is only one sender."""

    name: Name
    category_ids: Annotated[list[UUID], Meta(max_length=1000)]
    message_1: Words
    message_2: Words | None = None
    sender_id: UUID | None = None
    exclude: Exclusion = field(default_factory=Exclusion)
    media_1: Media | None = None
    media_2: Media | None = None
    pacing: Pacing = field(default_factory=Pacing)
    quiet_hours: str | None = None
    scheduled_at: datetime | None = None
    spread_over_days: SpreadDays | None = None
    answer_automatic_replies: bool = False


class CampaignChange(Body, kw_only=True):
    """What is left out stays. Once launched only ``pacing`` and ``quiet_hours`` may change, from the next batch on."""

    name: Name | UnsetType = UNSET
    category_ids: Annotated[list[UUID], Meta(max_length=1000)] | UnsetType = UNSET
    message_1: Words | UnsetType = UNSET
    message_2: Words | UnsetType | None = UNSET
    sender_id: UUID | UnsetType = UNSET
    exclude: Exclusion | UnsetType = UNSET
    media_1: Media | UnsetType | None = UNSET
    media_2: Media | UnsetType | None = UNSET
    pacing: Pacing | UnsetType = UNSET
    quiet_hours: str | UnsetType | None = UNSET
    scheduled_at: datetime | UnsetType | None = UNSET
    spread_over_days: SpreadDays | UnsetType | None = UNSET
    answer_automatic_replies: bool | UnsetType = UNSET


class Campaign(Struct, kw_only=True):
    """One campaign, whole."""

    id: UUID
    name: str
    status: str
    reason: str
    holds: str | None
    sender_id: UUID
    category_ids: list[UUID]
    exclude: Exclusion
    message_1: str
    message_2: str | None
    media_1: dict[str, Any] | None
    media_2: dict[str, Any] | None
    pacing: dict[str, Any]
    quiet_hours: str | None
    scheduled_at: datetime | None
    spread_over_days: int | None
    """Null: all Message 1 on one local day, or the launch is refused."""
    plan: dict[str, int]
    """Messages per local day as they were reserved; empty before it is sent."""
    answer_automatic_replies: bool
    """Away messages, canned answers and echoes bring Message 2 too."""
    created_at: datetime
    launched_at: datetime | None
    completed_at: datetime | None


class CampaignLine(Struct, kw_only=True):
    """A campaign in a list, with its main figures."""

    id: UUID
    name: str
    status: str
    reason: str
    sender_id: UUID
    scheduled_at: datetime | None
    created_at: datetime
    launched_at: datetime | None
    completed_at: datetime | None
    total: int
    sent: int
    interactions: int
    message_2_sent: int
    failed_count: int
