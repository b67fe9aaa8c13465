"""The numbers messages go out from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from web.wire.common import Body, Name
from web.wire.config import PaceInForce, Pacing


class NewSender(Body, kw_only=True):
    """A number of the gateway's account, by the id of its device."""

    device_id: Annotated[str, Meta(pattern="^[0-9a-f]{24}$")]
    name: Name
    phone: str | None = None
    time_zone: str | None = None
    daily_limit: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    pacing: Pacing = field(default_factory=Pacing)


class SenderChange(Body, kw_only=True):
    """What is left out stays; ``daily_limit`` null means DAILY_MESSAGE_LIMIT."""

    name: Name | UnsetType = UNSET
    phone: str | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    daily_limit: Annotated[int, Meta(ge=1, le=1000000)] | UnsetType | None = UNSET
    pacing: Pacing | UnsetType = UNSET
    first_used_at: datetime | UnsetType | None = UNSET
    """Since when the number is used, before this service too; null: nobody knows."""
    mature: bool | UnsetType | None = UNSET
    """A person's word; null leaves it to the figures."""


class Quota(Struct, kw_only=True):
    """One local day of a number: remaining = limit - used - reserved, never below 0."""

    day: str
    limit: int
    used: int
    reserved: int
    """Messages that launched campaigns plan for this day and have not sent yet."""
    remaining: int
    level: str


class NoReply(Struct, kw_only=True):
    """The calendar month of a number: conversations it opened that nobody answered. ``level``: open (no cap is set),
    ok, alert (80 %), exhausted."""

    unanswered: int
    answered_share: float
    cap: int | None
    left: int | None
    level: str
    why: str


class Maturity(Struct, kw_only=True):
    """Whether the number gets the faster delay. ``computed`` is what its figures say, ``override`` what a person said;
    ``missing`` are the reasons that speak against it."""

    mature: bool
    computed: bool
    override: bool | None
    first_used_at: datetime | None
    reasons: list[str]
    missing: list[str]


class NewConversations(Struct, kw_only=True):
    """Message 1 to people this number had nothing to do with before, counted apart. ``cap``: of the warm-up (null: its
    profile has none), and why; ``held_until`` and ``held_reason``: a reach-out lock."""

    opened_today: int
    cap: int | None
    cap_reason: str
    held_until: datetime | None
    held_reason: str


class Sender(Struct, kw_only=True):
    """One WhatsApp number and its lane."""

    id: UUID
    name: str
    gateway: str
    device_id: str
    phone: str | None
    time_zone: str
    state: str
    reason: str
    daily_limit: int | None
    pacing: dict[str, Any]
    pace: PaceInForce
    quota_today: Quota
    maturity: Maturity
    new_conversations: NewConversations
    no_reply_month: NoReply | None
    """Null in the list of senders."""
    created_at: datetime


class Stopped(Struct, kw_only=True):
    """The senders that this call paused; those that were not sending are not named."""

    paused: list[UUID]


class CheckupLine(Struct, kw_only=True):
    """One thing that was looked at; ``ok`` null: cannot be told. ``code`` is stable, ``text`` and ``remedy`` are
    sentences."""

    ok: bool | None
    subject: str
    code: str
    text: str
    remedy: str


class Checkup(Struct, kw_only=True):
    """What the gateway says about a number. ``ok``: nothing speaks against a campaign."""

    ok: bool
    findings: list[CheckupLine]
