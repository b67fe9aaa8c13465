"""A campaign's live figures: a picture that moves on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.rest import NotThere, Rest
from cli.terminal import clock, console, duration, share, status, time_of

ENDED = frozenset({"completed", "cancelled"})
PATIENCE_SECONDS = 30.0
"""A service that is restarted meanwhile is waited for so long."""
LINE_SECONDS = 5.0
"""Without a terminal, one line so often, and one at every change of the status."""
BAR_WIDTH = 30

_ROWS = (
    ("Message 1", "sent", "total", "cyan"),
    ("delivered", "delivered", "sent", "blue"),
    ("read", "read", "sent", "blue"),
    ("replied", "interactions", "sent", "green"),
    ("Message 2", "message_2_sent", "sent", "bold green"),
    ("silent", "no_interaction", "sent", "bright_black"),
)


def watch(rest: Rest, campaign: str, name: str, *, follow: bool) -> None:
    """Show the figures once, or follow them until the campaign has ended (Ctrl-C ends only the looking)."""
    out = console()
    if not follow:
        out.print(picture(name, rest.get(f"/api/campaigns/{campaign}/progress")))
    elif out.is_terminal:
        _live(out, name, snapshots(rest, campaign))
    else:
        _lines(out, snapshots(rest, campaign))


def snapshots(rest: Rest, campaign: str) -> Iterator[dict[str, Any]]:
    """Yield the figures whenever they change, until the campaign has ended. Raises NotThere, Refused."""
    silent_since = time.monotonic()
    while True:
        for event, figures in rest.events(f"/api/campaigns/{campaign}/events"):
            if event == "progress":
                yield figures
                silent_since = time.monotonic()
                if figures["status"] in ENDED:
                    return
        try:  # the stream was cut, or had nothing to say
            figures = rest.get(f"/api/campaigns/{campaign}/progress")
        except NotThere:
            if time.monotonic() - silent_since > PATIENCE_SECONDS:
                raise
            time.sleep(0.5)
            continue
        silent_since = time.monotonic()
        yield figures
        if figures["status"] in ENDED:
            return


def _live(out: Console, name: str, figures: Iterator[dict[str, Any]]) -> None:
    with Live(console=out, auto_refresh=False) as live:
        for now in figures:
            live.update(picture(name, now), refresh=True)


def _lines(out: Console, figures: Iterator[dict[str, Any]]) -> None:
    said, shown = "", 0.0
    for now in figures:
        if now["status"] != said or time.monotonic() - shown >= LINE_SECONDS:
            said, shown = now["status"], time.monotonic()
            out.print(line(now), soft_wrap=True)


def picture(name: str, now: dict[str, Any]) -> RenderableType:
    """Build the picture of one moment, for 80 columns."""
    head = Text(name, style="bold").append("  ").append(status(now["status"]))
    if now["status"] not in ("launching", "sending", "waiting", "completed"):
        head.append(f"  {now['reason']}", style="dim")
    rows = Table.grid(padding=(0, 1))
    rows.add_column(width=10)
    rows.add_column(width=BAR_WIDTH)
    rows.add_column(justify="right", min_width=5)
    rows.add_column(justify="right", width=5, style="dim")
    rows.add_column(style="dim", overflow="fold")
    beside = _beside(now)
    for label, figure, whole, style in _ROWS:
        part, of = now[figure], now[whole]
        bar = Bar(max(1, of), 0, part, width=BAR_WIDTH, color=style.removeprefix("bold "), bgcolor="grey15")
        rows.add_row(label, bar, str(part), share(part / of if of else None), beside.get(label, ""))
    return Group(head, rows, _foot(now))


def line(now: dict[str, Any]) -> Text:
    """Write one moment in one line."""
    text = Text(f"{clock(now['at'])}  {now['status']:<9} {now['sent']}/{now['total']} sent")
    for label, figure in (("delivered", "delivered"), ("replied", "interactions"), ("Message 2", "message_2_sent")):
        text.append(f", {now[figure]} {label}")
    for label, figure in (("silent", "no_interaction"), ("failed", "send_failed"), ("in doubt", "unconfirmed")):
        text.append(f", {now[figure]} {label}" if now[figure] else "")
    if now["status"] == "sending" and now["rate_per_minute"]:
        text.append(f", {now['rate_per_minute']:.0f}/min")
    if now["status"] == "paused":
        text.append(f" ({now['reason']})")
    ends = _in(now, "sending_ends_at") if now["status"] == "sending" else _in(now, "completes_at")
    return text.append(f", ends {ends}" if ends and now["status"] in ("sending", "waiting") else "")


def _beside(now: dict[str, Any]) -> dict[str, str]:
    """Say what stands beside the bars: pace and end, how soon people answer and are answered."""
    beside = {}
    if now["status"] == "sending":
        ends = _in(now, "sending_ends_at")
        beside["Message 1"] = f"{now['rate_per_minute']:.0f}/min" + (f", sent {ends}" if ends else "")
    for label, what in (("delivered", "delivery"), ("read", "read"), ("replied", "reply")):
        if spread := now["latency_ms"][what]:
            beside[label] = f"after {duration(spread['p50'] / 1000)}"
    return beside


def _foot(now: dict[str, Any]) -> Text:
    """Say in one line what went wrong, and what is waited for."""
    parts = []
    for label, figure, style in (
        ("failed", "send_failed", "red"),
        ("in doubt", "unconfirmed", "yellow"),
        ("Message 2 failed", "message_2_failed", "red"),
        ("late", "late_replies", "default"),
        ("asked us to stop", "opted_out", "default"),
        ("cancelled", "cancelled", "default"),
    ):
        if now[figure]:
            parts.append(Text(f"{now[figure]} {label}", style=style))
    if now["status"] == "waiting" and (ends := _in(now, "completes_at")):
        parts.append(Text(f"every Message 1 has left, windows close {ends}", style="dim"))
    if now["batch"] and now["status"] == "sending":
        batch = now["batch"]
        parts.append(Text(f"batch {batch['number']}: {batch['done']} of {batch['size']}", style="dim"))
    return Text(" · ").join(parts) if parts else Text("")


def _in(now: dict[str, Any], when: str) -> str:
    """Say how far off a moment is."""
    at, here = time_of(now[when]), time_of(now["at"]) or datetime.now(UTC)
    if at is None:
        return ""
    left = (at - here).total_seconds()
    return f"in {duration(left)}" if left >= 1 else "any moment now"
