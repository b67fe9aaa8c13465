"""What is asked and told before and while a campaign runs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from web.wire.common import Body
from web.wire.config import PaceInForce
from web.wire.senders import Quota


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


class Proposal(Struct, kw_only=True):
    """A profile to take instead, and why."""

    profile: str
    why: str


class Risk(Struct, kw_only=True):
    """What the chosen pace risks, in plain words, the gravest first; ``level`` low, moderate or high."""

    level: str
    sentences: list[str]
    proposal: Proposal | None


class Preview(Struct, kw_only=True):
    """What a send would do."""

    audience: Audience
    missing: dict[str, int]
    samples: list[Sample]
    quota_needed: int
    quota: Quota
    pace: PaceInForce
    plan: dict[str, int]
    """Messages per local day that a send would reserve now; empty where the days have too little room."""
    plan_reason: str
    """Why there is no plan, and what to do."""
    forecast: Ends
    risk: Risk


class SendOrder(Body, kw_only=True):
    """``skip_incomplete``: leave out contacts whose text would have a hole, instead of refusing."""

    skip_incomplete: bool = False


class Launched(Struct, kw_only=True):
    """How many messages were reserved, who is left out and why, and when it begins."""

    reserved: int
    plan: dict[str, int]
    """Messages per local day of the number: one day, unless ``spread_over_days``."""
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
    profile: str
    sources: dict[str, str]
    """Who named each value; ``delay`` is ``error_rate`` where failures slowed it down."""
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
