"""What the terminal shows: one console, the words for times and shares, tables that fit 80 columns."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rules.phone import mask

DIGITS_OF_A_PHONE = 7

STATUS_STYLES = {
    "draft": "dim", "scheduled": "cyan", "launching": "cyan", "sending": "bold cyan", "waiting": "cyan",
    "paused": "bold yellow", "completed": "bold green", "cancelled": "red",
    "ready": "green", "degraded": "yellow", "offline": "red", "blocked": "bold red",
}  # fmt: skip


def console() -> Console:
    """Return a console on standard output: colours on a terminal only; 80 columns, or COLUMNS, without one."""
    return Console(highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], right: Iterable[str] = ()) -> Table:
    """Build a table with a rule under its head; columns named in ``right`` are figures."""
    built = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    figures = set(right)
    for column in columns:
        built.add_column(column, justify="right" if column in figures else "left", overflow="fold")
    for row in rows:
        built.add_row(*row)
    return built


def as_json(value: Any) -> None:
    """Print JSON for programs, and nothing else."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def status(word: str) -> Text:
    """Colour the status of a campaign or a sender."""
    return Text(word, style=STATUS_STYLES.get(word, ""))


def time_of(given: str | None) -> datetime | None:
    """Read an RFC 3339 time.

    >>> time_of("2026-11-20T08:00:00Z").hour
    8
    """
    return None if given is None else datetime.fromisoformat(given).astimezone(UTC)


def clock(given: str | None) -> str:
    """Write a time in the operator's own zone; with its day where that is not today."""
    at = time_of(given)
    if at is None:
        return "–"
    local = at.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M")


def duration(seconds: float | None) -> str:
    """Write a span of time.

    >>> [duration(s) for s in (None, 0.04, 8.25, 75, 3725, 90000)]
    ['–', '40 ms', '8.2 s', '1 min 15 s', '1 h 02 min', '1 d 1 h']
    """
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def share(part: float | None) -> str:
    """Write a share of 0 to 1.

    >>> share(0.1234), share(None), share(1.0)
    ('12 %', '', '100 %')
    """
    return "" if part is None else f"{part * 100:.0f} %"


def hidden(value: str | None) -> str:
    """Write a value of somebody's file; what may be a phone number is masked.

    >>> hidden("06 39 98 12 34"), hidden("demander à Sophie"), hidden(None)
    ('06••••••34', 'demander à Sophie', '')
    """
    if value is None:
        return ""
    many = sum(c.isdecimal() for c in value)
    return mask(value) if many >= DIGITS_OF_A_PHONE else value
