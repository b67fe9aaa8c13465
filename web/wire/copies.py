"""What is asked and told about campaigns made from others, and about retries."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from web.wire.campaigns import Campaign
from web.wire.common import Body, Name


class CopyOrder(Body, kw_only=True):
    """``name`` of the new draft; without one it is made from the old name."""

    name: Name | None = None


class NotReached(Struct, kw_only=True):
    """The new draft, the category it is sent to, and how many people that has."""

    campaign: Campaign
    category_id: UUID
    people: int


class Retried(Struct, kw_only=True):
    """How many get Message 1 once more; the others by why not: an error class that proves nothing, or ``opted_out``."""

    retried: int
    not_retried: dict[str, int]
    campaign: Campaign
