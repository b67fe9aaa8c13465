"""Why the estimate moved: the inputs it was told with are kept until the difference is worth a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from models.queries import sql
from rules.drift import moved
from rules.forecast import Inputs

if TYPE_CHECKING:
    from models.pool import Conn


@dataclass(frozen=True)
class Told:
    """Why the estimate last moved (empty: it never did), and when that was noticed (None: just now)."""

    why: str
    at: datetime | None


async def moved_since(conn: Conn, campaign: UUID, now: Inputs, *, keep: bool) -> Told:
    """Compare with what was told last; ``keep``: remember a difference, and from then on compare with ``now``."""
    row = await sql.forecast_told(conn, campaign=campaign)
    if row is None:
        if keep:
            await _keep(conn, campaign, now, "")
        return Told("", None)
    why = moved(msgspec.json.decode(row["inputs"], type=Inputs), now)
    if not why:
        return Told(row["moved"], row["moved_at"])
    if keep:
        await _keep(conn, campaign, now, why)
    return Told(why, None)


async def _keep(conn: Conn, campaign: UUID, now: Inputs, why: str) -> None:
    inputs = msgspec.json.encode(now).decode()
    await sql.tell_forecast(conn, campaign=campaign, inputs=inputs, moved=why)
