"""What the doors without a log-in say: health, and the receipt of a webhook."""

from __future__ import annotations

from msgspec import Struct


class Readiness(Struct, kw_only=True):
    """Whether requests can be served, and why not."""

    status: str
    reasons: list[str]
    redis: str


class Stored(Struct, kw_only=True):
    """False: the same event had been stored before."""

    stored: bool
