"""Whom a campaign would reach if it were sent now, counted before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.queries import sql
from rules.text import placeholders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg import Record

    from models.pool import Conn


@dataclass(frozen=True)
class Reach:
    """``counted``: members, reached, and why the others are not. ``incomplete`` of the reached lack a value that a text
    needs; ``missing`` says how many per placeholder."""

    counted: Mapping[str, int]
    incomplete: int
    missing: Mapping[str, int]

    @property
    def complete(self) -> int:
        """Reached people whose texts have no hole."""
        return self.counted["reached"] - self.incomplete


async def reach(conn: Conn, campaign: Record) -> Reach:
    """Count the audience of a campaign (a row with id, message_1 and message_2)."""
    counted = await sql.count_audience(conn, campaign=campaign["id"])
    texts = [campaign["message_1"], *([campaign["message_2"]] if campaign["message_2"] is not None else [])]
    needed = {p.name for text in texts for p in placeholders(text) if p.default is None}
    missing: dict[str, int] = {}
    incomplete = 0
    for hole in await sql.count_holes(conn, campaign=campaign["id"], placeholders=sorted(needed)):
        if hole["key"] is None:
            incomplete = hole["people"]
        else:
            missing[hole["key"]] = hole["people"]
    return Reach(dict(counted), incomplete, missing)
