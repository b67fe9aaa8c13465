"""Figures: percentiles of what was answered, the table for people, the file for programs."""

from __future__ import annotations

import json
import math
import os
import platform
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.bench.wire import Answered


@dataclass(frozen=True)
class Figure:
    """One measured value beside its baseline. ``promise`` is what the value must be (``<`` or ``>``), if anything."""

    section: str
    name: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    promise: tuple[str, float] | None = None
    samples: int = 0

    @property
    def ratio(self) -> float:
        """How many times the baseline it is."""
        return self.value / self.baseline_value if self.baseline_value else math.nan

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None where there is none."""
        if self.promise is None:
            return None
        sign, bound = self.promise
        return self.value < bound if sign == "<" else self.value >= bound


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of the values do not pass.

    >>> percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.99)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def milliseconds(answered: Iterable[Answered]) -> dict[str, list[float]]:
    """Return the milliseconds of each kind of request."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in answered:
        found[one.name].append(one.seconds * 1000)
    return found


def refused(answered: Iterable[Answered], expected: Sequence[int] = (200, 201, 202, 204)) -> dict[str, int]:
    """Count the answers nobody expected, by kind and status: a fast error is no figure."""
    found: dict[str, int] = defaultdict(int)
    for one in answered:
        if one.status not in expected:
            found[f"{one.name}: {one.status}"] += 1
    return dict(found)


def spent(section: str, seconds: float, many: int, base: str, base_seconds: float, base_many: int) -> list[Figure]:
    """Return what one request cost the web process: a machine that others use makes it slower, not dearer."""
    if not seconds or not base_seconds:  # a machine that does not tell, or a run too short to be counted
        return []
    value, baseline = seconds * 1000 / many, base_seconds * 1000 / base_many
    return [Figure(section, "processor per request", value, "ms", base, baseline, None, many)]


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(title="bin/bench", title_justify="left")
    for column in ("", "figure", "value", "promise", "baseline", "ratio"):
        table.add_column(column, justify="right" if column in ("value", "promise", "ratio") else "left")
    last = ""
    for figure in figures:
        promise = "" if figure.promise is None else f"{figure.promise[0]} {figure.promise[1]:g}"
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}[figure.kept]
        table.add_row(
            figure.section if figure.section != last else "",
            figure.name,
            f"{figure.value:,.1f} {figure.unit}",
            f"{promise} {mark}",
            f"{figure.baseline}: {figure.baseline_value:,.1f}",
            "" if math.isnan(figure.ratio) else f"{figure.ratio:.2f}",
        )
        last = figure.section
    console.print(table)


def store(figures: Sequence[Figure], about: dict[str, object], file: Path) -> None:
    """Write the file."""
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg(), "system": platform.platform()},
        **about,
        "figures": [
            asdict(f) | {"ratio": None if math.isnan(f.ratio) else round(f.ratio, 3), "kept": f.kept} for f in figures
        ],
    }
    file.write_text(json.dumps(document, indent=1) + "\n")
