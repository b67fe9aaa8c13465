"""People, and files of people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
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
