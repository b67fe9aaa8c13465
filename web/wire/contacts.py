"""People, and files of people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from web.wire.common import Attributes, Body, Ids


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


class ContactStats(Struct, kw_only=True):
    """total = reachable + opted_out."""

    total: int
    reachable: int
    opted_out: int


class BulkOrder(Body, kw_only=True):
    """``category_id`` for add_category and remove_category; ``attributes``, laid over the present ones, for
    set_attributes."""

    action: Literal["opt_out", "opt_in", "delete", "add_category", "remove_category", "set_attributes"]
    ids: Annotated[list[UUID], Meta(min_length=1, max_length=10_000)]
    category_id: UUID | None = None
    attributes: Attributes = field(default_factory=dict)


class BulkDone(Struct, kw_only=True):
    """How many contacts it changed, and up to ten ids that nobody has."""

    changed: int
    unknown: list[UUID]
