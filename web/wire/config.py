"""The pace and the settings in force, and who named each value."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from web.wire.common import Body


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
