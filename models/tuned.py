"""The settings as run-time configuration changed them: ``PATCH /api/config`` over the environment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import settings
from models.queries import from_json

if TYPE_CHECKING:
    from models.pool import Conn

TUNABLE = (
    "MATURE_DELAY_SECONDS",
    "MATURE_AGE_DAYS",
    "MATURE_SENT",
    "MATURE_FAILURE_RATE",
    "MATURE_REPLY_RATE",
    "ERROR_RATE_THRESHOLD",
    "DELAY_INCREASE_FACTOR",
    "CIRCUIT_BREAKER_THRESHOLD",
    "INVALID_NUMBER_THRESHOLD",
    "REACH_OUT_REST_HOURS",
)
"""What may change at run time besides the pace itself (``models.pace.LAYER_FIELDS``)."""


async def in_force(conn: Conn) -> settings.Settings:
    """Return the settings with every change made at run time."""
    rows = await conn.fetch("SELECT key, value FROM setting WHERE key = ANY($1)", list(TUNABLE))
    if not rows:
        return settings.get()
    return replace(settings.get(), **{row["key"].lower(): from_json(row["value"]) for row in rows})
