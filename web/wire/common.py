"""What every shape is made of: bodies that refuse unknown fields, pages, bounded texts."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

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
