"""Every JSON shape that goes in or out. A body with a field that is not named here is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=4096)]
Attributes = dict[Annotated[str, Meta(min_length=1, max_length=100)], Annotated[str, Meta(max_length=2000)]]
Ids = Annotated[list[UUID], Meta(max_length=10_000)]


class Body(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a request may hold, and nothing else."""


class Page(Struct, Generic[T], kw_only=True):
    """One page of a list; ``next_cursor`` asks for the next, null on the last."""

    items: list[T]
    next_cursor: str | None


class Made(Struct, kw_only=True):
    """The id of what was made or accepted."""

    id: UUID


# --- health and webhooks ---------------------------------------------------------------------------


class Readiness(Struct, kw_only=True):
    """Whether requests can be served, and why not."""

    status: str
    reasons: list[str]
    redis: str


class Stored(Struct, kw_only=True):
    """False: the same event had been stored before."""

    stored: bool


# --- contacts ------------------------------------------------------------------------------------------


class NewContact(Body, kw_only=True):
    """``region`` (two letters) reads a phone written the national way; without it DEFAULT_REGION does."""

    phone: Annotated[str, Meta(max_length=100)]
    name: Annotated[str, Meta(max_length=200)] | None = None
    attributes: Attributes = field(default_factory=dict)
    category_ids: Ids = field(default_factory=list)
    region: Annotated[str, Meta(pattern="^[A-Za-z]{2}$")] | None = None
    consent_source: Annotated[str, Meta(max_length=200)] | None = None


class ContactChange(Body, kw_only=True):
    """What is left out stays. ``attributes`` replaces all of them. ``opted_out`` true stops every campaign."""

    name: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    attributes: Attributes | UnsetType = UNSET
    consent_source: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    opted_out: bool | UnsetType = UNSET


class Contact(Struct, kw_only=True):
    """One person."""

    id: UUID
    phone: str
    name: str | None
    attributes: dict[str, Any]
    opted_out_at: datetime | None
    consent_source: str | None
    category_ids: list[UUID]
    created_at: datetime
    updated_at: datetime


class ContactLine(Struct, kw_only=True):
    """A contact in a list."""

    id: UUID
    phone: str
    name: str | None
    opted_out_at: datetime | None
    created_at: datetime


class RowError(Struct, kw_only=True):
    """One rejected row of an import; phones are masked."""

    line: int
    column: str | None
    value: str | None
    reason: str


class ImportState(Struct, kw_only=True):
    """rows = created + updated + unchanged + rejected, of what has been digested so far."""

    id: UUID
    filename: str
    state: str
    why: str
    dry_run: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    errors: list[RowError]
    created_at: datetime
    finished_at: datetime | None


# --- categories ----------------------------------------------------------------------------------------


class NewCategory(Body, kw_only=True):
    """A name that no other category has."""

    name: Name


class Category(Struct, kw_only=True):
    """A named group of contacts."""

    id: UUID
    name: str
    contact_count: int
    created_at: datetime


class Members(Body, kw_only=True):
    """Contacts to put in or take out."""

    contact_ids: Annotated[list[UUID], Meta(min_length=1, max_length=10_000)]


class Changed(Struct, kw_only=True):
    """How many were put in or taken out; those that were already so are not counted."""

    changed: int


# --- pacing and configuration --------------------------------------------------------------------------


class Pacing(Body, kw_only=True, omit_defaults=True):
    """Overrides of the pace: seconds, attempts, a share, messages per second (official profile only)."""

    profile: Literal["standard", "careful", "official"] | None = None
    delay: float | None = None
    size: int | None = None
    pause: float | None = None
    jitter: float | None = None
    rate: float | None = None


class PaceInForce(Struct, kw_only=True):
    """The pace that new batches run with, before adaptivity, and who named each value."""

    profile: str
    delay_seconds: float
    size: int
    pause_seconds: float
    jitter: float
    sources: dict[str, str]


class SettingInForce(Struct, kw_only=True):
    """One setting: its value, who named it, its bounds, and whether PATCH may change it."""

    value: Any
    source: str
    bounds: list[float] | None
    allowed: list[str] | None
    description: str
    changeable: bool


# --- senders -----------------------------------------------------------------------------------------


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


class Quota(Struct, kw_only=True):
    """One local day of a number."""

    day: str
    limit: int
    used: int
    remaining: int
    level: str


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
    created_at: datetime


# --- campaigns ----------------------------------------------------------------------------------------


class Exclusion(Body, kw_only=True):
    """Who is left out: members of these categories, those who got a Message 1 within so many days."""

    category_ids: Ids = field(default_factory=list)
    contacted_within_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Media(Body, kw_only=True):
    """One attachment by public address."""

    url: Annotated[str, Meta(pattern="^https?://", max_length=2000)]
    filename: Annotated[str, Meta(max_length=200)] | None = None


class NewCampaign(Body, kw_only=True):
    """``message_2`` null: no follow-up. ``sender_id`` may be left out while there is only one sender."""

    name: Name
    category_ids: Annotated[list[UUID], Meta(max_length=1000)]
    message_1: Text
    message_2: Text | None = None
    sender_id: UUID | None = None
    exclude: Exclusion = field(default_factory=Exclusion)
    media_1: Media | None = None
    media_2: Media | None = None
    pacing: Pacing = field(default_factory=Pacing)
    quiet_hours: str | None = None
    scheduled_at: datetime | None = None


class CampaignChange(Body, kw_only=True):
    """What is left out stays. Once launched only ``pacing`` and ``quiet_hours`` may change, from the next batch on."""

    name: Name | UnsetType = UNSET
    category_ids: Annotated[list[UUID], Meta(max_length=1000)] | UnsetType = UNSET
    message_1: Text | UnsetType = UNSET
    message_2: Text | UnsetType | None = UNSET
    sender_id: UUID | UnsetType = UNSET
    exclude: Exclusion | UnsetType = UNSET
    media_1: Media | UnsetType | None = UNSET
    media_2: Media | UnsetType | None = UNSET
    pacing: Pacing | UnsetType = UNSET
    quiet_hours: str | UnsetType | None = UNSET
    scheduled_at: datetime | UnsetType | None = UNSET


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


class Audience(Struct, kw_only=True):
    """Who is reached, and why the others of its categories are not."""

    members: int
    reached: int
    opted_out: int
    excluded: int
    contacted_recently: int
    same_person: int
    incomplete: int
    """Reached people whose text would have a hole."""


class Sample(Struct, kw_only=True):
    """The texts of one contact; ``missing`` names what it lacks for them."""

    contact_id: UUID
    name: str | None
    message_1: str | None
    message_2: str | None
    missing: list[str]


class Ends(Struct, kw_only=True):
    """When it would end if it were sent now, and what adds how many seconds."""

    sending_ends_at: datetime | None
    completes_at: datetime | None
    parts: dict[str, float]


class Preview(Struct, kw_only=True):
    """What a send would do."""

    audience: Audience
    missing: dict[str, int]
    samples: list[Sample]
    quota_needed: int
    quota: Quota
    pace: PaceInForce
    forecast: Ends


class SendOrder(Body, kw_only=True):
    """``skip_incomplete``: leave out contacts whose text would have a hole, instead of refusing."""

    skip_incomplete: bool = False


class Launched(Struct, kw_only=True):
    """How many messages were reserved, who is left out and why, and when it begins."""

    reserved: int
    excluded: dict[str, int]
    status: str
    scheduled_at: datetime | None


class PauseOrder(Body, kw_only=True):
    """``all`` holds Message 2 too; ``message_1`` lets replies be answered."""

    scope: Literal["all", "message_1"] = "all"


class BatchLine(Struct, kw_only=True):
    """One batch and the pace it ran with."""

    number: int
    size: int
    base_delay_seconds: float
    delay_seconds: float
    pause_seconds: float
    error_rate: float
    reason: str
    attempted: int
    sent: int
    failed: int
    started_at: datetime
    finished_at: datetime | None
    finished_reason: str | None


class Minute(Struct, kw_only=True):
    """The counters as they stood at the end of a minute."""

    minute: datetime
    sent: int
    delivered: int
    read: int
    send_failed: int
    interactions: int
    message_2_sent: int


# --- recipients, messages, interactions ---------------------------------------------------------------


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
