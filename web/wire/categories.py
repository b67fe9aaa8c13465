"""Named groups of contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from web.wire.common import Body, Name


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
