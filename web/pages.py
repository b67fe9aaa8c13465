"""Pages of a list: so many items, from a moment on, and where the next page begins. By key: any depth is as fast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from web.problems import Problem
from web.wire.common import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="Items of one page.")]
Skip = Annotated[
    int,
    QueryParameter(
        ge=0,
        le=10_000_000,
        description="Pass over so many items behind the cursor, for a list that is jumped about in. Any item's id is a "
        "cursor; the nearer it lies, the less is read.",
    ),
]
Cursor = Annotated[str | None, QueryParameter(description="next_cursor of the page before.", max_length=64)]
Moment = Annotated[
    str | None,
    QueryParameter(
        format="date-time", max_length=40, description="As in RFC 3339, e.g. 2026-01-31T09:00:00Z; no zone means UTC."
    ),
]
"""Read it with ``moment``: the framework would take a bare number for a time."""

T = TypeVar("T")


def key(cursor: str | None) -> UUID | None:
    """Return the key behind which a page begins; None is the first page."""
    if not cursor:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise Problem(400, "invalid_cursor", "cursor must be the next_cursor of the page before") from None


def moment(given: str | None, name: str) -> datetime | None:
    """Return the time that the parameter ``name`` gives, or raise the 400."""
    if given is None:
        return None
    try:
        at = msgspec.convert(given, datetime)
    except msgspec.ValidationError:
        reason = "write a time like 2026-01-31T09:00:00Z (a + in an address is %2B)"
        errors = [{"field": name, "in": "query", "reason": reason}]
        raise Problem(400, "invalid_request", f"{name}: {reason}", errors=errors) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def first_key(at: datetime, late: timedelta = timedelta()) -> UUID:
    """Return the least key (UUIDv7) that can have been made at a moment, or so much earlier; the first of all before
    1970.

    >>> first_key(datetime(2026, 1, 1, tzinfo=UTC))
    UUID('019b76da-a800-0000-0000-000000000000')
    """
    return UUID(int=max(0, int((at.timestamp() - late.total_seconds()) * 1000)) << 80)


def page(rows: Sequence[Any], limit: int, shape: Callable[[Any], T], by: str = "id") -> Page[T]:
    """Shape a page out of up to ``limit`` + 1 rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(items=[shape(row) for row in shown], next_cursor=str(shown[-1][by]) if more else None)
