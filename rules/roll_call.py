"""Who is missing? A process that died and was replaced is not missed; one that nobody replaced is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One process of a kind: when it began, when it last beat, whether it is silent for too long."""

    kind: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    missing: bool
    alive: bool


def missed(processes: Sequence[Seen]) -> list[Seen]:
    """Return those of one kind that are silent and were not replaced, longest silent first.

    A process that began after the last beat of a silent one replaces it, and replaces no other.

    >>> from datetime import UTC, timedelta
    >>> at = lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    >>> one = lambda began, beat: Seen(kind="worker", host="a", pid=began, started_at=at(began), beat_at=at(beat),
    ...                                missing=beat < 50, alive=beat == 60)
    >>> [p.pid for p in missed([one(0, 10), one(11, 60)])]
    []
    >>> [p.pid for p in missed([one(0, 10), one(1, 60)])]
    [0]
    """
    free = sorted(processes, key=lambda process: process.started_at)
    left = []
    for gone in sorted((one for one in processes if one.missing), key=lambda process: process.beat_at):
        heir = next((one for one in free if one is not gone and one.started_at > gone.beat_at), None)
        if heir is None:
            left.append(gone)
        else:
            free.remove(heir)
    return left
